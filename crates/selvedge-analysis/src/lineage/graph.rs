//! `selvedge lineage`: the graph of columns behind feature views, down to the columns of the CSVs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use super::memory::Memory;
use super::node::Kind;
use super::tables::{Basis, Traces};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::answer;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

/// How the graph is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GraphFormat {
    /// Each column with those it is made from
    Text,
    /// A picture in markdown
    Mermaid,
    /// Edges, for programs
    Json,
}

/// `from` takes part in `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Edge {
    from: String,
    to: String,
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error("there is no feature view '{name}'")]
    NoView { name: String, known: Vec<String> },
    #[error("the feature view {view} has no column '{column}'")]
    NoColumn { view: String, column: String, known: Vec<String> },
    #[error("the graph cannot be printed: {0}")]
    Print(std::io::Error),
}

impl Advice for GraphError {
    fn advice(&self) -> Option<String> {
        let meant = |name: &str, known: &[String]| {
            did_you_mean(name, known.iter().map(String::as_str), &format!("there are {}", known.join(", ")))
        };
        match self {
            Self::NoView { name, known } => Some(meant(name, known)),
            Self::NoColumn { column, known, .. } => Some(meant(column, known)),
            Self::Print(_) => None,
        }
    }
}

/// Prints what `of` (`view`, `view.column` or everything) is made from.
pub fn print(project: &Project, of: Option<&str>, format: GraphFormat) -> Result<()> {
    let traces = Traces::of(project, Layer::FEATURES, Basis::Remembered(&Memory::default()))?;
    let mut waiting = match of {
        Some(of) => named(&traces, of)?,
        None => views(&traces).flat_map(|(table, _)| columns(&traces, table)).collect(),
    };
    let mut edges = BTreeSet::new();
    let mut seen = BTreeSet::new();
    while let Some((table, column)) = waiting.pop() {
        if !seen.insert((table.clone(), column.clone())) {
            continue;
        }
        let Some(trace) = traces.tables.get(&table) else { continue };
        for (source, kind) in trace.uses(&column) {
            edges.insert(Edge {
                from: format!("{}.{}", source.table, source.column),
                to: format!("{table}.{column}"),
                kind,
            });
            waiting.push((source.table.clone(), source.column.clone()));
        }
    }
    let text = match format {
        GraphFormat::Json => serde_json::to_string_pretty(&edges).unwrap_or_default() + "\n",
        GraphFormat::Mermaid => mermaid(&edges),
        GraphFormat::Text => lines(&edges),
    };
    Ok(answer(text.as_bytes()).map_err(GraphError::Print)?)
}

fn views(traces: &Traces) -> impl Iterator<Item = (&TableName, &str)> {
    let tables = traces.tables.keys().filter(|table| table.schema.as_deref() == Some(Layer::FEATURES.folder));
    tables.map(|table| (table, table.name.as_str()))
}

fn columns(traces: &Traces, table: &TableName) -> Vec<(TableName, String)> {
    let trace = traces.tables.get(table);
    trace.into_iter().flat_map(|trace| trace.columns.keys()).map(|column| (table.clone(), column.clone())).collect()
}

/// The columns that a name stands for; `features.` in front may be left out.
fn named(traces: &Traces, of: &str) -> Result<Vec<(TableName, String)>> {
    let short = of.strip_prefix("features.").unwrap_or(of);
    let (view, column) = short.split_once('.').map_or((short, None), |(view, column)| (view, Some(column)));
    let Some((table, _)) = views(traces).find(|(_, name)| *name == view) else {
        let known = views(traces).map(|(_, name)| name.to_owned()).collect();
        return Err(GraphError::NoView { name: view.into(), known }.into());
    };
    let all = columns(traces, table);
    let Some(column) = column else { return Ok(all) };
    let known = all.iter().map(|(_, name)| name.clone()).collect();
    match all.into_iter().find(|(_, name)| name == column) {
        Some(found) => Ok(vec![found]),
        None => Err(GraphError::NoColumn { view: view.into(), column: column.into(), known }.into()),
    }
}

/// A flowchart: a box a table, an arrow a use; arrows without words are values.
/// Each column, and below it those it is made from, by how.
fn lines(edges: &BTreeSet<Edge>) -> String {
    let mut of = BTreeMap::<&str, Vec<&Edge>>::new();
    edges.iter().for_each(|edge| of.entry(&edge.to).or_default().push(edge));
    let mut out = String::new();
    for (to, edges) in of {
        let _ = writeln!(out, "{to}");
        for edge in edges {
            let _ = writeln!(out, "  {:<9} {}", edge.kind.words(), edge.from);
        }
    }
    out
}

fn mermaid(edges: &BTreeSet<Edge>) -> String {
    let names: BTreeSet<&str> = edges.iter().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]).collect();
    let ids: BTreeMap<&str, usize> = names.into_iter().zip(0..).collect();
    let mut tables = BTreeMap::<&str, Vec<(&str, usize)>>::new();
    for (name, id) in &ids {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        tables.entry(table).or_default().push((column, *id));
    }
    let mut out = "flowchart LR\n".to_owned();
    for (number, (table, columns)) in tables.iter().enumerate() {
        let _ = writeln!(out, "  subgraph t{number}[\"{table}\"]");
        for (column, id) in columns {
            let _ = writeln!(out, "    c{id}[\"{column}\"]");
        }
        out.push_str("  end\n");
    }
    for edge in edges {
        let (from, to) = (ids[edge.from.as_str()], ids[edge.to.as_str()]);
        let _ = match edge.kind {
            Kind::Value => writeln!(out, "  c{from} --> c{to}"),
            kind => writeln!(out, "  c{from} -. \"{}\" .-> c{to}", kind.words()),
        };
    }
    out
}
