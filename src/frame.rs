//! The training frame: the label's rows with every feature as it was known at that moment.

use crate::engine::{Engine, Staged, Table};
use crate::error::{Advice, Result};
use crate::features::View;
use crate::model::split::SPLIT;
use crate::progress::Progress;
use crate::project::Project;
use crate::sql::Layer;

/// The label's columns in the frame.
pub const LABEL: &str = "label";
/// The `split` of the rows that models are judged on.
pub const TEST: &str = "test";

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("sql/labels holds {0} files; the frame has one label")]
    NotOneLabel(usize),
    #[error("{file}: the label's rows have no column '{column}', which the feature view {view} is joined on")]
    NoKey { file: String, column: String, view: String },
    #[error("{file}: the query does not return the column '{column}'")]
    NoColumn { file: String, column: &'static str },
}

impl Advice for FrameError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NotOneLabel(_) => "leave exactly one file in sql/labels".into(),
            Self::NoKey { column, .. } => format!("add {column} to the label's SELECT and key"),
            Self::NoColumn { column, .. } => format!("add {column} to the SELECT (see CLAUDE.md, labels)"),
        })
    }
}

/// Runs the stage: `work/frame.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("frame");
    let engine = Engine::new(project)?;
    let files: Vec<_> = project.library.layer(Layer::Labels).collect();
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
    let frame = attach(&engine, label, &views, &file.shown)?;
    let mut staged = Staged::new(&project.paths, "frame")?;
    staged.table(&project.paths.frame(), None, &frame, &[("made_from", file.shown.clone())])?;
    staged.commit()?;
    progress.done(format!("{} looks, {} columns", frame.batch.num_rows(), frame.batch.num_columns()));
    Ok(())
}

/// The views that the features stage left behind.
fn stored_views(project: &Project, engine: &Engine) -> Result<Vec<View>> {
    let mut views = Vec::new();
    for file in project.library.layer(Layer::Features) {
        let table = Table::new(engine.read(&file.table())?, project.library.key(file), &file.shown)?;
        views.push(View { name: file.header.name().to_owned(), table });
    }
    Ok(views)
}

/// Joins every view to `base` on the view's own key; `base` keeps its rows and their order.
pub fn attach(engine: &Engine, base: Table, views: &[View], file: &str) -> Result<Table> {
    let mut whole = base.batch;
    for view in views {
        for column in &view.table.key {
            if whole.column_by_name(column).is_none() {
                let (column, view) = (column.clone(), view.name.clone());
                return Err(FrameError::NoKey { file: file.into(), column, view }.into());
            }
        }
        whole = engine.left_join(whole, view.table.batch.clone(), &view.table.key, file)?;
    }
    Table::new(whole, &base.key, file)
}
