//! Many logs judged in one pass: each stands where a metric stands, so the same queries judge them all.
//!
//! Drills and benchmarks vary one log a hundred times; scanned one by one, planning would take longer than counting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};

use super::alarm::{self, Lines, Looked, Raised};
use super::shuffle::History;
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
        ("daily", daily(members, days.into_iter().collect(), cells)),
    ];
    for (table, columns) in given {
        engine.register(&name(table), batch_of(table, columns)?)?;
    }
    let plan = plan::Plan::new(project);
    plan.run_for_scan(&engine, project)?;
    alarm::explain_away(&engine, project, &plan, draw)
}

/// The same without a query, where hundreds of logs are variations of one: which segments fire, given each log's line.
/// The cells of a log stand together.
pub fn judge_quickly(
    project: &Project,
    members: &[Membership],
    cells: &[Cell],
    lines: &BTreeMap<String, Lines>,
) -> Result<Vec<Raised>> {
    let (enough, reference) = (alarm::number(project, "enough")?, alarm::number(project, "reference_days")? as usize);
    let days: BTreeSet<NaiveDate> = cells.iter().map(|cell| cell.shown_on).collect();
    let crowd = Crowd::new(members, days.into_iter().collect());
    let logs = cells.chunk_by(|a, b| a.log == b.log);
    let judged = logs.filter_map(|log| Some(crowd.raised(log, lines.get(&*log[0].log)?.clear, reference, enough)));
    Ok(judged.flatten().collect())
}

/// Shown and clicked.
type Sum = (u64, u64);

/// Who belongs to which segment, and the days there are.
struct Crowd<'a> {
    segments: Vec<(&'a str, &'a str)>,
    of_profile: HashMap<&'a str, Vec<usize>>,
    days: Vec<NaiveDate>,
}

impl<'a> Crowd<'a> {
    fn new(members: &'a [Membership], days: Vec<NaiveDate>) -> Self {
        let segments: BTreeSet<(&str, &str)> = members.iter().map(|(_, column, value)| (&**column, &**value)).collect();
        let segments: Vec<(&str, &str)> = segments.into_iter().collect();
        let mut of_profile: HashMap<&str, Vec<usize>> = HashMap::new();
        for (profile, column, value) in members {
            of_profile.entry(profile).or_default().extend(segments.binary_search(&(column, value)).ok());
        }
        Self { segments, of_profile, days }
    }

    /// What each segment was shown and clicked on each day, segment by segment.
    fn sums<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> Vec<Sum> {
        let mut sums = vec![(0, 0); self.segments.len() * self.days.len()];
        for cell in cells {
            let Ok(day) = self.days.binary_search(&cell.shown_on) else { continue };
            for segment in self.of_profile.get(&*cell.profile).into_iter().flatten() {
                let sum = &mut sums[segment * self.days.len() + day];
                *sum = (sum.0 + cell.shown, sum.1 + cell.yes);
            }
        }
        sums
    }

    /// What fires: the furthest segment beyond the line, then without its customers again; the whole shop in the end.
    fn raised(&self, log: &[Cell], line: f64, reference: usize, enough: f64) -> Vec<Raised> {
        let mut raised = Vec::new();
        let mut gone: Vec<usize> = Vec::new();
        let Some(shop) = self.segments.iter().position(|(column, _)| *column == "shop") else { return raised };
        let all = self.sums(log.iter());
        // Days on which nobody was shown anything are none.
        let days: Vec<usize> = (0..self.days.len()).filter(|day| all[shop * self.days.len() + day].0 > 0).collect();
        let order: Vec<usize> = (0..days.len()).collect();
        for _ in 0..=alarm::MOST_ROUNDS {
            let is_left = |cell: &&Cell| {
                let own = self.of_profile.get(&*cell.profile);
                own.is_some_and(|own| !own.iter().any(|segment| gone.contains(segment)))
            };
            let sums = self.sums(log.iter().filter(is_left));
            let at = |segment: usize, day: usize| sums[segment * self.days.len() + day];
            let counts = |segment: usize| {
                let of_day = |day: &usize| {
                    let ((n, x), (all_n, all_x)) = (at(segment, *day), at(shop, *day));
                    [n as f64, x as f64, (all_n - n) as f64, (all_x - x) as f64]
                };
                (segment == shop, days.iter().map(of_day).collect())
            };
            let watched_from = days.iter().filter(|day| **day < reference).count();
            let scan = History::new(watched_from, (0..self.segments.len()).map(counts)).scan(&order, enough);
            let raise = |segment: usize| Raised {
                metric: log[0].log.to_string(),
                segment_column: self.segments[segment].0.to_owned(),
                segment_value: self.segments[segment].1.to_owned(),
                z: scan[segment],
            };
            let beyond = (0..scan.len()).filter(|segment| *segment != shop && scan[*segment].abs() > line);
            match beyond.max_by(|a, b| scan[*a].abs().total_cmp(&scan[*b].abs()).then(b.cmp(a))) {
                Some(segment) if gone.len() < alarm::MOST_ROUNDS as usize => {
                    raised.push(raise(segment));
                    gone.push(segment);
                }
                _ => {
                    raised.extend((scan[shop].abs() > line).then(|| raise(shop)));
                    break;
                }
            }
        }
        raised
    }
}

/// `monitoring.daily` as far as the scan reads it: each segment's counts on each day of each log.
fn daily(members: &[Membership], days: Vec<NaiveDate>, cells: &[Cell]) -> Vec<(&'static str, ArrayRef)> {
    let crowd = Crowd::new(members, days);
    let mut logs: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for log in cells.chunk_by(|a, b| a.log == b.log) {
        logs.entry(&log[0].log).or_default().extend(log);
    }
    let (mut names, mut places, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    for (name, cells) in logs {
        for (place, sum) in crowd.sums(cells.into_iter()).into_iter().enumerate().filter(|(_, sum)| sum.0 > 0) {
            names.push(name);
            places.push(place);
            sums.push(sum);
        }
    }
    let segments = || places.iter().map(|place| crowd.segments[place / crowd.days.len()]);
    let counts =
        |of: fn(&Sum) -> u64| Arc::new(Int64Array::from_iter_values(sums.iter().map(|sum| of(sum) as i64))) as ArrayRef;
    vec![
        ("metric", texts(names.into_iter())),
        ("segment_column", texts(segments().map(|segment| segment.0))),
        ("segment_value", texts(segments().map(|segment| segment.1))),
        ("shown_on", dates(places.iter().map(|place| crowd.days[place % crowd.days.len()]))),
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
