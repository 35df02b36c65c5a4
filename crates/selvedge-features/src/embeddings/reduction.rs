//! From 384 numbers to a few: principal components, fitted on training articles alone.
//!
//! Pearson (1901), Hotelling (1933): the directions in which the training vectors differ most, found as eigenvectors of
//! their covariance. A text's reduced vector is its distance from the training mean along each direction.

use linfa_linalg::{
    LinalgError,
    eigh::{EigSort, EighInto},
};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// On which side of the split a vector lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Training,
    Later,
}

/// A direction whose variance is below this share of the largest one is rounding, not data.
const NEGLIGIBLE: f64 = 1e-10;

/// The vectors of the training side, all of one length and finite: the only thing a [`Reduction`] can be fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingVectors {
    rows: Vec<Vec<f64>>,
    width: usize,
}

impl TrainingVectors {
    /// Keeps the rows marked [`Side::Training`], in their order; the rest is dropped unread.
    ///
    /// # Errors
    /// No training row, rows of different length, or a number that is not finite.
    pub fn new<V: AsRef<[f32]>>(rows: impl IntoIterator<Item = (Side, V)>) -> Result<TrainingVectors, ReductionError> {
        let training = rows.into_iter().filter(|(side, _)| *side == Side::Training);
        let rows: Vec<Vec<f64>> =
            training.map(|(_, vector)| vector.as_ref().iter().map(|&value| f64::from(value)).collect()).collect();
        let width = rows.first().ok_or(ReductionError::NoRows)?.len();
        for (row, vector) in rows.iter().enumerate() {
            if vector.len() != width {
                return Err(ReductionError::Ragged { row, found: vector.len(), expected: width });
            }
            if vector.iter().any(|value| !value.is_finite()) {
                return Err(ReductionError::NotFinite { row });
            }
        }
        Ok(TrainingVectors { rows, width })
    }

    /// How many vectors there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The mean of each position, summed in row order.
    fn mean(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for row in &self.rows {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        sum.iter().map(|sum| sum / self.rows.len() as f64).collect()
    }

    /// The covariance (divided by n - 1) of the positions, `width x width`.
    fn covariance(&self, mean: &[f64]) -> Array2<f64> {
        let centred = Array2::from_shape_fn((self.rows.len(), self.width), |(row, at)| self.rows[row][at] - mean[at]);
        centred.t().dot(&centred) / (self.rows.len().max(2) - 1) as f64
    }
}

/// A fitted reduction: a mean and some directions of length one, the one with most variance first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reduction {
    /// How many training vectors it was fitted on.
    trained_on: usize,
    /// Share of the training variance that each direction carries.
    explained: Vec<f64>,
    mean: Vec<f64>,
    /// `dimensions x width`.
    directions: Vec<Vec<f64>>,
}

impl Reduction {
    /// Finds the `dimensions` directions of most variance.
    ///
    /// # Errors
    /// When the training vectors do not differ in that many directions (n vectors span at most n - 1).
    pub fn fit(training: &TrainingVectors, dimensions: usize) -> Result<Reduction, ReductionError> {
        if dimensions == 0 {
            return Err(ReductionError::NoDimensions);
        }
        let mean = training.mean();
        let covariance = training.covariance(&mean);
        let total: f64 = covariance.diag().iter().sum();
        let too_few = |available| ReductionError::TooFewDirections { dimensions, rows: training.len(), available };
        // The mean is off by rounding, so vectors that are all equal leave a variance that is not quite zero.
        if total <= mean.iter().map(|mean| mean * mean).sum::<f64>() * f64::EPSILON {
            return Err(too_few(0));
        }
        // linfa-reduction's Pca starts LOBPCG at a random matrix and stops at a residual of 1e-5; the full symmetric
        // eigendecomposition from the same authors has no start, is exact to rounding, and costs well under a second.
        let (variances, vectors) = covariance.eigh_into()?.sort_eig_desc();
        let largest = variances.first().copied().unwrap_or(0.0);
        let usable = variances.iter().filter(|&&variance| variance > largest * NEGLIGIBLE).count();
        let available = usable.min(training.len() - 1);
        if dimensions > available {
            return Err(too_few(available));
        }
        Ok(Reduction {
            trained_on: training.len(),
            explained: variances.iter().take(dimensions).map(|variance| variance / total).collect(),
            mean,
            directions: vectors.columns().into_iter().take(dimensions).map(|v| with_fixed_sign(v.to_vec())).collect(),
        })
    }

    /// A vector's place along each direction: [`Reduction::dimensions`] numbers.
    ///
    /// # Errors
    /// A vector of another length than those it was fitted on.
    pub fn apply(&self, vector: &[f32]) -> Result<Vec<f32>, ReductionError> {
        if vector.len() != self.mean.len() {
            return Err(ReductionError::Width { found: vector.len(), expected: self.mean.len() });
        }
        let along = |direction: &Vec<f64>| -> f64 {
            direction
                .iter()
                .zip(vector)
                .zip(&self.mean)
                .map(|((weight, &value), mean)| weight * (f64::from(value) - mean))
                .sum()
        };
        Ok(self.directions.iter().map(|direction| along(direction) as f32).collect())
    }

    /// How many numbers [`Reduction::apply`] returns.
    pub fn dimensions(&self) -> usize {
        self.directions.len()
    }

    /// How many training vectors it was fitted on.
    pub fn trained_on(&self) -> usize {
        self.trained_on
    }

    /// The share of the training variance (0 to 1) that each direction carries, largest first.
    pub fn explained(&self) -> &[f64] {
        &self.explained
    }
}

/// A direction and its opposite are both right; the one whose largest entry (the first such) is positive is ours.
fn with_fixed_sign(mut direction: Vec<f64>) -> Vec<f64> {
    let largest =
        direction.iter().copied().fold(0.0_f64, |best, value| if value.abs() > best.abs() { value } else { best });
    if largest < 0.0 {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
    direction
}

/// Why vectors cannot be reduced.
#[derive(Debug, thiserror::Error)]
pub enum ReductionError {
    #[error(
        "no training vectors to fit a reduction on; move the split later, so that some articles are on its training side"
    )]
    NoRows,
    #[error("a reduction to 0 dimensions; ask for at least 1")]
    NoDimensions,
    #[error("training vector {row} has {found} numbers, the first has {expected}")]
    Ragged { row: usize, found: usize, expected: usize },
    #[error("training vector {row} holds a number that is not finite")]
    NotFinite { row: usize },
    #[error(
        "{rows} training vectors differ in {available} directions, so they cannot be reduced to {dimensions} dimensions; ask for at most {available}, or move the split later"
    )]
    TooFewDirections { dimensions: usize, rows: usize, available: usize },
    #[error("a vector of {found} numbers, but the reduction was fitted on vectors of {expected}; fit it again")]
    Width { found: usize, expected: usize },
    #[error("the covariance of the training vectors has no eigenvectors: {0}")]
    Eigen(#[from] LinalgError),
}
