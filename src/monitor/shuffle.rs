//! Whole days in another order: what this shop's chance looks like when no day is before or after another.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::engine::batch_of;
use crate::error::Result;

/// The run in which every day stands for itself.
pub const AS_IT_WAS: i64 = 0;

/// For each metric the days that can be judged, in order.
pub type Days = BTreeMap<String, Vec<i64>>;

/// `monitoring.shuffles` for the log as it was.
pub fn identity(days: &Days) -> Result<RecordBatch> {
    let mut table = Shuffles::default();
    for (metric, days) in days {
        table.add(metric, AS_IT_WAS, days, days);
    }
    table.batch()
}

/// `monitoring.shuffles` for `runs` shuffled histories, numbered from 1.
pub fn shuffled(days: &Days, runs: usize, seed: u64) -> Result<RecordBatch> {
    let mut table = Shuffles::default();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for (metric, days) in days {
        let mut order = days.clone();
        for run in 1..=runs as i64 {
            order.shuffle(&mut random);
            table.add(metric, run, days, &order);
        }
    }
    table.batch()
}

#[derive(Default)]
struct Shuffles {
    metric: Vec<String>,
    run: Vec<i64>,
    day: Vec<i64>,
    stands_for: Vec<i64>,
}

impl Shuffles {
    fn add(&mut self, metric: &str, run: i64, days: &[i64], order: &[i64]) {
        for (day, stands_for) in days.iter().zip(order) {
            self.metric.push(metric.to_owned());
            self.run.push(run);
            self.day.push(*day);
            self.stands_for.push(*stands_for);
        }
    }

    fn batch(self) -> Result<RecordBatch> {
        let number = |numbers: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(numbers)) };
        batch_of(
            "shuffles",
            vec![
                ("metric", Arc::new(StringArray::from(self.metric)) as ArrayRef),
                ("run", number(self.run)),
                ("day", number(self.day)),
                ("stands_for", number(self.stands_for)),
            ],
        )
    }
}
