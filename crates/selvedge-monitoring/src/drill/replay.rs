//! Reports on drilled logs, day by day, as they would have been made.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use datafusion::arrow::array::RecordBatch;
use serde::Deserialize;

use super::DrillError;
use super::injection;
use crate::monitor::batched::{Cell, Membership, judge};
use crate::monitor::{Draw, Log, Raised, Shared, counted};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::params::{Segment, Shift};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// The log as it is and drilled copies of it.
pub struct Replays<'a> {
    project: &'a Project,
    shared: Shared,
    /// The counts of the log as it is, at the export.
    now: Engine,
    /// Which segments each profile belongs to.
    pub members: Vec<Membership>,
    /// Days that are watched, in order.
    pub watched: Vec<NaiveDate>,
    /// All days of the log, in order.
    pub days: Vec<NaiveDate>,
}

/// A report on a drilled log: which drill, after how many full days of it.
pub type Report = (usize, u32);

/// What one report on a drilled log shows.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub noticed: bool,
    /// Alerts of others that do not stand without the drill.
    pub others: Vec<String>,
}

#[derive(Deserialize)]
struct Day {
    shown_on: String,
    period: String,
}

#[derive(Deserialize)]
struct Member {
    profile: String,
    segment_column: String,
    segment_value: String,
}

/// A row of `monitoring.cohorts`.
#[derive(Deserialize)]
struct Cohort {
    metric: String,
    profile: String,
    shown_on: String,
    mature: u64,
    mature_yes: u64,
}

