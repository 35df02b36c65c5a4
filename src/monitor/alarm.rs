//! The alarm: scan every stretch of days, let the furthest segment fire, take its customers out, look again.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use serde::Deserialize;

use super::plan::Plan;
use super::shuffle::{self, Days};
use crate::engine::{Engine, TableError, batch_of};
use crate::error::Result;
use crate::params;
use crate::project::Project;
use crate::sql::TableName;

/// How many segments may fire for one metric: a stop for logs in which everything moved on its own.
const MOST_ROUNDS: i64 = 8;

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

/// One segment's furthest stretch.
#[derive(Debug, Deserialize)]
struct Stretch {
    metric: String,
    segment_column: String,
    segment_value: String,
    z: f64,
}

#[derive(Debug, Deserialize)]
struct ScanDay {
    metric: String,
    day: i64,
}

#[derive(Debug, Deserialize)]
struct Extreme {
    metric: String,
    furthest: f64,
}

/// Runs the loop and registers `monitoring.rounds`, `monitoring.taken_out` and `monitoring.thresholds`.
pub fn look(engine: &Engine, project: &Project, plan: &Plan) -> Result<()> {
    let scan_days: Vec<ScanDay> = engine.rows(&table("scan_days"))?;
    let mut days = Days::new();
    for day in scan_days {
        days.entry(day.metric).or_default().push(day.day);
    }
    let scan = |fired: &[Fired], shuffles: RecordBatch| -> Result<Vec<Stretch>> {
        engine.register(&table("taken_out"), taken_out(fired)?)?;
        engine.register(&table("shuffles"), shuffles)?;
        plan.run_scan(engine, project)?;
        engine.rows(&table("scan"))
    };
    // What can be judged at all is known after a first look; only that is worth a thousand shuffles.
    let mut stretches = scan(&[], shuffle::identity(&days)?)?;
    let mut rounds = vec![with_round(&engine.read(&table("scan"))?, 1)?];
    let judged: Days = days.into_iter().filter(|(metric, _)| stretches.iter().any(|s| s.metric == *metric)).collect();
    let monitor = &project.params.monitor;
    let mut lines = BTreeMap::new();
    if !judged.is_empty() {
        scan(&[], shuffle::shuffled(&judged, monitor.permutations, monitor.seed)?)?;
        let extremes: Vec<Extreme> = engine.rows(&table("scan_extremes"))?;
        lines = thresholds(&judged, &extremes, monitor);
    }
    let mut fired: Vec<Fired> = Vec::new();
    for round in 1..=MOST_ROUNDS {
        let next: Vec<Fired> =
            judged.keys().filter_map(|metric| furthest(&stretches, metric, *lines.get(metric)?, round)).collect();
        if next.is_empty() {
            break;
        }
        fired.extend(next);
        stretches = scan(&fired, shuffle::identity(&judged)?)?;
        rounds.push(with_round(&engine.read(&table("scan"))?, round + 1)?);
    }
    let schema = rounds[0].schema();
    let all = concat_batches(&schema, &rounds)
        .map_err(|e| TableError::Shape { table: "rounds".into(), cause: e.to_string() })?;
    engine.register(&table("rounds"), all)?;
    engine.register(&table("taken_out"), taken_out(&fired)?)?;
    engine.register(&table("thresholds"), lines_table(&lines)?)
}

/// The segment whose |Z| is furthest beyond the line.  The whole shop never fires here: without its customers nobody is left.
fn furthest(stretches: &[Stretch], metric: &str, lines: Lines, round: i64) -> Option<Fired> {
    let beyond =
        stretches.iter().filter(|s| s.metric == metric && s.segment_column != "shop" && s.z.abs() > lines.clear);
    let most = beyond.max_by(|a, b| {
        let name = |s: &Stretch| (s.segment_column.clone(), s.segment_value.clone());
        a.z.abs().total_cmp(&b.z.abs()).then_with(|| name(b).cmp(&name(a)))
    })?;
    Some(Fired {
        metric: metric.to_owned(),
        segment_column: most.segment_column.clone(),
        segment_value: most.segment_value.clone(),
        round,
    })
}

/// One pair of lines for all metrics, so that the promise holds for the report and not for each metric alone: a shuffled
/// report counts as alarmed when the furthest of all its metrics crosses.
fn thresholds(judged: &Days, extremes: &[Extreme], monitor: &params::Monitor) -> BTreeMap<String, Lines> {
    let runs = monitor.permutations;
    let mut worst = vec![0.0_f64; runs];
    for metric in judged.keys() {
        let own = extremes.iter().filter(|extreme| extreme.metric == *metric).map(|extreme| extreme.furthest);
        for (run, furthest) in own.enumerate().take(runs) {
            worst[run] = worst[run].max(furthest);
        }
    }
    worst.sort_by(f64::total_cmp);
    let clear = quantile(&worst, 1.0 - monitor.false_alarms).max(monitor.threshold_floor).min(monitor.threshold_cap);
    let possible = quantile(&worst, 1.0 - monitor.maybe_alarms).max(monitor.maybe_floor).min(clear);
    judged.keys().map(|metric| (metric.clone(), Lines { clear, possible })).collect()
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
