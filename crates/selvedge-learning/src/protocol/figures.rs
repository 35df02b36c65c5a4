//! The figures of one visit: what a ranking of its shelf, or a list, found of what was then bought and kept.

use recommenders::metrics::{ListFigures, order, right_order};
use recommenders::seeds::mix;

/// What is told of a ranking, of 1: lists that hold something kept, share of what was kept that they hold, how near the top
/// it stands (NDCG against the best list), mean precision, pairs of a kept article and another in the right order, and
/// the same of articles that were looked at in the visit.
pub const FIGURES: [&str; 6] =
    ["kept_hits", "kept_recall", "kept_ndcg", "kept_map", "right_order", "right_order_looks"];

/// One visit's shelf with what came of it.
pub struct Visit<'a> {
    pub kept: &'a [bool],
    pub looked: &'a [bool],
    /// The rows that pairs are made with, where a draw stands for the rest of a long shelf; all where nothing is said.
    pub others: Option<&'a [bool]>,
    /// Which of two equal scores stands first.
    pub lots: &'a [u64],
    /// Places of a list.
    pub places: usize,
}

impl Visit<'_> {
    /// The rows that the scores put first.
    pub fn first(&self, scores: &[f64]) -> Vec<usize> {
        let mut order = order(scores, self.lots);
        order.truncate(self.places);
        order
    }

    /// The figures of a list of rows, best first, that these scores have put in order; not a number where nothing was kept
    /// (looked at), or all was.
    pub fn figures(&self, scores: &[f64], list: &[usize]) -> [f64; FIGURES.len()] {
        let hits: Vec<bool> = list.iter().map(|row| self.kept[*row]).collect();
        let relevant = self.kept.iter().filter(|kept| **kept).count();
        let of_list = ListFigures::of(&hits, self.places, relevant);
        let of = |figure: fn(&ListFigures) -> f64| of_list.as_ref().map_or(f64::NAN, figure);
        let pairs = |targets: &[bool]| match self.others {
            None => right_order(scores, targets),
            Some(others) => {
                let rows: Vec<usize> = (0..scores.len()).filter(|row| targets[*row] || others[*row]).collect();
                let of = |row: &usize| (scores[*row], targets[*row]);
                let (scores, targets): (Vec<f64>, Vec<bool>) = rows.iter().map(of).unzip();
                right_order(&scores, &targets)
            }
        };
        let pairs = |targets: &[bool]| pairs(targets).unwrap_or(f64::NAN);
        [
            of(|list| list.hit),
            of(|list| list.recall_all),
            of(|list| list.ndcg_min),
            of(|list| list.average_precision),
            pairs(self.kept),
            pairs(self.looked),
        ]
    }
}

/// A lot for each article of a request's shelf.
pub fn lots(seed: u64, request: u64, articles: impl Iterator<Item = u64>) -> Vec<u64> {
    articles.map(|article| mix(seed, [request, article])).collect()
}
