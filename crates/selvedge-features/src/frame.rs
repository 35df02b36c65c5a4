//! The training frame: the label's rows with every feature as it was known at that moment.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema};
use datafusion::arrow::error::ArrowError;
use rayon::prelude::*;

use crate::features::{self, View};
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::label::{LABEL, SPLIT, VISITS};
use selvedge_project::sql::{Layer, SqlFile};
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("sql/labels holds {0} files beside visits.sql; the frame has one label")]
    NotOneLabel(usize),
    #[error("{file}: the label's rows have no column '{column}', which the feature view {view} is joined on")]
    NoKey { file: String, column: String, view: String },
    #[error("{file}: the query does not return the column '{column}'")]
    NoColumn { file: String, column: &'static str },
    #[error("the frame: {0}")]
    Arrow(ArrowError),
}

impl Advice for FrameError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NotOneLabel(_) => "leave exactly one file beside visits.sql in sql/labels".into(),
            Self::NoKey { column, .. } => format!("add {column} to the label's SELECT and key"),
            Self::NoColumn { column, .. } => format!("add {column} to the SELECT (see CLAUDE.md, labels)"),
            Self::Arrow(_) => return None,
        })
    }
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "frame",
    about: "Features and label side by side -> work/frame.parquet",
    layers: &[Layer::LABELS],
    sections: &["split"],
    keeps: &[("frame", "frame.parquet")],
    makes: &["frame"],
    run,
};

/// Runs the stage: `work/frame.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("frame");
    let engine = Engine::new(project)?;
    let files: Vec<_> = project.library.layer(Layer::LABELS).filter(|file| file.header.name() != VISITS).collect();
    let [file] = files.as_slice() else {
        return Err(FrameError::NotOneLabel(files.len()).into());
    };
    let label = engine.table(project, file)?;
    for column in [LABEL, SPLIT] {
        if label.batch.column_by_name(column).is_none() {
            return Err(FrameError::NoColumn { file: file.shown.clone(), column }.into());
        }
    }
    let views = stored_views(project, &engine)?;
    let frame = attach(label, &views, &file.shown)?;
    let staged = Staged::new(&project.paths, "frame")?;
    staged.table(&project.paths.frame(), None, &frame, &[("made_from", file.shown.clone())])?;
    staged.commit()?;
    progress.done(format!("{} looks, {} columns", frame.batch.num_rows(), frame.batch.num_columns()));
    Ok(())
}

/// The views that the features stage left behind.
fn stored_views(project: &Project, engine: &Engine) -> Result<Vec<View>> {
    let files: Vec<&SqlFile> = project.library.layer(Layer::FEATURES).collect();
    let view = |file: &&SqlFile| {
        let table = Table::new(engine.read(&file.table())?, project.library.key(file), &file.shown)?;
        Ok(View { name: file.header.name().to_owned(), table })
    };
    let views: Vec<Result<View>> = files.par_iter().map(view).collect();
    views.into_iter().collect()
}

/// Every feature of the rows of `request`, computed now: its rows stand under the grain's names, and the same SQL that
/// made the training features runs over them.  `request` holds the keys of all grains; its other columns stay.
pub fn at_request(project: &Project, engine: &Engine, request: Table, shown: &str) -> Result<Table> {
    at_request_with(project, engine, request, Vec::new(), shown)
}

/// The same where some views are `given`: they are not computed, and stand beside the request by their own key.
pub fn at_request_with(
    project: &Project,
    engine: &Engine,
    request: Table,
    given: Vec<View>,
    shown: &str,
) -> Result<Table> {
    let views = views_at_request(project, engine, &request, given, shown)?;
    attach(request, &views, shown)
}

/// The views by themselves, each by its own key.
pub fn views_at_request(
    project: &Project,
    engine: &Engine,
    request: &Table,
    given: Vec<View>,
    shown: &str,
) -> Result<Vec<View>> {
    lay_grains(project, engine, request, shown)?;
    features::compute(project, engine, given)
}

/// Puts the keys of the request in the place of every grain.
pub fn lay_grains(project: &Project, engine: &Engine, request: &Table, shown: &str) -> Result<()> {
    for file in project.library.layer(Layer::GRAIN) {
        let grain = Table::distinct(&request.batch, project.library.key(file), shown)?;
        engine.register(&file.table(), grain.batch)?;
    }
    Ok(())
}

/// Sets every view beside `base` by the view's own key; `base` keeps its rows and their order.
pub fn attach(base: Table, views: &[View], file: &str) -> Result<Table> {
    // Views with the same keys, row by row, stand beside it in the same way.
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for (at, view) in views.iter().enumerate() {
        match alike.iter_mut().find(|group| same_keys(&views[group[0]], view)) {
            Some(group) => group.push(at),
            None => alike.push(vec![at]),
        }
    }
    let found: Vec<Result<Places>> = alike.par_iter().map(|group| places(&base, &views[group[0]], file)).collect();
    let mut places = vec![None; views.len()];
    for (group, found) in alike.iter().zip(found) {
        let found = found?;
        group.iter().for_each(|at| places[*at].clone_from(&found));
    }
    let mut fields: Vec<FieldRef> = base.batch.schema().fields().iter().cloned().collect();
    let mut columns = base.batch.columns().to_vec();
    let placed: Vec<Result<Vec<(FieldRef, ArrayRef)>>> =
        views.par_iter().zip(&places).map(|(view, places)| placed(view, places.as_ref())).collect();
    for of_view in placed {
        let (more_fields, more_columns): (Vec<_>, Vec<_>) = of_view?.into_iter().unzip();
        fields.extend(more_fields);
        columns.extend(more_columns);
    }
    let whole = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(FrameError::Arrow)?;
    Ok(Table { batch: whole, key: base.key })
}

/// For each row of the base the view's row of its key, missing where there is none; nothing where they stand in one order.
type Places = Option<UInt32Array>;

fn same_keys(a: &View, b: &View) -> bool {
    let columns = |view: &View| -> Vec<Option<ArrayRef>> {
        view.table.key.iter().map(|name| view.table.batch.column_by_name(name).cloned()).collect()
    };
    a.table.key == b.table.key && columns(a) == columns(b)
}

fn places(base: &Table, view: &View, file: &str) -> Result<Places> {
    let key = &view.table.key;
    if let Some(column) = key.iter().find(|column| base.batch.column_by_name(column).is_none()) {
        let (column, view) = (column.clone(), view.name.clone());
        return Err(FrameError::NoKey { file: file.into(), column, view }.into());
    }
    let (rows, wanted) = (view.table.key_rows(file)?, base.rows_of(key, file)?);
    // A view of the base's own grain stands in the base's own order.
    if rows.iter().eq(wanted.iter()) {
        return Ok(None);
    }
    let place: HashMap<_, u32> = rows.iter().zip(0..).collect();
    Ok(Some(wanted.iter().map(|row| place.get(&row).copied()).collect()))
}

/// A view's columns, but for its key, in the order of the rows of the base.
fn placed(view: &View, places: Option<&UInt32Array>) -> Result<Vec<(FieldRef, ArrayRef)>> {
    let made = view.table.batch.schema();
    let columns = made.fields().iter().zip(view.table.batch.columns());
    let placed = columns.filter(|(field, _)| !view.table.key.contains(field.name())).map(|(field, column)| {
        let column = match places {
            Some(places) => take(column, places, None).map_err(FrameError::Arrow)?,
            None => Arc::clone(column),
        };
        Ok((Arc::new(Field::clone(field).with_nullable(true)), column))
    });
    placed.collect()
}
