//! `selvedge plan`: what differs between the SQL files and the stored tables, and what follows.  It writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rayon::prelude::*;

use selvedge_analysis::lineage::{Basis, Memory, ROWS, Stamp, TableTrace, Traces, still_version};
use selvedge_engine::{Engine, Verdict};
use selvedge_project::error::{Advice, Outcome, Result};
use selvedge_project::progress::answer;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, Selection, TableName};
use selvedge_project::stage;

/// What became of a table or of one of its columns since it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    New,
    Removed,
    /// Its own query says something else.
    Direct,
    /// What it reads means something else: the columns or rows that changed directly.
    Upstream(BTreeSet<String>),
}

/// One table whose file or inputs are no longer what it was made from.
#[derive(Debug, Clone)]
pub struct TableChange {
    pub table: TableName,
    /// None where only the data is another.
    pub change: Option<Change>,
    pub columns: BTreeMap<String, Change>,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// It means something else under the version it had: the version.
    pub version_stayed: Option<u32>,
}

/// What differs, and what does not.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub changes: Vec<TableChange>,
    pub same: Vec<TableName>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("the plan cannot be printed: {0}")]
    Print(std::io::Error),
}

impl Advice for PlanError {}

impl Plan {
    /// Holds every table up to the feature views against what its file says now.
    pub fn of(project: &Project, traces: &Traces) -> Result<Self> {
        let mut plan = Self::default();
        let mut seen = Seen::default();
        let layers = [Layer::SOURCES, Layer::SPLIT, Layer::TEXTS, Layer::GRAIN, Layer::FEATURES];
        let tables =
            layers.into_iter().flat_map(|layer| project.library.layer(layer).map(selvedge_engine::shapes::stored_name));
        let tables: Vec<TableName> = tables.collect();
        let stamp = |table: &TableName| {
            (traces.stamp(table), Stamp::read(&stage::kept(project.flow, &project.paths, table).unwrap_or_default().0))
        };
        let stamps: Vec<_> = tables.par_iter().map(stamp).collect();
        for (table, (wanted, stored)) in tables.into_iter().zip(stamps) {
            let (Some(trace), Some(wanted)) = (traces.tables.get(&table), wanted) else { continue };
            match compare(&table, trace, &wanted, stored.as_ref(), &mut seen) {
                Some(change) => plan.changes.push(change),
                None => plan.same.push(table),
            }
        }
        plan.changes.extend(removed(project));
        Ok(plan)
    }
}

/// The columns (and, under [`ROWS`], rows) of earlier tables that mean something else than what is stored, each with
/// the direct changes that it comes from.
#[derive(Default)]
struct Seen(BTreeMap<(TableName, String), BTreeSet<String>>);

impl Seen {
    /// The direct changes behind what is read: the columns, and the rows of their tables.
    fn causes(&self, trace: &TableTrace, column: &str) -> BTreeSet<String> {
        let uses = trace.uses(column);
        let columns = uses.iter().map(|(source, _)| (source.table.clone(), source.column.clone()));
        let rows = uses.iter().map(|(source, _)| (source.table.clone(), ROWS.to_owned()));
        columns.chain(rows).filter_map(|used| self.0.get(&used)).flatten().cloned().collect()
    }
}

