//! Hyperparameters: fitted on training rows for every combination, chosen on validation rows.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    logistic::{Logistic, LogisticError, Prepared, labels, logistic},
    matrix::Encoding,
    metrics::Metrics,
    split::{TrainingRows, ValidationRows},
};

/// What to choose from: every combination is tried.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    /// Strengths of the L2 penalty.
    pub alphas: &'a [f64],
    /// How many positions of each vector to read; what is longer than the vectors is all of them.
    pub dimensions: &'a [usize],
}

/// One combination, with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// 0 where no feature is a vector.
    pub dimensions: usize,
    pub alpha: f64,
    /// On the validation rows.
    pub log_loss: f64,
}

/// What [`choose`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Fitted with the combination of least validation loss; where several are equal, the one that says least: fewer
    /// dimensions, then a larger alpha.
    pub model: Logistic,
    /// Every combination tried: by dimensions, then in the order in which the alphas were given.
    pub tried: Vec<Tried>,
}

/// Fits one model for each combination of `grid` on the training rows and keeps the one with the least log loss on the
/// validation rows. The rules of the matrix and the fits see training rows alone.
///
/// # Errors
/// As [`Logistic::fit`]; nothing to choose from; validation labels that are missing.
pub fn choose(
    training: &TrainingRows,
    validation: &ValidationRows,
    label: &str,
    features: &[String],
    grid: Grid,
) -> Result<Choice, LogisticError> {
    let encoding = Encoding::fit(training, features)?;
    let truth = labels(validation.rows(), label)?;
    let longest = encoding.longest_vector();
    let mut dimensions: Vec<usize> = grid.dimensions.iter().map(|wanted| (*wanted).min(longest)).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    let (mut tried, mut best) = (Vec::new(), None::<(f64, Logistic)>);
    for dimensions in dimensions {
        let prepared = Prepared::new(encoding.shortened(dimensions), training, label)?;
        let matrix = prepared.encoding.apply(validation.rows())?;
        for model in fit_all(&prepared, grid.alphas) {
            let model = model?;
            let alpha = model.alpha();
            let scores: Vec<f64> = model.scores(&matrix).into_iter().map(logistic).collect();
            let log_loss = Metrics::of(&scores, &truth).log_loss.ok_or(LogisticError::NoLoss { alpha })?;
            tried.push(Tried { dimensions, alpha, log_loss });
            let better = |(least, kept): &(f64, Logistic)| {
                log_loss < *least || log_loss == *least && dimensions == kept.dimensions() && alpha > kept.alpha()
            };
            if best.as_ref().is_none_or(better) {
                best = Some((log_loss, model));
            }
        }
    }
    let (_, model) = best.ok_or(LogisticError::NoAlpha)?;
    Ok(Choice { model, tried })
}

/// A model for each alpha, in their order; fitted on as many threads as there are, which does not change their bits.
fn fit_all(prepared: &Prepared, alphas: &[f64]) -> Vec<Result<Logistic, LogisticError>> {
    alphas.par_iter().map(|alpha| prepared.fit(*alpha)).collect()
}
