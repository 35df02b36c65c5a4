//! A list whose kinds are in the customer's own proportions (Steck 2018).

use crate::metrics::{KindShares, kinds_apart, rounded};

/// Chooses `k` rows one after the other: the next is that which makes `(1 - trade) sum of scores - trade KL(own, list)` the
/// largest.  `kinds`: the number of each row's kind, below the number of `own` shares; `trade` from 0 (the best k) to 1.
/// Equal ones in the order of their numbers.  A row of a kind beyond the shares is not chosen.
pub fn calibrated(scores: &[f64], kinds: &[usize], own: &KindShares, trade: f64, k: usize) -> Vec<u32> {
    let mut left: Vec<usize> = (0..scores.len().min(kinds.len())).filter(|row| kinds[*row] < own.0.len()).collect();
    let mut counts = vec![0.0; own.0.len()];
    let mut chosen: Vec<u32> = Vec::new();
    while chosen.len() < k {
        let apart: Vec<f64> = (0..counts.len())
            .map(|kind| {
                let share =
                    |(at, count): (usize, &f64)| (count + f64::from(u8::from(at == kind))) / (chosen.len() + 1) as f64;
                kinds_apart(own, &counts.iter().enumerate().map(share).collect::<Vec<f64>>())
            })
            .collect();
        let value = |row: usize| rounded((1.0 - trade) * scores[row] - trade * apart[kinds[row]]);
        let better = |best: usize, row: usize| if value(row) > value(best) { row } else { best };
        let Some(best) = left.iter().copied().reduce(better) else { break };
        left.retain(|row| *row != best);
        counts[kinds[best]] += 1.0;
        chosen.push(best as u32);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_follows_the_customer_as_far_as_it_is_asked_to() {
        let own = KindShares(vec![0.5, 0.5, 0.0]);
        let scores = [0.9, 0.8, 0.7, 0.3, 0.2, 0.6];
        let kinds = [0, 0, 0, 1, 1, 2];
        assert_eq!(calibrated(&scores, &kinds, &own, 0.0, 4), [0, 1, 2, 5]);
        assert_eq!(calibrated(&scores, &kinds, &own, 0.99, 4), [0, 3, 1, 4]);
        assert_eq!(calibrated(&[1.0; 3], &[7, 0, 0], &own, 0.5, 9), [1, 2]);
        assert!(calibrated(&[], &[], &own, 0.5, 4).is_empty());
    }
}
