//! A sparse matrix of likeness S between things; a past x gets the scores x S.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// For each thing i those j that it speaks for, by number, with s_ij.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    rows: Vec<Vec<(u32, f64)>>,
}

impl Neighbours {
    /// One row for each thing; zeros may be left out.
    pub fn new(mut rows: Vec<Vec<(u32, f64)>>) -> Neighbours {
        rows.par_iter_mut().for_each(|row| row.sort_unstable_by_key(|(thing, _)| *thing));
        Neighbours { rows }
    }

    /// The same matrix with rows for columns.
    pub fn transposed(&self) -> Neighbours {
        let mut rows = vec![Vec::new(); self.rows.len()];
        for (i, row) in (0..).zip(&self.rows) {
            row.iter().for_each(|(j, value)| rows[*j as usize].push((i, *value)));
        }
        Neighbours { rows }
    }

    /// The row of a thing.
    pub fn row(&self, thing: u32) -> &[(u32, f64)] {
        self.rows.get(thing as usize).map_or(&[], Vec::as_slice)
    }

    /// x S, one number for each thing; `past`: things and weights, by number.
    pub fn scores(&self, past: &[(u32, f64)]) -> Vec<f64> {
        let mut scores = vec![0.0; self.rows.len()];
        for (thing, weight) in past {
            self.row(*thing).iter().for_each(|(other, value)| scores[*other as usize] += weight * value);
        }
        scores
    }

    /// What each past thing adds to the score of `thing`, without zeros.
    pub fn contributions(&self, past: &[(u32, f64)], thing: u32) -> Vec<(u32, f64)> {
        let value = |row: &[(u32, f64)]| {
            row.binary_search_by_key(&thing, |(other, _)| *other).ok().map(|at| row[at].1).unwrap_or(0.0)
        };
        past.iter().map(|(i, weight)| (*i, weight * value(self.row(*i)))).filter(|(_, part)| *part != 0.0).collect()
    }
}

/// The values of a row that are not 0, at most `most` of them: the largest, and of equal ones those with the smaller number.
pub(super) fn largest(mut row: Vec<(u32, f64)>, most: usize) -> Vec<(u32, f64)> {
    row.retain(|(_, value)| *value != 0.0);
    if row.len() > most {
        row.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        row.truncate(most);
        row.sort_unstable_by_key(|(thing, _)| *thing);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_and_of_equal_ones_the_first() {
        let row = vec![(0, 0.5), (1, 0.0), (2, 0.9), (3, 0.5)];
        assert_eq!(largest(row.clone(), 2), [(0, 0.5), (2, 0.9)]);
        assert_eq!(largest(row, 9).len(), 3);
        let matrix = Neighbours::new(vec![vec![(1, 2.0)], vec![(1, 3.0), (0, 4.0)]]);
        assert_eq!(matrix.transposed(), Neighbours::new(vec![vec![(1, 4.0)], vec![(0, 2.0), (1, 3.0)]]));
        assert_eq!(matrix.scores(&[(0, 0.5), (1, 2.0), (9, 1.0)]), [8.0, 7.0]);
        assert_eq!(matrix.contributions(&[(0, 0.5), (1, 2.0), (9, 1.0)], 0), [(1, 8.0)]);
    }
}
