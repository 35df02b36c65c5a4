//! Shuffled histories: the days that can be judged in another order, whole days together, and how far the furthest
//! window of each history lies from what it should be.
//!
//! The figures are those of sql/monitoring/alarm, which judges the log as it was; a thousand orders of the same counts
//! are added up here, because a query would have to write every order down first.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::name;
use selvedge_engine::Engine;
use selvedge_project::error::Result;

/// A row of `monitoring.scan_counts`.
#[derive(Debug, Deserialize)]
struct Count {
    series: i64,
    is_shop: bool,
    day: i64,
    is_reference: bool,
    n: f64,
    x: f64,
    usual: f64,
    m: f64,
    y: f64,
    rest_usual: f64,
}

#[derive(Debug, Deserialize)]
struct Series {
    series: i64,
    metric: String,
}

/// Shown, clicked, and what the mix that was shown would usually click.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub shown: f64,
    pub yes: f64,
    pub usual: f64,
}

/// One segment's day, there and in the rest of the shop.
#[derive(Debug, Clone, Copy)]
struct Day {
    own: Tally,
    rest: Tally,
    /// What the day says of the odds, whatever the reference is - its mix, and how the rest moved but for its mix - and the
    /// variance that the rest's chance adds; nothing where there is no rest.
    moved: Option<(f64, f64)>,
}

/// What the scan's queries read as `$parameters`.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// As many expected clicks, and misses, as a window must have to be judged.
    pub enough: f64,
    /// The share that a Z counts for when its window ended before the last day.
    pub ended_counts: f64,
}

/// The days of one metric: for each segment its counts, day by day.
#[derive(Debug, Default)]
pub struct History {
    segments: Vec<(bool, Vec<Day>)>,
    /// How many of the days are the reference.
    reference: usize,
}

/// Sums over the first days of a window of watched days.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    n: f64,
    x: f64,
    e: f64,
    v: f64,
    d: f64,
    /// What phi - 1 is a multiple of.
    moved: f64,
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
        let tally = |shown, yes, usual| Tally { shown, yes, usual };
        let day = |count: &Count| {
            let (own, rest) = (tally(count.n, count.x, count.usual), tally(count.m, count.y, count.rest_usual));
            Day::new(first.is_shop, own, rest)
        };
        history.segments.push((first.is_shop, of_series.iter().map(day).collect()));
    }
    Ok(histories)
}

impl Tally {
    fn rate(&self) -> f64 {
        (self.yes + 0.5) / (self.shown + 1.0)
    }

    /// The odds of what is usual; even where nobody was shown anything, for then they weigh nothing.
    fn usual_odds(&self) -> f64 {
        if self.shown > 0.0 { self.usual / (self.shown - self.usual) } else { 1.0 }
    }

    /// What is left without a part of it.
    pub fn less(&self, part: &Self) -> Self {
        Self { shown: self.shown - part.shown, yes: self.yes - part.yes, usual: self.usual - part.usual }
    }

    fn sum<'a>(days: impl Iterator<Item = &'a Self>) -> Self {
        days.fold(Self::default(), |sum, day| Self {
            shown: sum.shown + day.shown,
            yes: sum.yes + day.yes,
            usual: sum.usual + day.usual,
        })
    }
}

impl Day {
    fn new(is_shop: bool, own: Tally, rest: Tally) -> Self {
        let moved = match is_shop {
            true => Some((own.usual_odds(), 0.0)),
            false if rest.shown > 0.0 => {
                let r = rest.rate();
                let times = own.usual_odds() / rest.usual_odds();
                Some((times * r / (1.0 - r), 1.0 / (rest.shown * r * (1.0 - r))))
            }
            false => None,
        };
        Self { own, rest, moved }
    }
}

impl History {
    /// From each segment's days, there and in the rest; the first `reference` days are the reference.
    pub fn new(reference: usize, segments: impl Iterator<Item = (bool, Vec<(Tally, Tally)>)>) -> Self {
        let segment = |(is_shop, days): (bool, Vec<(Tally, Tally)>)| {
            (is_shop, days.into_iter().map(|(own, rest)| Day::new(is_shop, own, rest)).collect())
        };
        Self { segments: segments.map(segment).collect(), reference }
    }

    /// The furthest |Z| of each of `runs` shuffled histories; 0 where nothing can be judged.
    pub fn shuffled(&self, runs: usize, rules: Rules, random: &mut ChaCha8Rng) -> Vec<f64> {
        let days = self.segments.first().map_or(0, |(_, days)| days.len());
        let mut order: Vec<usize> = (0..days).collect();
        (0..runs)
            .map(|_| {
                order.shuffle(random);
                self.furthest(&order, rules)
            })
            .collect()
    }

