//! What was known at a moment of visits that came before it: the only thing that a ranking can be fitted on.

use datafusion::arrow::array::RecordBatch;

use super::RankError;
use crate::shelf::{OVER_AT, Outcomes, moments, truths};
use models::split::TrainingRows;
use selvedge_project::error::Result;

/// Rows of visits that were over by a moment, with what of them was known then.
pub struct Known {
    rows: TrainingRows,
    /// Whether it was looked at in the visit.
    pub looked: Vec<bool>,
    /// Whether it was then bought; none where that was not known yet.
    pub bought: Vec<Option<bool>>,
    /// Whether what was bought was kept; none where it was not bought, or that was not known yet.
    pub kept: Vec<Option<bool>>,
}

impl Known {
    /// Of `sample`, as it was at `cut` (nanoseconds); none where no visit was over.
    pub fn by(sample: &RecordBatch, outcomes: &Outcomes, cut: i64) -> Result<Option<Self>> {
        if sample.num_rows() == 0 {
            return Ok(None);
        }
        let rows = TrainingRows::known_by(sample, OVER_AT, cut).map_err(RankError::Split)?;
        let Some(rows) = rows else { return Ok(None) };
        let of = |name| truths(rows.rows(), "sql/labels/visits.sql", name);
        let (looked, bought, kept) = (of("looked")?, of("bought")?, of("kept")?);
        let begun = moments(rows.rows(), "the shelf", "as_of")?;
        let was_bought = |row: usize| (outcomes.bought_known_at(begun[row]) <= cut).then_some(bought[row]);
        let was_kept = |row: usize| (bought[row] && outcomes.kept_known_at(begun[row]) <= cut).then_some(kept[row]);
        let count = looked.len();
        let (bought, kept) = ((0..count).map(was_bought).collect(), (0..count).map(was_kept).collect());
        Ok(Some(Self { rows, looked, bought, kept }))
    }

    /// The rows with their features.
    pub fn rows(&self) -> &TrainingRows {
        &self.rows
    }

    /// Whether every look was a purchase: so it is where nobody's looks are known and purchases stand for them.  What was not
    /// chosen is then the rest of the shelf alone.
    pub fn looks_are_purchases(&self) -> bool {
        let mut looks = self.looked.iter().zip(&self.bought).filter(|(looked, _)| **looked).peekable();
        looks.peek().is_some() && looks.all(|(_, bought)| *bought != Some(false))
    }

    /// How many looks led to a purchase that is known to have been kept, and how many are known not to have.
    pub fn purchases(&self) -> (usize, usize) {
        let looks = self.looked.iter().zip(&self.kept).zip(&self.bought).filter(|((looked, _), _)| **looked);
        let known: Vec<bool> = looks.filter_map(|((_, kept), bought)| kept.or_else(|| bought.filter(|b| !b))).collect();
        let kept = known.iter().filter(|kept| **kept).count();
        (kept, known.len() - kept)
    }
}
