//! How often a key may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A budget for each key: so many requests a second, and as many at once.  Keys are known by then, so there are few.
pub struct Rates {
    per_second: f64,
    /// By key: what is left, as of when.
    left: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Rates {
    pub fn new(per_second: usize) -> Self {
        Self { per_second: per_second as f64, left: Mutex::default() }
    }

    /// Whether a key may ask at a moment.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn may(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(key) {
            all.insert(key.to_owned(), (self.per_second, now));
        }
        let Some((left, since)) = all.get_mut(key) else { return Ok(()) };
        let passed = now.saturating_duration_since(*since).as_secs_f64();
        *left = (*left + passed * self.per_second).min(self.per_second);
        *since = now.max(*since);
        if *left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - *left) / self.per_second));
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_budget_of_its_own_that_fills_up_again() {
        let (rates, now) = (Rates::new(4), Instant::now());
        let at = |milliseconds| now + Duration::from_millis(milliseconds);
        assert_eq!((0..9).filter(|_| rates.may("a", at(0)).is_ok()).count(), 4);
        assert_eq!(rates.may("a", at(0)), Err(Duration::from_millis(250)));
        assert_eq!((rates.may("b", at(0)), rates.may("a", at(250))), (Ok(()), Ok(())));
        assert!(rates.may("a", at(251)).is_err(), "no more than has come since");
        assert_eq!((0..9).filter(|_| rates.may("a", at(60_000)).is_ok()).count(), 4, "nor more than a second's");
        assert!(rates.may("a", at(0)).is_err(), "a clock that runs backwards gives nothing");
    }
}
