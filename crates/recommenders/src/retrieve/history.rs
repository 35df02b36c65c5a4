//! What a customer did before a moment: the whole past, or the visit so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::maths;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    Looked,
    Wished,
    Bought,
    /// Sent back.  Not a sign of interest by itself; the purchase before it is.
    Returned,
}

/// One thing that was done with a thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    pub thing: u32,
    pub kind: Kind,
    /// Days before the moment asked about.
    pub age: f64,
}

/// A customer's events before a moment, in an order of their own (thing, kind, age), so that no other shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    events: Vec<Past>,
}

/// How the past fades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Recency {
    /// Not at all.
    Never,
    /// To one half in so many days.
    HalfLife(f64),
    /// By this factor from each thing to the one before it; things of the same age in the order of their numbers.
    Steps(f64),
}

impl History {
    /// Events in any order.  An age that is not a number counts as 0.
    pub fn new(events: impl IntoIterator<Item = Past>) -> History {
        let known = |past: Past| Past { age: if past.age.is_nan() { 0.0 } else { past.age }, ..past };
        let mut events: Vec<Past> = events.into_iter().map(known).collect();
        events.sort_by(|a, b| a.thing.cmp(&b.thing).then(a.kind.cmp(&b.kind)).then(a.age.total_cmp(&b.age)));
        History { events }
    }

    /// The events, by thing, kind and age.
    pub fn events(&self) -> &[Past] {
        &self.events
    }

    /// The things that were looked at, wished or bought, each once and by number, with the weight of the latest time.
    pub fn weights(&self, recency: Recency) -> Vec<(u32, f64)> {
        let mut ages: BTreeMap<u32, f64> = BTreeMap::new();
        for past in self.events.iter().filter(|past| past.kind != Kind::Returned) {
            let age = ages.entry(past.thing).or_insert(past.age);
            *age = age.min(past.age);
        }
        match recency {
            Recency::Never => ages.into_keys().map(|thing| (thing, 1.0)).collect(),
            Recency::HalfLife(days) => {
                ages.into_iter().map(|(thing, age)| (thing, maths::pow(0.5, age.max(0.0) / days))).collect()
            }
            Recency::Steps(factor) => {
                let mut latest: Vec<(u32, f64)> = ages.into_iter().collect();
                latest.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
                let mut weight = 1.0;
                for place in &mut latest {
                    place.1 = weight;
                    weight *= factor;
                }
                latest.sort_by_key(|place| place.0);
                latest
            }
        }
    }

    /// The things that were bought, each once and by number.
    pub fn bought(&self) -> Vec<u32> {
        let mut things: Vec<u32> =
            self.events.iter().filter(|past| past.kind == Kind::Bought).map(|past| past.thing).collect();
        things.dedup();
        things
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_counts_once_by_its_latest_time() {
        let past = |thing, kind, age| Past { thing, kind, age };
        let history = History::new([
            past(7, Kind::Looked, 360.0),
            past(3, Kind::Returned, 0.0),
            past(7, Kind::Bought, 180.0),
            past(2, Kind::Wished, 0.0),
            past(7, Kind::Bought, 200.0),
            past(9, Kind::Looked, f64::NAN),
        ]);
        assert_eq!(history.weights(Recency::Never), [(2, 1.0), (7, 1.0), (9, 1.0)]);
        assert_eq!(history.weights(Recency::HalfLife(180.0)), [(2, 1.0), (7, 0.5), (9, 1.0)]);
        assert_eq!(history.weights(Recency::Steps(0.5)), [(2, 1.0), (7, 0.25), (9, 0.5)]);
        assert_eq!(history.bought(), [7]);
        assert!(History::default().weights(Recency::Steps(0.5)).is_empty());
    }
}
