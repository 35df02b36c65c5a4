//! Rules for features: nothing from the moment on may reach them.
//!
//! The plan is walked from the tables upwards.  Each reading of a table with times is open until a condition bounds its
//! time by the moment; what still hangs on an open reading at the end, or was added up before it was bounded, leaks.
//!
//! - **reading**: one mention of a table in a query, with all its rows; a table that is named twice is read twice.
//! - **scan**: the number of a reading in [`Analysis::scans`].
//! - **moment**: a row's own time, `as_of`, or a time that lies a known number of seconds from it.
//! - **bound**: a condition such as `t.event_time < g.as_of`, after which a reading says nothing of the moment or later.
//! - **taint**: the readings, not yet bounded, that may have decided a value or whether a row is there (as in taint
//!   analysis of programs).

mod aggregate;
mod facts;
mod moment;
mod nodes;
mod state;
mod ties;
mod value;
mod window;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};

use self::moment::Scan;
use self::state::{Rows, Taint, Value};
use super::Found;
use super::place::Words;
use super::rule::Rule;
use selvedge_project::project::Project;

/// What kind of rows a reading holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Moments, perhaps among other rows.
    Grain,
    /// Rows with times of their own.
    Timed,
}

/// One reading of a table.
#[derive(Debug, Clone)]
struct Reading {
    shown: String,
    kind: Kind,
    key: Vec<String>,
    /// The column from which its rows are known, and whether it holds days.
    time: Option<(String, bool)>,
    alias: Option<String>,
    line: Option<u64>,
    /// Whether a condition has said which of several readings in the text it is.
    placed: bool,
    /// A condition on its time that does not keep it before the moment, and why.
    late: Option<(Option<u64>, &'static str)>,
}

/// The walk over one plan.
struct Analysis<'a> {
    project: &'a Project,
    words: &'a Words,
    scans: Vec<Reading>,
    /// The reading that the answer's rows come from, once it is known.
    root: Option<Scan>,
    /// The rows around a subquery, the nearest last.
    outer: Vec<Rows>,
    found: Vec<Found>,
    /// Readings of which something is found: once is enough.
    refused: Taint,
}

/// What in a feature view's plan would see the moment or what comes after it.
pub fn findings(project: &Project, plan: &LogicalPlan, words: &Words) -> Vec<Found> {
    // First only to learn which reading of the grain the answer's moments are from.
    let mut first = Analysis::new(project, words, None);
    let rows = first.rows(plan);
    let Some(root) = moment_of_answer(&rows) else { return Vec::new() };
    let mut second = Analysis::new(project, words, Some(root));
    let rows = second.rows(plan);
    let open: Taint = rows.all();
    for scan in open.into_iter().filter(|scan| *scan != root && !second.refused.contains(scan)).collect::<Taint>() {
        second.no_bound(scan);
    }
    second.found
}

fn moment_of_answer(rows: &Rows) -> Option<Scan> {
    let place = rows.schema.fields().iter().position(|field| field.name() == "as_of")?;
    rows.columns.get(place)?.moment.map(|moment| moment.scan)
}

impl<'a> Analysis<'a> {
    fn new(project: &'a Project, words: &'a Words, root: Option<Scan>) -> Self {
        Self { project, words, scans: Vec::new(), root, outer: Vec::new(), found: Vec::new(), refused: Taint::new() }
    }

    /// Notes a finding, on the line of `expr`, or else of the reading.
    fn find(&mut self, rule: Rule, expr: Option<&Expr>, scan: Option<Scan>, what: String) {
        self.find_with(rule, expr, scan, what, None);
        self.refused.extend(scan);
    }

    /// As [`Self::find`], with advice of its own; the reading may still be found open.
    fn find_with(
        &mut self,
        rule: Rule,
        expr: Option<&Expr>,
        scan: Option<Scan>,
        what: String,
        instead: Option<String>,
    ) {
        let of_scan = scan.and_then(|scan| self.scans.get(scan)).and_then(|scan| scan.line);
        let line = expr.and_then(|expr| self.words.line_of_expr(expr)).or(of_scan);
        self.found.push(Found { rule, line, what, instead });
    }

    fn no_bound(&mut self, scan: Scan) {
        let Some(reading) = self.scans.get(scan) else { return };
        let Reading { shown, key, .. } = reading;
        let what = match (reading.kind, reading.late) {
            (Kind::Timed, Some((_, why))) => format!("the time of {shown} {why}"),
            (Kind::Timed, None) => format!("{shown} is read without a bound on its time"),
            (Kind::Grain, _) => format!("other moments of {shown} are read without a bound"),
        };
        let name = reading.alias.as_deref().unwrap_or(shown);
        let whole_key = format!("join {name} by its whole key ({})", key.join(", "));
        let instead = match &reading.time {
            None => format!("{whole_key} with rows that are bounded"),
            Some((time, days)) => {
                let time = if *days { format!("CAST({name}.{time} AS TIMESTAMP)") } else { format!("{name}.{time}") };
                let bound = format!("add a strict bound by the moment: AND {time} < g.as_of");
                if *days { format!("{bound}; or {whole_key}") } else { bound }
            }
        };
        let line = reading.late.and_then(|(line, _)| line).or(reading.line);
        self.found.push(Found { rule: Rule::NoTimeBound, line, what, instead: Some(instead) });
        self.refused.insert(scan);
    }

    /// A column of the rows around a subquery.
    fn outer(&self, column: &Column) -> Option<Value> {
        self.outer.iter().rev().find_map(|rows| rows.value(column))
    }

    /// What a subquery inside an expression over `rows` gives: its first column, and whether it has rows.
    fn subquery(&mut self, subquery: &Subquery, rows: &Rows) -> Value {
        self.outer.push(rows.clone());
        let inside = self.rows(&subquery.subquery);
        self.outer.pop();
        let count = inside.count();
        let mut value = inside.columns.into_iter().next().unwrap_or_default();
        value.taint.extend(count);
        value.column = None;
        value
    }

    /// Readings that a subquery takes from around it: what it does with them stays with their own row.
    fn around(&self) -> Taint {
        self.outer.iter().flat_map(Rows::all).collect()
    }
}
