//! The nearest of many vectors by inner product: an exact scan, or a hierarchical navigable small world with filters inside
//! its search (Malkov and Yashunin 2020).
//!
//! Vectors get one dimension more, so that the largest inner product is the smallest distance (Bachrach and others 2014):
//! x' = (x, sqrt(M^2 - |x|^2)), M the longest.  Vectors are put in one after the other in the order of their numbers, and a
//! vector's level is a hash of its number, so the same vectors give the same graph.  Under some 20,000 vectors the scan is
//! as fast; how many of the true nearest are found is measured, never assumed.

use std::{cmp::Reverse, collections::BinaryHeap};

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::{dense::dot, lists::top_by, maths, seeds};

/// Raised whenever the same vectors would get another graph.
pub const VERSION: u32 = 1;
/// The widths of search that [`smallest_width`] tries.
pub const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// The `k` rows with the largest inner products that `allowed` lets through, best first, with the products; of equal ones
/// those with the smaller number.
pub fn scan(vectors: ArrayView2<f64>, query: &[f64], k: usize, allowed: impl Fn(u32) -> bool) -> Vec<(u32, f64)> {
    let product = |row: usize| dot(vectors.row(row).to_slice().unwrap_or_default(), query);
    top_by(vectors.nrows(), k, product, |row| allowed(row as u32))
}

/// How dense the graph is, and how carefully it is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphSettings {
    /// M: links of a vector on each level, twice as many on the lowest.
    pub links: usize,
    /// ef_construction: how many of the nearest are looked through for them.
    pub width: usize,
    pub seed: u64,
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self { links: 16, width: 128, seed: 0 }
    }
}

/// A graph over vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// With the added dimension.
    vectors: Array2<f64>,
    /// For each vector and each of its levels, whom it is linked to.
    links: Vec<Vec<Vec<u32>>>,
    /// A vector on the highest level.
    entry: u32,
    settings: GraphSettings,
}

/// A vector at a distance; ordered by distance, then number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    distance: f64,
    number: u32,
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.distance.total_cmp(&other.distance).then(self.number.cmp(&other.number))
    }
}

impl Graph {
    /// Puts every row of `vectors` into a graph, one after the other.
    pub fn new(vectors: ArrayView2<f64>, settings: GraphSettings) -> Graph {
        let squares: Vec<f64> = vectors.rows().into_iter().map(|row| row.dot(&row)).collect();
        let longest = squares.iter().copied().fold(0.0, f64::max);
        let mut augmented = Array2::zeros((vectors.nrows(), vectors.ncols() + 1));
        augmented.slice_mut(ndarray::s![.., ..vectors.ncols()]).assign(&vectors);
        let rest = squares.iter().map(|square| (longest - square).max(0.0).sqrt());
        augmented.column_mut(vectors.ncols()).iter_mut().zip(rest).for_each(|(cell, rest)| *cell = rest);
        let mut graph = Graph { vectors: augmented, links: Vec::new(), entry: 0, settings };
        (0..vectors.nrows() as u32).for_each(|number| graph.insert(number));
        graph
    }

    /// About the `k` vectors with the largest inner products that `allowed` lets through, best first, with the products.
    /// `width`: how many of the nearest are looked through, at least `k`; the filter is inside the search, so a rare filter
    /// finds fewer than `k` only where it lets fewer through or they lie far apart.
    pub fn search(&self, query: &[f64], k: usize, width: usize, allowed: impl Fn(u32) -> bool) -> Vec<(u32, f64)> {
        if self.links.is_empty() || k == 0 {
            return Vec::new();
        }
        let mut query = query.to_vec();
        query.resize(self.vectors.ncols(), 0.0);
        let start = self.descend(&query, 0);
        let found = self.look(&query, vec![start], width.max(k), 0, &allowed);
        let products: Vec<f64> = found.iter().map(|near| dot(self.vector(near.number), &query)).collect();
        let mut numbers: Vec<u32> = found.iter().map(|near| near.number).collect();
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by_key(|at| numbers[*at]);
        numbers.sort_unstable();
        let best = top_by(order.len(), k, |at| products[order[at]], |_| true);
        best.into_iter().map(|(at, product)| (numbers[at as usize], product)).collect()
    }

    fn vector(&self, number: u32) -> &[f64] {
        self.vectors.row(number as usize).to_slice().unwrap_or_default()
    }

