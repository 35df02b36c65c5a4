//! Point-in-time features: the same SQL over the grain's rows at training time and over a request's rows at serving.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::side_by_side;
use selvedge_analysis::lineage::{Basis, ROWS, Stamp, Traces, still_version};
use selvedge_analysis::lint;
use selvedge_engine::{Engine, SharedScan, Staged, Table, sorted};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{FeatureHeader, Header, Layer, Library, Selection, SqlFile, TableName};
use selvedge_project::stage::Stage;

/// One feature view, computed: one row per row of its grain, in the grain's order.
#[derive(Debug, Clone)]
pub struct View {
    pub name: String,
    /// The grain's key and the view's columns.
    pub table: Table,
}

#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    #[error("{file} is no feature view")]
    NoView { file: String },
    #[error("{file}: the query does not return the column '{column}' that the header declares")]
    NotReturned { file: String, column: String, returned: Vec<String> },
    #[error("{file}: the query returns the column '{column}', which the header does not declare")]
    NotDeclared { file: String, column: String },
    #[error("{first} and {second} both make a column '{column}'")]
    ColumnTwice { first: String, second: String, column: String },
    #[error("{file}: {rows} rows for {grain_rows} rows of grain.{entity} (first difference at {row})")]
    NotOneRowEach { file: String, entity: String, rows: usize, grain_rows: usize, row: String },
}

impl Advice for FeatureError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoView { .. } => "name a file of sql/features".into(),
            Self::NotReturned { column, returned, .. } => {
                let fallback = format!("add {column} to the SELECT, or take it out of the header");
                did_you_mean(column, returned.iter().map(String::as_str), &fallback)
            }
            Self::NotDeclared { column, .. } => {
                format!("declare it in the header: {column}: {{unit: …, meaning: …}}")
            }
            Self::ColumnTwice { .. } => "rename one of them: a feature's name says everywhere what it is".into(),
            Self::NotOneRowEach { entity, .. } => {
                format!("start FROM grain.{entity}, join only with LEFT JOIN, and GROUP BY the grain's key")
            }
        })
    }
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "features",
    about: "sql/grain and sql/features -> work/features",
    layers: &[Layer::GRAIN, Layer::FEATURES],
    sections: &["features"],
    keeps: &[("grain", "grain"), ("features", "features")],
    makes: &[],
    run,
};

/// Runs the stage: `work/grain/*.parquet` and `work/features/*.parquet`.  What would come out the same is kept.
pub fn run(project: &Project) -> Result<()> {
    run_selected(project, &Selection::of(&project.library, &[])?)
}

