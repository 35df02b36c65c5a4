//! `reports/dashboard.md`: what happened, to whom, since when, how sure, what did not change, what to look at next.
//!
//! Everything said here stands in a table of `work/monitoring`; nothing is computed here but the rounding.

mod charts;
mod collections;
mod completeness;
mod drift;
mod facts;
mod fairness;
mod first_screen;
mod history;
mod methods;
pub mod sentences;
mod shown;
mod tables;
mod total;
mod verdicts;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::charts::ChartError;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;

use super::markdown::{self, literal, picture};
use super::{Report, ReportError};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// The pictures in their order, each with its sentence.
#[derive(Default)]
struct Pictures {
    charts: BTreeMap<String, Vec<u8>>,
    markdown: String,
}

impl Pictures {
    fn add(&mut self, file: &'static str, title: &str, png: std::result::Result<Vec<u8>, ChartError>) -> Result<()> {
        self.charts.insert(file.into(), png.map_err(|cause| ReportError::Chart { chart: file, cause })?);
        self.markdown += &format!("{}\n", picture(file, title));
        Ok(())
    }
}

/// The tables of sql/monitoring that one section or another is made from.  A shop that lacks what a file reads leaves the file
/// out, and the section with it.
const READS: [&str; 21] = [
    "alert_lives",
    "attribute_words",
    "chart_points",
    "collection_states",
    "cusum",
    "days",
    "description_changes",
    "drift_descriptions",
    "drift_means",
    "drift_shares",
    "drift_spans",
    "exposure",
    "fairness",
    "lines",
    "mix_rate",
    "mix_rate_totals",
    "pace",
    "periods",
    "shown_changes",
    "shown_spans",
    "where_to_look",
];

/// Those of [`READS`] whose files are not there; they are read as tables without rows.
fn left_out(project: &Project, engine: &Engine) -> Result<Vec<&'static str>> {
    let table = |name: &str| TableName::new("monitoring", name);
    let gone = READS.into_iter().filter(|name| project.library.file(&table(name)).is_none());
    let gone: Vec<&str> = gone.collect();
    for name in &gone {
        engine.register(&table(name), RecordBatch::new_empty(Arc::new(Schema::empty())))?;
    }
    Ok(gone)
}

/// Makes the report from the tables of the monitor stage.
pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let monitor = &project.params.monitor;
    let gone = left_out(project, engine)?;
    let facts = facts::Facts::read(engine)?;
    let whole = completeness::Completeness::read(engine, facts.days.first().map(|day| day.shown_on.as_str()))?;
    let totals = total::Totals::read(engine)?;
    let fairness = fairness::Fairness::read(engine)?;
    let history = history::History::read(engine)?;
    let collections = collections::Collections::read(engine, &facts.as_of)?;
    let drift = drift::Drift::read(project, engine)?;
    let shown = shown::Shown::read(engine)?;
    let mut pictures = Pictures::default();
    charts::changes(&facts, &mut pictures)?;
    totals.picture(&facts, &mut pictures)?;
    charts::maturity(&facts, &mut pictures)?;
    history.picture(&mut pictures)?;
    fairness.pictures(&mut pictures)?;
    let mut out = format!("# What changed\n\n{}\n", first_screen::scope(&facts));
    out += &whole.first();
    out += &first_screen::first_screen(&facts, &history, &shown, monitor);
    out += &format!("## Pictures\n\n{}", pictures.markdown);
    out += &tables::days(&facts);
    out += &whole.section();
    out += &tables::clicks(&facts);
    out += &tables::purchases(&facts);
    out += &tables::legend();
    if engine.open_if_made(&TableName::new("drill", "depths"))? {
        out += "How small a change would have been noticed: [drill.md](drill.md).\n\n";
    }
    let of_log = |section: String| completeness::noted(section, whole.lacks_log());
    out += &of_log(totals.tables(&facts));
    out += &of_log(fairness.tables());
    out += &of_log(history.tables());
    out += &collections.section(whole.lacks_events());
    out += &of_log(shown.section(&facts));
    out += &completeness::noted(drift.section(), whole.lacks_events());
    out += &methods::methods(&facts, monitor);
    for name in gone {
        out += &format!(
            "Left out: what rests on `{name}.sql`, which would stand in `sql/monitoring` and is not there.\n\n"
        );
    }
    Ok(Report { markdown: out, charts: pictures.charts })
}

/// A table in whose cells a client's own signs stand for themselves; a cell that is bold as a whole stays so.
fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |cell: &String| match cell.strip_prefix("**").and_then(|cell| cell.strip_suffix("**")) {
        Some(inner) if !inner.is_empty() => format!("**{}**", literal(inner)),
        _ => literal(cell),
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    markdown::table(headings, &rows)
}
