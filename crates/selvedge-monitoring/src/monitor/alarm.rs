//! The alarm: scan every window of days, weigh whole explanations against each other, tell the likeliest, take the
//! customers of what is told out, look again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use serde::Deserialize;

use super::LAYER;
use super::MonitorError;
use super::explanations::{Explanation, Lines, LinesOf, Sure, Told, tell};
use super::likelihood::{History, Rules};
use super::permutation_test::{self, Furthest};
use super::plan::Plan;
use selvedge_engine::{Engine, TableError, batch_of};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// How often one metric is looked at again: a stop for logs in which everything moved on its own.
pub const MOST_ROUNDS: i64 = 8;

/// A segment, or the whole shop (`shop`, `all`).
pub type Who = (String, String);

/// One that changed, or may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Accused {
    pub metric: String,
    pub who: Who,
    pub round: i64,
    /// How sure it is that anything changed at all.
    pub sure: Sure,
    /// Every explanation that could be true holds it.
    pub certain: bool,
    /// Who may have changed instead.
    pub rivals: Vec<Who>,
    /// Days after which more can be said.
    pub more_days: Option<u32>,
    pub z: f64,
}

/// One explanation's furthest window.
#[derive(Debug, Clone, Deserialize)]
struct ChangeWindow {
    metric: String,
    segment_column: String,
    segment_value: String,
    series: i64,
    z: f64,
}

/// A row of `monitoring.explanations`.
#[derive(Debug, Deserialize)]
struct Weighed {
    metric: String,
    first: i64,
    second: i64,
    from_day: i64,
    to_day: i64,
    gain: f64,
    alike: f64,
}

#[derive(Debug, Deserialize)]
struct ScanDay {
    metric: String,
}

/// Where the lines come from.
#[derive(Debug, Clone, Copy)]
pub enum Draw<'a> {
    /// From shuffled histories, for all metrics of a report together, so that the promise holds for the whole report.  A
    /// metric is called `click`, or `some report/click` where many reports are judged in one pass.
    Shuffled,
    /// The same, but drawn only for reports with something beyond the least line there can be: enough to know what is
    /// raised.
    WhenNeeded,
    /// As given, by metric.
    Given(&'a BTreeMap<String, LinesOf>),
}

/// What the loop leaves behind.
pub struct ScanResult {
    /// The scan of every round, one below the other.
    pub rounds: RecordBatch,
    pub lines: BTreeMap<String, LinesOf>,
    pub accused: Vec<Accused>,
}

/// A change that stands as an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub z: f64,
}

/// Runs the loop and registers `monitoring.rounds`, `monitoring.accused` and `monitoring.thresholds`.
pub fn look(engine: &Engine, project: &Project, plan: &Plan) -> Result<()> {
    let looked = iterative_exclusion(engine, project, plan, Draw::Shuffled)?;
    engine.register(&table("accused"), accused_table(&looked.accused)?)?;
    engine.register(&table("thresholds"), lines_table(&looked.lines)?)?;
    engine.register(&table("rounds"), looked.rounds)
}

