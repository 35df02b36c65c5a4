//! Everything that was sent since the server first started, in the order in which it came.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::{DateTime, Utc};

use super::event::{Arrived, Event};
use super::journal;
use selvedge_project::error::Result;

/// The journal of events.
pub const FILE: &str = "events.log";

/// What was sent, numbered from 0.
#[derive(Debug, Default)]
pub struct Past {
    /// None where an event was taken out because its customer does not agree to personalisation.
    events: Vec<Option<Arrived>>,
    of_customer: HashMap<String, Vec<usize>>,
    ids: HashMap<String, usize>,
    /// Records of the journal that are no events, by number: they stay as they are.
    odd: BTreeMap<usize, Vec<u8>>,
    /// When the latest arrived.
    latest: Option<DateTime<Utc>>,
}

impl Past {
    /// Reads the journal of a folder, which a server may be writing.
    ///
    /// # Errors
    /// A file that cannot be read, or that is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut past = Self::default();
        journal::read(&folder.join(FILE), &journal::shown(folder, FILE), |record| past.record(record))?;
        Ok(past)
    }

    /// Takes a record of the journal in.
    pub fn record(&mut self, record: &[u8]) {
        let event = serde_json::from_slice(record).unwrap_or_else(|_| {
            self.odd.insert(self.events.len(), record.to_owned());
            None
        });
        self.take(event);
    }

    /// How many there were, those that were taken out included.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// Records of the journal that are no events.
    pub fn odd(&self) -> usize {
        self.odd.len()
    }

    /// The moment of the latest.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.events.iter().flatten().map(Arrived::at).max()
    }

    /// When the latest arrived.
    pub fn latest(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// What arrived at a moment or later, or all, with its numbers.
    pub fn since(&self, from: Option<DateTime<Utc>>) -> impl Iterator<Item = (usize, &Arrived)> {
        let numbered = self.events.iter().enumerate().filter_map(|(number, event)| Some((number, event.as_ref()?)));
        numbered.filter(move |(_, event)| from.is_none_or(|from| event.arrived >= from))
    }

    /// What an id was given to.
    pub fn named(&self, id: &str) -> Option<&Event> {
        self.events[*self.ids.get(id)?].as_ref().map(|arrived| &arrived.event)
    }

    /// Takes an event in; none is one that was taken out.
    pub fn take(&mut self, arrived: Option<Arrived>) {
        let number = self.events.len();
        if let Some(arrived) = &arrived {
            self.latest = self.latest.max(Some(arrived.arrived));
            self.ids.insert(arrived.event.id.clone(), number);
            self.of_customer.entry(arrived.event.customer_id.clone()).or_default().push(number);
        }
        self.events.push(arrived);
    }

    /// A customer's events among the first `seen`, in the order in which they came.
    pub fn of(&self, customer: &str, seen: usize) -> impl Iterator<Item = &Arrived> {
        let all = self.of_customer.get(customer).map_or(&[][..], Vec::as_slice);
        all.iter().take_while(move |number| **number < seen).filter_map(|number| self.events[*number].as_ref())
    }

    /// Whether anything of a customer came after the first `seen`.
    pub fn has_newer(&self, customer: &str, seen: usize) -> bool {
        self.of_customer.get(customer).and_then(|all| all.last()).is_some_and(|number| *number >= seen)
    }

    /// Whoever did something.
    pub fn customers(&self) -> impl Iterator<Item = &String> {
        self.of_customer.keys()
    }

    /// Takes the events of some customers out of memory; how many.
    pub fn forget(&mut self, whose: impl Fn(&str) -> bool) -> usize {
        let mut gone = 0;
        for event in &mut self.events {
            if let Some(arrived) = event.take_if(|arrived| whose(&arrived.event.customer_id)) {
                self.ids.remove(&arrived.event.id);
                self.of_customer.remove(&arrived.event.customer_id);
                gone += 1;
            }
        }
        gone
    }

    /// The records of a journal without the events of some customers: each keeps its place, so that the others keep their
    /// numbers.
    pub fn records_without(&self, whose: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
        let record = |(number, event): (usize, &Option<Arrived>)| match self.odd.get(&number) {
            Some(odd) => odd.clone(),
            None => {
                let stays = event.as_ref().filter(|arrived| !whose(&arrived.event.customer_id));
                serde_json::to_vec(&stays).unwrap_or_default()
            }
        };
        self.events.iter().enumerate().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_leaves_its_place() {
        let arrived = |id: &str, customer: &str| {
            let event = format!(r#"{{"id":"{id}","customer_id":"{customer}","product_id":"7","kind":"browse"}}"#);
            Some(Arrived { event: serde_json::from_str(&event).unwrap(), arrived: DateTime::UNIX_EPOCH })
        };
        let mut past = Past::default();
        for (id, customer) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "c")] {
            past.take(arrived(id, customer));
        }
        past.record(b"no event");
        assert!(past.has_newer("a", 2) && !past.has_newer("a", 3) && !past.has_newer("nobody", 0));
        assert_eq!(past.of("a", 2).count(), 1);
        let records = past.records_without(|customer| customer == "a");
        assert_eq!(past.forget(|customer| customer == "a"), 2);
        assert_eq!((past.count(), past.of("a", 9).count(), past.named("1")), (5, 0, None));
        assert_eq!(past.of("c", 4).map(|one| one.event.id.as_str()).collect::<Vec<_>>(), ["4"]);
        assert_eq!((records[0].as_slice(), records[4].as_slice(), past.odd()), (&b"null"[..], &b"no event"[..], 1));
        assert_eq!(past.records_without(|_| false), records, "what is gone from memory is gone from the journal");
        assert_eq!(serde_json::from_slice::<Option<Arrived>>(&records[3]).unwrap(), arrived("4", "c"));
    }
}
