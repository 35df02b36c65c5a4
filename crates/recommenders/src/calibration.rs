//! Scores to chances that hold: fitted on validation rows, never on those that made the score.
//!
//! Fewer than 1,000 of both outcomes: Platt's sigmoid (1999), two numbers, with his smoothed labels, so that nothing is
//! certain.  From there on isotonic regression by pooling adjacent violators (Ayer and others 1955), which needs the more
//! rows because it assumes no form (Niculescu-Mizil and Caruana 2005).  Both keep the order of scores, ties aside.

use serde::{Deserialize, Serialize};

use crate::{ModelError, error::same_length, maths};

/// Raised whenever the same rows would get other chances.
pub const VERSION: u32 = 1;
/// Rows of the rarer outcome from which on no form is assumed.
const FOR_ISOTONIC: usize = 1000;
/// Newton steps; two numbers need fewer than ten.
const STEPS: usize = 100;

/// A map from scores to chances that never falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Calibration {
    /// One chance for every score: nothing could be learned, or higher scores were not better.
    Share(f64),
    /// sigmoid(slope x score + intercept).
    Platt { slope: f64, intercept: f64 },
    /// Chances at rising scores, straight lines between them.
    Isotonic { scores: Vec<f64>, chances: Vec<f64> },
}

impl Calibration {
    /// Fits on validation rows, by whichever method their number allows.
    ///
    /// # Errors
    /// Another number of outcomes, or a score that is not finite.
    pub fn fit(scores: &[f64], outcomes: &[bool]) -> Result<Calibration, ModelError> {
        same_length("outcomes", outcomes.len(), scores.len())?;
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(ModelError::NotFinite { row, column: 0 });
        }
        let positives = outcomes.iter().filter(|outcome| **outcome).count();
        if positives.min(scores.len() - positives) >= FOR_ISOTONIC {
            Ok(isotonic(scores, outcomes))
        } else {
            Ok(platt(scores, outcomes, positives as f64))
        }
    }

    /// The chance at a score.
    pub fn chance(&self, score: f64) -> f64 {
        match self {
            Calibration::Share(share) => *share,
            Calibration::Platt { slope, intercept } => maths::sigmoid(slope * score + intercept),
            Calibration::Isotonic { scores, chances } => between(scores, chances, score),
        }
    }
}

/// Platt's sigmoid: positives count as (n+ + 1)/(n+ + 2), negatives as 1/(n- + 2).
fn platt(scores: &[f64], outcomes: &[bool], positives: f64) -> Calibration {
    let negatives = scores.len() as f64 - positives;
    let target = |outcome: bool| if outcome { (positives + 1.0) / (positives + 2.0) } else { 1.0 / (negatives + 2.0) };
    let share = (positives + 1.0) / (positives + negatives + 2.0);
    let count = scores.len().max(1) as f64;
    let mean = scores.iter().sum::<f64>() / count;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    if positives == 0.0 || negatives == 0.0 || spread <= 1e-12 * mean.abs() {
        return Calibration::Share(share);
    }
    let rows: Vec<(f64, f64)> =
        scores.iter().zip(outcomes).map(|(score, outcome)| ((score - mean) / spread, target(*outcome))).collect();
    let loss = |a: f64, b: f64| rows.iter().map(|(x, t)| maths::softplus(a * x + b) - t * (a * x + b)).sum::<f64>();
    let (mut a, mut b) = (0.0, maths::ln(share / (1.0 - share)));
    let mut value = loss(a, b);
    for _ in 0..STEPS {
        let mut sums = [0.0; 5];
        for (x, target) in &rows {
            let chance = maths::sigmoid(a * x + b);
            let (error, weight) = (chance - target, chance * (1.0 - chance));
            [error * x, error, weight * x * x, weight * x, weight]
                .iter()
                .zip(&mut sums)
                .for_each(|(part, sum)| *sum += part);
        }
        let [ga, gb, haa, hab, hbb] = sums;
        let determinant = haa * hbb - hab * hab;
        if (ga * ga + gb * gb).sqrt() < 1e-9 * count || determinant <= 0.0 {
            break;
        }
        let (da, db) = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant);
        let steps = std::iter::successors(Some(1.0), |step| Some(step / 2.0)).take(40);
        let better = steps.map(|step| (a - step * da, b - step * db)).find(|(a, b)| loss(*a, *b) < value);
        let Some(better) = better else { break };
        (a, b) = better;
        value = loss(a, b);
    }
    if a > 0.0 {
        Calibration::Platt { slope: a / spread, intercept: b - a * mean / spread }
    } else {
        Calibration::Share(share)
    }
}

/// Pooled violators.  One more row with the share of all stands at each end, so that no chance is 0 or 1.
fn isotonic(scores: &[f64], outcomes: &[bool]) -> Calibration {
    let share = outcomes.iter().filter(|outcome| **outcome).count() as f64 / outcomes.len() as f64;
    let mut rows: Vec<(f64, f64)> =
        scores.iter().zip(outcomes).map(|(score, outcome)| (*score, f64::from(u8::from(*outcome)))).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (rows.first().map_or(0.0, |row| row.0), rows.last().map_or(0.0, |row| row.0));
    rows.insert(0, (first, share));
    rows.push((last, share));
    // Equal scores are one block; a block whose share is not above the one before joins it.
    let mut blocks: Vec<Block> = Vec::new();
    for rows in rows.chunk_by(|a, b| a.0 == b.0) {
        let count = rows.len() as f64;
        let mut block = Block { scores: rows[0].0 * count, outcomes: rows.iter().map(|row| row.1).sum(), rows: count };
        while let Some(before) = blocks.pop_if(|before| before.chance() >= block.chance()) {
            block.scores += before.scores;
            block.outcomes += before.outcomes;
            block.rows += before.rows;
        }
        blocks.push(block);
    }
    let scores = blocks.iter().map(|block| block.scores / block.rows).collect();
    Calibration::Isotonic { scores, chances: blocks.iter().map(Block::chance).collect() }
}

