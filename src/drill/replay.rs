//! The monitor over a drilled log, day by day, as it would have run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use serde::Deserialize;

use super::DrillError;
use super::injection::{self, Injected};
use crate::engine::Engine;
use crate::error::Result;
use crate::monitor::{Log, Raised, Shared, Watch};
use crate::params::{Segment, Shift};
use crate::project::Project;
use crate::sql::TableName;

/// Reports on the log as it is and on drilled copies.
pub struct Replays<'a> {
    project: &'a Project,
    /// The log's counts.
    shared: Mutex<Shared>,
    /// The log as it is, at the export.
    now: Watch,
    /// Days that are watched, in order.
    pub watched: Vec<NaiveDate>,
    /// All days of the log, in order.
    pub days: Vec<NaiveDate>,
    /// What stands without a drill, by the report's moment.
    undrilled: Mutex<BTreeMap<DateTime<Utc>, Vec<Raised>>>,
}

/// What one report on a drilled log shows.
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
    segment_column: String,
    segment_value: String,
}

impl<'a> Replays<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        let export = project.params.shop.exported_at;
        let mut shared = Shared::new(export);
        let now = Watch::at(project, &*shared.log(project, export)?, export, None)?;
        let rows: Vec<Day> = now.engine.rows(&TableName::new("monitoring", "days"))?;
        let read = |day: &Day| day.shown_on.parse::<NaiveDate>().ok();
        let watched: Vec<NaiveDate> = rows.iter().filter(|day| day.period == "watched").filter_map(read).collect();
        if watched.is_empty() {
            return Err(DrillError::NothingWatched.into());
        }
        let days = rows.iter().filter_map(read).collect();
        Ok(Self { project, shared: Mutex::new(shared), now, watched, days, undrilled: Mutex::default() })
    }

    /// The log's tables at the export.
    pub fn engine(&self) -> &Engine {
        &self.now.engine
    }

    /// Every segment that anything was shown to, sorted; the whole shop left out.
    pub fn segments(&self) -> Result<Vec<Segment>> {
        let rows: Vec<Member> = self.engine().rows(&TableName::new("monitoring", "segments"))?;
        let name = |row: Member| Segment { column: row.segment_column, value: row.segment_value };
        let mut segments: Vec<Segment> =
            rows.into_iter().filter(|row| row.segment_column != "shop").map(name).collect();
        segments.sort();
        segments.dedup();
        Ok(segments)
    }

    /// The log's counts for a report as of a moment.
    fn log(&self, as_of: DateTime<Utc>) -> Result<Arc<Log>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).log(self.project, as_of)
    }

    /// Refuses a drop that cannot be put into the log.
    pub fn check(&self, shift: &Shift) -> Result<()> {
        let segments = self.segments()?;
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

    /// The log as known at a moment, with a drop in it.
    fn with_shift(&self, log: &Log, shift: &Shift) -> Result<Injected> {
        let members = injection::profiles(self.engine(), &shift.segment)?;
        let tally = log.table("tally").ok_or(DrillError::NothingWatched)?;
        injection::inject(tally, &members, shift, self.project.params.drill.seed)
    }

    /// How many recommendations lose what came of them, and of how many.
    pub fn loss(&self, shift: &Shift) -> Result<(usize, usize)> {
        let injected = self.with_shift(&*self.log(self.project.params.shop.exported_at)?, shift)?;
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

    /// What the report after `days` full days of the drop shows.
    pub fn seen(&self, shift: &Shift, days: u32) -> Result<Seen> {
        let zone = self.project.params.shop.timezone;
        let day = shift.from.checked_add_days(Days::new(u64::from(days))).unwrap_or(shift.from);
        let midnight = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
        let as_of = midnight.map_or(self.project.params.shop.exported_at, |moment| moment.with_timezone(&Utc));
        let log = self.log(as_of)?;
        let drilled = self.with_shift(&log, shift)?;
        let raised = Watch::at(self.project, &log, as_of, Some(&drilled.tally))?.raised;
        if raised.is_empty() {
            return Ok(Seen { noticed: false, others: Vec::new() });
        }
        // Only where something stands is it worth asking what stands without the drill.
        let known = self.undrilled.lock().unwrap_or_else(PoisonError::into_inner).get(&as_of).cloned();
        let undrilled = match known {
            Some(raised) => raised,
            None => Watch::at(self.project, &log, as_of, None)?.raised,
        };
        let stood = |alert: &Raised| undrilled.iter().any(|other| same(alert, other));
        let (own, others): (Vec<&Raised>, Vec<&Raised>) =
            raised.iter().filter(|alert| !stood(alert)).partition(|alert| of(alert) == shift.segment && alert.z < 0.0);
        let name = |alert: &&Raised| format!("{} of {}", alert.metric, of(alert));
        let seen = Seen { noticed: !own.is_empty(), others: others.iter().map(name).collect() };
        self.undrilled.lock().unwrap_or_else(PoisonError::into_inner).insert(as_of, undrilled);
        Ok(seen)
    }
}

fn of(alert: &Raised) -> Segment {
    Segment { column: alert.segment_column.clone(), value: alert.segment_value.clone() }
}

fn same(one: &Raised, other: &Raised) -> bool {
    one.metric == other.metric && of(one) == of(other) && one.z.signum() == other.z.signum()
}
