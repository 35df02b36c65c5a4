//! `selvedge diff --from REV`: what a change of `sql/` and `params.yaml` does to features, models and lists, for a pull request.

mod columns;
mod git;
mod lists;
mod report;
mod sides;

use self::columns::{Moved, compare, pairs};
use self::lists::Lists;
use self::sides::{Scratch, Side, of_commit, of_tree};
use selvedge_analysis::lineage::TableTrace;
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result};
use selvedge_project::numbers::counted;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    #[error("git did not run: {0}")]
    NoGit(std::io::Error),
    #[error("git knows no commit '{revision}' here")]
    UnknownRevision { revision: String },
    #[error("the commit {commit} has no params.yaml in this folder")]
    NoProjectThen { commit: String },
    #[error("{path}: {cause}")]
    Disk { path: String, cause: std::io::Error },
    #[error("the figures of the lists: {0}")]
    Model(#[from] recommenders::ModelError),
    #[error("changes.png cannot be drawn: {0}")]
    Chart(charts::ChartError),
}

impl Advice for ChangesError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoGit(_) => Some("install git; definitions of earlier commits are read through it".into()),
            Self::UnknownRevision { .. } => Some("name a commit, a branch or a tag, such as main or HEAD~1".into()),
            Self::NoProjectThen { .. } => Some("name a later commit".into()),
            Self::Disk { .. } => Some("check that work/ may be written to and that the disk has room".into()),
            Self::Model(cause) => cause.advice(),
            Self::Chart(_) => None,
        }
    }
}

/// How a column's meaning differs between the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Added,
    Removed,
    Direct,
    Upstream,
}

impl Change {
    fn words(self) -> &'static str {
        match self {
            Self::Added => "new",
            Self::Removed => "removed",
            Self::Direct => "its own definition",
            Self::Upstream => "something it reads",
        }
    }
}

/// A column that means something else.
struct Changed {
    view: String,
    column: String,
    change: Change,
    moved: Moved,
}

/// Runs both sides and writes `reports/changes.md` and its picture.
pub fn run(project: &Project, revision: &str) -> Result<()> {
    let progress = Progress::start("diff");
    let commit = git::commit(project.paths.root(), revision)?;
    let (then, now) = (of_commit(project, &commit)?, of_tree(project)?);
    let staged = Staged::new(&project.paths, "diff")?;
    let target = project.paths.reports().join("changes.md");
    if then == now {
        staged.file(&target, None, report::nothing(revision, &commit).as_bytes())?;
        staged.commit()?;
        progress.done(format!("no definition differs from {revision}"));
        return Ok(());
    }
    let scratch = Scratch::new(project);
    progress.say(format!("the definitions of {revision}"));
    let before = Side::run(project, &scratch, "before", &then)?;
    progress.say("the definitions of the working tree");
    let after = Side::run(project, &scratch, "after", &now)?;
    let changed = changed(&before, &after)?;
    let picture = report::picture(&changed, revision).map_err(ChangesError::Chart)?;
    let lists = lists::section(&Lists::of(&before)?, &Lists::of(&after)?, &project.params)?;
    let text = report::markdown(&before, &after, &changed, &lists, revision, &commit, picture.is_some());
    staged.file(&target, None, text.as_bytes())?;
    if let Some(picture) = &picture {
        // Not among the charts: that folder is the report stage's whole output.
        staged.file(&project.paths.reports().join("changes.png"), None, picture)?;
    }
    staged.commit()?;
    let words = counted(changed.len() as u64, "column means", "columns mean");
    progress.done(format!("{words} something else; see reports/changes.md"));
    Ok(())
}

/// Every column of a feature view whose fingerprint differs, by view and name; the grain's key is left out.
fn changed(before: &Side, after: &Side) -> Result<Vec<Changed>> {
    let (left, right) = (Engine::new(&before.project)?, Engine::new(&after.project)?);
    let views = |side: &Side| {
        let files = side.project.library.layer(Layer::FEATURES);
        files.map(|file| file.table()).collect::<std::collections::BTreeSet<TableName>>()
    };
    let mut found = Vec::new();
    for view in views(before).union(&views(after)) {
        let (was, is) = (before.traces.tables.get(view), after.traces.tables.get(view));
        let keys = [before, after].map(|side| key(side, view));
        let names = [was, is].into_iter().flatten().flat_map(|trace| trace.columns.keys());
        let names: std::collections::BTreeSet<&String> =
            names.filter(|name| !keys.iter().flatten().any(|key| key == *name)).collect();
        let differing: Vec<(&String, Change)> =
            names.into_iter().filter_map(|name| Some((name, change(was, is, name)?))).collect();
        if differing.is_empty() {
            continue;
        }
        let tables = [(&left, before, was), (&right, after, is)].map(|(engine, side, trace)| match trace {
            Some(_) => Table::new(engine.read(view)?, &key(side, view), &view.to_string()).map(Some),
            None => Ok(None),
        });
        let [was, is] = tables;
        let (was, is) = (was?, is?);
        let pairs = match (&was, &is) {
            (Some(was), Some(is)) if was.key == is.key => pairs(was, is, &view.to_string())?,
            _ => Vec::new(),
        };
        found.extend(differing.into_iter().map(|(column, change)| Changed {
            view: view.name.clone(),
            column: column.clone(),
            change,
            moved: compare(column, was.as_ref(), is.as_ref(), &pairs),
        }));
    }
    Ok(found)
}

fn key(side: &Side, view: &TableName) -> Vec<String> {
    let library = &side.project.library;
    library.file(view).map(|file| library.key(file).to_vec()).unwrap_or_default()
}

fn change(was: Option<&TableTrace>, is: Option<&TableTrace>, column: &str) -> Option<Change> {
    let of = |trace: Option<&TableTrace>| trace.and_then(|trace| trace.columns.get(column).cloned());
    match (of(was), of(is)) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(was), Some(is)) if was.definition != is.definition => Some(Change::Direct),
        (Some(was), Some(is)) if was.fingerprint != is.fingerprint => Some(Change::Upstream),
        _ => None,
    }
}
