//! The alarm: scan every window of days, let the furthest segment fire, take its customers out, look again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use serde::Deserialize;

use super::LAYER;
use super::MonitorError;
use super::permutation_test::{self, History, Rules};
use super::plan::Plan;
use selvedge_engine::{Engine, TableError, batch_of, read_rows};
use selvedge_project::error::Result;
use selvedge_project::params;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// How many segments may fire for one metric: a stop for logs in which everything moved on its own.
pub const MOST_ROUNDS: i64 = 8;

/// The lines that |Z| must cross, for one metric; none while nothing can be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lines {
    pub clear: f64,
    pub possible: f64,
}

/// A segment that fired.
#[derive(Debug, Clone, PartialEq)]
struct Fired {
    metric: String,
    segment_column: String,
    segment_value: String,
    round: i64,
}

/// One segment's furthest window.
#[derive(Debug, Deserialize)]
struct ChangeWindow {
    /// Only the rounds' table has it.
    #[serde(default)]
    round: i64,
    metric: String,
    segment_column: String,
    segment_value: String,
    z: f64,
}

#[derive(Debug, Deserialize)]
struct ScanDay {
    metric: String,
}

/// Where the lines come from.
#[derive(Debug, Clone, Copy)]
pub enum Draw<'a> {
    /// From shuffled histories, one pair for all metrics of a report together, so that the promise holds for the whole
    /// report.  A metric is called `click`, or `some report/click` where many reports are judged in one pass.
    Shuffled,
    /// The same, but drawn only for reports with something beyond the least line there can be: enough to know what is
    /// raised.
    WhenNeeded,
    /// As given, by metric.
    Given(&'a BTreeMap<String, Lines>),
}

/// What the loop leaves behind.
pub struct ScanResult {
    /// The scan of every round, one below the other.
    pub rounds: RecordBatch,
    pub lines: BTreeMap<String, Lines>,
    fired: Vec<Fired>,
}

/// A change that stands as an alert: a segment that fired, or the whole shop once those are taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub z: f64,
}

/// Runs the loop and registers `monitoring.rounds`, `monitoring.taken_out` and `monitoring.thresholds`.
pub fn look(engine: &Engine, project: &Project, plan: &Plan) -> Result<()> {
    let looked = iterative_exclusion(engine, project, plan, Draw::Shuffled)?;
    engine.register(&table("taken_out"), taken_out(&looked.fired)?)?;
    engine.register(&table("thresholds"), lines_table(&looked.lines)?)?;
    engine.register(&table("rounds"), looked.rounds)
}

/// The loop itself, over whatever metrics `monitoring.scan_days` has days of.
pub fn iterative_exclusion(engine: &Engine, project: &Project, plan: &Plan, draw: Draw) -> Result<ScanResult> {
    let days: Vec<ScanDay> = engine.rows(&table("scan_days"))?;
    let mut metrics: BTreeSet<String> = days.into_iter().map(|day| day.metric).collect();
    let scan = |fired: &[Fired], metrics: &BTreeSet<String>| -> Result<Vec<ChangeWindow>> {
        engine.register(&table("taken_out"), taken_out(fired)?)?;
        let metrics = texts(metrics.iter().map(String::as_str));
        engine.register(&table("looked_at"), batch_of("looked_at", [("metric", metrics)])?)?;
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
            let restless = beyond(&windows, project.params.monitor.threshold_floor);
            drawn(engine, project, |metric| metrics.contains(metric) && restless.contains(report_of(metric)))?
        }
    };
    let mut fired: Vec<Fired> = Vec::new();
    for round in 1..=MOST_ROUNDS {
        let next: Vec<Fired> = windows
            .iter()
            .filter_map(|(metric, windows)| furthest(windows, metric, *lines.get(metric)?, round))
            .collect();
        // Where nothing fired, another look would see the same.
        metrics.retain(|metric| next.iter().any(|fired| fired.metric == *metric));
        if next.is_empty() {
            break;
        }
        fired.extend(next);
        windows = by_metric(scan(&fired, &metrics)?);
        rounds.push(with_round(&engine.read(&table("scan"))?, round + 1)?);
    }
    let schema = rounds[0].schema();
    let rounds = concat_batches(&schema, &rounds)
        .map_err(|e| TableError::Shape { table: "rounds".into(), cause: e.to_string() })?;
    Ok(ScanResult { rounds, lines, fired })
}

