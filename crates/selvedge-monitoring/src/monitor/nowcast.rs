//! Provisional figures: what the open outcomes will come to, if customers go on deciding as they have.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Deserialize;

use super::calibration::VarianceInflation;
use super::survival::{Curve, Delay};
use super::{draws, quantile};
use selvedge_engine::{Engine, batch_of};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

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
    /// Of the share in the end.
    variance: f64,
    /// The share can no longer end below or above these.
    least: f64,
    most: f64,
}

/// A forecast and what it is about.
#[derive(Debug)]
pub struct Named {
    pub metric: &'static str,
    segment_column: String,
    segment_value: String,
    pub span: String,
    shown: u64,
    forecast: Forecast,
}

impl Named {
    /// Where 90 of 100 such forecasts hold the share in the end, and the share itself in the middle: lower, rate, upper.
    pub fn range(&self) -> (f64, f64, f64) {
        (self.forecast.lower, self.forecast.rate, self.forecast.upper)
    }

    /// How far `x` of `n` is from what was forecast, squared, in units of the claimed variance.
    pub fn squared_error(&self, x: u64, n: u64) -> Option<f64> {
        let error = x as f64 / n as f64 - self.forecast.rate;
        (n > 0 && self.forecast.variance > 0.0).then(|| error * error / self.forecast.variance)
    }
}

impl Forecast {
    /// The same with its variance times `inflation`, because our own past forecasts were further off than they claimed.
    fn inflated(self, inflation: f64) -> Self {
        let wider = |end: f64| (self.rate + (end - self.rate) * inflation.sqrt()).clamp(self.least, self.most);
        Self { lower: wider(self.lower).min(self.rate), upper: wider(self.upper).max(self.rate), ..self }
    }
}

/// Registers `monitoring.nowcasts`, with intervals as wide as our past forecasts demand.
pub fn register(engine: &Engine, seed: u64, inflation: &VarianceInflation) -> Result<()> {
    let mut named = forecasts(engine, seed, |_, _| true)?;
    for named in &mut named {
        named.forecast = named.forecast.inflated(inflation.get(named.metric).copied().unwrap_or(1.0));
    }
    engine.register(&TableName::new("monitoring", "nowcasts"), batch(&named, inflation)?)
}

/// The forecasts of the spans that are `wanted` by segment column and span.
pub fn forecasts(engine: &Engine, seed: u64, wanted: fn(&str, &str) -> bool) -> Result<Vec<Named>> {
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
    for row in waiting.iter().filter(|row| wanted(&row.segment_column, &row.span)) {
        let group = groups.entry((&row.segment_column, &row.segment_value, &row.span)).or_default();
        if row.stage == "purchase" { group.shown.push(row) } else { group.bought.push(row) }
    }
    // Each group draws from the seed anew, so that its forecast does not depend on who comes before.
    let of_group = |(key, Group { shown, bought }): (&(&str, &str, &str), &Group)| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut answer = Vec::new();
        // Where nothing is open there is nothing to forecast: the figure is confirmed.
        let open = |curve: &Curve, rows: &[&Waiting]| rows.iter().any(|row| row.waiting > 0 && row.age < curve.days());
        let mut add = |metric, forecast| answer.extend(name(metric, *key, shown, forecast));
        if let Some(buying) = &buying {
            let forecast = purchases(buying, shown);
            if open(buying, shown) {
                add("purchase", forecast);
            }
            if let Some(returning) = &returning
                && (open(buying, shown) || open(returning, bought))
            {
                add("kept", kept(buying, returning, shown, bought, &mut random));
            }
        }
        answer
    };
    Ok(groups.par_iter().flat_map_iter(of_group).collect())
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
    let variance = chance + curve_error * curve_error;
    let half = 1.644854 * variance.sqrt();
    // It cannot end below what has come already.
    let expected = expected.max(came);
    Forecast {
        rate: expected / total,
        lower: (expected - half).max(came) / total,
        upper: (expected + half).min(total) / total,
        variance: variance / (total * total),
        least: came / total,
        most: 1.0,
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
            let bought = bought.iter().map(|row| (row.waiting, stays(&send_back, row.age)));
            let buyers = shown.iter().filter(|row| row.waiting > 0);
            let buyers = buyers.map(|row| (row.waiting, (1.0 - buying.never(&buy, row.age)) * stays(&send_back, 0)));
            draws::binomials(random, bought.chain(buyers)) / total as f64
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let rate = expected / total as f64;
    // Draws are whole purchases: for a handful of them the mean can lie just beside the range.
    let mean = drawn.iter().sum::<f64>() / DRAWS as f64;
    let variance = drawn.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / DRAWS as f64;
    let (lower, upper) = (quantile(&drawn, 0.05).min(rate), quantile(&drawn, 0.95).max(rate));
    Forecast { rate, lower, upper, variance, least: 0.0, most: 1.0 }
}

fn draw_rates(curve: &Curve, random: &mut ChaCha8Rng) -> Vec<f64> {
    let draw = |bucket| {
        let (events, misses) = curve.evidence(bucket);
        draws::beta(random, events, misses)
    };
    curve.buckets().iter().map(draw).collect()
}

fn name(
    metric: &'static str,
    (column, value, span): (&str, &str, &str),
    shown: &[&Waiting],
    forecast: Forecast,
) -> Option<Named> {
    let shown: u64 = shown.iter().map(|row| row.total).sum();
    let (segment_column, segment_value, span) = (column.to_owned(), value.to_owned(), span.to_owned());
    (shown > 0).then_some(Named { metric, segment_column, segment_value, span, shown, forecast })
}

fn batch(named: &[Named], inflation: &VarianceInflation) -> Result<RecordBatch> {
    let texts = |of: fn(&Named) -> &str| Arc::new(StringArray::from_iter_values(named.iter().map(of))) as ArrayRef;
    let numbers = |of: fn(&Forecast) -> f64| {
        Arc::new(Float64Array::from_iter_values(named.iter().map(|named| of(&named.forecast)))) as ArrayRef
    };
    let inflation = named.iter().map(|named| inflation.get(named.metric).copied().unwrap_or(1.0));
    batch_of(
        "nowcasts",
        vec![
            ("metric", texts(|named| named.metric)),
            ("segment_column", texts(|named| &named.segment_column)),
            ("segment_value", texts(|named| &named.segment_value)),
            ("span", texts(|named| &named.span)),
            ("shown", Arc::new(Int64Array::from_iter_values(named.iter().map(|named| named.shown as i64)))),
            ("provisional_rate", numbers(|forecast| forecast.rate)),
            ("provisional_lower", numbers(|forecast| forecast.lower)),
            ("provisional_upper", numbers(|forecast| forecast.upper)),
            ("variance_inflation", Arc::new(Float64Array::from_iter_values(inflation))),
        ],
    )
}
