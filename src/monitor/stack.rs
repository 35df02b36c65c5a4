//! Many logs judged in one pass: each stands where a metric stands, so the same queries judge them all.
//!
//! Drills and benchmarks vary one log a hundred times; scanned one by one, planning would take longer than counting.

use std::collections::{BTreeSet, HashMap};
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

/// What a report on each log of the stack would raise; `metric` is the log's name, `some report/click`.
pub fn judge(project: &Project, members: &[Membership], cells: &[Cell], draw: Draw) -> Result<Looked> {
    let engine = Engine::new(project)?;
    let days: BTreeSet<NaiveDate> = cells.iter().map(|cell| cell.shown_on).collect();
    let given: [(&str, Vec<(&str, ArrayRef)>); 4] = [
        ("outcomes", vec![("shown_on", dates(days.iter().copied()))]),
        ("cohorts", cohorts(cells)),
        ("segments", segments(members)),
        ("daily", daily(members, &days.into_iter().collect::<Vec<_>>(), cells)),
    ];
    for (table, columns) in given {
        engine.register(&name(table), batch_of(table, columns)?)?;
    }
    let plan = plan::Plan::new(project);
    plan.run_for_scan(&engine, project)?;
    alarm::explain_away(&engine, project, &plan, draw)
}

/// `monitoring.daily` as far as the scan reads it: each segment's counts on each day of each log.
fn daily(members: &[Membership], days: &[NaiveDate], cells: &[Cell]) -> Vec<(&'static str, ArrayRef)> {
    let segments: BTreeSet<(&str, &str)> = members.iter().map(|(_, column, value)| (&**column, &**value)).collect();
    let segments: Vec<(&str, &str)> = segments.into_iter().collect();
    let place = |column, value| segments.binary_search(&(column, value)).ok();
    let mut of_profile: HashMap<&str, Vec<usize>> = HashMap::new();
    for (profile, column, value) in members {
        of_profile.entry(profile).or_default().extend(place(column, value));
    }
    let mut logs: HashMap<&str, usize> = HashMap::new();
    let mut sums: Vec<Vec<(u64, u64)>> = Vec::new();
    for cell in cells {
        let next = logs.len();
        let log = *logs.entry(&cell.log).or_insert(next);
        if log == sums.len() {
            sums.push(vec![(0, 0); segments.len() * days.len()]);
        }
        let Ok(day) = days.binary_search(&cell.shown_on) else { continue };
        for segment in of_profile.get(&*cell.profile).into_iter().flatten() {
            let sum = &mut sums[log][segment * days.len() + day];
            *sum = (sum.0 + cell.shown, sum.1 + cell.yes);
        }
    }
    let mut names: Vec<(&str, usize)> = logs.into_iter().collect();
    names.sort_unstable();
    let rows = || {
        names.iter().flat_map(|(name, log)| sums[*log].iter().enumerate().map(move |(place, sum)| (*name, place, *sum)))
    };
    let seen = || rows().filter(|(.., (shown, _))| *shown > 0);
    let segment = |place: usize| segments[place / days.len()];
    let counts = |of: fn((u64, u64)) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(seen().map(|(.., sum)| of(sum) as i64)))
    };
    vec![
        ("metric", texts(seen().map(|(name, ..)| name))),
        ("segment_column", texts(seen().map(|(_, place, _)| segment(place).0))),
        ("segment_value", texts(seen().map(|(_, place, _)| segment(place).1))),
        ("shown_on", dates(seen().map(|(_, place, _)| days[place % days.len()]))),
        ("mature", counts(|sum| sum.0)),
        ("mature_yes", counts(|sum| sum.1)),
    ]
}

fn cohorts(cells: &[Cell]) -> Vec<(&'static str, ArrayRef)> {
    let counts =
        |of: fn(&Cell) -> u64| Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| of(cell) as i64)));
    vec![
        ("metric", texts(cells.iter().map(|cell| &*cell.log))),
        ("profile", texts(cells.iter().map(|cell| &*cell.profile))),
        ("shown_on", dates(cells.iter().map(|cell| cell.shown_on))),
        ("mature", counts(|cell| cell.shown) as ArrayRef),
        ("mature_yes", counts(|cell| cell.yes)),
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
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn dates(days: impl Iterator<Item = NaiveDate>) -> ArrayRef {
    let since = |day: NaiveDate| day.signed_duration_since(NaiveDate::default()).num_days() as i32;
    Arc::new(Date32Array::from_iter_values(days.map(since)))
}