/// The same for the selected grains and views alone; others that are out of date are left as they are, and told.
pub fn run_selected(project: &Project, selected: &Selection) -> Result<()> {
    let progress = Progress::start("features");
    refuse_column_twice(&project.library)?;
    project.library.crosses()?;
    let engine = Engine::new(project)?;
    let looked_at = |file: &SqlFile| matches!(file.layer, Layer::GRAIN | Layer::FEATURES);
    let (traces, lint) =
        rayon::join(|| Traces::of(project, Layer::FEATURES, Basis::Stored), || lint::Report::of(project, looked_at));
    let traces = traces?;
    let staged = Staged::new(&project.paths, "features")?;
    staged.folder(&project.paths.grain())?;
    staged.folder(&project.paths.features())?;
    let mut made = Vec::new();
    let mut wanted = Vec::new();
    let mut stayed = Vec::new();
    let mut left = Vec::new();
    let mut made_grains = Grains::new();
    for file in project.library.layer(Layer::GRAIN).chain(project.library.layer(Layer::FEATURES)) {
        let stamp = traces.stamp(&file.table()).unwrap_or_default();
        let stored = Stamp::read(&engine.stored(&file.table()));
        if stored.as_ref() == Some(&stamp) {
            if let Some(header) = feature_header(file) {
                let columns = stamp.fingerprints.keys().map(String::as_str).filter(|column| *column != ROWS);
                refuse_other_columns(file, header, columns.collect(), project.library.key(file))?;
            }
            staged.keep(&folder(project, file), file.header.name())?;
        } else if !selected.has(&file.table()) {
            // What was never made is missing afterwards too.
            if stored.is_some() {
                staged.keep(&folder(project, file), file.header.name())?;
            }
            left.push(file.table().to_string());
        } else if file.layer == Layer::GRAIN {
            let table = engine.table(project, file)?;
            engine.register(&file.table(), table.batch.clone())?;
            if table.batch.num_rows() == 0 {
                let shown = &file.shown;
                progress.say(format!("{shown}: no rows, so there is nothing to learn from: are there looks?"));
            }
            staged.table(&folder(project, file), Some(file.header.name()), &table, &stamp.notes())?;
            made.push(file.table().to_string());
            made_grains.insert(file.table(), table);
        } else {
            stayed.extend(stored.and_then(|stored| Some((&file.shown, stamp.version_stayed(&stored)?))));
            wanted.push(file);
        }
    }
    let scans = engine.shared_scans(project, &wanted)?;
    let grains = grains(project, &engine, &scans, made_grains)?;
    // Each is written as soon as it is there, so that about as many stand in memory as there are threads.
    let write = |scan: &SharedScan| -> Result<()> {
        for (file, view) in scan.files.iter().zip(together(project, &engine, scan, &grains)?) {
            let notes = traces.stamp(&file.table()).unwrap_or_default().notes();
            staged.table(&folder(project, file), Some(&view.name), &view.table, &notes)?;
        }
        Ok(())
    };
    side_by_side(project, &scans, write).into_iter().collect::<Result<()>>()?;
    made.extend(wanted.iter().map(|file| file.table().to_string()));
    let lint = lint?;
    lint.refuse()?;
    staged.file(&project.paths.plan_memory(), None, &traces.memory.json())?;
    staged.commit()?;
    let views = project.library.layer(Layer::FEATURES).count();
    if !made.is_empty() {
        progress.say(format!("computed: {}", made.join(", ")));
    }
    if !left.is_empty() {
        progress.say(format!("warning: out of date or not made yet, and not selected: {}", left.join(", ")));
    }
    lint.say_allowed(&progress);
    for (file, version) in stayed {
        progress.say(format!("warning: {file} {}", still_version(version)));
    }
    progress.done(format!(
        "{views} views, {} columns; {} tables computed, the rest kept as they were",
        project.library.feature_columns().len(),
        made.len(),
    ));
    Ok(())
}

/// Computes every feature view over the grains that are registered in `engine`, or stored, but for those that are `given`; views
/// side by side.
pub fn compute(project: &Project, engine: &Engine, given: Vec<View>) -> Result<Vec<View>> {
    refuse_column_twice(&project.library)?;
    let files: Vec<&SqlFile> = project.library.layer(Layer::FEATURES).collect();
    let is_given = |file: &&&SqlFile| given.iter().any(|view| view.name == file.header.name());
    let wanted: Vec<&SqlFile> = files.iter().filter(|file| !is_given(file)).copied().collect();
    let made = views(project, engine, &wanted)?;
    Ok(in_order(&files, vec![made, given]))
}

