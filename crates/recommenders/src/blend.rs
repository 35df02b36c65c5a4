//! A blend of recommenders: logistic regression over standardised log scores, with weights that are not negative.
//!
//! Each ranker's scores are standardised over the shelf, so that only the order and the distances on it count; the weights
//! minimise the loss of the targets of validation requests against the rest of their shelves.  A ranker that would get a
//! negative weight gets none: the blend may leave a voice out, and never turns it round.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{ModelError, blocks, dense::Cholesky, error::same_length, maths};

/// Raised whenever the same scores would get another blend.
pub const VERSION: u32 = 1;
/// Newton steps; ten do.
const ROUNDS: usize = 100;
/// How often a step is halved until the loss does not rise.
const HALVINGS: usize = 40;
/// The blend has arrived when no weight moves by more.
const STILL: f64 = 1e-10;
/// A little shrinkage for each row, so that two recommenders that say the same share their weight.
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
    let (mean, scale) = middle(scores);
    scores.iter().map(|score| (score - mean) * scale).collect()
}

/// The mean of a shelf's scores, and 1/their spread; 0 where all are equal.
fn middle(scores: &[f64]) -> (f64, f64) {
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    (mean, if spread > 1e-12 * mean.abs() { 1.0 / spread } else { 0.0 })
}

impl Blend {
    /// Fits the weights of `recommenders` recommenders.  Without targets all weights are alike.
    ///
    /// # Errors
    /// A shelf with scores of another number of recommenders or articles.
    pub fn fit(recommenders: usize, shelves: &[Shelf]) -> Result<Blend, ModelError> {
        let (mut rows, mut targets): (Vec<Vec<f64>>, Vec<bool>) = (Vec::new(), Vec::new());
        for shelf in shelves {
            same_length("recommenders", shelf.scores.len(), recommenders)?;
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
            return Ok(Blend { weights: vec![1.0 / recommenders.max(1) as f64; recommenders], intercept });
        }
        Ok(descend(&rows, &targets, Blend { weights: vec![0.0; recommenders], intercept }))
    }

    /// How much one more of each ranker's score adds to the blended one on this shelf.
    pub fn slopes(&self, scores: &[Vec<f64>]) -> Vec<f64> {
        scores.iter().zip(&self.weights).map(|(scores, weight)| weight * middle(scores).1).collect()
    }

    /// The blended score of each article; `scores`: for each ranker, one for each article.
    ///
    /// # Errors
    /// Scores of another number of recommenders, or of unequal length.
    pub fn scores(&self, scores: &[Vec<f64>]) -> Result<Vec<f64>, ModelError> {
        same_length("recommenders", scores.len(), self.weights.len())?;
        let count = scores.first().map_or(0, Vec::len);
        let mut sums = vec![self.intercept; count];
        for (scores, weight) in scores.iter().zip(&self.weights) {
            same_length("scores", scores.len(), count)?;
            sums.iter_mut().zip(standardised(scores)).for_each(|(sum, score)| *sum += weight * score);
        }
        Ok(sums)
    }
}

/// Newton steps over the weights that are above 0 or would rise, cut off at 0 (Bertsekas 1982).
fn descend(rows: &[Vec<f64>], targets: &[bool], blend: Blend) -> Blend {
    let width = blend.weights.len();
    let shrinkage = SHRINKAGE * rows.len() as f64;
    let mut place = blend.weights;
    place.push(blend.intercept);
    let score = |place: &[f64], row: usize| linear(place, &rows[row]);
    let label = |row: usize| f64::from(u8::from(targets[row]));
    let loss = |place: &[f64]| {
        let of_rows = blocks::sum(rows.len(), 1, |range, sums| {
            for row in range {
                let score = score(place, row);
                sums[0] += maths::softplus(score) - label(row) * score;
            }
        });
        of_rows[0] + shrinkage / 2.0 * place[..width].iter().map(|weight| weight * weight).sum::<f64>()
    };
    let mut value = loss(&place);
    for _ in 0..ROUNDS {
        let side = width + 1;
        let sums = blocks::sum(rows.len(), side + side * side, |range, sums| {
            for row in range {
                let chance = maths::sigmoid(score(&place, row));
                let (error, curvature) = (chance - label(row), chance * (1.0 - chance));
                let x = |at: usize| rows[row].get(at).copied().unwrap_or(1.0);
                for at in 0..side {
                    sums[at] += error * x(at);
                    for other in 0..=at {
                        sums[side + at * side + other] += curvature * x(at) * x(other);
                    }
                }
            }
        });
        let slope = |at: usize| sums[at] + if at < width { shrinkage * place[at] } else { 0.0 };
        let free: Vec<usize> = (0..side).filter(|at| *at == width || place[*at] > 0.0 || slope(*at) < 0.0).collect();
        let curvature = Array2::from_shape_fn((free.len(), free.len()), |(a, b)| {
            let (high, low) = (free[a].max(free[b]), free[a].min(free[b]));
            sums[side + high * side + low] + if a == b { shrinkage } else { 0.0 }
        });
        let Ok(curvature) = Cholesky::new(curvature) else { break };
        let mut step: Vec<f64> = free.iter().map(|at| slope(*at)).collect();
        curvature.solve(&mut step);
        let stepped = |share: f64| {
            let mut next = place.clone();
            for (at, step) in free.iter().zip(&step) {
                next[*at] -= share * step;
                if *at < width {
                    next[*at] = next[*at].max(0.0);
                }
            }
            next
        };
        let shares = std::iter::successors(Some(1.0), |share| Some(share / 2.0)).take(HALVINGS);
        let better = shares.map(stepped).map(|next| (loss(&next), next)).find(|(found, _)| *found <= value);
        let Some((found, next)) = better else { break };
        let moved = next.iter().zip(&place).map(|(next, was)| (next - was).abs()).fold(0.0, f64::max);
        (place, value) = (next, found);
        if moved < STILL {
            break;
        }
    }
    let intercept = place.pop().unwrap_or_default();
    Blend { weights: place, intercept }
}

/// The weights times a row's values, and the intercept, which stands behind the weights.
fn linear(place: &[f64], values: &[f64]) -> f64 {
    let intercept = place.last().copied().unwrap_or_default();
    place.iter().zip(values).fold(intercept, |sum, (weight, value)| sum + weight * value)
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
