//! A blend of rankers: logistic regression over standardised log scores, with weights that are not negative.
//!
//! Each ranker's scores are standardised over the shelf, so that only the order and the distances on it count; the weights
//! minimise the loss of the targets of validation requests against the rest of their shelves.  A ranker that would get a
//! negative weight gets none: the blend may leave a voice out, and never turns it round.

use serde::{Deserialize, Serialize};

use crate::{ModelError, blocks, error::same_length, maths};

/// Raised whenever the same scores would get another blend.
pub const VERSION: u32 = 1;
/// Rounds over all weights.
const ROUNDS: usize = 500;
/// The blend has arrived when no weight moves by more.
const STILL: f64 = 1e-10;
/// A little shrinkage for each row, so that two rankers that say the same share their weight.
const SHRINKAGE: f64 = 1e-6;

/// Fitted weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// One for each ranker, none negative.
    pub weights: Vec<f64>,
    pub intercept: f64,
}

/// One request of validation.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// For each ranker, a score for each article.
    pub scores: Vec<Vec<f64>>,
    /// Whether each article is a target.
    pub targets: Vec<bool>,
}

/// Less the mean of the shelf, by its spread; zeros where all are equal.
pub fn standardised(scores: &[f64]) -> Vec<f64> {
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = if spread > 1e-12 * mean.abs() { 1.0 / spread } else { 0.0 };
    scores.iter().map(|score| (score - mean) * scale).collect()
}

impl Blend {
    /// Fits the weights of `rankers` rankers.  Without targets all weights are alike.
    ///
    /// # Errors
    /// A shelf with scores of another number of rankers or articles.
    pub fn fit(rankers: usize, shelves: &[Shelf]) -> Result<Blend, ModelError> {
        let (mut rows, mut targets): (Vec<Vec<f64>>, Vec<bool>) = (Vec::new(), Vec::new());
        for shelf in shelves {
            same_length("rankers", shelf.scores.len(), rankers)?;
            shelf.scores.iter().try_for_each(|scores| same_length("scores", scores.len(), shelf.targets.len()))?;
            let scores: Vec<Vec<f64>> = shelf.scores.iter().map(|scores| standardised(scores)).collect();
            rows.extend(
                (0..shelf.targets.len()).map(|row| scores.iter().map(|scores| scores[row]).collect::<Vec<f64>>()),
            );
            targets.extend(&shelf.targets);
        }
        let positives = targets.iter().filter(|target| **target).count() as f64;
        let intercept = maths::ln((positives + 0.5) / (targets.len() as f64 - positives + 0.5));
        if positives == 0.0 || positives == targets.len() as f64 {
            return Ok(Blend { weights: vec![1.0 / rankers.max(1) as f64; rankers], intercept });
        }
        Ok(descend(&rows, &targets, Blend { weights: vec![0.0; rankers], intercept }))
    }

    /// The blended score of each article; `scores`: for each ranker, one for each article.
    ///
    /// # Errors
    /// Scores of another number of rankers, or of unequal length.
    pub fn scores(&self, scores: &[Vec<f64>]) -> Result<Vec<f64>, ModelError> {
        same_length("rankers", scores.len(), self.weights.len())?;
        let count = scores.first().map_or(0, Vec::len);
        let mut sums = vec![self.intercept; count];
        for (scores, weight) in scores.iter().zip(&self.weights) {
            same_length("scores", scores.len(), count)?;
            sums.iter_mut().zip(standardised(scores)).for_each(|(sum, score)| *sum += weight * score);
        }
        Ok(sums)
    }
}