    /// The furthest |Z| of any segment on any window with enough to go by, the days in this order.
    pub fn furthest(&self, order: &[usize], rules: Rules) -> f64 {
        self.scan(order, rules).into_iter().map(f64::abs).fold(0.0, f64::max)
    }

    /// The furthest Z of each segment, the days in this order; 0 where nothing can be judged.
    pub fn scan(&self, order: &[usize], rules: Rules) -> Vec<f64> {
        let runs: Vec<Option<Run>> = self.segments.iter().map(|(shop, days)| self.run(*shop, days, order)).collect();
        let phi = |shop: bool| {
            let runs = runs.iter().flatten().filter(|run| run.is_shop == shop);
            let known: Vec<f64> = runs.filter_map(|run| run.phi).collect();
            if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 }
        };
        let phis = [phi(false), phi(true)];
        let furthest = |run: &Run| run.furthest(phis[usize::from(run.is_shop)], rules);
        runs.iter().map(|run| run.as_ref().map_or(0.0, furthest)).collect()
    }

    /// None for a segment that nothing can be said of: nobody in its reference, or no rest.
    fn run(&self, is_shop: bool, days: &[Day], order: &[usize]) -> Option<Run> {
        let (reference, watched) = order.split_at(self.reference.min(order.len()));
        let own = Tally::sum(reference.iter().map(|day| &days[*day].own));
        let rest = Tally::sum(reference.iter().map(|day| &days[*day].rest));
        if own.shown == 0.0 || !is_shop && rest.shown == 0.0 {
            return None;
        }
        let (p, r0) = (own.rate(), rest.rate());
        let (mut times, mut v0) = (p / (1.0 - p) / own.usual_odds(), 1.0 / (own.shown * p * (1.0 - p)));
        if !is_shop {
            times *= rest.usual_odds() / (r0 / (1.0 - r0));
            v0 += 1.0 / (rest.shown * r0 * (1.0 - r0));
        }
        let usual_day = own.shown / reference.len() as f64;
        // Expected, variance, and variance with the rest's.
        let expected = |day: &Day| {
            let (moved, by_rest) = day.moved?;
            let q = times * moved / (1.0 + times * moved);
            let v = day.own.shown * q * (1.0 - q);
            Some((day.own.shown * q, v, v + v * v * by_rest))
        };
        let (mut spread, mut counted) = (0.0, 0);
        for day in reference.iter().map(|day| &days[*day]) {
            if let Some((e, _, d)) = expected(day).filter(|(.., d)| *d > 0.0) {
                spread += (day.own.yes - e) * (day.own.yes - e) / d;
                counted += 1;
            }
        }
        let mut so_far = Sums::default();
        let mut sums = vec![so_far];
        for day in watched.iter().map(|day| &days[*day]) {
            if let Some((e, v, d)) = expected(day) {
                let moved = if is_shop { v * day.own.shown / usual_day } else { d };
                so_far = Sums {
                    n: so_far.n + day.own.shown,
                    x: so_far.x + day.own.yes,
                    e: so_far.e + e,
                    v: so_far.v + v,
                    d: so_far.d + d,
                    moved: so_far.moved + moved,
                };
                sums.push(so_far);
            }
        }
        let phi = (counted > 1).then(|| f64::max(1.0, spread / f64::from(counted - 1)));
        Some(Run { is_shop, sums, v0, phi })
    }
}

impl Run {
    fn furthest(&self, phi: f64, rules: Rules) -> f64 {
        let mut furthest: f64 = 0.0;
        for (end, to) in self.sums.iter().enumerate() {
            let counts = if end + 1 == self.sums.len() { 1.0 } else { rules.ended_counts };
            // Squares are compared, for a root takes longer.
            let (mut squared, mut sign) = (0.0, 0.0);
            for from in &self.sums[..end] {
                let (n, e) = (to.n - from.n, to.e - from.e);
                if e >= rules.enough && n - e >= rules.enough {
                    let (x, v, d) = (to.x - from.x, to.v - from.v, to.d - from.d);
                    let variance = d + (phi - 1.0) * (to.moved - from.moved) + phi * v * v * self.v0;
                    let further = (x - e) * (x - e) / variance;
                    if further > squared {
                        (squared, sign) = (further, (x - e).signum());
                    }
                }
            }
            let z = sign * counts * f64::sqrt(squared);
            if z.abs() > furthest.abs() {
                furthest = z;
            }
        }
        furthest
    }
}

/// Numbers that are drawn anew for each seed, the same on every machine.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
