//! Shuffled histories: the days that can be judged in another order, whole days together, and how far the furthest
//! stretch of each history lies from what it should be.
//!
//! The figures are those of sql/monitoring/alarm, which judges the log as it was; a thousand orders of the same counts
//! are added up here, because a query would have to write every order down first.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::name;
use crate::engine::Engine;
use crate::error::Result;

/// A row of `monitoring.scan_counts`.
#[derive(Debug, Deserialize)]
struct Count {
    series: i64,
    is_shop: bool,
    day: i64,
    is_reference: bool,
    n: f64,
    x: f64,
    m: f64,
    y: f64,
}

#[derive(Debug, Deserialize)]
struct Series {
    series: i64,
    metric: String,
}

/// One segment's counts on one day: shown and clicked, there and in the rest of the shop.
#[derive(Debug, Clone, Copy)]
struct Day {
    n: f64,
    x: f64,
    m: f64,
    y: f64,
    /// The rest's odds, and the variance that the rest's chance adds; nothing for the whole shop.
    rest: Option<(f64, f64)>,
}

/// The days of one metric: for each segment its counts, day by day.
#[derive(Debug, Default)]
pub struct History {
    segments: Vec<(bool, Vec<Day>)>,
    /// How many of the days are the reference.
    reference: usize,
}

/// Sums over the first days of a stretch of watched days.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    n: f64,
    x: f64,
    e: f64,
    v: f64,
    d: f64,
}

/// One segment in one order of the days.
struct Run {
    is_shop: bool,
    /// Of the first 0, 1, 2, … watched days.
    sums: Vec<Sums>,
    /// Variance of what the reference says.
    v0: f64,
    /// Overdispersion over the reference days.
    phi: Option<f64>,
}

/// The histories of the metrics that have been scanned, from the counts that the scan has left.
pub fn histories(engine: &Engine) -> Result<BTreeMap<String, History>> {
    let series: Vec<Series> = engine.rows(&name("series"))?;
    let metrics: BTreeMap<i64, String> = series.into_iter().map(|row| (row.series, row.metric)).collect();
    let mut counts: Vec<Count> = engine.rows(&name("scan_counts"))?;
    counts.sort_by_key(|count| (count.series, count.day));
    let mut histories: BTreeMap<String, History> = BTreeMap::new();
    for of_series in counts.chunk_by(|a, b| a.series == b.series) {
        let (Some(first), Some(metric)) = (of_series.first(), metrics.get(&of_series[0].series)) else { continue };
        let history = histories.entry(metric.clone()).or_default();
        history.reference = of_series.iter().filter(|count| count.is_reference).count();
        history.segments.push((first.is_shop, of_series.iter().map(Day::new).collect()));
    }
    Ok(histories)
}

impl Day {
    fn new(count: &Count) -> Self {
        let Count { n, x, m, y, .. } = *count;
        let r = (y + 0.5) / (m + 1.0);
        let rest = (!count.is_shop && m > 0.0).then(|| (r / (1.0 - r), 1.0 / (m * r * (1.0 - r))));
        Self { n, x, m, y, rest }
    }
}

impl History {
    /// The furthest |Z| of each of `runs` shuffled histories; 0 where nothing can be judged.
    pub fn shuffled(&self, runs: usize, enough: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
        let days = self.segments.first().map_or(0, |(_, days)| days.len());
        let mut order: Vec<usize> = (0..days).collect();
        (0..runs)
            .map(|_| {
                order.shuffle(random);
                self.furthest(&order, enough)
            })
            .collect()
    }

    /// The furthest |Z| of any segment on any stretch with enough to go by, the days in this order.
    pub fn furthest(&self, order: &[usize], enough: f64) -> f64 {
        let runs: Vec<Run> = self.segments.iter().filter_map(|(shop, days)| self.run(*shop, days, order)).collect();
        let phi = |shop: bool| {
            let known: Vec<f64> = runs.iter().filter(|run| run.is_shop == shop).filter_map(|run| run.phi).collect();
            if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 }
        };
        let phis = [phi(false), phi(true)];
        runs.iter().map(|run| run.furthest(phis[usize::from(run.is_shop)], enough)).fold(0.0, f64::max)
    }

    /// None for a segment that nothing can be said of: nobody in its reference, or no rest.
    fn run(&self, is_shop: bool, days: &[Day], order: &[usize]) -> Option<Run> {
        let (reference, watched) = order.split_at(self.reference.min(order.len()));
        let sum = |of: fn(&Day) -> f64| reference.iter().map(|day| of(&days[*day])).sum::<f64>();
        let (n0, m0) = (sum(|day| day.n), sum(|day| day.m));
        if n0 == 0.0 || !is_shop && m0 == 0.0 {
            return None;
        }
        let (p, r0) = ((sum(|day| day.x) + 0.5) / (n0 + 1.0), (sum(|day| day.y) + 0.5) / (m0 + 1.0));
        let times = p / (1.0 - p) / (r0 / (1.0 - r0));
        // Expected, variance, and variance with the rest's.
        let expected = |day: &Day| {
            let (q, by_rest) = match day.rest {
                Some((odds, by_rest)) => (times * odds / (1.0 + times * odds), by_rest),
                None if is_shop => (p, 0.0),
                None => return None,
            };
            let v = day.n * q * (1.0 - q);
            Some((day.n * q, v, v + v * v * by_rest))
        };
        let (mut spread, mut counted) = (0.0, 0);
        for day in reference.iter().map(|day| &days[*day]) {
            if let Some((e, _, d)) = expected(day).filter(|(.., d)| *d > 0.0) {
                spread += (day.x - e) * (day.x - e) / d;
                counted += 1;
            }
        }
        let mut so_far = Sums::default();
        let mut sums = vec![so_far];
        for day in watched.iter().map(|day| &days[*day]) {
            if let Some((e, v, d)) = expected(day) {
                let Sums { n, x, .. } = so_far;
                so_far = Sums { n: n + day.n, x: x + day.x, e: so_far.e + e, v: so_far.v + v, d: so_far.d + d };
                sums.push(so_far);
            }
        }
        let by_rest = if is_shop { 0.0 } else { 1.0 / (m0 * r0 * (1.0 - r0)) };
        let phi = (counted > 1).then(|| f64::max(1.0, spread / f64::from(counted - 1)));
        Some(Run { is_shop, sums, v0: 1.0 / (n0 * p * (1.0 - p)) + by_rest, phi })
    }
}

impl Run {
    fn furthest(&self, phi: f64, enough: f64) -> f64 {
        let mut furthest: f64 = 0.0;
        for (place, from) in self.sums.iter().enumerate() {
            for to in &self.sums[place + 1..] {
                let (n, e) = (to.n - from.n, to.e - from.e);
                if e >= enough && n - e >= enough {
                    let (x, v, d) = (to.x - from.x, to.v - from.v, to.d - from.d);
                    furthest = furthest.max((x - e) * (x - e) / (phi * (d + v * v * self.v0)));
                }
            }
        }
        furthest.sqrt()
    }
}

/// Numbers that are drawn anew for each seed, the same on every machine.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