impl ScanResult {
    /// Every alert; a segment as it was when it fired, the whole shop as it is in the end.
    pub fn raised(&self) -> Result<Vec<Raised>> {
        let windows: Vec<ChangeWindow> = read_rows(&self.rounds, "monitoring.rounds")?;
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for window in &windows {
            let round = last.entry(&window.metric).or_default();
            *round = window.round.max(*round);
        }
        let fired: BTreeSet<(&str, &str, &str, i64)> = self.fired.iter().map(Fired::key).collect();
        let stands = |s: &&ChangeWindow| {
            let beyond = self.lines.get(&s.metric).is_some_and(|lines| s.z.abs() > lines.clear);
            let shop = s.segment_column == "shop" && last.get(s.metric.as_str()) == Some(&s.round);
            fired.contains(&(s.metric.as_str(), s.segment_column.as_str(), s.segment_value.as_str(), s.round))
                || shop && beyond
        };
        let raise = |s: &ChangeWindow| Raised {
            metric: s.metric.clone(),
            segment_column: s.segment_column.clone(),
            segment_value: s.segment_value.clone(),
            z: s.z,
        };
        Ok(windows.iter().filter(stands).map(raise).collect())
    }
}

impl Fired {
    fn key(&self) -> (&str, &str, &str, i64) {
        (&self.metric, &self.segment_column, &self.segment_value, self.round)
    }
}

/// The reports in which something is beyond a line.
fn beyond(windows: &BTreeMap<String, Vec<ChangeWindow>>, line: f64) -> BTreeSet<&str> {
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

/// The segment whose |Z| is furthest beyond the line.  The whole shop never fires here: without its customers nobody is left.
fn furthest(windows: &[ChangeWindow], metric: &str, lines: Lines, round: i64) -> Option<Fired> {
    let beyond = windows.iter().filter(|s| s.segment_column != "shop" && s.z.abs() > lines.clear);
    let most = beyond.max_by(|a, b| {
        let name = |s: &ChangeWindow| (s.segment_column.clone(), s.segment_value.clone());
        a.z.abs().total_cmp(&b.z.abs()).then_with(|| name(b).cmp(&name(a)))
    })?;
    Some(Fired {
        metric: metric.to_owned(),
        segment_column: most.segment_column.clone(),
        segment_value: most.segment_value.clone(),
        round,
    })
}

/// The lines that shuffled histories draw, for the wanted metrics.  A shuffled report counts as alarmed when the furthest
/// of all its metrics crosses, so that the promise holds for the report and not for each metric alone.
fn drawn(engine: &Engine, project: &Project, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Lines>> {
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
        // A history in which nothing could be judged raised no alarm.
        let mut worst = vec![0.0; monitor.permutations];
        for (_, history) in &metrics {
            let furthest = history.shuffled(monitor.permutations, rules, &mut random);
            worst = worst.iter().zip(furthest).map(|(worst, furthest)| f64::max(*worst, furthest)).collect();
        }
        let line = line(worst, monitor);
        lines.extend(metrics.into_iter().map(|(metric, _)| (metric, line)));
    }
    Ok(lines)
}

/// The lines that so many of the shuffled histories cross as may.
fn line(mut furthest: Vec<f64>, monitor: &params::Monitor) -> Lines {
    furthest.sort_by(f64::total_cmp);
    // The history that happened is one more of them: without it, of few shuffles too many would be crossed.
    let place = |share: f64| ((1.0 - share) * (furthest.len() + 1) as f64).ceil() as usize;
    let line = |share: f64| furthest.get(place(share).max(1) - 1).or(furthest.last()).copied().unwrap_or_default();
    let clear = line(monitor.false_alarms).max(monitor.threshold_floor).min(monitor.threshold_cap);
    Lines { clear, possible: line(monitor.maybe_alarms).max(monitor.maybe_floor).min(clear) }
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

fn taken_out(fired: &[Fired]) -> Result<RecordBatch> {
    batch_of(
        "taken_out",
        vec![
            ("metric", texts(fired.iter().map(|f| f.metric.as_str()))),
            ("segment_column", texts(fired.iter().map(|f| f.segment_column.as_str()))),
            ("segment_value", texts(fired.iter().map(|f| f.segment_value.as_str()))),
            ("round", Arc::new(Int64Array::from_iter_values(fired.iter().map(|f| f.round)))),
        ],
    )
}

fn lines_table(lines: &BTreeMap<String, Lines>) -> Result<RecordBatch> {
    let numbers = |of: fn(&Lines) -> f64| Arc::new(Float64Array::from_iter_values(lines.values().map(of)));
    batch_of(
        "thresholds",
        vec![
            ("metric", texts(lines.keys().map(String::as_str))),
            ("threshold", numbers(|line| line.clear)),
            ("possible_line", numbers(|line| line.possible)),
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
