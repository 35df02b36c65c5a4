//! A simulated log, row by row, with what came of each recommendation in the end: what forecasts are held against.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::engine::batch_of;
use selvedge::monitor::draws::normal;

/// What the log is like.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Shown on a day.
    pub shown: usize,
    pub days: usize,
    /// The share that is bought in the end, and how much it jumps from day to day, in shares of itself.
    pub bought: f64,
    pub jumps: f64,
}

/// By day on the shop's clock: shown, bought in the end, kept in the end.
pub type Truth = BTreeMap<String, (u64, u64, u64)>;

/// `sources.recommendations` as known at `as_of`, and the truth.  Customers take three days on average to buy, of at
/// most fourteen, and five to send back, of at most twenty-one; three in ten send back.
pub fn log(pace: Pace, as_of: DateTime<Utc>, customers: usize, seed: u64) -> (RecordBatch, Truth) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut truth = Truth::new();
    let begin = as_of - TimeDelta::days(pace.days as i64);
    let (mut shown_at, mut bought_at, mut returned_at, mut customer) = (vec![], vec![], vec![], vec![]);
    for day in 0..pace.days as i64 {
        let chance = pace.bought * (1.0 + pace.jumps * normal(&mut random)).clamp(0.0, 3.0);
        for _ in 0..pace.shown {
            let at = begin + TimeDelta::days(day) + TimeDelta::seconds(random.gen_range(0..86_400));
            let bought = random.gen_bool(chance).then(|| at + wait(&mut random, 3.0, 14.0));
            let returned = bought.filter(|_| random.gen_bool(0.3)).map(|bought| bought + wait(&mut random, 5.0, 21.0));
            let ends = truth.entry(local(at)).or_default();
            ends.0 += 1;
            ends.1 += u64::from(bought.is_some());
            ends.2 += u64::from(bought.is_some() && returned.is_none());
            shown_at.push(at);
            bought_at.push(bought.filter(|bought| *bought < as_of));
            returned_at.push(returned.filter(|returned| *returned < as_of));
            customer.push(format!("anna/{}", random.gen_range(0..customers)));
        }
    }
    (batch(&shown_at, &bought_at, &returned_at, customer), truth)
}

fn wait(random: &mut ChaCha8Rng, mean: f64, most: f64) -> TimeDelta {
    // Exponential, and again while it is too long.
    loop {
        let days = -mean * (1.0 - random.r#gen::<f64>()).ln();
        if days < most {
            return TimeDelta::seconds((days * 86_400.0) as i64);
        }
    }
}

/// A day on the clock of Berlin in winter.
fn local(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(1)).date_naive().to_string()
}

fn batch(
    shown: &[DateTime<Utc>],
    bought: &[Option<DateTime<Utc>>],
    returned: &[Option<DateTime<Utc>>],
    customers: Vec<String>,
) -> RecordBatch {
    let n = shown.len();
    let nanos = |at: &DateTime<Utc>| at.timestamp() * 1_000_000_000;
    let times = |times: &[Option<DateTime<Utc>>]| -> ArrayRef {
        Arc::new(times.iter().map(|at| at.as_ref().map(nanos)).collect::<TimestampNanosecondArray>())
    };
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
    let days = shown.iter().map(|at| ((at.timestamp() + 3600).div_euclid(86_400)) as i32);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("recommendation_id", Arc::new(StringArray::from_iter_values((0..n).map(|n| format!("r{n:08}"))))),
        ("recommended_at", Arc::new(TimestampNanosecondArray::from_iter_values(shown.iter().map(nanos)))),
        ("shown_on", Arc::new(Date32Array::from_iter_values(days))),
        ("customer_id", Arc::new(StringArray::from(customers))),
        ("product_id", text("K-1")),
        ("season", text("WINTER-31")),
        ("position", Arc::new(Int32Array::from(vec![1; n]))),
        ("model_version", text("old")),
        ("clicked_at", times(bought)),
        ("purchased_at", times(bought)),
        ("returned_at", times(returned)),
        ("dismissed", Arc::new(BooleanArray::from(vec![false; n]))),
        ("line", Arc::new(Int64Array::from_iter_values(0..n as i64))),
        ("surprises", text("")),
    ];
    batch_of("recommendations", columns).unwrap()
}
