//! The order of a shelf by its scores, and how much of it is right.

/// Scores that differ by less are the same: last bits must not decide.
const DIGITS: f64 = 1e9;

/// The rows of a shelf by (score rounded to 1e-9, lot, row), best first.  `lots`: seeded numbers that decide between equal
/// scores; where there are none, the row does, and rows are in the order of their keys.
pub fn order(scores: &[f64], lots: &[u64]) -> Vec<usize> {
    let lot = |row: usize| lots.get(row).copied().unwrap_or(0);
    let mut order: Vec<(f64, u64, usize)> =
        scores.iter().enumerate().map(|(row, score)| (rounded(*score), lot(row), row)).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    order.into_iter().map(|(_, _, row)| row).collect()
}

/// Of all pairs of a target and another article of the shelf, the share with the target ahead; ties count half.
/// `None` where there is no pair.
pub fn right_order(scores: &[f64], targets: &[bool]) -> Option<f64> {
    let of = |wanted: bool| scores.iter().zip(targets).filter(move |(_, target)| **target == wanted);
    let mut others: Vec<f64> = of(false).map(|(score, _)| rounded(*score)).collect();
    others.sort_unstable_by(f64::total_cmp);
    let ahead = |score: f64| {
        let below = others.partition_point(|other| other.total_cmp(&score).is_lt());
        let not_above = others.partition_point(|other| other.total_cmp(&score).is_le());
        (below + not_above) as f64 / 2.0
    };
    let pairs = of(true).count() * others.len();
    let right: f64 = of(true).map(|(score, _)| ahead(rounded(*score))).sum();
    (pairs > 0).then(|| right / pairs as f64)
}

/// To 1e-9, and 0 for -0.
pub(crate) fn rounded(score: f64) -> f64 {
    (score * DIGITS).round() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_pairs_is_that_of_the_vector() {
        let share = right_order(&[0.7, 0.4, 0.9, 0.4, 0.1], &[true, true, false, false, false]).unwrap();
        assert!((share - 0.583333).abs() < 1e-6);
        assert_eq!(right_order(&[0.0, -0.0], &[true, false]), Some(0.5));
        assert_eq!(right_order(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(right_order(&[], &[]), None);
    }

    #[test]
    fn equal_scores_are_ordered_by_lot_and_then_by_row() {
        assert_eq!(order(&[1.0, 2.0, 1.0 + 1e-12, 2.0], &[9, 5, 3, 5]), [1, 3, 2, 0]);
        assert_eq!(order(&[0.0, -0.0, 0.0], &[]), [0, 1, 2]);
    }
}
