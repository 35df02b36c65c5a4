//! Provisional figures: what the open outcomes will come to, if customers go on deciding as they have.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Deserialize;

use super::calibration::VarianceInflation;
use super::chain::{Chain, Chances, Rates, StagedDelay};
use super::{draws, quantile};
use selvedge_engine::{Engine, batch_of};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// Draws behind an interval.
const DRAWS: usize = 800;
/// Beyond this the pace at which customers decide has changed, and forecasts from the old pace are withheld.
pub const PACE_LINE: f64 = 2.5;

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
    clicked: bool,
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
    pub segment_column: String,
    pub segment_value: String,
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
    let paused = |stage: &str| paces.iter().any(|p| p.stage == stage && p.z.is_some_and(|z| z.abs() > PACE_LINE));
    let chain = Chain::new(&delays, paused);
    let leanings = chain.leanings(&delays);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let drawn: Vec<Rates> = (0..DRAWS).map(|_| chain.drawn(&mut random)).collect();
    let rates = chain.rates();
    let mut groups: BTreeMap<(&str, &str, &str), Group> = BTreeMap::new();
    for row in waiting.iter().filter(|row| wanted(&row.segment_column, &row.span)) {
        let group = groups.entry((&row.segment_column, &row.segment_value, &row.span)).or_default();
        if row.stage == "purchase" { group.shown.push(row) } else { group.bought.push(row) }
    }
    // Each group draws from the seed anew, so that its forecast does not depend on who comes before.
    let of_group = |(key, group): (&(&str, &str, &str), &Group)| {
        let mut answer = Vec::new();
        // Where nothing is open there is nothing to forecast: the figure is confirmed.
        let open = |days: usize, rows: &[&Waiting]| rows.iter().any(|row| row.waiting > 0 && row.age < days);
        let leaning = leanings.get(&(key.0.to_owned(), key.1.to_owned())).copied().unwrap_or_default();
        let mut add = |metric, of: fn(&Group, &Chances) -> Parts| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let expected = of(group, &Chances::new(&rates, leaning.times()));
            let drawn = drawn.iter().map(|rates| {
                let parts = of(group, &Chances::new(rates, leaning.drawn(&mut random)));
                parts.fixed + draws::binomials(&mut random, parts.open.into_iter())
            });
            answer.extend(name(metric, *key, &group.shown, expected.forecast(group, drawn.collect())));
        };
        if let Some(days) = chain.days_to_buy() {
            if open(days, &group.shown) {
                add("purchase", Parts::purchases);
            }
            if let Some(back) = chain.days_to_return()
                && (open(days, &group.shown) || open(back, &group.bought))
            {
                add("kept", Parts::kept);
            }
        }
        answer
    };
    Ok(groups.par_iter().flat_map_iter(of_group).collect())
}

/// What a forecast adds up: what has come, and how many may still come at which chance.
struct Parts {
    fixed: f64,
    /// What has come by now, of which some is counted as open: it cannot end below.
    least: f64,
    open: Vec<(u64, f64)>,
}

impl Parts {
    /// Bought so far, and those still waiting.
    fn purchases(group: &Group, chances: &Chances) -> Self {
        Self {
            fixed: group.shown.iter().map(|row| row.came as f64).sum(),
            least: group.shown.iter().map(|row| row.came_so_far as f64).sum(),
            open: group.shown.iter().map(|row| (row.waiting, chances.bought(row.clicked, row.age))).collect(),
        }
    }

    /// Bought and not sent back so far, and purchases still to come.
    fn kept(group: &Group, chances: &Chances) -> Self {
        let bought = group.bought.iter().map(|row| (row.waiting, chances.kept(row.age)));
        let to_come = |row: &&Waiting| (row.waiting, chances.bought(row.clicked, row.age) * chances.kept(0));
        Self { fixed: 0.0, least: 0.0, open: bought.chain(group.shown.iter().map(to_come)).collect() }
    }

    fn forecast(&self, group: &Group, mut drawn: Vec<f64>) -> Forecast {
        let total: u64 = group.shown.iter().map(|row| row.total).sum();
        let total = total as f64;
        let expected = self.fixed + self.open.iter().map(|(waiting, chance)| *waiting as f64 * chance).sum::<f64>();
        drawn.sort_by(f64::total_cmp);
        let mean = drawn.iter().sum::<f64>() / DRAWS as f64;
        let variance = drawn.iter().map(|all| (all - mean) * (all - mean)).sum::<f64>() / DRAWS as f64;
        let (lower, upper) = (quantile(&drawn, 0.05), quantile(&drawn, 0.95));
        // It cannot end below what has come already; and draws are whole purchases, so that of a handful of them the mean
        // can lie just beside the range.
        let expected = expected.max(self.least);
        Forecast {
            rate: expected / total,
            lower: lower.max(self.least).min(expected) / total,
            upper: upper.max(expected).min(total) / total,
            variance: variance / (total * total),
            least: self.least / total,
            most: 1.0,
        }
    }
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