/// Newton steps of one weight after the other, cut off at 0.
fn descend(rows: &[Vec<f64>], targets: &[bool], mut blend: Blend) -> Blend {
    let width = blend.weights.len();
    for _ in 0..ROUNDS {
        let mut moved = 0.0_f64;
        for at in 0..=width {
            let sums = blocks::sum(rows.len(), 2, |range, sums| {
                for row in range {
                    let values = &rows[row];
                    let score = blend.weights.iter().zip(values).fold(blend.intercept, |sum, (w, x)| sum + w * x);
                    let (chance, x) = (maths::sigmoid(score), values.get(at).copied().unwrap_or(1.0));
                    sums[0] += (chance - f64::from(u8::from(targets[row]))) * x;
                    sums[1] += chance * (1.0 - chance) * x * x;
                }
            });
            let shrinkage = SHRINKAGE * rows.len() as f64;
            match blend.weights.get_mut(at) {
                Some(weight) => {
                    let slope = sums[0] + shrinkage * *weight;
                    let next = (*weight - bounded(slope / (sums[1] + shrinkage))).max(0.0);
                    moved = moved.max((next - *weight).abs());
                    *weight = next;
                }
                None => {
                    let step = bounded(sums[0] / (sums[1] + shrinkage));
                    moved = moved.max(step.abs());
                    blend.intercept -= step;
                }
            }
        }
        if moved < STILL {
            break;
        }
    }
    blend
}

/// A step of at most 1, so that a flat loss does not throw a weight far away.
fn bounded(step: f64) -> f64 {
    step.clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;
    use rand::Rng;

    /// The first ranker knows something, the second twice as much, the third the contrary, the fourth nothing.
    fn shelves(count: u64) -> Vec<Shelf> {
        let shelf = |number| {
            let mut random = seeds::stream(2, "blend", number);
            let mut draw = || -> Vec<f64> { (0..30).map(|_| seeds::normal(&mut random, 1.0)).collect() };
            let (a, b, contrary, noise) = (draw(), draw(), draw(), draw());
            let chance = |row: usize| maths::sigmoid(a[row] + 2.0 * b[row] - contrary[row] - 3.0);
            let targets = (0..30).map(|row| random.gen_range(0.0..1.0) < chance(row)).collect();
            Shelf { scores: vec![a, b, contrary, noise], targets }
        };
        (0..count).map(shelf).collect()
    }

    #[test]
    fn weights_follow_what_rankers_know_and_none_is_negative() {
        let blend = Blend::fit(4, &shelves(300)).unwrap();
        let [a, b, contrary, noise] = blend.weights[..] else { panic!("four weights") };
        // Smaller than 1 and 2, because what the third says is noise to the others.
        assert!((b / a - 2.0).abs() < 0.15 && (0.7..1.0).contains(&a), "{blend:?}");
        assert!(contrary == 0.0 && noise < 0.06, "{blend:?}");
    }

    #[test]
    fn equal_scores_and_no_targets_have_finite_answers() {
        let nothing = Blend::fit(2, &[]).unwrap();
        assert_eq!(nothing.weights, [0.5, 0.5]);
        assert_eq!(nothing.scores(&[vec![2.0; 3], vec![0.1; 3]]).unwrap(), [0.0; 3]);
        let flat = Shelf { scores: vec![vec![1.0; 4]], targets: vec![true, false, false, false] };
        assert_eq!(Blend::fit(1, &[flat]).unwrap().weights, [0.0]);
        assert!(nothing.scores(&[vec![1.0]]).is_err() && nothing.scores(&[vec![1.0], vec![]]).is_err());
        assert!(Blend::fit(1, &[Shelf { scores: vec![], targets: vec![] }]).is_err());
    }

    /// Moves with every change of the fit: then VERSION is raised, and the numbers here with it.
    #[test]
    fn this_version_gives_these_numbers_on_any_number_of_threads() {
        assert_eq!(VERSION, 1);
        let shelves = shelves(100);
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Blend::fit(4, &shelves).unwrap())
        };
        assert!(fit(1) == fit(2) && fit(1) == fit(8));
        let scores = fit(1).scores(&shelves[0].scores).unwrap();
        assert!(
            (scores[0] + 1.17495408969).abs() < 1e-9 && (scores[1] + 5.99557219531).abs() < 1e-9,
            "{:?}",
            &scores[..2]
        );
    }
}
