//! Whether a score of 30 % means 30 of 100: scores in bins of equal count, and how often each bin came true.

use serde::Serialize;

use super::ranked::Ranked;

/// How many bins there are at most.
pub const BINS: usize = 10;

/// The 97.5 % point of the normal distribution: intervals cover 95 %.
const Z: f64 = 1.959964;

/// Rows of similar score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    pub rows: u64,
    pub positives: u64,
    /// Mean of the scores.
    pub score: f64,
    /// Share of the rows whose label is true, and its 95 % Wilson interval.
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

/// The rows in [`BINS`] bins of equal count, lowest scores first. A run of equal scores is never cut: all of it goes to
/// the bin in which its middle lies, so there can be fewer bins, of different size. Empty without rows, with scores
/// that are not from 0 to 1, or when the lengths differ.
pub fn reliability(scores: &[f64], labels: &[bool]) -> Vec<Bin> {
    let Some(ranked) = Ranked::new(scores, labels).filter(Ranked::are_probabilities) else {
        return Vec::new();
    };
    let bin = |tally: Tally| {
        let (low, high) = wilson(tally.positives, tally.rows).unwrap_or((0.0, 1.0));
        Bin {
            rows: tally.rows as u64,
            positives: tally.positives as u64,
            score: tally.scores / tally.rows,
            share: tally.positives / tally.rows,
            low,
            high,
        }
    };
    tally(&ranked, |_| 1).into_iter().map(bin).collect()
}

/// The 95 % interval (low, high) of a share of `positives` among `rows` (Wilson 1927); `None` without rows.
pub fn wilson(positives: f64, rows: f64) -> Option<(f64, f64)> {
    if !(rows > 0.0 && (0.0..=rows).contains(&positives)) {
        return None;
    }
    let share = positives / rows;
    let spread = Z * Z / rows;
    let centre = share + spread / 2.0;
    let half = Z * (share * (1.0 - share) / rows + Z * Z / (4.0 * rows * rows)).sqrt();
    // Rounding may step over the edge by an epsilon.
    Some((
        ((centre - half) / (1.0 + spread)).max(0.0),
        ((centre + half) / (1.0 + spread)).min(1.0),
    ))
}

/// What a bin sums up, weighed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    rows: f64,
    positives: f64,
    scores: f64,
}

/// The bins that are not empty, lowest scores first.
pub(super) fn tally(ranked: &Ranked, weight: impl Fn(usize) -> u32) -> Vec<Tally> {
    let mut total = 0.0;
    ranked.for_each_tie(&weight, |tie| total += tie.positives + tie.negatives);
    let mut bins = [Tally::default(); BINS];
    let mut better = 0.0;
    ranked.for_each_tie(weight, |tie| {
        let rows = tie.positives + tie.negatives;
        let middle = (better + rows / 2.0) / total;
        better += rows;
        let bin = &mut bins[((middle * BINS as f64) as usize).min(BINS - 1)];
        bin.rows += rows;
        bin.positives += tie.positives;
        bin.scores += rows * tie.score;
    });
    bins.into_iter().rev().filter(|bin| bin.rows > 0.0).collect()
}

/// The mean distance of score and share over the bins, weighed by their rows. The bins must not be empty.
pub(super) fn calibration_error(bins: &[Tally]) -> f64 {
    let rows: f64 = bins.iter().map(|bin| bin.rows).sum();
    bins.iter().map(|bin| (bin.scores - bin.positives).abs()).sum::<f64>() / rows
}
