//! Earlier reports made again: how figures were first published, and the life of every alert.
//!
//! Nothing is remembered on disk.  A report as of last Monday is made from what had happened by then, so the history
//! follows from the log and the parameters alone, and anybody who has both gets the same bytes.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeZone, Utc};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::log::Shared;
use super::plan::Plan;
use super::{Extent, Snapshot, clock, name, nothing_shown};
use selvedge_engine::{Table, TableError, batch_of};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// What the reports so far have said.
pub struct History {
    pub tables: Vec<(String, Table)>,
    pub file: File,
}

/// One row of `monitoring.alert_lives`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct AlertLife {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    #[serde(skip_serializing)]
    pub owner: Option<String>,
    /// `open` (possible), `confirmed` (clear on outcomes that can no longer change) or `withdrawn`.
    pub status: String,
    /// The report that first told of it, the first in which it was clear, and the one that took it back.
    pub opened_on: String,
    pub confirmed_on: Option<String>,
    pub withdrawn_on: Option<String>,
    /// Why it was taken back.
    pub why: Option<String>,
    /// As first published.
    pub first_since: Option<String>,
    pub first_before: Option<f64>,
    pub first_after: Option<f64>,
    /// As told last.
    pub last_since: Option<String>,
    pub last_before: Option<f64>,
    pub last_after: Option<f64>,
}

/// `reports/alert-history.json`.
#[derive(Debug, Serialize)]
pub struct File {
    as_of: String,
    /// The moments of the reports, the latest last.
    reports: Vec<String>,
    alerts: Vec<AlertLife>,
}

impl File {
    /// Of a shop that has no log yet.
    pub fn nothing(as_of: String) -> Self {
        Self { as_of, reports: Vec::new(), alerts: Vec::new() }
    }
}

/// What one report said.
pub struct Published {
    as_of: String,
    findings: RecordBatch,
    weeks: RecordBatch,
}

impl Published {
    fn by(snapshot: &Snapshot) -> Result<Self> {
        let as_of = clock(&snapshot.project.params.shop, snapshot.as_of);
        let said = |table| published_on(&snapshot.engine.read(&name(table))?, &as_of);
        Ok(Self { findings: said("findings")?, weeks: said("weeks")?, as_of })
    }
}

/// Makes the reports of earlier moments again.
pub fn earlier(project: &Project, shared: &Shared, moments: &[DateTime<Utc>]) -> Result<Vec<Published>> {
    let snapshot = |moment| -> Result<Snapshot> {
        let opened = Snapshot::open(project, shared, moment)?.ok_or_else(|| nothing_shown(project, moment))?;
        opened.finished(shared, Extent::AlertsAndWeeks)
    };
    let made: Vec<_> = moments.par_iter().map(|moment| Published::by(&snapshot(*moment)?)).collect();
    made.into_iter().collect()
}

/// Tells the story of the earlier reports up to `look`.
pub fn told(snapshot: &Snapshot, earlier: Vec<Published>) -> Result<History> {
    let reports: Vec<Published> =
        earlier.into_iter().map(Ok).chain([Published::by(snapshot)]).collect::<Result<_>>()?;
    let findings: Vec<&RecordBatch> = reports.iter().map(|report| &report.findings).collect();
    let weeks: Vec<&RecordBatch> = reports.iter().map(|report| &report.weeks).collect();
    let published = together("published", &findings)?;
    snapshot.engine.register(&name("published"), published)?;
    let vintages = together("vintages", &weeks)?;
    snapshot.engine.register(&name("vintages"), vintages.clone())?;
    let mut tables = Plan::new(&snapshot.project).run_history(&snapshot.engine, &snapshot.project)?;
    let key = ["published_on", "metric", "week"].map(str::to_owned);
    tables.push(("vintages".into(), Table::new(vintages, &key, "vintages")?));
    let alerts = snapshot.engine.rows(&name("alert_lives"))?;
    let as_of = clock(&snapshot.project.params.shop, snapshot.as_of);
    let reports = reports.into_iter().map(|report| report.as_of).collect();
    Ok(History { tables, file: File { as_of, reports, alerts } })
}

/// The first moments of the last Mondays before `as_of`, oldest first; none from before anything was shown.
pub fn mondays(project: &Project, snapshot: &Snapshot, as_of: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>> {
    #[derive(Deserialize)]
    struct Day {
        shown_on: String,
    }
    let days: Vec<Day> = snapshot.engine.rows(&name("days"))?;
    let first = days.into_iter().map(|day| day.shown_on).min().unwrap_or_default();
    let timezone = project.params.shop.timezone;
    let today = as_of.with_timezone(&timezone).date_naive();
    let this_week = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let moments = (0..=project.params.monitor.replays as u64)
        .map(|weeks| this_week - Days::new(7 * weeks))
        .filter(|monday| monday.to_string() > first)
        .filter_map(|monday| timezone.from_local_datetime(&monday.and_time(NaiveTime::MIN)).earliest())
        .map(|moment| moment.with_timezone(&Utc))
        .filter(|moment| *moment < as_of);
    let mut moments: Vec<_> = moments.take(project.params.monitor.replays).collect();
    moments.reverse();
    Ok(moments)
}

/// A table of one report with the report's moment as a column.
fn published_on(batch: &RecordBatch, moment: &str) -> Result<RecordBatch> {
    let moments: ArrayRef = Arc::new(StringArray::from(vec![moment; batch.num_rows()]));
    let schema = batch.schema();
    let own =
        schema.fields().iter().zip(batch.columns()).map(|(field, column)| (field.name().as_str(), Arc::clone(column)));
    batch_of("published", std::iter::once(("published_on", moments)).chain(own))
}

fn together(table: &str, batches: &[&RecordBatch]) -> Result<RecordBatch> {
    let failed = |cause: String| TableError::Shape { table: table.into(), cause };
    let schema = batches.first().ok_or_else(|| failed("no report".into()))?.schema();
    Ok(concat_batches(&schema, batches.iter().copied()).map_err(|e| failed(e.to_string()))?)
}
