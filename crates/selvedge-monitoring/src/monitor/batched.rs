//! Many logs judged in one pass: each stands where a metric stands, so the same queries judge them all.
//!
//! Drills and benchmarks vary one log a hundred times; scanned one by one, planning would take longer than counting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use serde::Deserialize;

use super::alarm::{self, Accused, Raised, ScanResult, Who};
use super::explanations::{Explanation, LinesOf, tell};
use super::likelihood::{Day, History, Rules, Tally};
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

/// The same without a query, where hundreds of logs are variations of one, its reference days left as they were: what is
/// raised, given each log's lines.  The cells of a log stand together.
pub fn judge_quickly(
    project: &Project,
    members: &[Membership],
    cells: &[Cell],
    rates: &Rates,
    lines: &BTreeMap<String, LinesOf>,
) -> Result<Vec<Raised>> {
    let judge = Judge {
        rules: alarm::rules(project)?,
        reference: alarm::number(project, "reference_days")? as usize,
        near: project.params.monitor.near(),
    };
    let days: BTreeSet<NaiveDate> = cells.iter().map(|cell| cell.shown_on).collect();
    let crowd = Crowd::new(members, rates, days.into_iter().collect());
    let logs = cells.chunk_by(|a, b| a.log == b.log);
    let judged = logs.filter_map(|log| Some(crowd.accused(log, *lines.get(&*log[0].log)?, &judge)));
    Ok(judged.flatten().filter(Accused::is_certain).map(|accused| accused.raised()).collect())
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
    /// The place of the whole shop among the segments.
    shop: Option<usize>,
}

/// What the queries and the loop are told by params.yaml.
struct Judge {
    rules: Rules,
    reference: usize,
    near: f64,
}

impl<'a> Crowd<'a> {
    fn new(members: &'a [Membership], rates: &'a Rates, days: Vec<NaiveDate>) -> Self {
        let segments: BTreeSet<(&str, &str)> = members.iter().map(|(_, column, value)| (&**column, &**value)).collect();
        let segments: Vec<(&str, &str)> = segments.into_iter().collect();
        let mut of_profile: HashMap<&str, Vec<usize>> = HashMap::new();
        for (profile, column, value) in members {
            of_profile.entry(profile).or_default().extend(segments.binary_search(&(column, value)).ok());
        }
        let shop = segments.iter().position(|(column, _)| *column == "shop");
        Self { segments, of_profile, rates, days, shop }
    }

    /// What is left of a log without the customers of some segments.
    fn left<'c>(&self, log: &'c [Cell], gone: &[usize]) -> Vec<&'c Cell> {
        let is_left = |cell: &&Cell| {
            let own = self.of_profile.get(&*cell.profile);
            own.is_some_and(|own| !own.iter().any(|segment| gone.contains(segment)))
        };
        log.iter().filter(is_left).collect()
    }

    /// What each segment was shown and clicked on each day, segment by segment.
    fn sums(&self, cells: &[&Cell]) -> Vec<Vec<Tally>> {
        let mut sums = vec![vec![Tally::default(); self.days.len()]; self.segments.len()];
        for cell in cells {
            let (Ok(day), Some(rate)) = (self.days.binary_search(&cell.shown_on), self.rates.get(&*cell.profile))
            else {
                continue;
            };
            let (shown, yes) = (cell.shown as f64, cell.yes as f64);
            for segment in self.of_profile.get(&*cell.profile).into_iter().flatten() {
                let sum = &mut sums[*segment][day];
                *sum = Tally { shown: sum.shown + shown, yes: sum.yes + yes, usual: sum.usual + shown * rate };
            }
        }
        sums
    }

    /// The correlation of how far two segments stand from the shop, from the variance that their customers share.
    fn overlap(&self, cells: &[&Cell]) -> impl Fn(usize, usize) -> f64 {
        let count = self.segments.len();
        let mut shared = vec![0.0; count * count];
        for cell in cells {
            let (Some(rate), Some(own)) = (self.rates.get(&*cell.profile), self.of_profile.get(&*cell.profile)) else {
                continue;
            };
            for (one, other) in own.iter().flat_map(|one| own.iter().map(move |other| (one, other))) {
                shared[one * count + other] += cell.shown as f64 * rate * (1.0 - rate);
            }
        }
        let shop = self.shop;
        move |one, other| {
            let of = |a: usize, b: usize| shared[a * count + b] / shop.map_or(1.0, |shop| shared[shop * count + shop]);
            let (a, b) = (of(one, one), of(other, other));
            let spread = ((a - a * a) * (b - b * b)).sqrt();
            if spread > 0.0 { (of(one, other) - a * b) / spread } else { 0.0 }
        }
    }

    /// What is told: the likeliest explanation beyond its line, then without its customers again.
    fn accused(&self, log: &[Cell], lines: LinesOf, judge: &Judge) -> Vec<Accused> {
        let mut accused: Vec<Accused> = Vec::new();
        let mut gone: Vec<usize> = Vec::new();
        let Some(shop) = self.shop else { return accused };
        for round in 1..=alarm::MOST_ROUNDS {
            let left = self.left(log, &gone);
            let sums = self.sums(&left);
            // Days on which nobody was shown anything are none.
            let days: Vec<usize> = (0..self.days.len()).filter(|day| sums[shop][*day].shown > 0.0).collect();
            let day = |day: &usize| Day {
                weekday: self.days[*day].weekday().num_days_from_sunday() as usize,
                shop: sums[shop][*day],
            };
            let segments: Vec<usize> = (0..sums.len()).filter(|segment| *segment != shop).collect();
            let history = History {
                reference: days.iter().filter(|day| **day < judge.reference).count(),
                days: days.iter().map(day).collect(),
                segments: segments.iter().map(|own| days.iter().map(|day| sums[*own][*day]).collect()).collect(),
            };
            let order: Vec<usize> = (0..days.len()).collect();
            let Some(fit) = history.fit(&order) else { break };
            // Explanations are numbered as the fit has them: the whole shop, then the segments.
            let place = |number: usize| if number == 0 { shop } else { segments[number - 1] };
            let (singles, overlap) = (fit.singles(judge.rules), self.overlap(&left));
            let mut explanations: Vec<Explanation> = Vec::new();
            for (number, best) in singles.iter().enumerate() {
                explanations.extend(best.map(|best| Explanation {
                    who: vec![place(number) as i64],
                    gain: best.z * best.z,
                    days: (best.to - best.from + 1) as f64,
                    alike: 1.0,
                }));
            }
            explanations.extend(
                fit.pairs(judge.rules, |one, other| overlap(segments[one], segments[other])).into_iter().map(|pair| {
                    let who = [pair.first, pair.second].map(|number| place(number) as i64);
                    Explanation { who: who.to_vec(), gain: pair.gain, days: 1.0, alike: pair.alike }
                }),
            );
            let Some(told) = tell(&explanations, |who| lines.of(who == shop as i64), judge.near) else { break };
            let new = Accused::told(&log[0].log, round, &told, |who| {
                let who = who as usize;
                let number = if who == shop { 0 } else { segments.iter().position(|own| *own == who)? + 1 };
                let (column, value) = self.segments[who];
                Some((Who::from((column.to_owned(), value.to_owned())), singles[number]?.z))
            });
            let taken = new.iter().filter(|new| new.is_taken_out()).filter_map(|new| {
                self.segments.iter().position(|(column, value)| (*column, *value) == (&*new.who.0, &*new.who.1))
            });
            let before = gone.len();
            gone.extend(taken);
            alarm::add(&mut accused, new);
            if gone.len() == before {
                break;
            }
        }
        accused
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