/// Rows whose chance is the same: sums of scores and outcomes.
struct Block {
    scores: f64,
    outcomes: f64,
    rows: f64,
}

impl Block {
    fn chance(&self) -> f64 {
        self.outcomes / self.rows
    }
}

/// Linear between the two nearest; flat beyond the ends.
fn between(scores: &[f64], chances: &[f64], score: f64) -> f64 {
    let above = scores.partition_point(|known| *known < score);
    match (above.checked_sub(1).map(|at| (scores[at], chances[at])), scores.get(above).zip(chances.get(above))) {
        (Some((low, from)), Some((high, to))) => from + (to - from) * (score - low) / (high - low),
        (Some((_, chance)), None) => chance,
        (None, Some((_, chance))) => *chance,
        (None, None) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;
    use rand::Rng;

    /// Rows whose true chance at score z is sigmoid(2 z - 1).
    fn rows(count: usize) -> (Vec<f64>, Vec<bool>) {
        let mut random = seeds::stream(5, "calibration", count as u64);
        let scores: Vec<f64> = (0..count).map(|_| seeds::normal(&mut random, 1.0)).collect();
        let outcomes = scores.iter().map(|z| random.gen_range(0.0..1.0) < maths::sigmoid(2.0 * z - 1.0)).collect();
        (scores, outcomes)
    }

    #[test]
    fn chances_are_near_the_truth_by_both_methods() {
        for (count, isotonic, by) in [(1500, false, 0.05), (20_000, true, 0.05)] {
            let (scores, outcomes) = rows(count);
            let fitted = Calibration::fit(&scores, &outcomes).unwrap();
            assert_eq!(matches!(fitted, Calibration::Isotonic { .. }), isotonic);
            for z in [-1.5, -0.5, 0.5, 1.5] {
                let (told, truth) = (fitted.chance(z), maths::sigmoid(2.0 * z - 1.0));
                assert!((told - truth).abs() < by, "{count}: {z}: {told} {truth}");
            }
            let all: Vec<f64> = (-80..80).map(|z| fitted.chance(f64::from(z) / 10.0)).collect();
            assert!(all.is_sorted() && all.iter().all(|chance| *chance > 0.0 && *chance < 1.0));
            // What is told is what comes, in sum: exactly by pooling, closely by Platt.
            let told: f64 = scores.iter().map(|score| fitted.chance(*score)).sum();
            let came = outcomes.iter().filter(|outcome| **outcome).count() as f64;
            assert!((told / came - 1.0).abs() < 0.01, "{told} {came}");
        }
    }

    #[test]
    fn violators_are_pooled() {
        let scores: Vec<f64> = (0..4000).map(|row| f64::from(row % 4)).collect();
        // Shares 0.2, 0.6, 0.4, 0.8 at scores 0 to 3.
        let outcomes: Vec<bool> = (0..4000).map(|row| (row / 4) % 10 < [2, 6, 4, 8][row % 4]).collect();
        let Calibration::Isotonic { scores, chances } = Calibration::fit(&scores, &outcomes).unwrap() else {
            panic!("of another form")
        };
        assert_eq!(scores, [0.0, 1.5, 3.0]);
        let expected = [200.5 / 1001.0, 0.5, 800.5 / 1001.0];
        assert!(chances.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{chances:?}");
    }

    #[test]
    fn where_nothing_can_be_learned_there_is_one_chance() {
        let fit = |scores: &[f64], outcomes: &[bool]| Calibration::fit(scores, outcomes).unwrap();
        assert_eq!(fit(&[], &[]), Calibration::Share(0.5));
        assert_eq!(fit(&[1.0, 2.0], &[true, true]), Calibration::Share(0.75));
        assert_eq!(fit(&[2.0; 4], &[true, false, false, false]), Calibration::Share(2.0 / 6.0));
        assert_eq!(fit(&[1.0, 2.0, 3.0, 4.0], &[true, true, false, false]), Calibration::Share(0.5));
        let apart = fit(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]);
        assert!(apart.chance(9.0) < 1.0 && apart.chance(4.0) > 0.6 && apart.chance(1.0) < 0.4);
        assert!(Calibration::fit(&[f64::NAN], &[true]).is_err() && Calibration::fit(&[1.0], &[]).is_err());
    }

    /// Moves with every change of the fit: then VERSION is raised, and the numbers here with it.
    #[test]
    fn this_version_gives_these_numbers() {
        assert_eq!(VERSION, 1);
        let (scores, outcomes) = rows(500);
        let fitted = Calibration::fit(&scores, &outcomes).unwrap();
        let chances = [fitted.chance(-1.0), fitted.chance(1.0)];
        assert!(chances.iter().zip([0.0586900764, 0.7362767630]).all(|(a, b)| (a - b).abs() < 1e-9), "{chances:?}");
    }
}
