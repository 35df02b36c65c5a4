//! One tree, grown leaf by leaf from histograms: always the leaf whose best split gains most (as LightGBM's).
//!
//! A leaf is worth G^2/(H + l2), G and H the sums of its rows' gradients and second derivatives, and adds -G/(H + l2).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bins::Column;

/// What a tree may become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub leaves: usize,
    pub rows_a_leaf: usize,
    pub curvature_a_leaf: f64,
    pub l2: f64,
    pub rate: f64,
}

/// A place in a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Node {
    /// Rows whose value is at most `limit` go to `left`, the others to `right`: numbers of nodes.
    Split {
        column: usize,
        limit: f64,
        left: usize,
        right: usize,
    },
    Leaf {
        value: f64,
    },
}

/// A fitted tree; the first node is the root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
}

/// Sums of one bin or leaf.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    g: f64,
    h: f64,
    rows: usize,
}

/// A way to part a leaf.
#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    column: usize,
    bin: usize,
    left: Sums,
}

/// A leaf while the tree grows.
struct Open {
    node: usize,
    rows: Vec<u32>,
    sums: Sums,
    /// Columns that gain something here, with the sums of their bins.  A column that gains nothing is not asked below
    /// either (as LightGBM's).
    histograms: Vec<(usize, Vec<Sums>)>,
    best: Option<Split>,
}

impl Sums {
    fn add(&mut self, other: Sums) {
        *self = Sums { g: self.g + other.g, h: self.h + other.h, rows: self.rows + other.rows };
    }

    fn less(self, other: Sums) -> Sums {
        Sums { g: self.g - other.g, h: self.h - other.h, rows: self.rows - other.rows }
    }

    fn worth(self, l2: f64) -> f64 {
        self.g * self.g / (self.h + l2)
    }

    fn leaf(self, shape: Shape) -> Node {
        let curvature = self.h + shape.l2;
        Node::Leaf { value: if curvature > 0.0 { -self.g / curvature * shape.rate } else { 0.0 } }
    }
}

impl Tree {
    /// Grows a tree on the columns `among`; also what it adds to each row.
    pub fn grow(columns: &[Column], slopes: &[(f64, f64)], among: &[usize], shape: Shape) -> (Tree, Vec<f64>) {
        let all: Vec<u32> = (0..slopes.len() as u32).collect();
        let mut sums = Sums { rows: slopes.len(), ..Sums::default() };
        slopes.iter().for_each(|(g, h)| (sums.g, sums.h) = (sums.g + g, sums.h + h));
        let counted = histograms(columns, slopes, among, &all);
        // A tree that parts nothing adds nothing: a constant puts nothing in another order.
        let mut nodes = vec![Node::Leaf { value: 0.0 }];
        let mut open = vec![Open::new(0, all, sums, counted, shape)];
        while open.len() < shape.leaves {
            let gain = |leaf: &Open| leaf.best.map_or(0.0, |split| split.gain);
            let best = (0..open.len()).reduce(|best, at| if gain(&open[at]) > gain(&open[best]) { at } else { best });
            let Some((at, split)) = best.and_then(|at| Some((at, open[at].best?))) else { break };
            let leaf = open.swap_remove(at);
            let column = &columns[split.column];
            let (left, right) = (nodes.len(), nodes.len() + 1);
            nodes[leaf.node] = Node::Split { column: split.column, limit: column.limits[split.bin], left, right };
            let (rows_left, rows_right): (Vec<u32>, Vec<u32>) =
                leaf.rows.iter().partition(|row| usize::from(column.rows[**row as usize]) <= split.bin);
            let of_right = leaf.sums.less(split.left);
            nodes.extend([split.left.leaf(shape), of_right.leaf(shape)]);
            // Only the smaller side is counted; the other is the rest.
            let small_left = rows_left.len() <= rows_right.len();
            let among: Vec<usize> = leaf.histograms.iter().map(|(column, _)| *column).collect();
            let small = histograms(columns, slopes, &among, if small_left { &rows_left } else { &rows_right });
            let large = rest(leaf.histograms, &small);
            let (in_left, in_right) = if small_left { (small, large) } else { (large, small) };
            open.push(Open::new(left, rows_left, split.left, in_left, shape));
            open.push(Open::new(right, rows_right, of_right, in_right, shape));
        }
        let mut added = vec![0.0; slopes.len()];
        for leaf in &open {
            if let Node::Leaf { value } = nodes[leaf.node] {
                leaf.rows.iter().for_each(|row| added[*row as usize] = value);
            }
        }
        (Tree { nodes }, added)
    }