impl<'a> Replays<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        let export = project.params.shop.exported_at;
        let shared = Shared::new(export);
        let now = counted(project, &*shared.log(project, export)?, export, None)?;
        let rows: Vec<Day> = now.rows(&table("days"))?;
        let read = |day: &Day| day.shown_on.parse::<NaiveDate>().ok();
        let watched: Vec<NaiveDate> = rows.iter().filter(|day| day.period == "watched").filter_map(read).collect();
        if watched.is_empty() {
            return Err(DrillError::NothingWatched.into());
        }
        let days = rows.iter().filter_map(read).collect();
        let members: Vec<Member> = now.rows(&table("segments"))?;
        let members = members.into_iter().map(|row| (row.profile, row.segment_column, row.segment_value)).collect();
        Ok(Self { project, shared, now, members, watched, days })
    }

    /// Every segment that anything was shown to, sorted; the whole shop left out.
    pub fn segments(&self) -> Vec<Segment> {
        let segments = self.members.iter().filter(|(_, column, _)| column != "shop");
        let mut segments: Vec<Segment> =
            segments.map(|(_, column, value)| Segment { column: column.clone(), value: value.clone() }).collect();
        segments.sort();
        segments.dedup();
        segments
    }

    /// The profiles of a segment.
    pub fn profiles(&self, segment: &Segment) -> Vec<&str> {
        let own = self.members.iter().filter(|(_, column, value)| *column == segment.column && *value == segment.value);
        own.map(|(profile, ..)| profile.as_str()).collect()
    }

    /// What is known of each metric at the export, as one log.
    pub fn known(&self) -> Result<Vec<Cell>> {
        cells(&self.now, "")
    }

    /// Refuses a drop that cannot be put into the log.
    pub fn check(&self, shift: &Shift) -> Result<()> {
        let segments = self.segments();
        if !segments.contains(&shift.segment) {
            let known = segments.iter().map(Segment::to_string).collect();
            return Err(DrillError::NoSegment { segment: shift.segment.to_string(), known }.into());
        }
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) if shift.from < *first || shift.from > *last => Err(DrillError::NotInLog {
                from: shift.from.to_string(),
                first: first.to_string(),
                last: last.to_string(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// How many recommendations lose what came of them, and of how many.
    pub fn loss(&mut self, shift: &Shift) -> Result<(usize, usize)> {
        let log = self.shared.log(self.project, self.project.params.shop.exported_at)?;
        let injected = self.injected(&log, shift)?;
        Ok((injected.lost, injected.of))
    }

    /// How many of the days to compare with lie on or after `from`.
    pub fn compared_since(&self, from: NaiveDate) -> usize {
        self.days.iter().filter(|day| **day >= from && !self.watched.contains(day)).count()
    }

    /// How many full days have passed since `from` at the export.
    pub fn days_since(&self, from: NaiveDate) -> u32 {
        let (zone, end) = (self.project.params.shop.timezone, self.project.params.shop.exported_at);
        let days = end.with_timezone(&zone).date_naive().signed_duration_since(from).num_days();
        u32::try_from(days).unwrap_or_default()
    }

    /// What each drill's reports show after 1, 2, … full days of it, up to so many: all judged in one pass.
    pub fn seen(&mut self, drills: &[(&Shift, u32)]) -> Result<BTreeMap<Report, Seen>> {
        let mut stack = Vec::new();
        let mut moments: BTreeMap<DateTime<Utc>, Vec<Report>> = BTreeMap::new();
        for (number, (shift, most)) in drills.iter().enumerate() {
            for days in 1..=*most {
                let as_of = self.midnight(shift.from, days);
                let log = self.shared.log(self.project, as_of)?;
                let drilled = self.injected(&log, shift)?.counts;
                stack.extend(self.report(&log, as_of, Some(&drilled), &named((number, days)))?);
                moments.entry(as_of).or_default().push((number, days));
            }
        }
        // What stands without any drill.
        for as_of in moments.keys() {
            let log = self.shared.log(self.project, *as_of)?;
            stack.extend(self.report(&log, *as_of, None, &undrilled(*as_of))?);
        }
        let mut raised: BTreeMap<String, Vec<Raised>> = BTreeMap::new();
        for mut alert in judge(self.project, &self.members, &stack, Draw::WhenNeeded)?.raised() {
            if let Some((report, metric)) = alert.metric.rsplit_once('/').map(|(r, m)| (r.to_owned(), m.to_owned())) {
                alert.metric = metric;
                raised.entry(report).or_default().push(alert);
            }
        }
        let none = Vec::new();
        let mut answer = BTreeMap::new();
        for (as_of, reports) in &moments {
            let stood = raised.get(&undrilled(*as_of)).unwrap_or(&none);
            for report in reports {
                let alerts = raised.get(&named(*report)).unwrap_or(&none);
                answer.insert(*report, Seen::new(alerts, stood, drills[report.0].0));
            }
        }
        Ok(answer)
    }

    /// The first moment of the day after so many full days from `from` on.
    fn midnight(&self, from: NaiveDate, days: u32) -> DateTime<Utc> {
        let shop = &self.project.params.shop;
        let day = from.checked_add_days(Days::new(u64::from(days))).unwrap_or(from);
        let midnight = shop.timezone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
        midnight.map_or(shop.exported_at, |moment| moment.with_timezone(&Utc))
    }

    fn injected(&self, log: &Log, shift: &Shift) -> Result<injection::Injected> {
        let counts = log.table("daily_counts").ok_or(DrillError::NothingWatched)?;
        injection::inject(counts, &self.profiles(&shift.segment), shift, self.project.params.drill.seed)
    }

    /// The counts of a report as of a moment, as logs of the stack.
    fn report(&self, log: &Log, as_of: DateTime<Utc>, counts: Option<&RecordBatch>, name: &str) -> Result<Vec<Cell>> {
        cells(&counted(self.project, log, as_of, counts)?, name)
    }
}

impl Seen {
    fn new(raised: &[Raised], stood: &[Raised], shift: &Shift) -> Self {
        let new = raised.iter().filter(|alert| !stood.iter().any(|other| same(alert, other)));
        let (own, others): (Vec<&Raised>, Vec<&Raised>) =
            new.partition(|alert| of(alert) == shift.segment && alert.z < 0.0);
        let name = |alert: &&Raised| format!("{} of {}", alert.metric, of(alert));
        Self { noticed: !own.is_empty(), others: others.iter().map(name).collect() }
    }
}

fn named((drill, days): Report) -> String {
    format!("drill {drill} after {days}")
}

fn undrilled(as_of: DateTime<Utc>) -> String {
    format!("no drill {as_of}")
}

/// `monitoring.cohorts` as logs of a stack, one for each metric.
fn cells(engine: &Engine, report: &str) -> Result<Vec<Cell>> {
    let cohorts: Vec<Cohort> = engine.rows(&table("cohorts"))?;
    let logs: BTreeMap<String, Arc<str>> =
        cohorts.iter().map(|row| (row.metric.clone(), Arc::from(format!("{report}/{}", row.metric)))).collect();
    let cell = |row: Cohort| {
        let (log, shown_on) = (Arc::clone(logs.get(&row.metric)?), row.shown_on.parse().ok()?);
        Some(Cell { log, profile: row.profile.into(), shown_on, shown: row.mature, yes: row.mature_yes })
    };
    Ok(cohorts.into_iter().filter_map(cell).collect())
}

fn table(name: &str) -> TableName {
    TableName::new("monitoring", name)
}

fn of(alert: &Raised) -> Segment {
    Segment { column: alert.segment_column.clone(), value: alert.segment_value.clone() }
}

fn same(one: &Raised, other: &Raised) -> bool {
    one.metric == other.metric && of(one) == of(other) && one.z.signum() == other.z.signum()
}