    fn near(&self, query: &[f64], number: u32) -> Near {
        let square = |(a, b): (&f64, &f64)| (a - b) * (a - b);
        Near { distance: self.vector(number).iter().zip(query).map(square).sum(), number }
    }

    fn levels(&self, number: u32) -> usize {
        self.links[number as usize].len()
    }

    /// Geometric with 1/ln(links) for a mean: few vectors are on high levels.
    fn draw_levels(&self, number: u32) -> usize {
        let lot = seeds::mix(self.settings.seed, [u64::from(number)]);
        let uniform = ((lot >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-maths::ln(uniform) / maths::ln(self.settings.links.max(2) as f64)) as usize + 1
    }

    /// From the entry to the nearest vector that a walk downhill finds, on the levels above `level`.
    fn descend(&self, query: &[f64], level: usize) -> Near {
        let mut best = self.near(query, self.entry);
        for level in (level + 1..self.levels(self.entry)).rev() {
            loop {
                let links = &self.links[best.number as usize][level];
                let Some(next) = links.iter().map(|other| self.near(query, *other)).min().filter(|near| *near < best)
                else {
                    break;
                };
                best = next;
            }
        }
        best
    }

    /// The nearest `width` allowed ones that are found on a level, nearest first.
    fn look(
        &self,
        query: &[f64],
        start: Vec<Near>,
        width: usize,
        level: usize,
        allowed: &impl Fn(u32) -> bool,
    ) -> Vec<Near> {
        let mut seen = vec![false; self.links.len()];
        let mut found: BinaryHeap<Near> = BinaryHeap::new();
        let mut open: BinaryHeap<Reverse<Near>> = BinaryHeap::new();
        let meet = |near: Near, open: &mut BinaryHeap<Reverse<Near>>, found: &mut BinaryHeap<Near>| {
            if found.len() < width || found.peek().is_some_and(|worst| near < *worst) {
                open.push(Reverse(near));
                if allowed(near.number) {
                    found.push(near);
                    if found.len() > width {
                        found.pop();
                    }
                }
            }
        };
        for near in start {
            seen[near.number as usize] = true;
            meet(near, &mut open, &mut found);
        }
        while let Some(Reverse(next)) = open.pop() {
            if found.len() == width && found.peek().is_some_and(|worst| next > *worst) {
                break;
            }
            for other in &self.links[next.number as usize][level] {
                if !std::mem::replace(&mut seen[*other as usize], true) {
                    meet(self.near(query, *other), &mut open, &mut found);
                }
            }
        }
        found.into_sorted_vec()
    }

    fn insert(&mut self, number: u32) {
        let levels = self.draw_levels(number);
        if number == 0 {
            self.links.push(vec![Vec::new(); levels]);
            return;
        }
        let query = self.vector(number).to_vec();
        let top = self.levels(self.entry);
        let mut start = vec![self.descend(&query, levels.min(top) - 1)];
        let mut own = vec![Vec::new(); levels];
        for level in (0..levels.min(top)).rev() {
            start = self.look(&query, start, self.settings.width, level, &|_| true);
            own[level] = self.chosen(start.clone(), self.settings.links);
        }
        self.links.push(own.clone());
        for (level, others) in own.into_iter().enumerate() {
            let most = if level == 0 { 2 * self.settings.links } else { self.settings.links };
            for other in others {
                self.links[other as usize][level].push(number);
                if self.links[other as usize][level].len() > most {
                    let from = self.vector(other);
                    let mut near: Vec<Near> =
                        self.links[other as usize][level].iter().map(|link| self.near(from, *link)).collect();
                    near.sort_unstable();
                    self.links[other as usize][level] = self.chosen(near, most);
                }
            }
        }
        if levels > top {
            self.entry = number;
        }
    }

    /// Of those nearest first, the ones that are nearer to the vector than to any chosen before: links in all directions;
    /// then the nearest of the others, until there are `most`.
    fn chosen(&self, nearest: Vec<Near>, most: usize) -> Vec<u32> {
        let (mut chosen, mut others): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for near in nearest {
            let from = self.vector(near.number);
            let alone =
                chosen.len() < most && chosen.iter().all(|link| self.near(from, *link).distance > near.distance);
            if alone { chosen.push(near.number) } else { others.push(near.number) }
        }
        let missing = most - chosen.len();
        chosen.extend(others.into_iter().take(missing));
        chosen
    }
}

/// The share of the true `k` nearest that a search of `width` finds, over the rows of `queries`; 1 without queries.
pub fn recall(graph: &Graph, vectors: ArrayView2<f64>, queries: ArrayView2<f64>, k: usize, width: usize) -> f64 {
    let of_query = |query: usize| {
        let query = queries.row(query).to_vec();
        let mut true_ones: Vec<u32> = scan(vectors, &query, k, |_| true).into_iter().map(|(row, _)| row).collect();
        true_ones.sort_unstable();
        let found = graph.search(&query, k, width, |_| true);
        (found.iter().filter(|(row, _)| true_ones.binary_search(row).is_ok()).count(), true_ones.len())
    };
    let counts: Vec<(usize, usize)> = (0..queries.nrows()).into_par_iter().map(of_query).collect();
    let (found, wanted) = counts.into_iter().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    if wanted == 0 { 1.0 } else { found as f64 / wanted as f64 }
}

/// The smallest of [`WIDTHS`] whose recall at `k` is at least `wanted`, and its recall; `None` where none is, and the scan
/// must do.
pub fn smallest_width(
    graph: &Graph,
    vectors: ArrayView2<f64>,
    queries: ArrayView2<f64>,
    k: usize,
    wanted: f64,
) -> Option<(usize, f64)> {
    let measured = WIDTHS.into_iter().map(|width| (width, recall(graph, vectors, queries, k, width)));
    measured.into_iter().find(|(_, recall)| *recall >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize, purpose: &str) -> Array2<f64> {
        let mut random = seeds::stream(1, purpose, 0);
        Array2::from_shape_simple_fn((count, 9), || seeds::normal(&mut random, 1.0))
    }

    #[test]
    fn nearly_all_of_the_nearest_are_found_also_behind_a_filter() {
        let (items, queries) = (vectors(3000, "items"), vectors(100, "queries"));
        let graph = Graph::new(items.view(), GraphSettings::default());
        assert!(graph == Graph::new(items.view(), GraphSettings::default()));
        let (width, found) = smallest_width(&graph, items.view(), queries.view(), 10, 0.99).unwrap();
        assert!(width <= 256 && found >= 0.99, "{width} {found}");
        assert!(recall(&graph, items.view(), queries.view(), 10, 1) < 0.9);
        // One of thirty is allowed.
        let allowed = |row: u32| row.is_multiple_of(30);
        let mut same = 0;
        for query in queries.rows() {
            let query = query.to_vec();
            let (exact, near) = (scan(items.view(), &query, 5, allowed), graph.search(&query, 5, 64, allowed));
            assert!(near.iter().all(|(row, _)| allowed(*row)) && near.len() == 5);
            let products: Vec<f64> = near.iter().map(|(_, product)| *product).collect();
            assert!(products.is_sorted_by(|a, b| a >= b));
            same += exact.iter().filter(|(row, _)| near.iter().any(|(found, _)| found == row)).count();
        }
        assert!(same >= 490, "{same}");
    }

    #[test]
    fn small_and_equal_sets_have_answers() {
        let search = |items: Array2<f64>, k| {
            Graph::new(items.view(), GraphSettings::default()).search(&[1.0, 1.0], k, 64, |_| true)
        };
        assert!(search(Array2::zeros((0, 2)), 5).is_empty());
        assert_eq!(search(Array2::ones((1, 2)), 5), [(0, 2.0)]);
        let rows: Vec<u32> = search(Array2::ones((200, 2)), 5).into_iter().map(|(row, _)| row).collect();
        assert_eq!(rows.len(), 5);
        assert!(search(Array2::ones((3, 2)), 0).is_empty());
    }

    /// Moves with every change of the graph: then VERSION is raised, and the number here with it.
    #[test]
    fn this_version_makes_this_graph() {
        assert_eq!(VERSION, 1);
        let graph = Graph::new(vectors(500, "items").view(), GraphSettings::default());
        let flat = graph.links.iter().flatten().flatten().map(|link| u64::from(*link));
        assert_eq!(seeds::mix(u64::from(graph.entry), flat), 3_588_045_233_084_967_270);
    }
}
