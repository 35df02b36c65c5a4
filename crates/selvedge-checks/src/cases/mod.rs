//! Unit tests of feature views, as YAML: given these rows, expect those.  They need no materials.
//!
//! A file `tests/features/<view>.yaml` holds cases; the keys of the rows that a case expects are the rows of its grain.

mod compare;
mod fixture;
mod record;
mod request;
mod yaml;

use selvedge_engine::{Engine, Table};
use selvedge_features::features;
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SqlFile, TableName};

pub use record::record;
pub use request::request;

use self::fixture::Shapes;
use self::yaml::{Case, CaseFile};

#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: String },
    #[error("{file}:{line}: {cause}")]
    Yaml { file: String, line: usize, cause: String },
    #[error("{file}: there is no feature view '{view}'")]
    UnknownView { file: String, view: String, known: Vec<String> },
    #[error("{place}: the view does not read {table}")]
    UnknownTable { place: String, table: String, known: Vec<String> },
    #[error("{place}: the view reads {table}, and no rows of it are given")]
    NoTable { place: String, table: String },
    #[error("{place}: row {row} of {table} has no '{column}', which the view reads")]
    NoColumn { place: String, table: String, row: usize, column: String },
    #[error("{place}: {table} has no column '{column}'")]
    UnknownColumn { place: String, table: String, column: String, known: Vec<String> },
    #[error("{place}: {table}.{column} is {value}, which is no {wanted}")]
    BadValue { place: String, table: String, column: String, value: String, wanted: String },
    #[error("{place}: it expects no rows")]
    NothingExpected { place: String },
    #[error("{failed} of {cases} cases failed; the first: {first}")]
    Failed { failed: usize, cases: usize, first: String },
    #[error("'{part}' is no key=value")]
    NotAKey { place: &'static str, part: String },
    #[error("the key of {view} is {}", key.join(", "))]
    OtherKey { view: String, key: Vec<String> },
    #[error("{rows} source rows make this row of {view}")]
    TooMany { view: String, rows: usize },
}

impl Advice for CaseError {
    fn advice(&self) -> Option<String> {
        let near = |wanted: &str, known: &[String]| {
            did_you_mean(wanted, known.iter().map(String::as_str), &format!("there are {}", known.join(", ")))
        };
        Some(match self {
            Self::Unreadable { .. } => "check the file's permissions and that it is UTF-8".into(),
            Self::Yaml { .. } => {
                "write `given:` (tables with rows) and `cases:`, each with name, given and expect (see CLAUDE.md)"
                    .into()
            }
            Self::UnknownView { view, known, .. } => near(view, known),
            Self::UnknownTable { table, known, .. } => near(table, known),
            Self::NoTable { table, .. } => format!("give its rows, or write `{table}: []` for none"),
            Self::NoColumn { column, .. } => {
                format!("write `{column}: …` in that row, or `{column}: null` where it has none")
            }
            Self::UnknownColumn { column, known, .. } => near(column, known),
            Self::BadValue { .. } => "correct the value; times are UTC, such as 2026-01-31T12:00:00".into(),
            Self::NothingExpected { .. } => "write at least one row under `expect:`, with the view's key".into(),
            Self::Failed { .. } => "correct the view, or what its case expects".into(),
            Self::NotAKey { place, .. } => {
                format!("name each column of the view's key, such as `{place} … customer_id=… as_of=…`")
            }
            Self::OtherKey { key, .. } => format!("name each of {} once, as key=value", key.join(", ")),
            Self::TooMany { .. } => {
                "choose an earlier moment or a row with less behind it, and write the rest by hand".into()
            }
        })
    }
}

/// Runs the cases of the named views, or all of them where none is named.
///
/// # Errors
/// A case that cannot be read, or whose rows come out otherwise.
pub fn run(project: &Project, views: &[String]) -> Result<()> {
    let files = CaseFile::all(project)?;
    let progress = Progress::start("cases");
    let engine = Engine::new(project)?;
    let shapes = Shapes::new(project, &engine)?;
    let (mut cases, mut failures) = (0, Vec::new());
    for case_file in files.iter().filter(|file| views.is_empty() || views.contains(&file.view)) {
        let view = find(project, &case_file.shown, &case_file.view)?;
        let needs = shapes.needs(project, &engine, view)?;
        for case in &case_file.cases {
            cases += 1;
            let place = case_file.place(case);
            failures.extend(check(project, &engine, &shapes, &needs, view, case, &place)?);
        }
    }
    failures.iter().for_each(|failure| progress.say(failure));
    match failures.first() {
        None => {
            progress.done(format!("{cases} cases hold"));
            Ok(())
        }
        Some(first) => Err(CaseError::Failed { failed: failures.len(), cases, first: first.clone() }.into()),
    }
}

/// What is wrong with a case, in words; none when it holds.
fn check(
    project: &Project,
    engine: &Engine,
    shapes: &Shapes,
    needs: &fixture::Needs,
    file: &SqlFile,
    case: &Case,
    place: &str,
) -> Result<Option<String>> {
    if case.expect.is_empty() {
        return Err(CaseError::NothingExpected { place: place.into() }.into());
    }
    let (grain, key) = grain(project, file);
    shapes.register(engine, needs, case, &grain, &key, place)?;
    let found: Table = match features::view(project, engine, file) {
        Ok(view) => view.table,
        Err(error) => return Ok(Some(format!("{place}: {}", error.to_string().trim_start_matches("error: ")))),
    };
    compare::first_difference(&found, case, &file.shown, place)
}

/// The file of a feature view; `shown` is named in the error.
///
/// # Errors
/// There is none of this name.
pub fn find<'a>(project: &'a Project, shown: &str, view: &str) -> Result<&'a SqlFile> {
    let known = || project.library.layer(Layer::FEATURES).map(|file| file.header.name().to_owned()).collect();
    let unknown = || CaseError::UnknownView { file: shown.into(), view: view.into(), known: known() };
    Ok(project.library.file(&TableName::new("features", view)).ok_or_else(unknown)?)
}

/// The grain that a view reads, and its key.
fn grain(project: &Project, file: &SqlFile) -> (TableName, Vec<String>) {
    let entity = match &file.header {
        Header::Feature(header) => header.entity.as_str(),
        _ => "",
    };
    let name = TableName::new("grain", entity);
    let key = match project.library.file(&name).map(|file| &file.header) {
        Some(Header::Table(header)) => header.key.clone(),
        _ => Vec::new(),
    };
    (name, key)
}
