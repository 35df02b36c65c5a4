//! The best k of many, exactly.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::metrics::rounded;

/// A score to 1e-9 as a number that sorts as it does.
fn key(score: f64) -> i64 {
    let bits = rounded(score).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The rows of the `k` highest scores, best first; of equal ones (to 1e-9) those with the smaller number.
pub fn top(scores: &[f64], k: usize) -> Vec<u32> {
    top_by(scores.len(), k, |row| scores[row], |_| true).into_iter().map(|(row, _)| row).collect()
}

/// As [`top`], of those rows that `allowed` lets through, with their scores.
pub fn top_by(rows: usize, k: usize, score: impl Fn(usize) -> f64, allowed: impl Fn(usize) -> bool) -> Vec<(u32, f64)> {
    // The worst of the best stands on top.
    let mut best: BinaryHeap<(Reverse<i64>, usize)> = BinaryHeap::with_capacity(k + 1);
    for row in (0..rows).filter(|row| allowed(*row)) {
        let candidate = (Reverse(key(score(row))), row);
        if best.len() < k {
            best.push(candidate);
        } else if best.peek().is_some_and(|worst| candidate < *worst) {
            best.pop();
            best.push(candidate);
        }
    }
    best.into_sorted_vec().into_iter().map(|(_, row)| (row as u32, score(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metrics::order, seeds};

    #[test]
    fn the_best_are_those_of_a_full_sort() {
        let mut random = seeds::stream(1, "top", 0);
        for count in [0, 1, 9, 10, 11, 500] {
            // Many ties, also across 0.
            let scores: Vec<f64> = (0..count).map(|_| (seeds::normal(&mut random, 3.0)).round() / 4.0).collect();
            let expected: Vec<u32> = order(&scores, &[]).into_iter().take(10).map(|row| row as u32).collect();
            assert_eq!(top(&scores, 10), expected);
        }
        assert_eq!(top(&[1.0, 3.0], 0), [0_u32; 0]);
        assert_eq!(top_by(4, 2, |row| row as f64, |row| row != 3), [(2, 2.0), (1, 1.0)]);
    }
}
