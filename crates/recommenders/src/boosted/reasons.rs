//! Scores of trees taken apart against the shelf.
//!
//! A node is worth the mean of what the shelf's rows that come through it get in the end.  On a row's way through a tree,
//! the column that a node asks about gathers what the next node is worth more; together these are the row's leaf less the
//! mean of the shelf, exactly (Saabas 2014, with the shelf for a background).

use ndarray::{Array2, ArrayView2};

use super::tree::{Node, Tree};
use crate::rank::{Contributions, Part};

/// Of some rows of the shelf, in their order.
pub(super) fn contributions(trees: &[Tree], columns: usize, shelf: ArrayView2<f64>, rows: &[usize]) -> Contributions {
    let mut values = Array2::zeros((rows.len(), columns));
    let mut reference = 0.0;
    for tree in trees {
        // Rows that come to each leaf, then through each node: children stand behind their parents.
        let mut through = vec![0.0; tree.nodes.len()];
        let leaves = shelf.rows().into_iter().filter_map(|row| tree.path(|column| row[column]).last());
        leaves.for_each(|leaf| through[leaf] += 1.0);
        let mut sums: Vec<f64> = through.iter().enumerate().map(|(node, count)| count * tree.value(node)).collect();
        for (node, split) in tree.nodes.iter().enumerate().rev() {
            if let Node::Split { left, right, .. } = split {
                through[node] = through[*left] + through[*right];
                sums[node] = sums[*left] + sums[*right];
            }
        }
        let worth = |node: usize| if through[node] > 0.0 { sums[node] / through[node] } else { 0.0 };
        reference += worth(0);
        for (row, mut line) in rows.iter().map(|row| shelf.row(*row)).zip(values.rows_mut()) {
            let path: Vec<usize> = tree.path(|column| row[column]).collect();
            for step in path.windows(2) {
                if let Node::Split { column, .. } = tree.nodes[step[0]] {
                    line[column] += worth(step[1]) - worth(step[0]);
                }
            }
        }
    }
    Contributions { reference, parts: (0..columns).map(Part::Column).collect(), values }
}
