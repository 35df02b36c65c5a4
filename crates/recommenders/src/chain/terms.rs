//! What a head of the chain sums up: columns of a matrix, and products of two of them.

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Every column of `by` times every column of `columns`: one coefficient for each pair.
///
/// `by` are columns that are mostly 0, such as one for each style that a customer may have ticked; where one is 0, its
/// products cost nothing.  So a cross of 8 styles and 24 dimensions needs 32 columns of memory, and not 192.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cross {
    pub by: Vec<usize>,
    pub columns: Vec<usize>,
}

/// The terms of a linear score: columns as they are, then crosses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Terms {
    pub linear: Vec<usize>,
    pub crosses: Vec<Cross>,
}

/// Where a term comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The column of the matrix.
    pub column: usize,
    /// The column it is multiplied by, in a cross.
    pub by: Option<usize>,
}

impl Terms {
    /// Every column of a matrix as it is.
    pub fn all(columns: usize) -> Terms {
        Terms { linear: (0..columns).collect(), crosses: Vec::new() }
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.linear.len() + self.crosses.iter().map(|cross| cross.by.len() * cross.columns.len()).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where each term comes from, in order: columns, then crosses, each by its `by` and then its `columns`.
    pub fn sources(&self) -> Vec<Source> {
        let linear = self.linear.iter().map(|column| Source { column: *column, by: None });
        let pairs = |cross: &Cross| -> Vec<Source> {
            let of = |by: usize| cross.columns.iter().map(move |column| Source { column: *column, by: Some(by) });
            cross.by.iter().flat_map(|by| of(*by)).collect()
        };
        linear.chain(self.crosses.iter().flat_map(pairs)).collect()
    }

    /// Calls `visit(term, value)` for each term of a row, from the first to the last, without products that are 0.
    pub(super) fn visit(&self, row: ArrayView1<f64>, mut visit: impl FnMut(usize, f64)) {
        for (term, column) in self.linear.iter().enumerate() {
            visit(term, row[*column]);
        }
        let mut start = self.linear.len();
        for cross in &self.crosses {
            for by in &cross.by {
                let factor = row[*by];
                if factor != 0.0 {
                    for (place, column) in cross.columns.iter().enumerate() {
                        visit(start + place, factor * row[*column]);
                    }
                }
                start += cross.columns.len();
            }
        }
    }

    /// Refuses terms over columns that are not there.
    pub(super) fn fit_into(&self, columns: usize) -> Result<(), ModelError> {
        let crossed = self.crosses.iter().flat_map(|cross| cross.by.iter().chain(&cross.columns));
        match self.linear.iter().chain(crossed).find(|column| **column >= columns) {
            Some(column) => Err(ModelError::NoColumn { column: *column, columns }),
            None => Ok(()),
        }
    }
}

/// Refuses a matrix with a cell that is not a finite number.
pub fn finite(matrix: ArrayView2<f64>) -> Result<(), ModelError> {
    // All exponent bits are set where a number is none; looked for without a branch, for it is asked of every shelf.
    let odd = |value: &f64| value.to_bits() & f64::INFINITY.to_bits() == f64::INFINITY.to_bits();
    if let Some(values) = matrix.as_slice()
        && !values.iter().fold(false, |any, value| any | odd(value))
    {
        return Ok(());
    }
    match matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), _)) => Err(ModelError::NotFinite { row, column }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn terms_come_in_the_order_of_their_sources() {
        let terms = Terms { linear: vec![3], crosses: vec![Cross { by: vec![0, 1], columns: vec![2, 3] }] };
        let row = array![0.0, 2.0, 5.0, 7.0];
        let mut seen = Vec::new();
        terms.visit(row.view(), |term, value| seen.push((term, value)));
        assert_eq!(seen, [(0, 7.0), (3, 10.0), (4, 14.0)]);
        let sources = terms.sources();
        assert_eq!(terms.len(), sources.len());
        assert_eq!(sources[3], Source { column: 2, by: Some(1) });
        assert_eq!(terms.fit_into(3), Err(ModelError::NoColumn { column: 3, columns: 3 }));
        assert!(Terms::default().is_empty());
    }
}