/// The loop itself, over whatever metrics `monitoring.scan_days` has days of.
pub fn iterative_exclusion(engine: &Engine, project: &Project, plan: &Plan, draw: Draw) -> Result<ScanResult> {
    let days: Vec<ScanDay> = engine.rows(&table("scan_days"))?;
    let mut metrics: BTreeSet<String> = days.into_iter().map(|day| day.metric).collect();
    let near = project.params.monitor.near();
    let scan = |accused: &[Accused], metrics: &BTreeSet<String>| -> Result<Vec<ChangeWindow>> {
        engine.register(&table("taken_out"), taken_out(accused)?)?;
        engine.register(&table("looked_at"), names("looked_at", metrics)?)?;
        plan.run_scan(engine, project)?;
        engine.rows(&table("scan"))
    };
    // What can be judged at all is known after a first look; only that is worth a thousand shuffles.
    let mut windows = by_metric(scan(&[], &metrics)?);
    let mut rounds = vec![with_round(&engine.read(&table("scan"))?, 1)?];
    metrics.retain(|metric| windows.contains_key(metric));
    let lines = match draw {
        Draw::Given(lines) => lines.clone(),
        Draw::Shuffled => drawn(engine, project, |metric| metrics.contains(metric))?,
        Draw::WhenNeeded => {
            let restless = restless(&windows, project.params.monitor.threshold_floor);
            drawn(engine, project, |metric| metrics.contains(metric) && restless.contains(report_of(metric)))?
        }
    };
    let mut accused: Vec<Accused> = Vec::new();
    for round in 1..=MOST_ROUNDS {
        let told = explained(engine, project, plan, &windows, &lines, near)?;
        let mut next = BTreeSet::new();
        for (metric, told) in told {
            let own = windows.get(&metric).map(Vec::as_slice).unwrap_or_default();
            let new = Accused::told(&metric, round, &told, |series| {
                let window = own.iter().find(|window| window.series == series)?;
                Some(((window.segment_column.clone(), window.segment_value.clone()), window.z))
            });
            if new.iter().any(Accused::is_taken_out) {
                next.insert(metric);
            }
            add(&mut accused, new);
        }
        // Where nobody was taken out, another look would see the same.
        if next.is_empty() {
            break;
        }
        windows = by_metric(scan(&accused, &next)?);
        rounds.push(with_round(&engine.read(&table("scan"))?, round + 1)?);
    }
    let schema = rounds[0].schema();
    let rounds = concat_batches(&schema, &rounds)
        .map_err(|e| TableError::Shape { table: "rounds".into(), cause: e.to_string() })?;
    Ok(ScanResult { rounds, lines, accused })
}

/// What is told of each metric in which anything is beyond a line.
fn explained(
    engine: &Engine,
    project: &Project,
    plan: &Plan,
    windows: &BTreeMap<String, Vec<ChangeWindow>>,
    lines: &BTreeMap<String, LinesOf>,
    near: f64,
) -> Result<Vec<(String, Told)>> {
    let is_beyond = |(metric, windows): &(&String, &Vec<ChangeWindow>)| {
        lines.get(*metric).is_some_and(|lines| windows.iter().any(|w| w.z.abs() > lines.of(w.is_shop()).possible))
    };
    let suspected: BTreeSet<String> = windows.iter().filter(is_beyond).map(|(metric, _)| metric.clone()).collect();
    if suspected.is_empty() {
        return Ok(Vec::new());
    }
    engine.register(&table("suspected"), names("suspected", &suspected)?)?;
    plan.run_explain(engine, project)?;
    let rows: Vec<Weighed> = engine.rows(&table("explanations"))?;
    let mut weighed: BTreeMap<String, Vec<Explanation>> = BTreeMap::new();
    for row in rows {
        let who = if row.first == row.second { vec![row.first] } else { vec![row.first, row.second] };
        let days = (row.to_day - row.from_day + 1) as f64;
        weighed.entry(row.metric).or_default().push(Explanation { who, gain: row.gain, days, alike: row.alike });
    }
    let tell = |(metric, explanations): (String, Vec<Explanation>)| {
        let (own, lines) = (windows.get(&metric)?, *lines.get(&metric)?);
        let shop = own.iter().find(|window| window.is_shop()).map(|window| window.series);
        Some((metric, tell(&explanations, |who| lines.of(Some(who) == shop), near)?))
    };
    Ok(weighed.into_iter().filter_map(tell).collect())
}

/// What is told anew; of the whole shop the latest, which is without the customers of what was told before.
pub fn add(accused: &mut Vec<Accused>, new: Vec<Accused>) {
    for new in new {
        let again = |old: &Accused| old.metric == new.metric && old.who == new.who;
        let old = accused.iter().position(again);
        match old {
            Some(place) if new.is_certain() || !accused[place].is_certain() => accused[place] = new,
            Some(_) => {}
            None => accused.push(new),
        }
    }
}

