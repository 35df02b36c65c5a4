//! Provisional figures: what the open outcomes will come to, if customers go on deciding as they have.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::survival::{Curve, Delay};
use super::{draws, quantile};
use crate::engine::{Engine, batch_of};
use crate::error::Result;
use crate::sql::TableName;

/// Draws behind an interval.
const DRAWS: usize = 800;
/// So many must have waited to the very end before anything is said about late ones.
const ENOUGH_OLD: u64 = 25;
/// Beyond this the pace at which customers decide has changed, and forecasts from the old pace are withheld.
pub const PACE_LINE: f64 = 2.5;

#[derive(Debug, Deserialize)]
struct StagedDelay {
    stage: String,
    #[serde(flatten)]
    delay: Delay,
}

#[derive(Debug, Deserialize)]
struct Pace {
    stage: String,
    z: Option<f64>,
}

/// One row of `monitoring.waiting`.
#[derive(Debug, Deserialize)]
struct Waiting {
    stage: String,
    segment_column: String,
    segment_value: String,
    span: String,
    age: usize,
    total: u64,
    came: u64,
    waiting: u64,
    came_so_far: u64,
}

/// One segment's rows of one span.
#[derive(Default)]
struct Group<'a> {
    shown: Vec<&'a Waiting>,
    bought: Vec<&'a Waiting>,
}

/// A forecast: the share in the end, and where 90 of 100 such forecasts hold it.
#[derive(Debug, Clone, Copy)]
struct Forecast {
    rate: f64,
    lower: f64,
    upper: f64,
}

/// Registers `monitoring.nowcasts`.
pub fn register(engine: &Engine, seed: u64) -> Result<()> {
    let table = |name| TableName::new("monitoring", name);
    let delays: Vec<StagedDelay> = engine.rows(&table("delays"))?;
    let paces: Vec<Pace> = engine.rows(&table("pace"))?;
    let waiting: Vec<Waiting> = engine.rows(&table("waiting"))?;
    let changed = |stage: &str| paces.iter().any(|p| p.stage == stage && p.z.is_some_and(|z| z.abs() > PACE_LINE));
    let curve = |stage: &str| {
        let delays: Vec<Delay> = delays.iter().filter(|d| d.stage == stage).map(|d| d.delay).collect();
        let old_enough = delays.last().is_some_and(|delay| delay.at_risk >= ENOUGH_OLD);
        (old_enough && !changed(stage)).then(|| Curve::smoothed(&delays))
    };
    let (buying, returning) = (curve("purchase"), curve("return"));
    let mut groups: BTreeMap<(&str, &str, &str), Group> = BTreeMap::new();
    for row in &waiting {
        let group = groups.entry((&row.segment_column, &row.segment_value, &row.span)).or_default();
        if row.stage == "purchase" { group.shown.push(row) } else { group.bought.push(row) }
    }
    let mut answer = Answer::default();
    for (key, Group { shown, bought }) in &groups {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Where nothing is open there is nothing to forecast: the figure is confirmed.
        let open = |curve: &Curve, rows: &[&Waiting]| rows.iter().any(|row| row.waiting > 0 && row.age < curve.days());
        if let Some(buying) = &buying {
            let forecast = purchases(buying, shown);
            if open(buying, shown) {
                answer.add("purchase", *key, shown, forecast);
            }
            if let Some(returning) = &returning
                && (open(buying, shown) || open(returning, bought))
            {
                answer.add("kept", *key, shown, kept(buying, returning, shown, bought, &mut random));
            }
        }
    }
    engine.register(&table("nowcasts"), answer.batch()?)
}

