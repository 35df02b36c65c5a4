//! The monitoring room: what came of what was shown, for whom it changed, and how sure that is.
//!
//! The figures are queries in sql/monitoring.  Rust gives them what a query cannot have (the segment columns of
//! params.yaml, seeded shuffles, the loop that takes an alarmed segment out and looks again) and keeps their answers.

mod alarm;
mod alerts;
mod calibration;
mod chain;
pub mod draws;
mod drift;
mod explanations;
mod history;
mod level;
pub mod likelihood;
mod log;
mod nowcast;
mod plan;
pub mod permutation_test;
pub mod batched;
pub mod survival;
mod attributes;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

pub use alarm::{Accused, Draw, Raised, quantile};
pub use alerts::{Finding, Incomplete, Lack, State};
pub use calibration::forecasts;
pub use explanations::{Lines, LinesOf, Sure};
pub use history::AlertLife;
pub use log::{Log, Shared};
pub use nowcast::{Named, PACE_LINE};

use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::params::Shop;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    #[error("params.yaml: monitor.segments names {column}, which is no column of customers or articles")]
    UnknownColumn { column: String, known: Vec<String> },
    #[error("params.yaml: monitor.{key} is {value}, which is no number")]
    NotANumber { key: &'static str, value: String },
    #[error("'{text}' is no moment on the shop's clock")]
    BadMoment { text: String },
    #[error("{as_of} is after the export, which was taken at {exported_at}")]
    AfterExport { as_of: String, exported_at: String },
    #[error("nothing was recommended in the {looks_back} before {as_of}")]
    NothingShown { as_of: String, looks_back: String },
    #[error("{} clear: {}", if alerts.len() == 1 { "a change is".into() } else { format!("{} changes are", alerts.len()) }, alerts.join("; "))]
    Clear { alerts: Vec<String> },
}

impl Advice for MonitorError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::UnknownColumn { column, known } => {
                let fallback = format!("the columns are {}", known.join(", "));
                did_you_mean(column, known.iter().map(String::as_str), &fallback)
            }
            Self::NotANumber { .. } => "write a number such as 25".into(),
            Self::BadMoment { .. } => "write a day such as 2031-09-25 or a time such as '2031-09-25 18:00:00'".into(),
            Self::AfterExport { .. } => "name an earlier moment: nothing is known of a later one".into(),
            Self::Clear { .. } => {
                "run `selvedge report` and read reports/dashboard.md for whom, since when and where to look".into()
            }
            Self::NothingShown { .. } => "name a later --as-of, or raise monitor.looks_back in params.yaml".into(),
        })
    }
}

/// What a run of the stage found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Changes that are clear, and changes that are possible.
    pub clear: usize,
    pub possible: usize,
    /// Each clear change in a few words.
    pub alerts: Vec<String>,
}

impl Outcome {
    /// For a gate: fails when any change is clear.
    pub fn refuse_clear(self) -> Result<()> {
        match self.alerts.is_empty() {
            true => Ok(()),
            false => Err(MonitorError::Clear { alerts: self.alerts }.into()),
        }
    }
}

/// A moment as a user types it, on the shop's clock: a day (its first moment) or a time.
pub fn moment(text: &str, shop: &Shop) -> Result<DateTime<Utc>> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    let local = day.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"));
    let known = local.ok().and_then(|local| shop.timezone.from_local_datetime(&local).earliest());
    Ok(known.ok_or_else(|| MonitorError::BadMoment { text: text.into() })?.with_timezone(&Utc))
}

/// Windowed queries over the production log.  The frame is what the model learned from: monitoring says how today's looks
/// differ from it, and how the descriptions of what is shown differ from earlier ones.
pub const LAYER: Layer = Layer {
    folder: "monitoring",
    may_read: &["sources", "frame", "embeddings", "monitoring"],
    may_read_outcomes: true,
    section: "monitor",
};

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "monitor",
    about: "The production log -> what changed, for whom, how sure: work/monitoring and reports/alerts.json",
    layers: &[LAYER],
    sections: &["monitor"],
    keeps: &[("monitoring", "monitoring")],
    makes: &[
        "monitoring.drift_numbers",
        "monitoring.drift_texts",
        "monitoring.drift_vectors",
        "monitoring.published",
        "monitoring.vintages",
        "monitoring.customer_strata",
        "monitoring.article_strata",
        "monitoring.strata",
        "monitoring.attributes",
        "monitoring.segment_columns",
        "monitoring.nowcasts",
        "monitoring.looked_at",
        "monitoring.taken_out",
        "monitoring.suspected",
        "monitoring.accused",
        "monitoring.rounds",
        "monitoring.thresholds",
    ],
    run: |project| run(project, None).map(|_| ()),
};

/// Runs the stage as of a moment, the export if none is given: `work/monitoring/*.parquet`, `reports/alerts.json` and
/// `reports/alert-history.json`.
pub fn run(project: &Project, as_of: Option<DateTime<Utc>>) -> Result<Outcome> {
    run_beside(project, as_of, || Ok(()))
}

