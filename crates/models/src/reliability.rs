//! Whether a score of 30 % means 30 of 100: scores in bins of equal count, and how often each bin came true.

use serde::Serialize;
use statistics::intervals::{Z95, wilson};

use super::ranked::Ranked;

/// How many bins there are at most.
pub const BINS: usize = 10;

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
        let range = wilson(tally.positives as u64, tally.rows as u64, Z95);
        let (low, high) = range.map_or((0.0, 1.0), |range| (range.lower, range.upper));
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
