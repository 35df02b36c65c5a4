//! One head of the chain: logistic regression with an L2 penalty on standardised terms.
//!
//! The fit minimises `sum over rows of -ln p(label) + l2/2 * |coefficients of standardised terms|^2`; the intercept is not
//! shrunk.  The minimum does not depend on how far terms are from 0, so terms are divided by their spread and never
//! centred, and products that are 0 cost nothing.  The gradient at the minimum is shorter than 1e-8 for each row.

use ndarray::{Array2, ArrayView1, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::{
    minimise::{Convex, minimise},
    terms::{Terms, finite},
};
use crate::{
    ModelError, blocks,
    dense::Cholesky,
    error::{not_negative, same_length},
    maths, seeds,
};

/// The gradient at which the fit has arrived, for each row.
const SHORT: f64 = 1e-8;
/// Rows that the curvature is worked out from; it decides how many steps the fit takes, not where it ends.
const CURVATURE_ROWS: usize = 16_384;
/// Terms that vary less than this are left out (their coefficient is 0).
const STILL: f64 = 1e-9;

/// A fitted logistic model over the columns of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub terms: Terms,
    /// For each term as it stands in the matrix, in the order of [`Terms::sources`].
    pub coefficients: Vec<f64>,
    pub intercept: f64,
    pub l2: f64,
    /// How many rows it was fitted on.
    pub rows: usize,
    /// How many of them had a true label.
    pub positives: usize,
}

impl Head {
    /// Fits one head for each penalty.  `matrix`: rows x columns, `labels`: one for each row.
    ///
    /// With no row, with one label only, or where no term varies, all coefficients are 0 and the chance is
    /// (positives + 1/2)/(rows + 1) for every row; [`Head::learned`] is false.
    ///
    /// # Errors
    /// Cells that are not finite, columns that are not there, another number of labels, a negative penalty, or a penalty
    /// too small for the fit to arrive.
    pub fn fit(matrix: ArrayView2<f64>, labels: &[bool], terms: &Terms, l2: &[f64]) -> Result<Vec<Head>, ModelError> {
        same_length("labels", labels.len(), matrix.nrows())?;
        terms.fit_into(matrix.ncols())?;
        finite(matrix)?;
        l2.iter().try_for_each(|l2| not_negative("l2", *l2))?;
        let loss = Loss::new(matrix, labels, terms);
        // From the largest penalty to the smallest, each fit starts where the last one ended.
        let mut order: Vec<usize> = (0..l2.len()).collect();
        order.sort_by(|a, b| l2[*b].total_cmp(&l2[*a]));
        let mut place = vec![0.0; terms.len() + 1];
        place[terms.len()] = maths::ln((loss.positives() + 0.5) / (labels.len() as f64 - loss.positives() + 0.5));
        let mut heads: Vec<Option<Head>> = vec![None; l2.len()];
        for at in order {
            if loss.can_learn() {
                let penalised = Penalised { loss: &loss, l2: l2[at] };
                let rows = labels.len() as f64;
                place = blocks::inside(|| minimise(&penalised, place, SHORT * rows, rows))?;
            }
            heads[at] = Some(loss.head(&place, l2[at]));
        }
        Ok(heads.into_iter().flatten().collect())
    }

    /// Whether the labels taught it anything.
    pub fn learned(&self) -> bool {
        self.coefficients.iter().any(|coefficient| *coefficient != 0.0)
    }

    /// The log-odds of a row, summed from the first term to the last.
    pub fn score(&self, row: ArrayView1<f64>) -> f64 {
        let mut sum = self.intercept;
        self.terms.visit(row, |term, value| sum += self.coefficients[term] * value);
        sum
    }

    /// The log-odds of each row.
    pub fn scores(&self, matrix: ArrayView2<f64>) -> Vec<f64> {
        matrix.rows().into_iter().map(|row| self.score(row)).collect()
    }
}

/// The loss over the rows, in standardised terms; the last place is the intercept's.
struct Loss<'a, 'm> {
    matrix: ArrayView2<'m, f64>,
    labels: &'a [bool],
    terms: &'a Terms,
    means: Vec<f64>,
    /// 1/spread of each term; 0 where it does not vary.
    scales: Vec<f64>,
}

impl<'a, 'm> Loss<'a, 'm> {
    fn new(matrix: ArrayView2<'m, f64>, labels: &'a [bool], terms: &'a Terms) -> Loss<'a, 'm> {
        let (rows, width) = (labels.len(), terms.len());
        let sums = blocks::sum(rows, 2 * width, |range, sums| {
            let (first, second) = sums.split_at_mut(width);
            for row in range {
                terms.visit(matrix.row(row), |term, value| {
                    first[term] += value;
                    second[term] += value * value;
                });
            }
        });
        let count = rows.max(1) as f64;
        let means: Vec<f64> = sums[..width].iter().map(|sum| sum / count).collect();
        let scale = |(mean, square): (&f64, &f64)| {
            let spread = (square / count - mean * mean).max(0.0).sqrt();
            if spread > STILL * (square / count).sqrt() && spread > 0.0 { 1.0 / spread } else { 0.0 }
        };
        let scales = means.iter().zip(&sums[width..]).map(scale).collect();
        Loss { matrix, labels, terms, means, scales }
    }

