//! `reports/dashboard.md`: what happened, to whom, since when, how sure, what did not change, what to look at next.
//!
//! Everything said here stands in a table of `work/monitoring`; nothing is computed here but the rounding.

mod charts;
mod facts;
mod first_screen;
mod methods;
mod tables;
mod words;

use std::collections::BTreeMap;

use super::Report;
use crate::engine::Engine;
use crate::error::Result;
use crate::project::Project;
use crate::sql::TableName;
use facts::Facts;

/// Makes the report from the tables of the monitor stage.
pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let facts = Facts::read(engine)?;
    let mut charts = BTreeMap::new();
    let mut out = format!("# What changed\n\n{}\n", first_screen::scope(&facts));
    out += &first_screen::first_screen(&facts, &project.params.monitor);
    out += &charts::section(&facts, &mut charts)?;
    out += &tables::clicks(&facts);
    out += &tables::purchases(&facts);
    out += &tables::legend();
    if engine.open_if_made(&TableName::new("drill", "depths"))? {
        out += "How small a change would have been noticed: [drill.md](drill.md).\n\n";
    }
    out += &methods::methods(&facts, &project.params.monitor);
    Ok(Report { markdown: out, charts })
}