/// Computes some feature views over the grains that are registered in `engine`, or stored; views side by side.
pub fn views(project: &Project, engine: &Engine, files: &[&SqlFile]) -> Result<Vec<View>> {
    let scans = engine.shared_scans(project, files)?;
    let grains = grains(project, engine, &scans, Grains::new())?;
    let made = side_by_side(project, &scans, |scan| together(project, engine, scan, &grains));
    Ok(made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The views in the library's order, however they were worked out.
fn in_order(files: &[&SqlFile], made: Vec<Vec<View>>) -> Vec<View> {
    let mut views: BTreeMap<String, View> = made.into_iter().flatten().map(|view| (view.name.clone(), view)).collect();
    files.iter().filter_map(|file| views.remove(file.header.name())).collect()
}

/// Computes one feature view over the grains that are registered in `engine`, or stored.
pub fn view(project: &Project, engine: &Engine, file: &SqlFile) -> Result<View> {
    let view = views(project, engine, &[file])?.pop();
    Ok(view.ok_or_else(|| FeatureError::NoView { file: file.shown.clone() })?)
}

/// Grains by name.
type Grains = BTreeMap<TableName, Table>;

/// The grains of `scans`, each read once; those just `made` are not read again.
fn grains(project: &Project, engine: &Engine, scans: &[SharedScan], made: Grains) -> Result<Grains> {
    let mut grains = made;
    for scan in scans {
        let name = grain_of(scan)?;
        if !grains.contains_key(&name) {
            let batch = engine.read(&name)?;
            let table = sorted(batch, project.library.key(scan.files[0]), &name.to_string())?;
            grains.insert(name, table);
        }
    }
    Ok(grains)
}

fn grain_of(scan: &SharedScan) -> Result<TableName> {
    Ok(TableName::new("grain", &view_header(scan.files[0])?.entity))
}

fn view_header(file: &SqlFile) -> Result<&FeatureHeader> {
    Ok(feature_header(file).ok_or_else(|| FeatureError::NoView { file: file.shown.clone() })?)
}

/// Computes the views of one scan, which are of one of `grains`: its own is among them.
fn together(project: &Project, engine: &Engine, scan: &SharedScan, grains: &Grains) -> Result<Vec<View>> {
    let grain = &grains[&grain_of(scan)?];
    let mut views = Vec::new();
    for (file, table) in scan.files.iter().zip(engine.tables_of(project, scan)?) {
        let header = view_header(file)?;
        let schema = table.batch.schema();
        let returned = schema.fields().iter().map(|field| field.name().as_str()).collect();
        refuse_other_columns(file, header, returned, &table.key)?;
        refuse_other_rows(file, header, &table, grain)?;
        views.push(View { name: header.name.clone(), table });
    }
    Ok(views)
}

/// Where a grain's or a view's file lies.
fn folder(project: &Project, file: &SqlFile) -> PathBuf {
    match file.layer {
        Layer::GRAIN => project.paths.grain(),
        _ => project.paths.features(),
    }
}

fn feature_header(file: &SqlFile) -> Option<&FeatureHeader> {
    match &file.header {
        Header::Feature(header) => Some(header),
        _ => None,
    }
}

fn refuse_column_twice(library: &Library) -> Result<()> {
    let mut made = BTreeMap::<&str, &str>::new();
    for file in library.layer(Layer::FEATURES) {
        for column in feature_header(file).into_iter().flat_map(|header| header.columns.keys()) {
            if let Some(first) = made.insert(column, &file.shown) {
                let (first, second, column) = (first.to_owned(), file.shown.clone(), column.clone());
                return Err(FeatureError::ColumnTwice { first, second, column }.into());
            }
        }
    }
    Ok(())
}

fn refuse_other_columns(
    file: &SqlFile,
    header: &FeatureHeader,
    returned: BTreeSet<&str>,
    key: &[String],
) -> Result<()> {
    if let Some(column) = header.columns.keys().find(|name| !returned.contains(name.as_str())) {
        let returned = returned.iter().map(|name| (*name).to_owned()).collect();
        return Err(FeatureError::NotReturned { file: file.shown.clone(), column: column.clone(), returned }.into());
    }
    let known = |name: &str| key.iter().any(|key| key == name) || header.columns.contains_key(name);
    match returned.into_iter().find(|name| !known(name)) {
        Some(column) => Err(FeatureError::NotDeclared { file: file.shown.clone(), column: column.into() }.into()),
        None => Ok(()),
    }
}

fn refuse_other_rows(file: &SqlFile, header: &FeatureHeader, table: &Table, grain: &Table) -> Result<()> {
    let keys = |table: &Table| {
        table.key.iter().map(|name| table.batch.column_by_name(name).cloned()).collect::<Option<Vec<_>>>()
    };
    if keys(table) == keys(grain) {
        return Ok(());
    }
    let (rows, wanted) = (table.key_rows(&file.shown)?, grain.key_rows(&file.shown)?);
    let (count, grain_count) = (table.batch.num_rows(), grain.batch.num_rows());
    let difference = (0..count.min(grain_count)).find(|row| rows.row(*row) != wanted.row(*row));
    let row = match difference {
        None if count == grain_count => return Ok(()),
        None if count > grain_count => table.show_key(grain_count),
        None => grain.show_key(count),
        Some(row) if rows.row(row) < wanted.row(row) => table.show_key(row),
        Some(row) => grain.show_key(row),
    };
    let entity = header.entity.clone();
    Err(FeatureError::NotOneRowEach { file: file.shown.clone(), entity, rows: count, grain_rows: grain_count, row }
        .into())
}
