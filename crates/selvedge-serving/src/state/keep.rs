//! Events: checked, kept, and taken out again where their customers do not agree any more.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use selvedge_project::error::Result;
use selvedge_project::progress::Progress;
use serde::Deserialize;

use super::Shared;
use super::seal::forget;
use crate::event::{Arrived, Event};
use crate::journal;
use crate::lists::Serving;
use crate::past::FILE;
use crate::release::ReleaseError;

/// What became of the events of one request.
#[derive(Debug, Default, PartialEq)]
pub struct Counted {
    pub kept: usize,
    pub again: usize,
    pub without_consent: usize,
    /// Place in what was sent, and why it is kept but not used: nobody is known by that name yet, or no such article.
    pub waiting: Vec<(usize, String)>,
    /// Place in what was sent, and why it cannot be true.
    pub refused: Vec<(usize, String)>,
}

/// Of an answer, to whom it was given.
#[derive(Deserialize)]
struct Whose {
    customer_id: String,
}

/// An event that is about to be kept, with its place in what was sent.
type Sent = (usize, Arrived);

impl Shared {
    /// Checks and keeps events; what is counted as kept is on disk.
    ///
    /// # Errors
    /// A disk that is full: then none is kept, and the words say so.
    pub async fn keep(&self, events: Vec<Event>) -> std::result::Result<Counted, String> {
        let _keeping = self.keeping.lock().await;
        let (mut counted, new) = self.checked(events, self.arrives_at()).map_err(|error| error.to_string())?;
        let new: Vec<Arrived> = new.into_iter().map(|(_, arrived)| arrived).collect();
        if !new.is_empty() {
            let records = new.iter().map(|arrived| serde_json::to_vec(arrived).unwrap_or_default()).collect();
            self.events.append(records).await.map_err(|error| error.to_string())?;
        }
        counted.kept = new.len();
        let mut past = self.past.write().unwrap_or_else(PoisonError::into_inner);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        for arrived in new {
            remembered.remove(&arrived.event.customer_id);
            self.lately.happened(&arrived.event);
            past.take(Some(arrived));
        }
        Ok(counted)
    }

    /// The events that are to be kept, and what becomes of the others.
    fn checked(&self, events: Vec<Event>, now: DateTime<Utc>) -> Result<(Counted, Vec<Sent>)> {
        let past = self.past.read().unwrap_or_else(PoisonError::into_inner);
        let (mut counted, mut new) = (Counted::default(), Vec::<Sent>::new());
        for (place, event) in events.into_iter().enumerate() {
            let serving = self.serving_of(&event.customer_id).ok_or(ReleaseError::None)?;
            if serving.tables.consents(&event.customer_id) == Some(false) {
                counted.without_consent += 1;
                continue;
            }
            let here = || new.iter().map(|(_, arrived)| &arrived.event).find(|before| before.id == event.id);
            match past.named(&event.id).or_else(here) {
                Some(before) if *before == event => counted.again += 1,
                Some(_) => {
                    let words = format!("the id '{}' was given to another event before", event.id);
                    counted.refused.push((place, words));
                }
                None => match event.sound(now) {
                    Ok(()) => new.push((place, Arrived { event, arrived: now })),
                    Err(words) => counted.refused.push((place, words)),
                },
            }
        }
        let customers: BTreeSet<&String> = new.iter().map(|(_, arrived)| &arrived.event.customer_id).collect();
        let mut never = BTreeSet::new();
        for customer in customers {
            let serving = self.serving_of(customer).ok_or(ReleaseError::None)?;
            let own = new.iter().filter(|(_, arrived)| arrived.event.customer_id == *customer);
            if serving.tables.consents(customer).is_none() {
                let words = format!("there is no customer '{customer}' in this release; the next may know it");
                counted.waiting.extend(own.map(|(place, _)| (*place, words.clone())));
                continue;
            }
            let all = past.of(customer, usize::MAX).chain(own.clone().map(|(_, arrived)| arrived));
            for (arrived, doubt) in serving.tables.read(customer, all)?.doubted {
                let Some((place, _)) = own.clone().find(|(_, own)| std::ptr::eq(own, arrived)) else { continue };
                if doubt.waits {
                    counted.waiting.push((*place, doubt.words));
                } else {
                    never.insert(*place);
                    counted.refused.push((*place, doubt.words));
                }
            }
        }
        new.retain(|(place, _)| !never.contains(place));
        counted.waiting.sort_unstable();
        counted.refused.sort_unstable();
        Ok((counted, new))
    }

    /// Takes the events of those out of the journal of whom the release that serves knows that they do not agree (any more), and
    /// tells it.  Where the disk does not let it, they stay there, unread, until the next switch or start.
    pub(super) fn forget(&self) {
        let Some(serving) = self.state().serving.as_ref().and_then(|hash| self.serving(hash)) else { return };
        let whose = |customer: &str| serving.tables.consents(customer) == Some(false);
        self.forget_answers(&serving);
        let _keeping = self.keeping.blocking_lock();
        let records = {
            let past = self.past.read().unwrap_or_else(PoisonError::into_inner);
            if !past.customers().any(|customer| whose(customer)) {
                return;
            }
            past.records_without(whose)
        };
        let said = match self.events.replace(records) {
            Ok(()) => {
                let gone = self.past.write().unwrap_or_else(PoisonError::into_inner).forget(whose);
                let journal = journal::shown(&self.folder, FILE);
                format!(
                    "took {gone} events out of {journal}: their customers do not agree to personalisation (any more)"
                )
            }
            Err(error) => format!(
                "warning: events of customers who do not agree any more are read no longer, but could not be taken out: {error}"
            ),
        };
        Progress::start("serve").say(said);
    }

    /// Takes out what was answered to them, and what of all that is sealed.
    fn forget_answers(&self, serving: &Arc<Serving>) {
        let own = Arc::clone(serving);
        let reworked = self.requests.keep(move |record| match serde_json::from_slice::<Whose>(record) {
            Ok(answered) => own.tables.consents(&answered.customer_id) != Some(false),
            Err(_) => true,
        });
        let whose = |customer: &str| serving.tables.consents(customer) == Some(false);
        let sealed = self.served.as_deref().map(|served| forget(served, whose)).transpose();
        let said = match (reworked, sealed) {
            (Ok(()), Ok(None | Some((0, 0)))) => return,
            (Ok(()), Ok(Some((events, answers)))) => {
                format!(
                    "took {events} events and {answers} answers out of materials/served: their customers do not agree (any more)"
                )
            }
            (Err(error), _) => {
                format!("warning: answers to customers who do not agree any more could not be taken out: {error}")
            }
            (_, Err(error)) => format!("warning: customers who do not agree any more could not be taken out: {error}"),
        };
        Progress::start("serve").say(said);
    }
}
