//! What is bought lately and kept, the same for everybody.

use serde::{Deserialize, Serialize};

use super::{History, Interactions, Kind, Retriever};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;

/// Purchases of the last days that were not sent back, and a little for each look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Popularity {
    scores: Vec<f64>,
}

impl Popularity {
    /// `days`: how far back it counts, such as 60; `look`: what a look counts against a purchase, so little that looks
    /// decide only between things that are bought alike.
    pub fn fit(interactions: &Interactions, days: f64, look: f64) -> Popularity {
        let mut scores = vec![0.0; interactions.things()];
        for past in interactions.histories().iter().flat_map(History::events).filter(|past| past.age <= days) {
            scores[past.thing as usize] += match past.kind {
                Kind::Looked => look,
                Kind::Wished => 0.0,
                Kind::Bought => 1.0,
                Kind::Returned => -1.0,
            };
        }
        Popularity { scores }
    }
}

impl Retriever for Popularity {
    fn name(&self) -> &'static str {
        "popularity"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, _history: &History) -> Vec<f64> {
        self.scores.clone()
    }

    fn contributions(&self, _history: &History, _thing: u32) -> Vec<(u32, f64)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Event, Past},
        *,
    };

    #[test]
    fn this_version_counts_kept_purchases_lately() {
        let event = |customer, thing, kind, age| Event { customer, past: Past { thing, kind, age } };
        let events = [
            event(0, 0, Kind::Bought, 10.0),
            event(1, 0, Kind::Bought, 61.0),
            event(1, 1, Kind::Bought, 1.0),
            event(0, 1, Kind::Returned, 0.5),
            event(0, 2, Kind::Looked, 60.0),
            event(0, 2, Kind::Wished, 3.0),
        ];
        let fitted = Popularity::fit(&Interactions::new(2, 4, events).unwrap(), 60.0, 0.001);
        assert_eq!((VERSION, fitted.scores(&History::default())), (1, vec![1.0, 0.0, 0.001, 0.0]));
        assert!(fitted.contributions(&History::default(), 0).is_empty());
    }
}
