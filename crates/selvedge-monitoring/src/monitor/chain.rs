//! What becomes of a recommendation - clicked, bought, kept - learned from what became of those before it.
//!
//! Whoever has clicked buys at rates of their own, whoever has not at others, and may still click; how much a click says is
//! read from the log, never assumed: where purchases come without clicks, both rates are alike.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::draws;
use super::survival::{Curve, Delay};

/// So many must have waited to the very end before anything is said about late ones.
const ENOUGH_OLD: u64 = 25;
/// Events that are added in all, so that what never came is not taken for impossible: one, shared out over the two ways to
/// a purchase.
const ONE: f64 = 1.0;
const HALF: f64 = 0.5;

/// A row of `monitoring.delays`.
#[derive(Debug, Deserialize)]
pub struct StagedDelay {
    pub segment_column: String,
    pub segment_value: String,
    pub stage: String,
    pub clicked: bool,
    #[serde(flatten)]
    pub delay: Delay,
}

/// How the steps of the chain go, in the whole shop; none of what cannot be told yet.
#[derive(Debug)]
pub struct Chain {
    buying: Option<Buying>,
    returning: Option<Curve>,
}

/// The three ways out of a day of waiting for a purchase.
#[derive(Debug)]
struct Buying {
    clicked: Curve,
    unclicked: Curve,
    clicks: Curve,
}

/// One set of daily rates, as they are or as they might be.
#[derive(Debug, Clone)]
pub struct Rates {
    clicked: Vec<f64>,
    unclicked: Vec<f64>,
    clicks: Vec<f64>,
    returning: Vec<f64>,
}

/// The chance that it is bought in the end after so many days of waiting, by whether it was clicked; and that it is kept
/// after so many days since the purchase.
#[derive(Debug)]
pub struct Chances {
    bought: [Vec<f64>; 2],
    kept: Vec<f64>,
}

/// How much more often than in the whole shop something comes in a segment: what came and what was expected, both with as
/// much of the shop's own as segments differ little.
#[derive(Debug, Clone, Copy)]
pub struct Leaning {
    came: f64,
    expected: f64,
}

/// A segment's leanings in both waits.
#[derive(Debug, Default, Clone, Copy)]
pub struct Leanings {
    pub buying: Option<Leaning>,
    pub returning: Option<Leaning>,
}

impl Chain {
    /// From the whole shop's delays; `paused` says of a stage that its pace has changed.
    pub fn new(delays: &[StagedDelay], paused: impl Fn(&str) -> bool) -> Self {
        let of = |stage: &str, clicked: bool| -> Vec<Delay> {
            let own = delays.iter().filter(|d| d.segment_column == "shop" && d.stage == stage && d.clicked == clicked);
            own.map(|d| d.delay).collect()
        };
        let old = |delays: &[Delay]| delays.last().map_or(0, |delay| delay.at_risk);
        let (clicked, unclicked, returning) = (of("purchase", true), of("purchase", false), of("return", false));
        let told = old(&clicked) + old(&unclicked) >= ENOUGH_OLD && !paused("purchase");
        let buying = told.then(|| Buying {
            clicked: Curve::smoothed(&clicked, HALF),
            unclicked: Curve::smoothed(&unclicked, HALF),
            clicks: Curve::smoothed(&of("click", false), ONE),
        });
        let told = old(&returning) >= ENOUGH_OLD && !paused("return");
        Self { buying, returning: told.then(|| Curve::smoothed(&returning, ONE)) }
    }

    /// Days until a purchase can no longer come; none while nothing can be told of purchases.
    pub fn days_to_buy(&self) -> Option<usize> {
        self.buying.as_ref().map(|buying| buying.clicked.days())
    }

    /// The same of returns.
    pub fn days_to_return(&self) -> Option<usize> {
        self.returning.as_ref().map(Curve::days)
    }

    /// The rates as they are.
    pub fn rates(&self) -> Rates {
        self.rates_by(&mut |curve| curve.rates())
    }

    /// Rates as they might be, given how little is known of them.
    pub fn drawn(&self, random: &mut ChaCha8Rng) -> Rates {
        self.rates_by(&mut |curve| {
            let draw = |bucket| {
                let (events, misses) = curve.evidence(bucket);
                draws::beta(random, events, misses)
            };
            curve.buckets().iter().map(draw).collect()
        })
    }

