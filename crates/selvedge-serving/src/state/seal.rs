//! What was served becomes part of the flow: sealed in files that `ingest` reads, day by day, when enough was answered, and when
//! the server starts and stops.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::array::AsArray;
use selvedge_features::served::segments::{self, Part, Segment};
use selvedge_project::error::Result;

use super::Shared;
use crate::log::{self, Answered};

impl Shared {
    /// Seals what is not sealed yet; whether there was anything.
    ///
    /// # Errors
    /// Disks; what could not be sealed stays in the journals.
    pub fn seal(&self) -> Result<bool> {
        let Some(served) = &self.served else { return Ok(false) };
        let (until, events) = {
            let _keeping = self.keeping.blocking_lock();
            let mut sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
            let past = self.past.read().unwrap_or_else(PoisonError::into_inner);
            // Nothing that is in it came later, and nothing else has its name, whatever the machine's clock says.
            let last = past.latest().max(*sealed).map(|last| last + TimeDelta::nanoseconds(1));
            let until = self.now().max(last.unwrap_or_default());
            let events: Vec<_> = past.since(*sealed).collect();
            let any = !events.is_empty();
            if any {
                segments::write(&Part::Events.file(served, until), &segments::table(events.into_iter())?)?;
            }
            *sealed = Some(until);
            (until, any)
        };
        Ok(self.seal_answers(served, until)? || events)
    }

    /// Seals the answers; whether there were any.
    fn seal_answers(&self, served: &Path, until: DateTime<Utc>) -> Result<bool> {
        let outcome = Arc::new(Mutex::new(Ok(false)));
        let (told, served) = (Arc::clone(&outcome), served.to_owned());
        self.requests.rework(move |records| {
            let answered: Vec<Answered> =
                records.iter().filter_map(|record| serde_json::from_slice(record).ok()).collect();
            let written = (|| -> Result<bool> {
                if answered.is_empty() {
                    return Ok(false);
                }
                for (part, table) in log::tables(&answered)? {
                    segments::write(&part.file(&served, until), &table)?;
                }
                Ok(true)
            })();
            let emptied = matches!(written, Ok(true)).then(Vec::new);
            *told.lock().unwrap_or_else(PoisonError::into_inner) = written;
            emptied
        })?;
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        self.unsealed.store(0, Ordering::Relaxed);
        std::mem::replace(&mut *outcome, Ok(false))
    }

    /// Seals where a day has passed since, or much was answered.
    ///
    /// # Errors
    /// As [`Shared::seal`].
    pub fn seal_in_time(&self) -> Result<bool> {
        let zone = self.project.params.shop.timezone;
        let sealed = *self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        let day = |moment: DateTime<Utc>| moment.with_timezone(&zone).date_naive();
        let passed = sealed.is_none_or(|sealed| day(sealed) < day(self.now()));
        match passed || self.unsealed.load(Ordering::Relaxed) >= MUCH {
            true => self.seal(),
            false => Ok(false),
        }
    }

    /// No event that comes may count as one that was sealed before it.
    pub(super) fn arrives_at(&self) -> DateTime<Utc> {
        let sealed = *self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = self.past.read().unwrap_or_else(PoisonError::into_inner).latest();
        self.now().max(sealed.max(latest).unwrap_or_default())
    }
}

/// Answers that are sealed together at most, about.
const MUCH: u64 = 20_000;

/// Takes everything of some customers out of what is sealed; how many events and answers.
///
/// # Errors
/// Disks; then what is not taken out yet is the next time.
pub fn forget(served: &Path, whose: impl Fn(&str) -> bool) -> Result<(usize, usize)> {
    let (mut events, mut gone) = (0, 0);
    let holds = |segment: &Segment| -> Result<bool> {
        let customers = segments::read(&segment.path, |column| column == "customer_id")?;
        Ok(customers.column(0).as_string::<i32>().iter().flatten().any(&whose))
    };
    for segment in Part::Events.files(served)? {
        if !holds(&segment)? {
            continue;
        }
        let all = segments::events(&segment, 0)?;
        let stays = all.iter().filter(|placed| !whose(&placed.arrived.event.customer_id));
        let stays: Vec<_> = stays.map(|placed| (placed.number, &placed.arrived)).collect();
        events += all.len() - stays.len();
        segments::write(&segment.path, &segments::table(stays.into_iter())?)?;
    }
    for segment in Part::Requests.files(served)? {
        if !holds(&segment)? {
            continue;
        }
        let batch = segments::read(&segment.path, |column| column == "answer")?;
        let texts = batch.column(0).as_string::<i32>().clone();
        let all: Vec<Answered> = texts.iter().flatten().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let stays: Vec<Answered> = all.iter().filter(|one| !whose(&one.customer_id)).cloned().collect();
        gone += all.len() - stays.len();
        for (part, table) in log::tables(&stays)? {
            segments::write(&part.file(served, segment.until), &table)?;
        }
    }
    Ok((events, gone))
}