impl ScanResult {
    /// Every alert.
    pub fn raised(&self) -> Vec<Raised> {
        self.accused.iter().filter(|accused| accused.is_certain()).map(Accused::raised).collect()
    }
}

impl Accused {
    /// Everyone that is told of one metric; `named` says who a series is, and how far from nothing.
    pub fn told(metric: &str, round: i64, told: &Told, named: impl Fn(i64) -> Option<(Who, f64)>) -> Vec<Self> {
        let accuse = |series: &i64| {
            let (who, z) = named(*series)?;
            let certain = told.certain.contains(series);
            let rivals = told.open.iter().filter(|other| !certain && *other != series);
            let rivals = rivals.filter_map(|other| Some(named(*other)?.0)).collect();
            let (metric, sure, more_days) = (metric.to_owned(), told.sure, told.more_days);
            Some(Self { metric, who, round, sure, certain, rivals, more_days, z })
        };
        told.certain.iter().chain(&told.open).filter_map(accuse).collect()
    }

    pub fn is_shop(&self) -> bool {
        self.who.0 == "shop"
    }

    /// It is clear that something changed, and that it was this one.
    pub fn is_certain(&self) -> bool {
        self.sure == Sure::Clear && self.certain
    }

    /// Whether others are looked at again without its customers.  Without the whole shop's nobody would be left.
    pub fn is_taken_out(&self) -> bool {
        self.is_certain() && !self.is_shop()
    }

    pub fn raised(&self) -> Raised {
        let (segment_column, segment_value) = self.who.clone();
        Raised { metric: self.metric.clone(), segment_column, segment_value, z: self.z }
    }
}

impl ChangeWindow {
    fn is_shop(&self) -> bool {
        self.segment_column == "shop"
    }
}

/// The reports in which something is beyond a line.
fn restless(windows: &BTreeMap<String, Vec<ChangeWindow>>, line: f64) -> BTreeSet<&str> {
    let is_beyond = |windows: &[ChangeWindow]| windows.iter().any(|window| window.z.abs() > line);
    windows.iter().filter(|(_, windows)| is_beyond(windows)).map(|(metric, _)| report_of(metric)).collect()
}

/// The report that a metric belongs to; nothing for the metrics of the only one.
fn report_of(metric: &str) -> &str {
    metric.rsplit_once('/').map_or("", |(report, _)| report)
}

fn by_metric(windows: Vec<ChangeWindow>) -> BTreeMap<String, Vec<ChangeWindow>> {
    let mut groups: BTreeMap<String, Vec<ChangeWindow>> = BTreeMap::new();
    for window in windows {
        groups.entry(window.metric.clone()).or_default().push(window);
    }
    groups
}

/// The lines that shuffled histories draw, for the wanted metrics.
fn drawn(engine: &Engine, project: &Project, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, LinesOf>> {
    let monitor = &project.params.monitor;
    let rules = rules(project)?;
    let mut reports: BTreeMap<String, Vec<(String, History)>> = BTreeMap::new();
    for (metric, history) in permutation_test::histories(engine)? {
        if wanted(&metric) {
            reports.entry(report_of(&metric).to_owned()).or_default().push((metric, history));
        }
    }
    let mut lines = BTreeMap::new();
    for metrics in reports.into_values() {
        let mut random = permutation_test::random(monitor.seed);
        let shuffled =
            |(_, of): &(String, History)| permutation_test::shuffled(of, monitor.permutations, rules, &mut random);
        let furthest: Vec<Furthest> = metrics.iter().map(shuffled).collect();
        let own = permutation_test::lines(&furthest, monitor);
        lines.extend(metrics.into_iter().map(|(metric, _)| metric).zip(own));
    }
    Ok(lines)
}

/// What the queries read, for what repeats them.
pub fn rules(project: &Project) -> Result<Rules> {
    Ok(Rules { enough: number(project, "enough")?, ended_counts: number(project, "ended_counts")? })
}

/// A number that queries read as a `$parameter` of the monitor.
pub fn number(project: &Project, key: &'static str) -> Result<f64> {
    let written = project.sql_params(LAYER).remove(key).unwrap_or_default();
    Ok(written.parse().map_err(|_| MonitorError::NotANumber { key, value: written })?)
}

/// The value that at most `1 - share` of the sorted values exceed; 0 for none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.max(1) - 1).or(sorted.last()).copied().unwrap_or_default()
}

