//! Values sorted into bars, so that each bar says something whatever the values are like.
//!
//! A value that more than half of all have (most often 0) is told in words and not drawn: beside it the others would
//! vanish.  Bars are equally wide, at round values; where one of them would hold more than a third of what is drawn, and it
//! helps, they widen to both sides of 0 instead: 1, 2, 5, 10, 20, …  That needs no logarithm, whose last bits differ
//! between processors.

use super::scale::{Ticks, Unit, decimals, hundredths};

/// A value with more than this share is told in words.
const TOLD: f64 = 0.5;
/// Bars widen where the highest would have more than this share of what is drawn,
const CROWDED: f64 = 1.0 / 3.0;
/// and has less than this part of it then.
const HELPS: f64 = 0.75;
/// Bars of equal width, about.
const EQUAL: f64 = 24.0;
/// Bars that widen, at most.
const WIDENING: usize = 20;
/// Labels below equal bars, about.
const LABELS: f64 = 6.0;

/// Bars side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// The share of all values in each bar, from 0 to 1.
    pub shares: Vec<f64>,
    /// What stands below: how many bars from the left, and the words.
    pub ticks: Vec<(f64, String)>,
    /// What to know of the axis, a sentence each.
    pub says: Vec<String>,
}

impl Histogram {
    /// The bars of `values`, sorted upwards and finite.  The outermost 1 in 100 on each side are counted into the first and
    /// the last bar.
    pub fn of(values: &[f64]) -> Self {
        let mut says = Vec::new();
        let mut drawn = values.to_vec();
        let frequent = values.chunk_by(|a, b| a == b).max_by_key(|alike| alike.len()).unwrap_or_default();
        let share = frequent.len() as f64 / values.len().max(1) as f64;
        if let Some(value) = frequent.first().filter(|_| share > TOLD) {
            says.push(format!("{} in 100 are {}, not drawn", hundredths(share), plain(*value)));
            drawn.retain(|other| other != value);
        }
        let Some((low, high)) = ends(&drawn) else { return Self { says, ..Self::default() } };
        let whole = drawn.iter().all(|value| value.fract() == 0.0);
        let (edges, ticks) = equal(low, high, whole);
        let shares = counted(&drawn, &edges, values.len());
        let drawn_share = drawn.len() as f64 / values.len() as f64;
        if highest(&shares) <= CROWDED * drawn_share {
            return Self { shares, ticks, says };
        }
        let edges = widening(&drawn, low, high);
        let widened = counted(&drawn, &edges, values.len());
        if highest(&widened) >= HELPS * highest(&shares) {
            return Self { shares, ticks, says };
        }
        says.push("uneven axis: bars widen away from 0".into());
        let ticks = edges.iter().enumerate().map(|(place, edge)| (place as f64, plain(*edge))).collect();
        Self { shares: widened, ticks, says }
    }
}

/// The values that 1 in 100 are below and above; the outermost where these are the same.
fn ends(sorted: &[f64]) -> Option<(f64, f64)> {
    let (low, high) = (quantile(sorted, 1)?, quantile(sorted, 99)?);
    if high > low { Some((low, high)) } else { Some((*sorted.first()?, *sorted.last()?)) }
}

/// The value below which `hundredths` of 100 lie.
fn quantile(sorted: &[f64], hundredths: usize) -> Option<f64> {
    sorted.get(sorted.len().saturating_sub(1) * hundredths / 100).copied()
}

fn highest(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(0.0, f64::max)
}

/// Where bars of equal width begin, and the last one's end; and the labels below them.  Bars of whole numbers hold
/// equally many of them.
fn equal(low: f64, high: f64, whole: bool) -> (Vec<f64>, Vec<(f64, String)>) {
    let unit = if whole { Unit::Count } else { Unit::Number(0) };
    // A whole number's bar reaches up to the next one.
    let bars = Ticks::over(low, if whole { high + 1.0 } else { high }, EQUAL, unit);
    let labels = Ticks::over(low, high, LABELS, unit);
    let start = bars.ends().0;
    let single = whole && bars.step == 1.0;
    let place = |value: f64| (value - start) / bars.step + if single { 0.5 } else { 0.0 };
    let count = bars.values.len() as f64 - 1.0;
    let ticks = labels.values.iter().map(|value| (place(*value), Unit::Number(0).tick(*value, labels.step)));
    (bars.values, ticks.filter(|(place, _)| (0.0..=count).contains(place)).collect())
}

/// Where bars begin that widen away from 0, and the last one's end: 1, 2 or 5 times a power of ten.  A twentieth of the
/// values may be too close to 0 for a bar of their own.
fn widening(values: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).filter(|size| *size > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let least = quantile(&sizes, 5).unwrap_or(1.0);
    let most = low.abs().max(high.abs());
    let rungs: Vec<f64> = ladder().collect();
    let from = rungs.partition_point(|rung| *rung <= least).saturating_sub(1);
    let until = (rungs.partition_point(|rung| *rung <= most) + 1).min(rungs.len());
    let rungs = &rungs[from.max(until.saturating_sub(WIDENING))..until];
    let below = rungs.iter().rev().map(|rung| -rung).filter(|_| low < 0.0);
    let above = rungs.iter().copied().filter(|_| high > 0.0);
    let one_sided = low >= 0.0 || high <= 0.0;
    let near = |value: &f64| rungs.first().is_some_and(|rung| value.abs() < *rung);
    let middle = (one_sided && values.iter().any(near)).then_some(0.0);
    below.chain(middle).chain(above).collect()
}

/// 0.001, 0.002, 0.005, 0.01, … up to 5,000,000,000; each the closest number there is to what it says.
fn ladder() -> impl Iterator<Item = f64> {
    let small = (1..=3).rev().map(|power| (1.0, f64::from(10_u32.pow(power))));
    let large = (0..=9).map(|power| (f64::from(10_u32.pow(power)), 1.0));
    small.chain(large).flat_map(|(times, parts)| [1.0, 2.0, 5.0].map(|digit| digit * times / parts))
}

/// The share of `total` in each stretch from one edge to the next; what is beyond counts into the outermost.
fn counted(values: &[f64], edges: &[f64], total: usize) -> Vec<f64> {
    let mut counts = vec![0_u32; edges.len().saturating_sub(1)];
    for value in values {
        let place = edges.partition_point(|edge| edge <= value).saturating_sub(1).min(counts.len().saturating_sub(1));
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    counts.into_iter().map(|count| f64::from(count) / total as f64).collect()
}

/// A number with no more decimals than it has, three at most.
pub fn plain(value: f64) -> String {
    let text = decimals(value, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
