//! The loss of a batch, by a softmax over candidates, corrected for how often each stands among them.

use std::collections::BTreeMap;

use ndarray::Array2;
use recommenders::maths;

use crate::descent::Batch;

/// Each row's weighted loss -ln softmax of its own candidate, and the gradient of their mean.  `wanted`: the column of each
/// row; `shares`: how often each column's article stands among what was done; `taken`: whether a column counts for a row.
pub fn softmax(
    scores: &Array2<f64>,
    wanted: impl Fn(usize) -> usize,
    weights: &[f64],
    shares: &[f64],
    taken: impl Fn(usize, usize) -> bool,
) -> Batch {
    let corrections: Vec<f64> = shares.iter().map(|share| maths::ln(*share)).collect();
    let whole = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut gradient = Array2::zeros(scores.dim());
    let mut loss = 0.0;
    for (row, weight) in weights.iter().enumerate() {
        let own = wanted(row);
        let columns: Vec<usize> = (0..scores.ncols()).filter(|column| *column == own || taken(row, *column)).collect();
        let corrected = |column: usize| scores[(row, column)] - corrections[column];
        let total = maths::log_sum_exp(columns.iter().map(|column| corrected(*column)));
        loss += weight * (total - corrected(own)) / whole;
        for column in columns {
            let chance = maths::exp(corrected(column) - total) - f64::from(u8::from(column == own));
            gradient[(row, column)] = weight * chance / whole;
        }
    }
    Batch { loss, gradient }
}

/// Each thing's share of what was done around a batch: in it and in as many rows before and behind as it has, times `REACH`.
pub fn shares(done: &[u32], batch: &std::ops::Range<usize>) -> BTreeMap<u32, f64> {
    const REACH: usize = 4;
    let around = batch.start.saturating_sub(REACH * batch.len())..done.len().min(batch.end + REACH * batch.len());
    let each = 1.0 / around.len().max(1) as f64;
    let mut shares = BTreeMap::new();
    done[around].iter().for_each(|thing| *shares.entry(*thing).or_insert(0.0) += each);
    shares
}