/// The same while `stages` run that need nothing of it; the frame may be among what they make, and only the stage's drift
/// reads that.
pub fn run_beside(
    project: &Project,
    as_of: Option<DateTime<Utc>>,
    stages: impl FnOnce() -> Result<()> + Send,
) -> Result<Outcome> {
    let mut progress = Progress::start("monitor");
    let shop = &project.params.shop;
    let asked = as_of.is_some();
    let as_of = as_of.unwrap_or(shop.exported_at);
    if as_of > shop.exported_at {
        let exported_at = clock(shop, shop.exported_at);
        return Err(MonitorError::AfterExport { as_of: clock(shop, as_of), exported_at }.into());
    }
    if !has_log(&Engine::new(project)?) {
        stages()?;
        // Their time is not the monitor's.
        let progress = Progress::start("monitor");
        return nothing(project, &progress, as_of, "no log yet: sources.recommendations has no rows");
    }
    let shared = log::Shared::new(as_of);
    let look = || -> Result<_> {
        let opened = match Snapshot::open(project, &shared, as_of)? {
            Some(opened) => opened,
            None if asked => return Err(nothing_shown(project, as_of).into()),
            None => return Ok(None),
        };
        let mondays = history::mondays(project, &opened, as_of)?;
        let finished = || opened.finished(&shared, Extent::Whole);
        let (snapshot, earlier) = rayon::join(finished, || history::earlier(project, &shared, &mondays));
        let (snapshot, earlier) = (snapshot?, earlier?);
        let (history, texts) = rayon::join(|| history::told(&snapshot, earlier), || drift::of_texts(&snapshot));
        Ok(Some((snapshot, history?, texts?)))
    };
    let drift = || {
        let made = stages();
        let since = Instant::now();
        made.and_then(|()| Ok((since, drift::of_frame(project, as_of)?)))
    };
    // With threads of its own where it can have them: those that all share are taken by the log.
    let (drift, looked) = thread::scope(|threads| {
        let drift = threads.spawn(|| match ThreadPoolBuilder::new().build() {
            Ok(own) => own.install(drift),
            Err(_) => drift(),
        });
        let looked = look();
        let waits = Instant::now();
        let drift = drift.join().unwrap_or_else(|panic| resume_unwind(panic));
        (drift.map(|(since, drift)| (since.saturating_duration_since(waits), drift)), looked)
    });
    let ((waited, drift), looked) = (drift?, looked?);
    progress.leave_out(waited);
    let Some((snapshot, history, texts)) = looked else {
        return nothing(project, &progress, as_of, &nothing_shown(project, as_of).to_string());
    };
    let (findings, incomplete) = (snapshot.findings()?, snapshot.incomplete()?);
    let now = clock(shop, as_of);
    let report = ("report".to_owned(), report(&now)?);
    let staged = Staged::new(&project.paths, "monitor")?;
    let log = shared.log(project, as_of)?;
    let tables =
        snapshot.tables.iter().chain(&log.tables).chain(&history.tables).chain(&drift).chain(&texts).chain([&report]);
    let tables: Vec<&(String, Table)> = tables.collect();
    // Side by side, because the disk keeps each waiting.
    let write = |(name, table): &&(String, Table)| staged.table(&project.paths.monitoring(), Some(name), table, &[]);
    let written: Vec<Result<()>> = tables.par_iter().map(write).collect();
    written.into_iter().collect::<Result<()>>()?;
    staged.json(&project.paths.alerts_json(), None, &alerts::file(&findings, &incomplete, &now))?;
    staged.json(&project.paths.alert_history_json(), None, &history.file)?;
    staged.commit()?;
    let count = |state: State| findings.iter().filter(|finding| finding.state == state).count();
    let alerts = findings.iter().filter(|finding| finding.state == State::Clear).map(Finding::in_short).collect();
    let outcome = Outcome { clear: count(State::Clear), possible: count(State::Possible), alerts };
    let whole = if incomplete.is_empty() { "" } else { "; days of the data are missing or odd" };
    progress.done(format!(
        "{} looked at: {} clear, {} possible, {} too early{whole}; see reports/alerts.json",
        findings.len(),
        outcome.clear,
        outcome.possible,
        count(State::TooEarly)
    ));
    Ok(outcome)
}

/// Whether anything was ever shown, as far as the shop's log says.
pub fn has_log(engine: &Engine) -> bool {
    engine.stored_rows(&TableName::new("sources", "recommendations")) != Some(0)
}

/// Whether the monitor had anything to look at.
pub fn has_figures(engine: &Engine) -> bool {
    let made = |table| engine.stored(&name(table)).is_file();
    has_log(engine) && (made("findings") || !made("report"))
}

