//! Logistic regression with an L2 penalty, by linfa-logistic (L-BFGS).
//!
//! The fit minimises `sum over rows of -ln p(label) + alpha / 2 * |coefficients|^2`. The loss is a sum, not a mean, so
//! `alpha` is scikit-learn's `1 / C`: the same alpha shrinks less with more rows. The intercept is not shrunk.
//!
//! The score is linear, so its Shapley values are exact and simple: a column contributes its coefficient times the
//! distance of its value from the training mean (Strumbelj and Kononenko 2014, section 3.1, for independent columns).

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, Schema},
};
use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView1, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::{
    matrix::{Encoding, MatrixError},
    split::TrainingRows,
};

/// L-BFGS stops when the gradient, divided by the number of rows, is shorter than this.
const TOLERANCE: f64 = 1e-7;
/// A fit whose gradient per row is longer than this has not arrived; its coefficients would depend on where it stopped.
const NOT_ARRIVED: f64 = 1e-4;
/// Scaled columns need some tens of iterations.
const MAX_ITERATIONS: u64 = 1000;

/// A fitted model: everything that [`Logistic::predict`] needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    alpha: f64,
    /// How many positions of each vector it reads at most.
    dimensions: usize,
    training_rows: usize,
    training_positives: usize,
    /// Of the frame's feature columns: names and types.
    fingerprint: String,
    intercept: f64,
    /// The columns of the matrix, from left to right.
    columns: Vec<Term>,
    encoding: Encoding,
}

/// One column of the matrix in the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The column of the matrix, such as `region = Berlin`.
    pub name: String,
    /// The column of the frame it comes from.
    pub source: String,
    pub coefficient: f64,
    /// The training mean of the matrix column.
    pub mean: f64,
}

/// What each group of columns adds to each row's score, in log-odds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// The score of a row whose every column is at its training mean.
    pub baseline: f64,
    /// In alphabetical order.
    pub groups: Vec<String>,
    /// `rows x groups`; baseline + the sum of a row = the log-odds of its probability.
    pub values: Array2<f64>,
}

impl Logistic {
    /// Fits on the training rows: `label` is a boolean column, `features` the columns to learn from.
    ///
    /// # Errors
    /// Labels that are missing or all alike, features that never vary or cannot be read, a negative alpha, no minimum.
    pub fn fit(
        training: &TrainingRows,
        label: &str,
        features: &[String],
        alpha: f64,
    ) -> Result<Logistic, LogisticError> {
        Prepared::new(Encoding::fit(training, features)?, training, label)?.fit(alpha)
    }

    /// Fits once more in the same way (features, length of vectors, alpha) on other training rows.
    ///
    /// # Errors
    /// As [`Logistic::fit`].
    pub fn refit(&self, training: &TrainingRows, label: &str) -> Result<Logistic, LogisticError> {
        let encoding = Encoding::fit(training, &self.encoding.features())?.shortened(self.dimensions);
        Prepared::new(encoding, training, label)?.fit(self.alpha)
    }

    /// The probability of a true label for each row of `frame`.
    pub fn predict(&self, frame: &RecordBatch) -> Result<Vec<f64>, LogisticError> {
        Ok(self.scores(&self.encoding.apply(frame)?).into_iter().map(logistic).collect())
    }

    /// What each group adds to each row's score. `group_of` names the group of a feature column of the frame.
    pub fn contributions<'a>(
        &self,
        frame: &RecordBatch,
        group_of: impl Fn(&str) -> &'a str,
    ) -> Result<Contributions, LogisticError> {
        let matrix = self.encoding.apply(frame)?;
        let of_column: Vec<&str> = self.columns.iter().map(|term| group_of(&term.source)).collect();
        let mut groups = of_column.clone();
        groups.sort_unstable();
        groups.dedup();
        let mut values = Array2::zeros((matrix.nrows(), groups.len()));
        let places: Vec<usize> = of_column.iter().map(|group| groups.partition_point(|other| other < group)).collect();
        let mut sums = vec![0.0; groups.len()];
        // Row by row, as the matrix lies in memory.
        for (row, mut values) in matrix.rows().into_iter().zip(values.rows_mut()) {
            sums.fill(0.0);
            for ((value, term), place) in row.iter().zip(&self.columns).zip(&places) {
                sums[*place] += term.coefficient * (value - term.mean);
            }
            values.iter_mut().zip(&sums).for_each(|(value, sum)| *value = *sum);
        }
        let baseline = self.columns.iter().fold(self.intercept, |sum, term| sum + term.coefficient * term.mean);
        Ok(Contributions { baseline, groups: groups.into_iter().map(str::to_owned).collect(), values })
    }

    /// Refuses a frame whose `features` are not exactly those of the training: one added, gone or of another type.
    pub fn accepts(&self, schema: &Schema, features: &[String]) -> Result<(), LogisticError> {
        Ok(self.encoding.accepts(schema, features)?)
    }

    /// The strength of the penalty it was fitted with.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// How many positions of each vector it reads at most; 0 where none of its features is a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many rows it was fitted on, and how many of them had a true label.
    pub fn trained_on(&self) -> (usize, usize) {
        (self.training_rows, self.training_positives)
    }

    /// Names the feature columns and types it was fitted on: 16 hex digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The columns of the matrix with their coefficients.
    pub fn terms(&self) -> &[Term] {
        &self.columns
    }

    /// Log-odds, summed from left to right, so that a row's bits do not depend on the rows beside it.
    pub(super) fn scores(&self, matrix: &Array2<f64>) -> Vec<f64> {
        let score = |row: ArrayView1<f64>| {
            self.columns.iter().zip(row).fold(self.intercept, |sum, (term, value)| sum + term.coefficient * value)
        };
        matrix.rows().into_iter().map(score).collect()
    }
}