fn table(name: &str) -> TableName {
    TableName::new("monitoring", name)
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn names(table: &str, metrics: &BTreeSet<String>) -> Result<RecordBatch> {
    batch_of(table, [("metric", texts(metrics.iter().map(String::as_str)))])
}

fn taken_out(accused: &[Accused]) -> Result<RecordBatch> {
    let gone: Vec<&Accused> = accused.iter().filter(|accused| accused.is_taken_out()).collect();
    batch_of(
        "taken_out",
        vec![
            ("metric", texts(gone.iter().map(|of| of.metric.as_str()))),
            ("segment_column", texts(gone.iter().map(|of| of.who.0.as_str()))),
            ("segment_value", texts(gone.iter().map(|of| of.who.1.as_str()))),
        ],
    )
}

/// `sure` says how sure it is that something changed, `certain` whether it is who it was.
fn accused_table(accused: &[Accused]) -> Result<RecordBatch> {
    let sure = |of: &Accused| match of.sure {
        Sure::Clear => "clear",
        Sure::Possible => "possible",
    };
    let rivals = |of: &Accused| {
        let rivals: Vec<String> = of.rivals.iter().map(|(column, value)| format!("{column}={value}")).collect();
        (!rivals.is_empty()).then(|| rivals.join("; "))
    };
    batch_of(
        "accused",
        vec![
            ("metric", texts(accused.iter().map(|of| of.metric.as_str()))),
            ("segment_column", texts(accused.iter().map(|of| of.who.0.as_str()))),
            ("segment_value", texts(accused.iter().map(|of| of.who.1.as_str()))),
            ("round", Arc::new(Int64Array::from_iter_values(accused.iter().map(|of| of.round)))),
            ("sure", texts(accused.iter().map(sure))),
            ("certain", Arc::new(BooleanArray::from_iter(accused.iter().map(|of| Some(of.certain))))),
            ("rivals", Arc::new(accused.iter().map(rivals).collect::<StringArray>())),
            ("more_days", Arc::new(accused.iter().map(|of| of.more_days.map(i64::from)).collect::<Int64Array>())),
        ],
    )
}

fn lines_table(lines: &BTreeMap<String, LinesOf>) -> Result<RecordBatch> {
    let rows: Vec<(&str, bool, Lines)> =
        lines.iter().flat_map(|(metric, of)| [true, false].map(|shop| (metric.as_str(), shop, of.of(shop)))).collect();
    batch_of(
        "thresholds",
        vec![
            ("metric", texts(rows.iter().map(|row| row.0))),
            ("is_shop", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.1))))),
            ("threshold", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.clear)))),
            ("possible_line", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.possible)))),
        ],
    )
}

/// A scan with the number of its round as a column.
fn with_round(scan: &RecordBatch, round: i64) -> Result<RecordBatch> {
    let mut columns: Vec<(&str, ArrayRef)> = vec![("round", Arc::new(Int64Array::from(vec![round; scan.num_rows()])))];
    let schema = scan.schema();
    columns.extend(
        schema.fields().iter().zip(scan.columns()).map(|(field, column)| (field.name().as_str(), Arc::clone(column))),
    );
    batch_of("rounds", columns)
}
