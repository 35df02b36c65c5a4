//! The production log, read once and kept as counts.  Reports of one time of day share them: what had happened by an
//! earlier day follows from the counts as it would from the rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::array::RecordBatch;

use super::nowcast::{self, Named};
use super::{Shop, attributes, name, plan};
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// The log as counts, with what says who is alike.
pub struct Log {
    /// The counts are of all that was shown before it, and good for earlier moments of the same time of day.
    until: DateTime<Utc>,
    /// What parameters say of customers and articles.
    attributes: Vec<(TableName, RecordBatch)>,
    /// What queries say, by name: profiles and counts.
    pub tables: Vec<(String, Table)>,
}

/// What reports of several moments, made one after the other or at once, have in common.
pub struct Shared {
    /// No report is of a later moment.
    until: DateTime<Utc>,
    /// The counts there are, one for each time of day.
    logs: Mutex<Vec<Arc<Log>>>,
    /// What reports as of a moment forecast for the shop's days.
    forecasts: Mutex<BTreeMap<DateTime<Utc>, Arc<Vec<Named>>>>,
}

impl Shared {
    pub fn new(until: DateTime<Utc>) -> Self {
        Self { until, logs: Mutex::default(), forecasts: Mutex::default() }
    }

    /// The counts for a report as of a moment, made where there are none: the log is read once for each time of day.
    pub fn log(&self, project: &Project, as_of: DateTime<Utc>) -> Result<Arc<Log>> {
        // Whoever comes second waits, and finds the counts made.  Nothing in here is shared out to rayon's threads: the one
        // that holds the lock could be handed another report, and wait for itself.
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = logs.iter().find(|log| log.serves(as_of)) {
            return Ok(Arc::clone(log));
        }
        let latest = as_of + TimeDelta::days((self.until - as_of).num_days());
        let log = Arc::new(Log::read(project, latest, None)?);
        logs.push(Arc::clone(&log));
        Ok(log)
    }

    /// What a report as of a moment forecast, worked out where nobody has asked yet.
    pub fn forecasts(&self, project: &Project, as_of: DateTime<Utc>) -> Result<Arc<Vec<Named>>> {
        let known = || self.forecasts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known().get(&as_of) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(self.log(project, as_of)?.forecasts(project, as_of)?);
        known().insert(as_of, Arc::clone(&made));
        Ok(made)
    }
}

impl Log {
    /// Reads the log up to a moment; `rows` stand in for the shop's own recommendations.
    pub fn read(project: &Project, until: DateTime<Utc>, rows: Option<&RecordBatch>) -> Result<Self> {
        let project = as_of(project, until);
        let engine = Engine::new(&project)?;
        if let Some(rows) = rows {
            engine.register(&TableName::new("sources", "recommendations"), rows.clone())?;
        }
        let attributes = attributes::tables(&engine, &project.params.monitor.segments)?;
        for (table, batch) in &attributes {
            engine.register(table, batch.clone())?;
        }
        let tables = plan::Plan::new(&project).run_for(&engine, &project, &plan::LOG_MAKES)?;
        Ok(Self { until, attributes, tables })
    }

    fn serves(&self, as_of: DateTime<Utc>) -> bool {
        let apart = self.until - as_of;
        as_of <= self.until && apart.num_seconds() % 86_400 == 0
    }

    /// Gives the counts their names.
    pub fn register(&self, engine: &Engine) -> Result<()> {
        self.attributes.iter().try_for_each(|(table, batch)| engine.register(table, batch.clone()))?;
        self.tables.iter().try_for_each(|(table, rows)| engine.register(&name(table), rows.batch.clone()))
    }

    /// What a report as of a moment forecasts for each day of the whole shop.
    pub fn forecasts(&self, project: &Project, moment: DateTime<Utc>) -> Result<Vec<Named>> {
        self.forecasts_from("shop_daily_counts", project, moment, |column, span| {
            column == "shop" && span.starts_with(|c: char| c.is_ascii_digit())
        })
    }

    /// The same for everyone: days, weeks, segments and all of the days watched.
    pub fn every_forecast(&self, project: &Project, moment: DateTime<Utc>) -> Result<Vec<Named>> {
        self.forecasts_from("daily_counts", project, moment, |_, _| true)
    }

    fn forecasts_from(
        &self,
        counts: &str,
        project: &Project,
        moment: DateTime<Utc>,
        wanted: fn(&str, &str) -> bool,
    ) -> Result<Vec<Named>> {
        let project = as_of(project, moment);
        let engine = Engine::new(&project)?;
        self.register(&engine)?;
        if let Some(counts) = self.table(counts) {
            engine.register(&name("daily_counts"), counts.clone())?;
        }
        plan::Plan::new(&project).run_for(&engine, &project, &["delays", "pace", "waiting"])?;
        nowcast::forecasts(&engine, project.params.monitor.seed, wanted)
    }

    /// The counts of one name.
    pub fn table(&self, wanted: &str) -> Option<&RecordBatch> {
        self.tables.iter().find(|(table, _)| table == wanted).map(|(_, rows)| &rows.batch)
    }
}

/// The project as a report's queries see it: `$as_of` is set.
pub fn as_of(project: &Project, moment: DateTime<Utc>) -> Project {
    project.with_sql_param("monitor", "as_of", Shop::sql_time(moment))
}
