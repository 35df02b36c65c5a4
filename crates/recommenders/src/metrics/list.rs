//! Figures of one list of k places, against what was relevant.
//!
//! Jarvelin and Kekalainen (2002) for the discounted cumulative gain; all gains are 0 or 1.  Published studies divide by
//! different things, so each variant has a name; figures of different variants are never compared.

use serde::Serialize;

use crate::maths;

/// The figures of one list.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ListFigures {
    /// Hits divided by the places, P.
    pub precision: f64,
    /// Hits divided by all that was relevant, R_all.
    pub recall_all: f64,
    /// Hits divided by the most that a list could hold, R_min.
    pub recall_min: f64,
    /// Whether there is any hit, HR.
    pub hit: f64,
    /// Gain divided by that of the best list there could be, N_min.
    pub ndcg_min: f64,
    /// Gain divided by that of all that was relevant, one place each, N_all.
    pub ndcg_all: f64,
    /// Gain divided by that of the same hits in the first places, N_self; never printed alone.
    pub ndcg_self: f64,
    /// Mean over what a list could hold of the precision up to each hit.
    pub average_precision: f64,
    /// One divided by the place of the first hit.
    pub reciprocal_rank: f64,
}

impl ListFigures {
    /// `hits`: for each place that was filled, whether a relevant article stands there; `places`: how many there are in a
    /// full list; `relevant`: how many articles were relevant.  `None` where nothing was, or without places.
    pub fn of(hits: &[bool], places: usize, relevant: usize) -> Option<ListFigures> {
        if relevant == 0 || places == 0 {
            return None;
        }
        let best = relevant.min(places) as f64;
        let (mut found, mut gained, mut precisions, mut first) = (0.0, 0.0, 0.0, 0.0);
        for (at, _) in hits.iter().take(places).enumerate().filter(|(_, hit)| **hit) {
            if found == 0.0 {
                first = 1.0 / (at as f64 + 1.0);
            }
            found += 1.0;
            gained += discount(at);
            precisions += found / (at as f64 + 1.0);
        }
        let of_first = |count: usize| (0..count).map(discount).sum::<f64>();
        Some(ListFigures {
            precision: found / places as f64,
            recall_all: found / relevant as f64,
            recall_min: found / best,
            hit: f64::from(u8::from(found > 0.0)),
            ndcg_min: gained / of_first(relevant.min(places)),
            ndcg_all: gained / of_first(relevant),
            ndcg_self: if found > 0.0 { gained / of_first(found as usize) } else { 0.0 },
            average_precision: precisions / best,
            reciprocal_rank: first,
        })
    }
}

/// 1/log2(place + 1), places counted from 1; `at` from 0.
fn discount(at: usize) -> f64 {
    1.0 / maths::log2(at as f64 + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(places: &[usize]) -> Vec<bool> {
        (1..=10).map(|place| places.contains(&place)).collect()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn the_figures_are_those_of_the_vectors() {
        let few = ListFigures::of(&hits(&[2, 5, 10]), 10, 4).unwrap();
        near(few.precision, 0.3);
        near(few.recall_all, 0.75);
        near(few.recall_min, 0.75);
        near(few.ndcg_min, 0.510167);
        near(few.ndcg_self, 0.613276);
        near(few.average_precision, 0.3);
        near(few.reciprocal_rank, 0.5);
        near(few.hit, 1.0);
        let many = ListFigures::of(&hits(&[1, 3]), 10, 12).unwrap();
        near(many.recall_all, 0.166667);
        near(many.recall_min, 0.2);
        near(many.ndcg_min, 0.330138);
        near(many.ndcg_all, 0.294537);
        near(many.average_precision, 0.166667);
    }

    #[test]
    fn nothing_relevant_has_no_figures_and_an_empty_list_has_zeros() {
        assert_eq!(ListFigures::of(&[true], 10, 0), None);
        assert_eq!(ListFigures::of(&[true], 0, 3), None);
        assert_eq!(ListFigures::of(&[], 10, 3), Some(ListFigures::default()));
        // A list that could not be filled still has ten places.
        near(ListFigures::of(&[true], 10, 1).unwrap().precision, 0.1);
    }
}