fn compare(
    table: &TableName,
    trace: &TableTrace,
    wanted: &Stamp,
    stored: Option<&Stamp>,
    seen: &mut Seen,
) -> Option<TableChange> {
    let Some(stored) = stored else {
        for column in wanted.fingerprints.keys() {
            seen.0.insert((table.clone(), column.clone()), BTreeSet::from([table.to_string()]));
        }
        let columns = trace.columns.keys().map(|column| (column.clone(), Change::New)).collect();
        let reasons = vec!["it was not made yet".to_owned()];
        return Some(TableChange {
            table: table.clone(),
            change: Some(Change::New),
            columns,
            reasons,
            version_stayed: None,
        });
    };
    if wanted == stored {
        return None;
    }
    let differs =
        |of: fn(&Stamp) -> &BTreeMap<String, String>, name: &str| of(wanted).get(name) != of(stored).get(name);
    let mut columns = BTreeMap::new();
    for column in trace.columns.keys() {
        let change = if !stored.fingerprints.contains_key(column) {
            Change::New
        } else if differs(|stamp| &stamp.definitions, column) {
            Change::Direct
        } else if differs(|stamp| &stamp.fingerprints, column) {
            Change::Upstream(seen.causes(trace, column))
        } else {
            continue;
        };
        columns.insert(column.clone(), change);
    }
    let gone = stored.fingerprints.keys().filter(|column| *column != ROWS && !trace.columns.contains_key(*column));
    columns.extend(gone.map(|column| (column.clone(), Change::Removed)));

    let mut reasons = Vec::new();
    if differs(|stamp| &stamp.definitions, ROWS) {
        reasons.push("which rows are read, joined, filtered or grouped is another (all its columns follow)".to_owned());
    }
    reasons.extend(parameters(wanted, stored));
    if wanted.version != stored.version {
        reasons.push(format!("its version was {} and is {}", stored.version, wanted.version));
    }
    let csvs: BTreeSet<&String> = wanted.materials.keys().chain(stored.materials.keys()).collect();
    let csvs = csvs.into_iter().filter(|csv| wanted.materials.get(*csv) != stored.materials.get(*csv));
    reasons.extend(csvs.map(|csv| format!("materials/{csv} holds other data")));

    let rows_direct = differs(|stamp| &stamp.definitions, ROWS);
    for (column, change) in &columns {
        let causes = match change {
            Change::Upstream(causes) => causes.clone(),
            _ if rows_direct => BTreeSet::from([format!("the rows of {table}")]),
            _ => BTreeSet::from([format!("{table}.{column}")]),
        };
        seen.0.insert((table.clone(), column.clone()), causes);
    }
    if differs(|stamp| &stamp.fingerprints, ROWS) {
        let causes = match rows_direct {
            true => BTreeSet::from([format!("the rows of {table}")]),
            false => seen.causes(trace, ROWS),
        };
        seen.0.insert((table.clone(), ROWS.to_owned()), causes);
    }
    let change = if columns.values().any(|change| !matches!(change, Change::Upstream(_))) {
        Some(Change::Direct)
    } else {
        let all: BTreeSet<String> = columns.values().flat_map(Change::causes).cloned().collect();
        (!columns.is_empty()).then_some(Change::Upstream(all))
    };
    let version_stayed = wanted.version_stayed(stored);
    Some(TableChange { table: table.clone(), change, columns, reasons, version_stayed })
}

impl Change {
    fn causes(&self) -> impl Iterator<Item = &String> {
        let causes = if let Self::Upstream(causes) = self { Some(causes) } else { None };
        causes.into_iter().flatten()
    }

