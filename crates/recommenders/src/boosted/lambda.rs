//! LambdaMART's gradients: what moving an article of a query would do to NDCG (Burges 2010), as LightGBM computes them.
//!
//! Sorted by score, gains 2^label - 1, discount D(place) = 1/log2(place + 1), for pairs with different labels of which the
//! better placed is among the first `truncation`:
//! ```text
//! dN = (gain_hi - gain_lo) |D_hi - D_lo| / maxDCG@truncation     p = 1/(1 + exp(s_hi - s_lo))
//! g_hi -= p dN, g_lo += p dN     h_hi += p (1 - p) dN, h_lo += the same     S += 2 p dN
//! ```
//! Normalised: dN is divided by .01 + |s_hi - s_lo| where the best score is not the worst, and in the end all g and h are
//! multiplied by log2(1 + S)/S.

use std::ops::Range;

use rayon::prelude::*;

use crate::maths;

/// The gradient and the second derivative of each row.
pub(super) type Slopes = Vec<(f64, f64)>;

/// How pairs count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pairs {
    pub truncation: usize,
    pub normalised: bool,
}

/// Those of all queries.
pub(super) fn slopes(scores: &[f64], labels: &[u8], queries: &[Range<usize>], pairs: Pairs) -> Slopes {
    let of_query = |query: &Range<usize>| of_query(&scores[query.clone()], &labels[query.clone()], pairs);
    queries.par_iter().map(of_query).collect::<Vec<Slopes>>().concat()
}

/// Those of one query.
fn of_query(scores: &[f64], labels: &[u8], pairs: Pairs) -> Slopes {
    let mut slopes = vec![(0.0, 0.0); scores.len()];
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let best = best_gain(labels, pairs.truncation);
    let (Some(first), Some(last)) = (order.first(), order.last()) else { return slopes };
    if best <= 0.0 {
        return slopes;
    }
    let apart = pairs.normalised && scores[*first] != scores[*last];
    // Each power and logarithm once, not for each pair.
    let gains: Vec<f64> = labels.iter().map(|label| gain(*label)).collect();
    let discounts: Vec<f64> = (0..scores.len()).map(discount).collect();
    let mut total = 0.0;
    for (place, upper) in order.iter().enumerate().take(pairs.truncation) {
        for (below, lower) in order.iter().enumerate().skip(place + 1) {
            if labels[*upper] == labels[*lower] {
                continue;
            }
            let (high, low) = if labels[*upper] > labels[*lower] { (*upper, *lower) } else { (*lower, *upper) };
            let distance = scores[high] - scores[low];
            let mut change = (gains[high] - gains[low]) * (discounts[place] - discounts[below]).abs() / best;
            if apart {
                change /= 0.01 + distance.abs();
            }
            let p = maths::sigmoid(-distance);
            slopes[high].0 -= p * change;
            slopes[low].0 += p * change;
            slopes[high].1 += p * (1.0 - p) * change;
            slopes[low].1 += p * (1.0 - p) * change;
            total += 2.0 * p * change;
        }
    }
    if pairs.normalised && total > 0.0 {
        let factor = maths::log2(1.0 + total) / total;
        slopes.iter_mut().for_each(|(g, h)| (*g, *h) = (*g * factor, *h * factor));
    }
    slopes
}

/// 2^label - 1.
fn gain(label: u8) -> f64 {
    maths::pow(2.0, f64::from(label)) - 1.0
}

/// 1/log2(place + 1), for a place counted from 0.
fn discount(place: usize) -> f64 {
    1.0 / maths::log2(place as f64 + 2.0)
}

/// The most that the first `truncation` places could gain.
fn best_gain(labels: &[u8], truncation: usize) -> f64 {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.into_iter().take(truncation).enumerate().map(|(place, label)| gain(label) * discount(place)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 5] = [0.2, 0.5, 0.1, -0.3, 0.4];
    const LABELS: [u8; 5] = [3, 0, 2, 0, 1];

    fn gradients(scores: &[f64], truncation: usize, normalised: bool) -> Vec<f64> {
        of_query(scores, &LABELS, Pairs { truncation, normalised }).into_iter().map(|(g, _)| g).collect()
    }

    fn near(a: &[f64], b: &[f64]) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }

    #[test]
    fn gradients_are_those_of_the_vectors() {
        near(&gradients(&SCORES, 30, false), &[-0.305897, 0.343545, -0.124952, 0.046075, 0.041230]);
        let second: Vec<f64> = of_query(&SCORES, &LABELS, Pairs { truncation: 30, normalised: false })
            .into_iter()
            .map(|(_, h)| h)
            .collect();
        near(&second, &[0.138971, 0.144579, 0.064837, 0.028941, 0.046685]);
        near(&gradients(&SCORES, 30, true), &[-0.699588, 0.727688, -0.146837, 0.056168, 0.062568]);
        near(&gradients(&SCORES, 2, true), &[-0.633556, 0.796613, -0.240010, 0.008460, 0.068494]);
        near(&gradients(&[0.0; 5], 30, true), &[-0.585033, 0.153827, 0.056028, 0.202392, 0.172787]);
    }

    #[test]
    fn queries_without_a_pair_pull_nowhere() {
        let scores = [1.0, 2.0, 3.0, 4.0];
        let found = slopes(&scores, &[0, 0, 2, 2], &[0..2, 2..4, 4..4], Pairs { truncation: 30, normalised: true });
        assert_eq!(found, [(0.0, 0.0); 4]);
    }
}