/// Bought so far and the expected rest, with the variance of both chance and the curve.
fn purchases(curve: &Curve, shown: &[&Waiting]) -> Forecast {
    let rates = curve.rates();
    let (mut total, mut expected, mut chance, mut curve_error) = (0.0, 0.0, 0.0, 0.0);
    let mut came = 0.0;
    for row in shown {
        let never = curve.never(&rates, row.age);
        let open = row.waiting as f64;
        total += row.total as f64;
        came += row.came_so_far as f64;
        expected += row.came as f64 + open * (1.0 - never);
        chance += open * never * (1.0 - never);
        curve_error += open * never * curve.greenwood(row.age).sqrt();
    }
    let half = 1.644854 * (chance + curve_error * curve_error).sqrt();
    // It cannot end below what has come already.
    let expected = expected.max(came);
    Forecast {
        rate: expected / total,
        lower: (expected - half).max(came) / total,
        upper: (expected + half).min(total) / total,
    }
}

/// Bought and not sent back so far, open purchases, and purchases still to come; the interval by seeded draws.
fn kept(
    buying: &Curve,
    returning: &Curve,
    shown: &[&Waiting],
    bought: &[&Waiting],
    random: &mut ChaCha8Rng,
) -> Forecast {
    let total: u64 = shown.iter().map(|row| row.total).sum();
    let (buy, send_back) = (buying.rates(), returning.rates());
    let stays = |rates: &[f64], age: usize| returning.never(rates, age);
    let mut expected: f64 = bought.iter().map(|row| row.waiting as f64 * stays(&send_back, row.age)).sum();
    expected += shown
        .iter()
        .map(|row| row.waiting as f64 * (1.0 - buying.never(&buy, row.age)) * stays(&send_back, 0))
        .sum::<f64>();
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let buy = draw_rates(buying, random);
            let send_back = draw_rates(returning, random);
            let mut kept = 0;
            for row in bought {
                kept += draws::binomial(random, row.waiting, stays(&send_back, row.age));
            }
            for row in shown.iter().filter(|row| row.waiting > 0) {
                let chance = (1.0 - buying.never(&buy, row.age)) * stays(&send_back, 0);
                kept += draws::binomial(random, row.waiting, chance);
            }
            kept as f64 / total as f64
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let rate = expected / total as f64;
    // Draws are whole purchases: for a handful of them the mean can lie just beside the range.
    Forecast { rate, lower: quantile(&drawn, 0.05).min(rate), upper: quantile(&drawn, 0.95).max(rate) }
}

fn draw_rates(curve: &Curve, random: &mut ChaCha8Rng) -> Vec<f64> {
    let draw = |bucket| {
        let (events, misses) = curve.evidence(bucket);
        draws::beta(random, events, misses)
    };
    curve.buckets().iter().map(draw).collect()
}

#[derive(Default)]
struct Answer {
    keys: [Vec<String>; 4],
    shown: Vec<i64>,
    forecasts: Vec<Forecast>,
}

impl Answer {
    fn add(&mut self, metric: &str, (column, value, span): (&str, &str, &str), shown: &[&Waiting], forecast: Forecast) {
        let total: u64 = shown.iter().map(|row| row.total).sum();
        if total == 0 {
            return;
        }
        for (texts, text) in self.keys.iter_mut().zip([metric, column, value, span]) {
            texts.push(text.to_owned());
        }
        self.shown.push(total as i64);
        self.forecasts.push(forecast);
    }

    fn batch(self) -> Result<RecordBatch> {
        let number = |of: fn(&Forecast) -> f64| {
            Arc::new(Float64Array::from_iter_values(self.forecasts.iter().map(of))) as ArrayRef
        };
        let numbers = [
            ("provisional_rate", number(|f| f.rate)),
            ("provisional_lower", number(|f| f.lower)),
            ("provisional_upper", number(|f| f.upper)),
        ];
        let names = ["metric", "segment_column", "segment_value", "span"];
        let texts = self.keys.into_iter().map(|texts| Arc::new(StringArray::from(texts)) as ArrayRef);
        let mut columns: Vec<(&str, ArrayRef)> = names.into_iter().zip(texts).collect();
        columns.push(("shown", Arc::new(Int64Array::from(self.shown))));
        columns.extend(numbers);
        batch_of("nowcasts", columns)
    }
}
