//! A simulated log, row by row, with what came of each recommendation in the end: what forecasts are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc, Weekday};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::engine::batch_of;
use selvedge::monitor::Named;
use selvedge::monitor::draws::normal;

/// What the log is like.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Shown on a day.
    pub shown: usize,
    pub days: usize,
    /// The share that is clicked; nothing where purchases come without clicks.
    pub clicked: f64,
    /// The share that is bought in the end, and how much it jumps from day to day, in shares of itself.
    pub bought: f64,
    pub jumps: f64,
    /// What clicks are multiplied by on the last ten days.
    pub fell: f64,
}

/// What came of one recommendation in the end.
pub struct Ended {
    /// On the shop's clock.
    day: NaiveDate,
    customer: usize,
    bought: bool,
    kept: bool,
}

/// What came of all of them.
pub struct Truth(Vec<Ended>);

impl Truth {
    /// What a forecast is held against: shown, and came in the end; `values` of each customer by column.
    pub fn of(&self, named: &Named, values: &[BTreeMap<String, String>]) -> (u64, u64) {
        let days: BTreeSet<NaiveDate> = self.0.iter().map(|ended| ended.day).collect();
        let first_watched = days.iter().nth(20);
        let is_of = |ended: &&Ended| {
            let in_span = match named.span.as_str() {
                "reference" => Some(&ended.day) < first_watched,
                "watched" => Some(&ended.day) >= first_watched,
                span => match span.strip_prefix("week of ") {
                    Some(monday) => ended.day.week(Weekday::Mon).first_day().to_string() == monday,
                    None => ended.day.to_string() == span,
                },
            };
            let own = |column: &str| values[ended.customer].get(column);
            in_span && (named.segment_column == "shop" || own(&named.segment_column) == Some(&named.segment_value))
        };
        let (shown, came) = self.0.iter().filter(is_of).fold((0, 0), |(shown, came), ended| {
            (shown + 1, came + u64::from(if named.metric == "purchase" { ended.bought } else { ended.kept }))
        });
        (shown, came)
    }
}

/// Customers' values by column, as a shop's file has them.
pub fn values(customers: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(customers.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// `sources.recommendations` as known at `as_of`, and the truth.  Customers click within minutes, take three days on
/// average to buy, of at most fourteen, and five to send back, of at most twenty-one; three in ten send back.
pub fn log(pace: Pace, as_of: DateTime<Utc>, customers: usize, seed: u64) -> (RecordBatch, Truth) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut truth = Vec::new();
    let begin = as_of - TimeDelta::days(pace.days as i64);
    let (mut shown_at, mut clicked_at, mut bought_at, mut returned_at) = (vec![], vec![], vec![], vec![]);
    let mut customer = vec![];
    for day in 0..pace.days as i64 {
        let fell = if day + 10 >= pace.days as i64 { pace.fell } else { 1.0 };
        let moved = (1.0 + pace.jumps * normal(&mut random)).clamp(0.0, 3.0) * fell;
        for _ in 0..pace.shown {
            let at = begin + TimeDelta::days(day) + TimeDelta::seconds(random.gen_range(0..86_400));
            let share = if pace.clicked > 0.0 { pace.clicked } else { pace.bought };
            let moved = random.gen_bool((share * moved).min(1.0));
            let clicked = (moved && pace.clicked > 0.0).then(|| at + TimeDelta::seconds(random.gen_range(5..600)));
            let buys = moved && random.gen_bool(pace.bought / share);
            let bought = buys.then(|| clicked.unwrap_or(at) + wait(&mut random, 3.0, 13.9));
            let returned = bought.filter(|_| random.gen_bool(0.3)).map(|bought| bought + wait(&mut random, 5.0, 21.0));
            let who = random.gen_range(0..customers);
            let kept = bought.is_some() && returned.is_none();
            truth.push(Ended { day: local(at), customer: who, bought: bought.is_some(), kept });
            shown_at.push(at);
            clicked_at.push(clicked.filter(|clicked| *clicked < as_of));
            bought_at.push(bought.filter(|bought| *bought < as_of));
            returned_at.push(returned.filter(|returned| *returned < as_of));
            customer.push(format!("anna/{who}"));
        }
    }
    (batch(&shown_at, &clicked_at, &bought_at, &returned_at, customer), Truth(truth))
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
fn local(at: DateTime<Utc>) -> NaiveDate {
    (at + TimeDelta::hours(1)).date_naive()
}

fn batch(
    shown: &[DateTime<Utc>],
    clicked: &[Option<DateTime<Utc>>],
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
        ("clicked_at", times(clicked)),
        ("purchased_at", times(bought)),
        ("returned_at", times(returned)),
        ("dismissed", Arc::new(BooleanArray::from(vec![false; n]))),
        ("line", Arc::new(Int64Array::from_iter_values(0..n as i64))),
        ("surprises", text("")),
    ];
    batch_of("recommendations", columns).unwrap()
}
