//! Scores of trees taken apart against the shelf.
//!
//! A node is worth the mean of what the shelf's rows that come through it get in the end.  On a row's way through a tree,
//! the column that a node asks about gathers what the next node is worth more; together these are the row's leaf less the
//! mean of the shelf, exactly (Saabas 2014, with the shelf for a background).

use ndarray::{Array2, ArrayView2};

use super::tree::{Node, Tree};
use crate::rank::{Contributions, Part};

pub(super) fn contributions(trees: &[Tree], columns: usize, shelf: ArrayView2<f64>) -> Contributions {
    let mut values = Array2::zeros((shelf.nrows(), columns));
    let mut reference = 0.0;
    for tree in trees {
        let paths: Vec<Vec<usize>> =
            shelf.rows().into_iter().map(|row| tree.path(|column| row[column]).collect()).collect();
        let mut sums = vec![(0.0, 0.0); tree.nodes.len()];
        for path in &paths {
            let value = path.last().map_or(0.0, |leaf| tree.value(*leaf));
            for node in path {
                sums[*node] = (sums[*node].0 + value, sums[*node].1 + 1.0);
            }
        }
        let worth = |node: usize| if sums[node].1 > 0.0 { sums[node].0 / sums[node].1 } else { 0.0 };
        reference += worth(0);
        for (path, mut line) in paths.iter().zip(values.rows_mut()) {
            for step in path.windows(2) {
                if let Node::Split { column, .. } = tree.nodes[step[0]] {
                    line[column] += worth(step[1]) - worth(step[0]);
                }
            }
        }
    }
    Contributions { reference, parts: (0..columns).map(Part::Column).collect(), values }
}