    fn words(&self) -> String {
        match self {
            Self::New => "new".into(),
            Self::Removed => "removed".into(),
            Self::Direct => "changed directly".into(),
            Self::Upstream(causes) if causes.is_empty() => "changed upstream".into(),
            Self::Upstream(causes) => {
                format!("changed upstream by {}", causes.iter().cloned().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn parameters(wanted: &Stamp, stored: &Stamp) -> Vec<String> {
    let names: BTreeSet<&String> = wanted.parameters.keys().chain(stored.parameters.keys()).collect();
    let shown = |stamp: &Stamp, name: &String| stamp.parameters.get(name).cloned();
    let words = |name: &String| match (shown(stored, name), shown(wanted, name)) {
        (Some(was), Some(is)) if was != is => Some(format!("${name} was {was} and is {is}")),
        (None, Some(is)) => Some(format!("${name} = {is} is used now")),
        (Some(_), None) => Some(format!("${name} is no longer used")),
        _ => None,
    };
    names.into_iter().filter_map(words).collect()
}

/// Stored grains and views whose file is gone.
fn removed(project: &Project) -> Vec<TableChange> {
    let mut gone = Vec::new();
    for (layer, folder) in [(Layer::GRAIN, project.paths.grain()), (Layer::FEATURES, project.paths.features())] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let table = TableName::new(layer.folder, &name);
            if path.extension().is_some_and(|ending| ending == "parquet") && project.library.file(&table).is_none() {
                let reasons = vec!["its file is gone".to_owned()];
                let change = Some(Change::Removed);
                gone.push(TableChange { table, change, columns: BTreeMap::new(), reasons, version_stayed: None });
            }
        }
    }
    gone.sort_by(|a, b| a.table.cmp(&b.table));
    gone
}

/// Prints what the plan says of the selected tables; a view that means something else under its old version is a warning.
pub fn print(project: &Project, verbose: bool, selected: &Selection) -> Result<Outcome> {
    let remembered = Memory::read(&project.paths.plan_memory());
    let traces = Traces::of(project, Layer::FEATURES, Basis::Remembered(&remembered))?;
    let mut plan = Plan::of(project, &traces)?;
    plan.changes.retain(|change| selected.has(&change.table) || project.library.file(&change.table).is_none());
    plan.same.retain(|table| selected.has(table));
    let mut out = String::new();
    if verbose {
        for (table, trace) in traces.tables.iter().filter(|(table, _)| selected.has(table)) {
            about(&mut out, table, trace);
        }
        joins(&mut out, project, selected)?;
    }
    for change in &plan.changes {
        describe(&mut out, change);
    }
    let stayed = plan.changes.iter().any(|change| change.version_stayed.is_some());
    let _ = match plan.changes.len() {
        0 => writeln!(out, "Nothing to do: all {} tables are what their files say.", plan.same.len()),
        1 => writeln!(out, "1 table to make again or remove, {} stay as they are.", plan.same.len()),
        count => writeln!(out, "{count} tables to make again or remove, {} stay as they are.", plan.same.len()),
    };
    answer(out.as_bytes()).map_err(PlanError::Print)?;
    Ok(if stayed { Outcome::Warnings } else { Outcome::Done })
}

/// Whether the joins of each feature view run in one pass, and if not, what is in the way.
fn joins(out: &mut String, project: &Project, selected: &Selection) -> Result<()> {
    let engine = Engine::new(project)?;
    for file in project.library.layer(Layer::FEATURES).filter(|file| selected.has(&file.table())) {
        let mut made = true;
        for table in &file.reads {
            made = engine.open_if_made(table)? && made;
        }
        let view = file.table();
        if !made {
            let _ =
                writeln!(out, "{view}: how it joins its history can be said once the tables that it reads are there");
            continue;
        }
        let verdicts = engine.point_in_time(project, file)?;
        if verdicts.is_empty() {
            let _ = writeln!(out, "{view}: has no join by key and time");
        }
        for verdict in verdicts {
            let how = match verdict {
                Verdict::Windows => "joins its history in one pass".to_owned(),
                Verdict::FirstRow => "takes the first or last row of its history in one pass".to_owned(),
                Verdict::Range => "looks up what fits the moment in one pass".to_owned(),
                Verdict::RowByRow(reason) => format!("joins its history row by row, because {reason}"),
            };
            let _ = writeln!(out, "{view}: {how}");
        }
        let _ = match engine.place(project, file)? {
            Some(Ok(())) => writeln!(out, "{view}: runs in the cluster"),
            Some(Err(reason)) => writeln!(out, "{view}: runs here, because {reason}"),
            None => Ok(()),
        };
    }
    Ok(())
}

fn describe(out: &mut String, change: &TableChange) {
    let what = match &change.change {
        Some(what) => what.words(),
        None => "means the same, made again".to_owned(),
    };
    let _ = writeln!(out, "{}: {what}", change.table);
    for reason in &change.reasons {
        let _ = writeln!(out, "    because {reason}");
    }
    if let Some(version) = change.version_stayed {
        let _ = writeln!(out, "    warning: it {}", still_version(version));
    }
    // Of a new table every column is; of one that changed upstream the causes stand above.
    if change.change == Some(Change::Direct) {
        let mut alike = BTreeMap::<String, Vec<&str>>::new();
        for (column, change) in &change.columns {
            alike.entry(change.words()).or_default().push(column);
        }
        for (words, columns) in alike {
            let _ = writeln!(out, "    {words}: {}", columns.join(", "));
        }
    } else if let Some(Change::Upstream(_)) = change.change {
        let columns: Vec<&str> = change.columns.keys().map(String::as_str).collect();
        let _ = writeln!(out, "    columns: {}", columns.join(", "));
    }
}

/// What a table reads and is known by.
fn about(out: &mut String, table: &TableName, trace: &TableTrace) {
    let _ = writeln!(out, "{table}");
    for (csv, hash) in &trace.materials {
        let _ = writeln!(out, "    from materials/{csv}, SHA-256 {hash}");
    }
    for (name, literal) in &trace.parameters {
        let _ = writeln!(out, "    ${name} = {literal}");
    }
    for (name, column) in &trace.columns {
        let _ = writeln!(out, "    {name}  fingerprint {}", column.fingerprint);
    }
}
