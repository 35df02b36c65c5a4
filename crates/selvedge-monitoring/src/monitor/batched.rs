//! Many logs judged in one pass: each stands where a metric stands, so the same queries judge them all.
//!
//! Drills and benchmarks vary one log a hundred times; scanned one by one, planning would take longer than counting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use serde::Deserialize;

use super::alarm::{self, Lines, Raised, ScanResult};
use super::permutation_test::{History, Rules, Tally};
use super::{Draw, name, plan};
use selvedge_engine::{Engine, batch_of};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

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
pub fn judge(project: &Project, members: &[Membership], cells: &[Cell], draw: Draw) -> Result<ScanResult> {
    let (engine, plan) = (stacked(project, members, cells)?, plan::Plan::new(project));
    plan.run_for_scan(&engine, project)?;
    alarm::iterative_exclusion(&engine, project, &plan, draw)
}

/// By profile, the share of what is shown to it that it usually clicks (buys, …).
pub type Rates = HashMap<String, f64>;

/// What each profile of one log usually does.
pub fn usual_rates(project: &Project, members: &[Membership], log: &[Cell]) -> Result<Rates> {
    let engine = stacked(project, members, log)?;
    plan::Plan::new(project).run_for(&engine, project, &["usual_rates"])?;
    let rates: Vec<Rate> = engine.rows(&name("usual_rates"))?;
    Ok(rates.into_iter().map(|row| (row.profile, row.rate)).collect())
}

/// The same without a query, where hundreds of logs are variations of one, its reference days left as they were: which
/// segments fire, given each log's line.  The cells of a log stand together.
pub fn judge_quickly(
    project: &Project,
    members: &[Membership],
    cells: &[Cell],
    rates: &Rates,
    lines: &BTreeMap<String, Lines>,
) -> Result<Vec<Raised>> {
    let (rules, reference) = (alarm::rules(project)?, alarm::number(project, "reference_days")? as usize);
    let days: BTreeSet<NaiveDate> = cells.iter().map(|cell| cell.shown_on).collect();
    let crowd = Crowd::new(members, rates, days.into_iter().collect());
    let logs = cells.chunk_by(|a, b| a.log == b.log);
    let judged = logs.filter_map(|log| Some(crowd.raised(log, lines.get(&*log[0].log)?.clear, reference, rules)));
    Ok(judged.flatten().collect())
}

/// The logs as tables that the queries of the alarm read.
fn stacked(project: &Project, members: &[Membership], cells: &[Cell]) -> Result<Engine> {
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
    Ok(engine)
}

#[derive(Deserialize)]
struct Rate {
    profile: String,
    rate: f64,
}

/// Who belongs to which segment and what they usually do, and the days there are.
struct Crowd<'a> {
    segments: Vec<(&'a str, &'a str)>,
    of_profile: HashMap<&'a str, Vec<usize>>,
    rates: &'a Rates,
    days: Vec<NaiveDate>,
}

impl<'a> Crowd<'a> {
    fn new(members: &'a [Membership], rates: &'a Rates, days: Vec<NaiveDate>) -> Self {
        let segments: BTreeSet<(&str, &str)> = members.iter().map(|(_, column, value)| (&**column, &**value)).collect();
        let segments: Vec<(&str, &str)> = segments.into_iter().collect();
        let mut of_profile: HashMap<&str, Vec<usize>> = HashMap::new();
        for (profile, column, value) in members {
            of_profile.entry(profile).or_default().extend(segments.binary_search(&(column, value)).ok());
        }
        Self { segments, of_profile, rates, days }
    }

    /// What each segment was shown and clicked on each day, segment by segment.
    fn sums<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); self.segments.len() * self.days.len()];
        for cell in cells {
            let (Ok(day), Some(rate)) = (self.days.binary_search(&cell.shown_on), self.rates.get(&*cell.profile))
            else {
                continue;
            };
            let (shown, yes) = (cell.shown as f64, cell.yes as f64);
            for segment in self.of_profile.get(&*cell.profile).into_iter().flatten() {
                let sum = &mut sums[segment * self.days.len() + day];
                *sum = Tally { shown: sum.shown + shown, yes: sum.yes + yes, usual: sum.usual + shown * rate };
            }
        }
        sums
    }

    /// What fires: the furthest segment beyond the line, then without its customers again; the whole shop in the end.
    fn raised(&self, log: &[Cell], line: f64, reference: usize, rules: Rules) -> Vec<Raised> {
        let mut raised = Vec::new();
        let mut gone: Vec<usize> = Vec::new();
        let Some(shop) = self.segments.iter().position(|(column, _)| *column == "shop") else { return raised };
        let all = self.sums(log.iter());
        // Days on which nobody was shown anything are none.
        let days: Vec<usize> =
            (0..self.days.len()).filter(|day| all[shop * self.days.len() + day].shown > 0.0).collect();
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
                    let (own, all) = (at(segment, *day), at(shop, *day));
                    (own, all.less(&own))
                };
                (segment == shop, days.iter().map(of_day).collect())
            };
            let watched_from = days.iter().filter(|day| **day < reference).count();
            let scan = History::new(watched_from, (0..self.segments.len()).map(counts)).scan(&order, rules);
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
