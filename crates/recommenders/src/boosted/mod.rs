//! LambdaMART: trees that put the articles of a request in order (Burges 2010; Ke and others 2017).
//!
//! Gradients and growth are LightGBM's, in f64.  Labels: look 1, wish 2, bought 3, kept 4.  Its columns are those of the
//! shelf, and scores of other models made at earlier cuts; never scores of a model that saw the same rows.

mod bins;
mod lambda;
mod reasons;
mod tree;

#[cfg(test)]
mod tests;

use std::ops::Range;

use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::{
    ModelError, blocks,
    chain::finite,
    error::{not_negative, rows_of_shelf, same_length},
    rank::{Contributions, Ranker},
    seeds,
};
use lambda::{Pairs, slopes};
use tree::{Shape, Tree};

/// Raised whenever the same rows would get other trees or other scores.
pub const VERSION: u32 = 1;

/// How many trees, and of which form.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoostedSettings {
    pub trees: usize,
    /// How much of what a tree says is believed.
    pub rate: f64,
    pub leaves: usize,
    pub rows_a_leaf: usize,
    /// Second derivatives that a leaf holds at least.
    pub curvature_a_leaf: f64,
    /// The share of columns that each tree may look at.
    pub columns: f64,
    pub l2: f64,
    /// The places that count: 15 for lists of ten.
    pub truncation: usize,
    /// Whether a query's gradients are normalised.
    pub normalised: bool,
    pub seed: u64,
}

impl Default for BoostedSettings {
    fn default() -> Self {
        let (trees, rate, leaves, rows_a_leaf, columns, l2) = (150, 0.05, 7, 100, 0.5, 10.0);
        let (curvature_a_leaf, truncation, normalised, seed) = (1e-3, 15, true, 0);
        Self { trees, rate, leaves, rows_a_leaf, curvature_a_leaf, columns, l2, truncation, normalised, seed }
    }
}

/// Fitted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boosted {
    columns: usize,
    trees: Vec<Tree>,
}

impl Boosted {
    /// Fits trees.  `matrix`: rows x columns; `labels`: one for each row, 0 to 30; `queries`: how many rows each request
    /// has, one after the other.  Where no query has two labels every score is 0.
    ///
    /// # Errors
    /// Cells that are not finite, lengths that do not fit, or settings beyond their range.
    pub fn fit(
        matrix: ArrayView2<f64>,
        labels: &[u8],
        queries: &[usize],
        settings: BoostedSettings,
    ) -> Result<Boosted, ModelError> {
        finite(matrix)?;
        same_length("labels", labels.len(), matrix.nrows())?;
        same_length("rows of queries", queries.iter().sum(), labels.len())?;
        check(labels, settings)?;
        let mut end = 0;
        let range = |rows: &usize| {
            let start = end;
            end += rows;
            start..end
        };
        let ranges: Vec<Range<usize>> = queries.iter().map(range).collect();
        let columns = bins::columns(matrix);
        let shape = Shape {
            leaves: settings.leaves,
            rows_a_leaf: settings.rows_a_leaf,
            curvature_a_leaf: settings.curvature_a_leaf,
            l2: settings.l2,
            rate: settings.rate,
        };
        let pairs = Pairs { truncation: settings.truncation, normalised: settings.normalised };
        let taken = ((columns.len() as f64 * settings.columns).ceil() as usize).min(columns.len());
        let trees = blocks::inside(|| {
            let mut scores = vec![0.0; labels.len()];
            let mut trees = Vec::with_capacity(settings.trees);
            for number in 0..settings.trees {
                let mut among: Vec<usize> = (0..columns.len()).collect();
                among.shuffle(&mut seeds::stream(settings.seed, "columns", number as u64));
                among.truncate(taken);
                among.sort_unstable();
                let (tree, added) = Tree::grow(&columns, &slopes(&scores, labels, &ranges, pairs), &among, shape);
                scores.iter_mut().zip(added).for_each(|(score, added)| *score += added);
                trees.push(tree);
            }
            trees
        });
        Ok(Boosted { columns: matrix.ncols(), trees })
    }

    fn accepts(&self, shelf: ArrayView2<f64>) -> Result<(), ModelError> {
        same_length("columns", shelf.ncols(), self.columns)?;
        finite(shelf)
    }
}

fn check(labels: &[u8], settings: BoostedSettings) -> Result<(), ModelError> {
    if let Some(label) = labels.iter().find(|label| **label > 30) {
        return Err(ModelError::Setting { what: "label", value: f64::from(*label), allowed: "from 0 to 30" });
    }
    not_negative("rate", settings.rate)?;
    not_negative("l2", settings.l2)?;
    if !(0.0..=1.0).contains(&settings.columns) {
        return Err(ModelError::Setting { what: "columns", value: settings.columns, allowed: "a share from 0 to 1" });
    }
    Ok(())
}

impl Ranker for Boosted {
    fn name(&self) -> &'static str {
        "boosted"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, shelf: ArrayView2<f64>) -> Result<Vec<f64>, ModelError> {
        self.accepts(shelf)?;
        let of_row = |row: ndarray::ArrayView1<f64>| {
            let leaf = |tree: &Tree| tree.path(|column| row[column]).last().map_or(0.0, |node| tree.value(node));
            self.trees.iter().map(leaf).sum()
        };
        Ok(shelf.rows().into_iter().map(of_row).collect())
    }

    fn contributions(&self, shelf: ArrayView2<f64>, rows: &[usize]) -> Result<Contributions, ModelError> {
        self.accepts(shelf)?;
        rows_of_shelf(rows, shelf.nrows())?;
        Ok(reasons::contributions(&self.trees, self.columns, shelf, rows))
    }
}
