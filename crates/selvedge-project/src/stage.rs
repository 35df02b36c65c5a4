//! A stage of the flow, declared once: a row beside the stage's code, which everybody else reads.

use std::path::PathBuf;

use crate::error::Result;
use crate::paths::Paths;
use crate::project::Project;
use crate::sql::{Layer, TableName};

/// The stages in the order of the flow; the command has the list.
pub type Flow = &'static [Stage];

/// One stage: a subcommand, a stage in dvc.yaml, and everything that rooms below it must know of it.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// The subcommand and the name in dvc.yaml.
    pub name: &'static str,
    /// What it makes of what; its line in `--help`.
    pub about: &'static str,
    /// The layers of `sql/` whose files it runs.
    pub layers: &'static [Layer],
    /// The sections of params.yaml that its SQL files and its code read, besides `shop` and `engine`.
    pub sections: &'static [&'static str],
    /// Where under `work/` its tables are kept: a schema with its folder, or a table that stands in no schema with its file.
    pub keeps: &'static [(&'static str, &'static str)],
    /// The tables that it makes itself, besides those of its files: what no query can work out.
    pub makes: &'static [&'static str],
    /// Does the work.
    pub run: fn(&Project) -> Result<()>,
}

impl Stage {
    /// The tables that it makes itself.
    pub fn tables(&self) -> impl Iterator<Item = TableName> {
        self.makes.iter().map(|name| match name.split_once('.') {
            Some((schema, name)) => TableName::new(schema, name),
            None => TableName::bare(name),
        })
    }
}

/// Where a table is kept, and the stage that makes it; none where no stage of the flow keeps such a table.
pub fn kept(flow: Flow, paths: &Paths, table: &TableName) -> Option<(PathBuf, &'static str)> {
    let wanted = table.schema.as_deref().unwrap_or(&table.name);
    flow.iter().find_map(|stage| {
        let (_, place) = stage.keeps.iter().find(|(name, _)| *name == wanted)?;
        let place = paths.work().join(place);
        let path = if table.schema.is_some() { place.join(format!("{}.parquet", table.name)) } else { place };
        Some((path, stage.name))
    })
}

/// The layers of `sql/`, in the order of the flow; what the served log says, audits, gates and what is promised of the server come last.
pub fn layers(flow: Flow) -> impl Iterator<Item = Layer> + Clone {
    flow.iter().flat_map(|stage| stage.layers.iter().copied()).chain([
        Layer::SERVED,
        Layer::AUDITS,
        Layer::GATES,
        Layer::SLO,
    ])
}