    fn positives(&self) -> f64 {
        self.labels.iter().filter(|label| **label).count() as f64
    }

    fn can_learn(&self) -> bool {
        let (positives, rows) = (self.positives(), self.labels.len() as f64);
        positives > 0.0 && positives < rows && self.scales.iter().any(|scale| *scale > 0.0)
    }

    /// Coefficients of the terms as they stand in the matrix, and their intercept.
    fn plain(&self, place: &[f64]) -> (Vec<f64>, f64) {
        let coefficients: Vec<f64> = self.scales.iter().zip(place).map(|(scale, b)| scale * b).collect();
        let centre: f64 = coefficients.iter().zip(&self.means).map(|(b, mean)| b * mean).sum();
        (coefficients, place[self.terms.len()] - centre)
    }

    fn head(&self, place: &[f64], l2: f64) -> Head {
        let (coefficients, intercept) = self.plain(place);
        let (terms, rows, positives) = (self.terms.clone(), self.labels.len(), self.positives() as usize);
        Head { terms, coefficients, intercept, l2, rows, positives }
    }

    fn score(&self, row: usize, coefficients: &[f64], intercept: f64) -> f64 {
        let mut sum = intercept;
        self.terms.visit(self.matrix.row(row), |term, value| sum += coefficients[term] * value);
        sum
    }
}

/// The loss with a penalty.
struct Penalised<'a, 'm> {
    loss: &'a Loss<'a, 'm>,
    l2: f64,
}

impl Convex for Penalised<'_, '_> {
    fn at(&self, place: &[f64]) -> (f64, Vec<f64>) {
        let (loss, width) = (self.loss, self.loss.terms.len());
        let (coefficients, intercept) = loss.plain(place);
        let mut sums = blocks::sum(loss.labels.len(), width + 2, |range, sums| {
            for row in range {
                let score = loss.score(row, &coefficients, intercept);
                let label = f64::from(u8::from(loss.labels[row]));
                let error = maths::sigmoid(score) - label;
                sums[width] += error;
                sums[width + 1] += maths::softplus(score) - label * score;
                loss.terms.visit(loss.matrix.row(row), |term, value| sums[term] += error * value);
            }
        });
        let (errors, mut value) = (sums[width], sums[width + 1]);
        sums.truncate(width + 1);
        for term in 0..width {
            sums[term] = (sums[term] - errors * loss.means[term]) * loss.scales[term] + self.l2 * place[term];
            value += self.l2 / 2.0 * place[term] * place[term];
        }
        (value, sums)
    }

    fn curvature(&self, place: &[f64]) -> Result<Cholesky, ModelError> {
        let (loss, width) = (self.loss, self.loss.terms.len());
        let (coefficients, intercept) = loss.plain(place);
        let every = loss.labels.len().div_ceil(CURVATURE_ROWS).max(1) as u64;
        let taken: Vec<usize> =
            (0..loss.labels.len()).filter(|row| seeds::mix(0, [*row as u64]).is_multiple_of(every)).collect();
        let mut total = Array2::<f64>::zeros((width + 1, width + 1));
        for rows in taken.chunks(blocks::ROWS) {
            // Each row times the root of its weight, so that the product with itself is symmetric.
            let mut wide = Array2::zeros((rows.len(), width + 1));
            for (row, mut line) in rows.iter().zip(wide.rows_mut()) {
                let chance = maths::sigmoid(loss.score(*row, &coefficients, intercept));
                let root = (chance * (1.0 - chance)).sqrt();
                loss.means
                    .iter()
                    .zip(&loss.scales)
                    .zip(&mut line)
                    .for_each(|((mean, scale), cell)| *cell = -mean * scale);
                loss.terms.visit(loss.matrix.row(*row), |term, value| line[term] += value * loss.scales[term]);
                line[width] = 1.0;
                line *= root;
            }
            total += &wide.t().dot(&wide);
        }
        total *= loss.labels.len() as f64 / taken.len().max(1) as f64;
        // A term that never varies, and an intercept that is certain, have no curvature of their own.
        let floor = 1e-9 * loss.labels.len() as f64;
        total.slice_mut(s![..width, ..width]).diag_mut().iter_mut().for_each(|cell| *cell += self.l2 + floor);
        total[(width, width)] += floor;
        Cholesky::new(total)
    }
}
