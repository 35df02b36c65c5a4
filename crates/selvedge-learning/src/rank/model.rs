//! A fitted ranking: the shelf of a request in order, and what each feature adds to each place.

use std::collections::BTreeMap;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;
use recommenders::calibration::Calibration;
use recommenders::chain::Chain;
use recommenders::rank::{Part, Ranker};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::matrix::Columns;
use crate::shelf::requests_of;
use selvedge_project::error::Result;

/// Rows whose matrix stands in memory at a time, of each thread.
const CHUNK: usize = 1 << 13;

/// The chain with the matrix it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    pub columns: Columns,
    pub chain: Chain,
    /// From a score to the chance that the article is bought and kept.
    pub calibration: Option<Calibration>,
}

/// Scores taken apart: wanted row by wanted row what each group adds against the middle of its shelf.
pub struct Apart {
    /// What stands together: a feature, or a cross for one value of a customer; in alphabetical order.
    pub groups: Vec<Group>,
    /// `wanted rows x groups`.
    pub values: Array2<f64>,
}

/// What a part of a score comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub feature: String,
    /// The feature of the customer that it is crossed with, and the value; none where it stands alone.
    pub crossed: Option<(String, String)>,
}

impl Ranking {
    /// The score of each row: higher first, within a request.  Rows are in the order of their key.
    pub fn scores(&self, rows: &RecordBatch) -> Result<Vec<f64>> {
        self.by_request(rows, |_, shelf| Ok(self.chain.scores(shelf).map_err(RankError::Model)?))
    }

    /// The chance that an article of this score is bought and kept.
    pub fn chance(&self, score: f64) -> Option<f64> {
        self.calibration.as_ref().map(|calibration| calibration.chance(score))
    }

    /// The scores of the rows that are `wanted`, rising, taken apart against the middle of the shelf that each stands on.
    pub fn taken_apart(&self, rows: &RecordBatch, wanted: &[usize]) -> Result<Apart> {
        let share = self.columns.codes()[0];
        let group = |part: &Part| {
            let source = |at: usize| &self.columns.sources[at];
            match part {
                Part::Column(at) => Group { feature: source(*at).feature.clone(), crossed: None },
                Part::Cross { column, by } => {
                    let by = source(*by);
                    let crossed = Some((by.feature.clone(), by.value.clone()));
                    Group { feature: source(*column).feature.clone(), crossed }
                }
                Part::Kept => Group { feature: source(share).feature.clone(), crossed: None },
            }
        };
        // The parts are those of the terms, whatever the rows; a shelf of one empty row names them.
        let none = Array2::zeros((1, self.columns.width()));
        let parts = self.chain.contributions(none.view()).map_err(RankError::Model)?.parts;
        let mut places: BTreeMap<Group, usize> = parts.iter().map(|part| (group(part), 0)).collect();
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let of_part: Vec<usize> = parts.iter().map(|part| places[&group(part)]).collect();
        let width = places.len();
        let rows_of = self.by_request(rows, |range, shelf| {
            let here = wanted.partition_point(|row| *row < range.start)..wanted.partition_point(|row| *row < range.end);
            if here.is_empty() {
                return Ok(Vec::new());
            }
            let of_shelf: Vec<usize> = wanted[here].iter().map(|row| row - range.start).collect();
            let apart = self.chain.contributions_of(shelf, &of_shelf).map_err(RankError::Model)?;
            let sums = apart.values.rows().into_iter().map(|parts| {
                let mut sums = vec![0.0; width];
                parts.iter().zip(&of_part).for_each(|(value, place)| sums[*place] += value);
                sums
            });
            Ok(sums.collect())
        })?;
        let mut values = Array2::zeros((rows_of.len(), width));
        for (mut row, sums) in values.rows_mut().into_iter().zip(rows_of) {
            row.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum);
        }
        Ok(Apart { groups: places.into_keys().collect(), values })
    }

    /// What `of` says of each row of the shelf of each request; some shelves at a time, side by side.
    fn by_request<T: Send>(
        &self,
        rows: &RecordBatch,
        of: impl Fn(&Range<usize>, ArrayView2<f64>) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let found: Vec<Result<Vec<T>>> = together(requests_of(rows)?)
            .into_par_iter()
            .map(|shelves| {
                let (Some(first), Some(last)) = (shelves.first(), shelves.last()) else { return Ok(Vec::new()) };
                let start = first.start;
                let matrix = self.columns.apply(&rows.slice(start, last.end - start))?;
                let mut found = Vec::new();
                for shelf in &shelves {
                    found.extend(of(shelf, matrix.slice(s![shelf.start - start..shelf.end - start, ..]))?);
                }
                Ok(found)
            })
            .collect();
        let mut all = Vec::new();
        for part in found {
            all.extend(part?);
        }
        Ok(all)
    }
}

/// Shelves that are worked on together.
fn together(shelves: Vec<Range<usize>>) -> Vec<Vec<Range<usize>>> {
    let mut all: Vec<Vec<Range<usize>>> = Vec::new();
    for shelf in shelves {
        match all.last_mut() {
            Some(last) if last.first().is_some_and(|first| shelf.end - first.start <= CHUNK) => last.push(shelf),
            _ => all.push(vec![shelf]),
        }
    }
    all
}
