//! `selvedge check`: what the export has of what an export must, should and may have.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::explore::print_lines;
use selvedge_engine::Engine;
use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;
use selvedge_project::sql::contract::{Clause, Need, Term};

#[derive(Debug, thiserror::Error)]
#[error("the export lacks what it should have: {}", missing.join(", "))]
pub struct CheckError {
    missing: Vec<String>,
}

impl Advice for CheckError {
    fn advice(&self) -> Option<String> {
        Some("return these columns from the queries in sql/sources, or check without --strict".into())
    }
}

/// One line of `sources.contract`.
#[derive(Deserialize)]
struct Told {
    column_name: String,
    #[serde(default)]
    given: bool,
}

/// Prints the contract; with `strict` what should be there and is not is an error.
pub fn run(project: &Project, strict: bool) -> Result<()> {
    let terms = project.library.terms();
    let mut lines = Vec::new();
    let mut missing = Vec::new();
    let mut last = "";
    for clause in &terms.clauses {
        if clause.source != last {
            lines.push(heading(project, &clause.source));
            last = &clause.source;
        }
        let column = clause.column.clone().unwrap_or_else(|| "(the whole file)".into());
        lines.push(line(&column, &clause.term, clause.given.is_some(), &there(clause)));
        if clause.given.is_none() && clause.term.need == Need::Should {
            missing.push(format!("{}.{column}", clause.source));
        }
    }
    let engine = Engine::new(project)?;
    let table = TableName::new("sources", "contract");
    let told: Vec<Told> = if engine.open_if_made(&table)? { engine.rows(&table)? } else { Vec::new() };
    let met: BTreeMap<&str, bool> = told.iter().map(|told| (told.column_name.as_str(), told.given)).collect();
    if !terms.kinds.is_empty() {
        lines.push("\nkinds of rows in transactions (event_type)".into());
    }
    for (kind, term) in &terms.kinds {
        match met.get(format!("event_type = {kind}").as_str()) {
            Some(given) => lines.push(line(kind, term, *given, "there")),
            None => lines.push(format!("  {:<7} {kind:<26} `selvedge ingest` will tell", term.need.word())),
        }
    }
    print_lines(&lines)?;
    if strict && !missing.is_empty() { Err(CheckError { missing }.into()) } else { Ok(()) }
}

/// The source, and the file it is read from.
fn heading(project: &Project, source: &str) -> String {
    let header = project.library.sources().find(|(_, header)| header.name == source).map(|(_, header)| header);
    match header {
        Some(header) if !header.is_absent() => format!("\n{source}, from materials/{}", header.file),
        _ => format!("\n{source}"),
    }
}

fn there(clause: &Clause) -> String {
    match (&clause.given, &clause.column) {
        (Some(given), Some(column)) if given != column => format!("there, as {given}"),
        _ => "there".into(),
    }
}

fn line(name: &str, term: &Term, given: bool, there: &str) -> String {
    let state = if given { there.to_owned() } else { format!("not there: {}", term.without) };
    format!("  {:<7} {name:<26} {state}", term.need.word())
}