    fn rates_by(&self, of: &mut impl FnMut(&Curve) -> Vec<f64>) -> Rates {
        let mut daily = |curve: Option<&Curve>| {
            curve.map_or_else(Vec::new, |curve| {
                let rates = of(curve);
                curve.daily(&rates)
            })
        };
        let buying = self.buying.as_ref();
        Rates {
            clicked: daily(buying.map(|buying| &buying.clicked)),
            unclicked: daily(buying.map(|buying| &buying.unclicked)),
            clicks: daily(buying.map(|buying| &buying.clicks)),
            returning: daily(self.returning.as_ref()),
        }
    }

    /// How each segment leans, as far as segments differ by more than chance.
    pub fn leanings(&self, delays: &[StagedDelay]) -> BTreeMap<(String, String), Leanings> {
        let rates = self.rates();
        let mut leanings: BTreeMap<(String, String), Leanings> = BTreeMap::new();
        for stage in ["purchase", "return"] {
            let mut sums: BTreeMap<(&str, &str), Leaning> = BTreeMap::new();
            for row in delays.iter().filter(|row| row.stage == stage) {
                let rates = match (stage, row.clicked) {
                    ("return", _) => &rates.returning,
                    (_, true) => &rates.clicked,
                    _ => &rates.unclicked,
                };
                let Some(rate) = rates.get(row.delay.day) else { continue };
                let sum = sums.entry((&row.segment_column, &row.segment_value)).or_default();
                sum.came += row.delay.events as f64;
                sum.expected += row.delay.at_risk as f64 * rate;
            }
            let shop = sums.iter().find(|((column, _), _)| *column == "shop").map_or(0.0, |(_, sum)| sum.expected);
            sums.retain(|(column, _), sum| *column != "shop" && sum.expected > 0.0 && sum.expected < shop);
            // Beyond what chance makes of it, by the method of moments.
            let chance = |sum: &Leaning| sum.expected * (1.0 - sum.expected / shop);
            let beyond: f64 = sums.values().map(|sum| (sum.came - sum.expected).powi(2) - chance(sum)).sum();
            let differ = beyond / sums.values().map(|sum| sum.expected * sum.expected).sum::<f64>();
            if sums.is_empty() || differ <= 0.0 {
                continue;
            }
            for ((column, value), sum) in sums {
                let leaning = Leaning { came: sum.came + 1.0 / differ, expected: sum.expected + 1.0 / differ };
                let own = leanings.entry((column.to_owned(), value.to_owned())).or_default();
                if stage == "purchase" { own.buying = Some(leaning) } else { own.returning = Some(leaning) }
            }
        }
        leanings
    }
}

impl Default for Leaning {
    fn default() -> Self {
        Self { came: 0.0, expected: 0.0 }
    }
}

impl Leaning {
    fn times(self) -> f64 {
        self.came / self.expected
    }
}

impl Leanings {
    /// What the segment's rates are multiplied by: purchases, returns.
    pub fn times(&self) -> (f64, f64) {
        (self.buying.map_or(1.0, Leaning::times), self.returning.map_or(1.0, Leaning::times))
    }

    /// The same as it might be.
    pub fn drawn(&self, random: &mut ChaCha8Rng) -> (f64, f64) {
        let mut draw = |leaning: Option<Leaning>| {
            leaning.map_or(1.0, |leaning| draws::gamma(random, leaning.came) / leaning.expected)
        };
        (draw(self.buying), draw(self.returning))
    }
}

impl Chances {
    /// From the last day of waiting backwards.
    pub fn new(rates: &Rates, (buying, returning): (f64, f64)) -> Self {
        let comes = |rate: f64, times: f64| (rate * times).min(1.0);
        let days = rates.clicked.len();
        let mut bought = [vec![0.0; days + 1], vec![0.0; days + 1]];
        for day in (0..days).rev() {
            let (at_once, later) = (comes(rates.clicked[day], buying), bought[1][day + 1]);
            bought[1][day] = at_once + (1.0 - at_once) * later;
            let (at_once, clicks) = (comes(rates.unclicked[day], buying), rates.clicks[day]);
            bought[0][day] = at_once + (1.0 - at_once) * (clicks * later + (1.0 - clicks) * bought[0][day + 1]);
        }
        let days = rates.returning.len();
        let mut kept = vec![1.0; days + 1];
        for day in (0..days).rev() {
            kept[day] = (1.0 - comes(rates.returning[day], returning)) * kept[day + 1];
        }
        Self { bought, kept }
    }

    pub fn bought(&self, clicked: bool, age: usize) -> f64 {
        self.bought[usize::from(clicked)].get(age).copied().unwrap_or_default()
    }

    pub fn kept(&self, age: usize) -> f64 {
        self.kept.get(age).copied().unwrap_or(1.0)
    }
}
