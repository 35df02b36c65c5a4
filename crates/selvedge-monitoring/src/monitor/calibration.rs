//! How far our own past forecasts were off: earlier reports are made again, and their forecasts held against what has
//! come since.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::array::RecordBatch;
use serde::Deserialize;

use super::log::{Log, Shared};
use super::{name, nowcast};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// Earlier reports that are asked, and the days between them.
const REPORTS: i64 = 4;
const DAYS_BETWEEN: i64 = 3;

/// Factors on the variance of forecasts, by metric; 1 where the past has nothing to say.
pub type VarianceInflation = BTreeMap<String, f64>;

/// One day's truth in the whole shop.
#[derive(Debug, Deserialize)]
struct Known {
    metric: String,
    segment_column: String,
    shown_on: String,
    shown: u64,
    mature: u64,
    mature_yes: u64,
}

/// The mean squared error of past forecasts of single days, in units of the variance that they claimed; at least 1.
/// `engine` holds the tables of the report that asks; only days whose outcomes are all known by now count.
pub fn variance_inflation(
    engine: &Engine,
    project: &Project,
    shared: &Shared,
    as_of: DateTime<Utc>,
) -> Result<VarianceInflation> {
    let known: Vec<Known> = engine.rows(&name("daily"))?;
    let first = known.iter().map(|day| day.shown_on.as_str()).min().unwrap_or_default();
    let truth: BTreeMap<(&str, &str), &Known> = known
        .iter()
        .filter(|day| day.segment_column == "shop" && day.mature == day.shown)
        .map(|day| ((day.metric.as_str(), day.shown_on.as_str()), day))
        .collect();
    let (bought, kept) = (i64::from(project.params.shop.purchase_days.0), i64::from(project.params.shop.return_days.0));
    let mut inflation = VarianceInflation::new();
    for (metric, wait) in [("purchase", bought), ("kept", bought + kept)] {
        let mut errors = Vec::new();
        for report in 0..REPORTS {
            let earlier = as_of - TimeDelta::days(wait + report * DAYS_BETWEEN);
            // Before anybody had waited to the end there was no forecast.
            if (earlier - TimeDelta::days(wait)).date_naive().to_string().as_str() < first {
                break;
            }
            for forecast in shared.forecasts(project, earlier)?.iter().filter(|forecast| forecast.metric == metric) {
                if let Some(day) = truth.get(&(metric, forecast.span.as_str())) {
                    errors.push(forecast.squared_error(day.mature_yes, day.mature));
                }
            }
        }
        let errors: Vec<f64> = errors.into_iter().flatten().collect();
        let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
        inflation.insert(metric.to_owned(), mean.max(1.0));
    }
    Ok(inflation)
}

/// What a report as of a moment forecasts, by day, week, segment and for the whole shop; `rows` stand in for the shop's own
/// log.
pub fn forecasts(project: &Project, as_of: DateTime<Utc>, rows: &RecordBatch) -> Result<Vec<nowcast::Named>> {
    Log::read(project, as_of, Some(rows))?.every_forecast(project, as_of)
}
