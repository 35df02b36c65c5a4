//! Maximal marginal relevance: a list in which not all is alike (Carbonell and Goldstein 1998).

use crate::{dense::cosine, metrics::rounded};

/// Chooses `k` rows one after the other: the next is that with the largest standardised score less `penalty` times its
/// largest cosine to those chosen.  `descriptions`: one vector for each row.  With penalty 0 these are the best k.  Equal
/// ones in the order of their numbers.
pub fn most_relevant_least_alike(scores: &[f64], descriptions: &[&[f64]], penalty: f64, k: usize) -> Vec<u32> {
    walk(&standardised(scores), descriptions, penalty, k)
}

/// The next is the largest score less `penalty` times the largest likeness to those chosen.
fn walk(scores: &[f64], descriptions: &[&[f64]], penalty: f64, k: usize) -> Vec<u32> {
    let mut left: Vec<usize> = (0..scores.len().min(descriptions.len())).collect();
    let mut likeness = vec![f64::NEG_INFINITY; scores.len()];
    let mut chosen: Vec<u32> = Vec::new();
    while chosen.len() < k {
        let value = |row: usize| match chosen.is_empty() {
            true => rounded(scores[row]),
            false => rounded(scores[row] - penalty * likeness[row]),
        };
        let better = |best: usize, row: usize| if value(row) > value(best) { row } else { best };
        let Some(best) = left.iter().copied().reduce(better) else { break };
        left.retain(|row| *row != best);
        for row in &left {
            likeness[*row] = likeness[*row].max(cosine(descriptions[*row], descriptions[best]));
        }
        chosen.push(best as u32);
    }
    chosen
}

/// Less the mean, by the spread; zeros where all are equal.
fn standardised(scores: &[f64]) -> Vec<f64> {
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = if spread > 0.0 { 1.0 / spread } else { 0.0 };
    scores.iter().map(|score| (score - mean) * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_alike_comes_later() {
        let descriptions: [&[f64]; 3] = [&[1.0, 0.0], &[0.8, 0.6], &[0.0, 1.0]];
        // After the first: 0.7 x 0.8 - 0.3 x 0.8 = 0.32 against 0.7 x 0.5 = 0.35.
        assert_eq!(walk(&[0.9 * 0.7, 0.8 * 0.7, 0.5 * 0.7], &descriptions, 0.3, 3), [0, 2, 1]);
        assert_eq!(most_relevant_least_alike(&[0.9, 0.8, 0.5], &descriptions, 0.0, 2), [0, 1]);
        assert_eq!(most_relevant_least_alike(&[0.9, 0.8, 0.5], &descriptions, 9.0, 2), [0, 2]);
    }

    #[test]
    fn equal_scores_and_no_descriptions_give_a_list() {
        assert_eq!(most_relevant_least_alike(&[1.0; 3], &[&[], &[], &[]], 1.0, 9), [0, 1, 2]);
        assert!(most_relevant_least_alike(&[], &[], 1.0, 9).is_empty());
    }
}
