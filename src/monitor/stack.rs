//! Many logs judged in one pass: each stands where a metric stands, so the same queries judge them all.
//!
//! Drills and benchmarks vary one log a hundred times; scanned one by one, planning would take longer than counting.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};

use super::alarm::{self, Looked};
use super::{Draw, name, plan};
use crate::engine::{Engine, batch_of};
use crate::error::Result;
use crate::project::Project;

/// What was shown to one kind of customer on one day, in one log.
#[derive(Debug, Clone)]
pub struct Cell {
    pub log: Arc<str>,
    pub profile: Arc<str>,
    pub shown_on: NaiveDate,
    pub shown: u64,
    /// How many of them were clicked (bought, …).
    pub yes: u64,
}

/// Which segments a profile belongs to: profile, column, value.
pub type Membership = (String, String, String);

/// What a report on each log of the stack would raise; `metric` is the log's name.
pub fn judge(project: &Project, members: &[Membership], cells: &[Cell], draw: Draw) -> Result<Looked> {
    let engine = Engine::new(project)?;
    let days: BTreeSet<NaiveDate> = cells.iter().map(|cell| cell.shown_on).collect();
    let given: [(&str, Vec<(&str, ArrayRef)>); 3] = [
        ("outcomes", vec![("shown_on", dates(days.into_iter()))]),
        ("cohorts", cohorts(cells)),
        ("segments", segments(members)),
    ];
    for (table, columns) in given {
        engine.register(&name(table), batch_of(table, columns)?)?;
    }
    let plan = plan::Plan::new(project);
    plan.run_for_scan(&engine, project)?;
    alarm::explain_away(&engine, project, &plan, draw)
}

fn cohorts(cells: &[Cell]) -> Vec<(&'static str, ArrayRef)> {
    let counts =
        |of: fn(&Cell) -> u64| Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| of(cell) as i64)));
    let (shown, yes) = (counts(|cell| cell.shown), counts(|cell| cell.yes));
    vec![
        ("metric", texts(cells.iter().map(|cell| &*cell.log))),
        ("profile", texts(cells.iter().map(|cell| &*cell.profile))),
        ("shown_on", dates(cells.iter().map(|cell| cell.shown_on))),
        ("shown", Arc::clone(&shown) as ArrayRef),
        ("mature", Arc::clone(&shown) as ArrayRef),
        ("mature_yes", Arc::clone(&yes) as ArrayRef),
        ("confirmed", shown),
        ("confirmed_yes", yes),
    ]
}

fn segments(members: &[Membership]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("profile", texts(members.iter().map(|(profile, _, _)| profile.as_str()))),
        ("segment_column", texts(members.iter().map(|(_, column, _)| column.as_str()))),
        ("segment_value", texts(members.iter().map(|(_, _, value)| value.as_str()))),
    ]
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn dates(days: impl Iterator<Item = NaiveDate>) -> ArrayRef {
    let since = |day: NaiveDate| day.signed_duration_since(NaiveDate::default()).num_days() as i32;
    Arc::new(Date32Array::from_iter_values(days.map(since)))
}
