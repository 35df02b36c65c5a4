//! What a ranker is: a fitted model that puts the articles of a shelf in order.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// A fitted model that scores a shelf: what one customer could be shown at one moment.
pub trait Ranker: Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// Raised whenever the same shelf would get other scores.
    fn version(&self) -> u32;

    /// One finite score for each row of the shelf, higher first.
    ///
    /// # Errors
    /// A shelf whose columns are not those of the fit, or with a cell that is not finite.
    fn scores(&self, shelf: ArrayView2<f64>) -> Result<Vec<f64>, ModelError>;

    /// What makes the scores of some rows differ from that of the shelf's middle; a row of values for each of `rows`.
    ///
    /// # Errors
    /// As [`Ranker::scores`], and a row that is not on the shelf.
    fn contributions(&self, shelf: ArrayView2<f64>, rows: &[usize]) -> Result<Contributions, ModelError>;
}

/// What a part of a score comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    /// A column of the matrix.
    Column(usize),
    /// A column times another, `by`.
    Cross { column: usize, by: usize },
    /// The share of purchases that are kept, by category and fulfilment.
    Kept,
}

/// Scores taken apart: `reference` + the sum of a row of `values` = the row's score, but for rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    pub reference: f64,
    /// In their order, each once.
    pub parts: Vec<Part>,
    /// The rows asked for x parts.
    pub values: Array2<f64>,
}
