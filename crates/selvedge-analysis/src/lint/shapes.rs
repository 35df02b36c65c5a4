//! The columns of every table, worked out from the SQL files alone: a file can be looked at before any stage has run.

use std::collections::BTreeSet;

use datafusion::logical_expr::LogicalPlan;

use selvedge_engine::{Engine, shapes};
use selvedge_project::error::{Error, Result};
use selvedge_project::params::Shop;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile};

/// Files that were not looked at, with the reason, and files that cannot be planned.
#[derive(Debug, Default)]
pub struct Left {
    pub unseen: Vec<(String, String)>,
    pub broken: Vec<Error>,
}

/// Gives every table that follows from the SQL files a name, without rows, and hands the plan of each wanted file to `seen`.
/// Files that read tables of stages which have not run are named in the answer, with the reason, and so is every error.
pub fn plans(
    project: &Project,
    engine: &Engine,
    wanted: impl Fn(&SqlFile) -> bool,
    mut seen: impl FnMut(&SqlFile, &LogicalPlan),
) -> Result<Left> {
    // The moment of a report, which the monitor sets itself.
    let moment = Shop::sql_time(project.params.shop.exported_at);
    let project = &project.with_sql_param("monitor", "as_of", moment);
    for (_, header) in project.library.sources() {
        let (table, schema) = shapes::raw(header);
        engine.declare(&table, schema)?;
    }
    let follow = from_sql(project.library.layers());
    let mut left = Left::default();
    let mut broken = BTreeSet::new();
    for file in project.library.layers().flat_map(|layer| project.library.layer(layer)) {
        let from_sql = follow.contains(file.layer.folder);
        if !from_sql && !wanted(file) {
            continue;
        }
        if let Some(table) = file.reads.iter().find(|table| broken.contains(*table)) {
            broken.insert(file.table());
            left.unseen.push((file.shown.clone(), format!("{table} cannot be planned")));
            continue;
        }
        // What follows from SQL is there; the rest must have been made.
        let opened = if from_sql { Ok(()) } else { file.reads.iter().try_for_each(|table| engine.open(table)) };
        if let Err(error) = opened {
            let words = error.to_string();
            let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            left.unseen.push((file.shown.clone(), first));
            continue;
        }
        match engine.plan(project, file) {
            Ok(plan) if from_sql => {
                if wanted(file) {
                    seen(file, &plan);
                }
                let dimensions = project.params.embeddings.kept_dimensions();
                let schema = shapes::stored(file, plan.schema().as_arrow(), dimensions);
                engine.declare(&shapes::stored_name(file), schema)?;
            }
            Ok(plan) => {
                seen(file, &plan);
                // The next file reads what this one would make now, not what it made before.
                if !engine.has(&file.table()) {
                    engine.declare(&file.table(), plan.schema().as_arrow().clone())?;
                }
            }
            Err(error) => {
                broken.insert(file.table());
                if wanted(file) {
                    left.broken.push(error);
                }
            }
        }
    }
    Ok(left)
}

/// The folders of layers whose tables follow from SQL files alone: they read nothing but the CSVs and each other.  What reads
/// anything else needs the stages to have run.
pub fn from_sql(layers: impl Iterator<Item = Layer>) -> BTreeSet<&'static str> {
    let mut rooms = BTreeSet::from(["raw"]);
    // The served log is no file's.
    for layer in layers.filter(|layer| *layer != Layer::SERVED) {
        if layer.may_read.iter().all(|room| *room == layer.folder || rooms.contains(room)) {
            rooms.insert(layer.folder);
            // Vectors of texts are a table of their own.
            if layer == Layer::TEXTS {
                rooms.insert("embeddings");
            }
        }
    }
    rooms
}
