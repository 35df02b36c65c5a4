//! How long the parts of an answer take, and so how much of it can be done in the time that is left.
//!
//! What does not fit is left out in one order: the reasons, then features and ranking (what is popular is shown instead), then
//! everything but the list that the release came with.  The rules of a list cost nothing, and stay.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::lists::{Effort, Parts};

/// How much of the last estimate stays in the next, each time.
const KEPT: f64 = 0.8;

/// What the parts of a batch took lately, in seconds.
#[derive(Debug, Default)]
pub struct Lately(Mutex<[f64; 4]>);

fn seconds(parts: Parts) -> [f64; 4] {
    [parts.shelves, parts.features, parts.rank, parts.explain].map(|part| part.as_secs_f64())
}

impl Lately {
    /// As much as fits.
    pub fn fits(&self, left: Duration) -> Effort {
        let [shelves, features, rank, explain] = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.as_secs_f64();
        if shelves + features + rank + explain <= left {
            Effort::Full
        } else if shelves + features + rank <= left {
            Effort::WithoutReasons
        } else {
            Effort::Popular
        }
    }

    /// How long ranking and reasons take, once features are there.
    pub fn rest(&self) -> Duration {
        let [_, _, rank, explain] = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_secs_f64(rank + explain)
    }

    /// Learns how long a batch took.  A part that was left out is thought to take a little less the next time, so that it is
    /// tried again.
    pub fn took(&self, parts: Parts) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (estimate, took) in lately.iter_mut().zip(seconds(parts)) {
            *estimate = KEPT * *estimate + (1.0 - KEPT) * took;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_time_leaves_out_more_in_one_order_and_what_was_left_out_is_tried_again() {
        let lately = Lately::default();
        assert_eq!(lately.fits(Duration::ZERO), Effort::Full, "nothing is known yet");
        let part = Duration::from_millis;
        let parts = Parts { shelves: part(10), features: part(20), rank: part(10), explain: part(10) };
        (0..50).for_each(|_| lately.took(parts));
        let fits: Vec<Effort> = [60, 45, 35, 0].map(|left| lately.fits(part(left))).to_vec();
        assert_eq!(fits, [Effort::Full, Effort::WithoutReasons, Effort::Popular, Effort::Popular]);
        assert!(fits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(lately.rest() > part(19) && lately.rest() < part(21));
        (0..20).for_each(|_| lately.took(Parts { shelves: part(10), ..Parts::default() }));
        assert_eq!(lately.fits(part(35)), Effort::Full);
    }
}