fn nothing_shown(project: &Project, as_of: DateTime<Utc>) -> MonitorError {
    let looks_back = project.sql_params(LAYER).remove("looks_back").unwrap_or_default();
    let looks_back = looks_back.replace("INTERVAL '", "").replace("' DAY", " days");
    MonitorError::NothingShown { as_of: clock(&project.params.shop, as_of), looks_back }
}

/// What the stage leaves where there is nothing to look at: nothing of an earlier log.
fn nothing(project: &Project, progress: &Progress, as_of: DateTime<Utc>, why: &str) -> Result<Outcome> {
    let now = clock(&project.params.shop, as_of);
    let staged = Staged::new(&project.paths, "monitor")?;
    staged.table(&project.paths.monitoring(), Some("report"), &report(&now)?, &[])?;
    staged.json(&project.paths.alerts_json(), None, &alerts::file(&[], &[], &now))?;
    staged.json(&project.paths.alert_history_json(), None, &history::File::nothing(now))?;
    staged.commit()?;
    progress.done(format!("{why}, so nothing is watched"));
    Ok(Outcome { clear: 0, possible: 0, alerts: Vec::new() })
}

/// When the report is of.
fn report(now: &str) -> Result<Table> {
    let moment: ArrayRef = Arc::new(StringArray::from(vec![now.to_owned()]));
    Table::of_columns("report", &["as_of"], [("as_of", moment)])
}

/// A moment on the shop's clock, as reports write it.
fn clock(shop: &Shop, moment: DateTime<Utc>) -> String {
    moment.with_timezone(&shop.timezone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// How much of a report is made.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Whole,
    /// What is asked of an earlier report.
    AlertsAndWeeks,
}

/// What a report as of one moment finds: every table of `sql/monitoring`, by name.
struct Snapshot {
    as_of: DateTime<Utc>,
    engine: Engine,
    /// The project as the report's queries see it: `$as_of` is set.
    project: Project,
    tables: Vec<(String, Table)>,
}

impl Snapshot {
    /// Opens the log as it was known at a moment; the days with recommendations are its only table so far.  None where there
    /// is no such day.
    fn open(project: &Project, shared: &log::Shared, as_of: DateTime<Utc>) -> Result<Option<Self>> {
        let project = log::as_of(project, as_of);
        let engine = Engine::new(&project)?;
        shared.log(&project, as_of)?.register(&engine)?;
        let tables = plan::Plan::new(&project).run_for(&engine, &project, &["days"])?;
        let any = engine.read(&name("days"))?.num_rows() > 0;
        Ok(any.then_some(Self { as_of, engine, project, tables }))
    }

    /// Looks at the log that was opened.
    fn finished(mut self, shared: &log::Shared, extent: Extent) -> Result<Self> {
        let (engine, project) = (&self.engine, &self.project);
        let plan = match extent {
            Extent::Whole => plan::Plan::new(project),
            Extent::AlertsAndWeeks => {
                engine.register(&name("completeness"), Incomplete::none())?;
                plan::Plan::of_earlier_report(project)
            }
        };
        self.tables.extend(plan.run_before(engine, project)?);
        let inflation = calibration::variance_inflation(engine, project, shared, self.as_of)?;
        nowcast::register(engine, project.params.monitor.seed, &inflation)?;
        alarm::look(engine, project, &plan)?;
        self.tables.extend(plan.run_after(engine, project)?);
        let made: [(&str, &[&str]); 4] = [
            ("nowcasts", &["metric", "segment_column", "segment_value", "span"]),
            ("rounds", &["round", "metric", "segment_column", "segment_value"]),
            ("accused", &["metric", "segment_column", "segment_value"]),
            ("thresholds", &["metric", "is_shop"]),
        ];
        for (table, key) in made {
            let key: Vec<String> = key.iter().map(|column| (*column).to_owned()).collect();
            self.tables.push((table.into(), Table::new(engine.read(&name(table))?, &key, table)?));
        }
        Ok(self)
    }

    fn findings(&self) -> Result<Vec<Finding>> {
        self.engine.rows(&name("findings"))
    }

    fn incomplete(&self) -> Result<Vec<Incomplete>> {
        self.engine.rows(&name("completeness"))
    }
}

/// The log's counts as of a moment, by metric, profile and day: what drills ask for again and again.  `daily_counts` stands in
/// for the log's own; besides `monitoring.cohorts` there are `segments` and `days`.
pub fn counted(
    project: &Project,
    log: &Log,
    as_of: DateTime<Utc>,
    daily_counts: Option<&RecordBatch>,
) -> Result<Engine> {
    let project = log::as_of(project, as_of);
    let engine = Engine::new(&project)?;
    log.register(&engine)?;
    if let Some(counts) = daily_counts {
        engine.register(&name("daily_counts"), counts.clone())?;
    }
    plan::Plan::new(&project).run_for(&engine, &project, &["cohorts", "segments", "days"])?;
    Ok(engine)
}

fn name(table: &str) -> TableName {
    TableName::new(LAYER.folder, table)
}