/// The training rows as a matrix, which the models of all alphas share.
pub(super) struct Prepared {
    pub(super) encoding: Encoding,
    data: DatasetBase<Array2<f64>, Array1<bool>>,
}

impl Prepared {
    pub(super) fn new(encoding: Encoding, training: &TrainingRows, label: &str) -> Result<Prepared, LogisticError> {
        let labels = labels(training.rows(), label)?;
        if labels.iter().all(|truth| *truth) || !labels.iter().any(|truth| *truth) {
            let (label, rows, value) = (label.to_owned(), labels.len(), labels.first() == Some(&true));
            return Err(LogisticError::OneClass { label, rows, value });
        }
        if encoding.width() == 0 {
            return Err(LogisticError::NothingVaries { features: encoding.features().len(), rows: labels.len() });
        }
        let rows = encoding.apply(training.rows())?;
        // Column by column: a gradient is the product of each column with the rows' errors, and most of a fit.
        let mut matrix = Array2::zeros(rows.raw_dim().f());
        matrix.assign(&rows);
        Ok(Prepared { encoding, data: DatasetBase::new(matrix, Array1::from(labels)) })
    }

    pub(super) fn fit(&self, alpha: f64) -> Result<Logistic, LogisticError> {
        let (matrix, labels) = (self.data.records(), self.data.targets());
        let rows = labels.len() as f64;
        let fitted = LogisticRegression::default()
            .alpha(alpha)
            .gradient_tolerance(TOLERANCE * rows)
            .max_iterations(MAX_ITERATIONS)
            .fit(&self.data)
            .map_err(|error| LogisticError::Fit { alpha, reason: error.to_string() })?;
        // linfa takes the more frequent label for the positive one.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let column = |(at, output): (usize, super::matrix::Output)| Term {
            name: output.name,
            source: output.source,
            coefficient: sign * fitted.params()[at],
            mean: matrix.column(at).iter().sum::<f64>() / rows,
        };
        let model = Logistic {
            alpha,
            dimensions: self.encoding.used_positions(),
            training_rows: labels.len(),
            training_positives: labels.iter().filter(|truth| **truth).count(),
            fingerprint: self.encoding.fingerprint(),
            intercept: sign * fitted.intercept(),
            columns: self.encoding.outputs().into_iter().enumerate().map(column).collect(),
            encoding: self.encoding.clone(),
        };
        let slope = self.slope(&model);
        // linfa does not say whether it stopped at a minimum or ran out of iterations.
        if slope.is_nan() || slope > NOT_ARRIVED {
            return Err(LogisticError::NotArrived { alpha, slope });
        }
        Ok(model)
    }

    /// The length of the gradient at the model, divided by the number of rows.
    fn slope(&self, model: &Logistic) -> f64 {
        let (matrix, labels) = (self.data.records(), self.data.targets());
        let scores = model.scores(matrix).into_iter().map(logistic);
        let errors: Array1<f64> = scores.zip(labels).map(|(p, truth)| p - f64::from(u8::from(*truth))).collect();
        let coefficients: Array1<f64> = model.columns.iter().map(|term| term.coefficient).collect();
        let gradient = matrix.t().dot(&errors) + coefficients * model.alpha;
        (gradient.dot(&gradient) + errors.sum().powi(2)).sqrt() / labels.len() as f64
    }
}

/// The label of each row.
pub fn labels(frame: &RecordBatch, label: &str) -> Result<Vec<bool>, LogisticError> {
    let name = || label.to_owned();
    let column = frame.column_by_name(label).ok_or_else(|| LogisticError::NoLabel { label: name() })?;
    if column.data_type() != &DataType::Boolean {
        return Err(LogisticError::LabelType { label: name(), found: column.data_type().clone() });
    }
    let missing = column.null_count();
    if missing > 0 {
        return Err(LogisticError::LabelMissing { label: name(), missing, rows: column.len() });
    }
    Ok(column.as_boolean().iter().flatten().collect())
}

/// The probability of a score, without overflow for any.
pub(super) fn logistic(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + (-score).exp())
    } else {
        let odds = score.exp();
        odds / (1.0 + odds)
    }
}

/// Why there is no model or no prediction.
#[derive(Debug, thiserror::Error)]
pub enum LogisticError {
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    #[error("the frame has no label column `{label}`")]
    NoLabel { label: String },
    #[error("the label `{label}` is {found}, not a boolean")]
    LabelType { label: String, found: DataType },
    #[error(
        "the label `{label}` is missing in {missing} of {rows} rows; rows whose outcome is not final belong to no side of the split"
    )]
    LabelMissing { label: String, missing: usize, rows: usize },
    #[error(
        "the label `{label}` is {value} in all {rows} training rows, so there is nothing to tell apart; move the split or check the label's SQL"
    )]
    OneClass { label: String, rows: usize, value: bool },
    #[error("none of the {features} features varies in the {rows} training rows")]
    NothingVaries { features: usize, rows: usize },
    #[error("no penalty to choose from")]
    NoAlpha,
    #[error("with alpha = {alpha} the validation rows have no log loss")]
    NoLoss { alpha: f64 },
    #[error("the fit with alpha = {alpha} failed: {reason}; try a larger alpha")]
    Fit { alpha: f64, reason: String },
    #[error(
        "the fit with alpha = {alpha} did not arrive at a minimum (gradient {slope:.1e} for each row); try a larger alpha"
    )]
    NotArrived { alpha: f64, slope: f64 },
}