    /// The nodes that a row goes through, from the root to its leaf; `value` reads a column of it.
    pub fn path(&self, value: impl Fn(usize) -> f64) -> impl Iterator<Item = usize> {
        let next = move |node: &usize| match &self.nodes[*node] {
            Node::Split { column, limit, left, right } => Some(if value(*column) <= *limit { *left } else { *right }),
            Node::Leaf { .. } => None,
        };
        std::iter::successors(Some(0), next)
    }

    /// What a leaf adds; 0 of any other node.
    pub fn value(&self, node: usize) -> f64 {
        match self.nodes[node] {
            Node::Leaf { value } => value,
            Node::Split { .. } => 0.0,
        }
    }
}

impl Open {
    fn new(node: usize, rows: Vec<u32>, sums: Sums, histograms: Vec<(usize, Vec<Sums>)>, shape: Shape) -> Open {
        let mut best: Option<Split> = None;
        let mut gains = |(column, bins): &(usize, Vec<Sums>)| {
            let split = best_split(*column, bins, sums, shape);
            // Of equal gains the first column's, and within it the lowest bin's.
            if split.is_some_and(|split| split.gain > best.map_or(0.0, |best| best.gain)) {
                best = split;
            }
            split.is_some()
        };
        let histograms = histograms.into_iter().filter(|column| gains(column)).collect();
        Open { node, rows, sums, histograms, best }
    }
}

/// The best way to part a leaf by one column; `None` where none gains anything.
fn best_split(column: usize, bins: &[Sums], all: Sums, shape: Shape) -> Option<Split> {
    let mut best: Option<Split> = None;
    let mut left = Sums::default();
    let enough = |side: Sums| side.rows >= shape.rows_a_leaf.max(1) && side.h >= shape.curvature_a_leaf;
    let whole = all.worth(shape.l2);
    for (bin, sums) in bins.iter().enumerate().take(bins.len().saturating_sub(1)) {
        left.add(*sums);
        let right = all.less(left);
        if enough(left) && enough(right) {
            let gain = left.worth(shape.l2) + right.worth(shape.l2) - whole;
            if gain > best.map_or(0.0, |split| split.gain) {
                best = Some(Split { gain, column, bin, left });
            }
        }
    }
    best
}

/// The sums of each bin of each column over some rows, columns side by side.
fn histograms(columns: &[Column], slopes: &[(f64, f64)], among: &[usize], rows: &[u32]) -> Vec<(usize, Vec<Sums>)> {
    let of_rows: Vec<(f64, f64)> = rows.iter().map(|row| slopes[*row as usize]).collect();
    let of_column = |number: &usize| {
        let column = &columns[*number];
        let mut bins = vec![Sums::default(); column.limits.len() + 1];
        for (row, (g, h)) in rows.iter().zip(&of_rows) {
            bins[usize::from(column.rows[*row as usize])].add(Sums { g: *g, h: *h, rows: 1 });
        }
        (*number, bins)
    };
    among.par_iter().map(of_column).collect()
}

/// What is left of a leaf's sums without those of one side.
fn rest(mut all: Vec<(usize, Vec<Sums>)>, side: &[(usize, Vec<Sums>)]) -> Vec<(usize, Vec<Sums>)> {
    for ((_, all), (_, side)) in all.iter_mut().zip(side) {
        all.iter_mut().zip(side).for_each(|(all, side)| *all = all.less(*side));
    }
    all
}
