//! The shelves of a request, scored: a place for each candidate, and what each feature adds to it.

use std::collections::BTreeMap;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::filter_record_batch;
use ndarray::Array2;

use super::RecommendError;
use crate::rank::{Group, Ranking, customer};
use crate::shelf::{Session, requests_of, typed};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::DataType;
use selvedge_project::error::Result;

/// The candidates of every customer whom the ranking may serve, scored.
pub struct Scored {
    /// One for each row: higher first, within a customer.
    pub scores: Vec<f64>,
    /// The chance that it is bought and kept; none where nothing was there to learn it from.
    pub chances: Vec<Option<f64>>,
    /// The rows with their features and brand.
    pub rows: RecordBatch,
    /// Where each customer's rows stand.
    pub of_customer: BTreeMap<String, Range<usize>>,
}

/// The scores of some rows, taken apart.
pub struct Taken {
    /// The rows, rising.
    rows: Vec<usize>,
    /// What the parts come from.
    pub groups: Vec<Group>,
    parts: Array2<f64>,
}

impl Taken {
    /// What each group adds to a row's score, against the middle of the customer's shelf.
    pub fn of(&self, row: usize) -> Vec<f64> {
        self.rows.binary_search(&row).map_or_else(|_| vec![0.0; self.groups.len()], |at| self.parts.row(at).to_vec())
    }
}

/// Scores the candidates that are `personal`, in their order.
pub fn score(session: &Session, ranking: &Ranking, candidates: &RecordBatch) -> Result<Scored> {
    let file = "sql/recommend/candidates.sql";
    let personal = typed(candidates, file, "personal", &DataType::Boolean, "true or false")?.as_boolean();
    let asked = filter_record_batch(candidates, personal).map_err(RecommendError::Arrow)?;
    let rows = session.features(&asked)?;
    let scores = ranking.scores(&rows)?;
    let mut of_customer = BTreeMap::new();
    for range in requests_of(&rows)? {
        of_customer.insert(customer(&rows, range.start)?, range);
    }
    let chances = scores.iter().map(|score| ranking.chance(*score)).collect();
    Ok(Scored { scores, chances, rows, of_customer })
}

/// Takes the scores of some rows apart.
pub fn taken(ranking: &Ranking, scored: &Scored, mut rows: Vec<usize>) -> Result<Taken> {
    rows.sort_unstable();
    let apart = ranking.taken_apart(&scored.rows, &rows)?;
    Ok(Taken { rows, groups: apart.groups, parts: apart.values })
}
