//! The two rules of taste that a list has by default: a brand's share, and some new articles.
//!
//! A brand gets at most `max(2, ceil(2 k share))` places, its share being that of this customer's scores: whoever likes a
//! brand sees it, and no fixed number of places takes that away.

use std::collections::BTreeMap;

use crate::{maths, metrics::order};

/// The rules of a list, each with a switch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Places of the list.
    pub places: usize,
    /// How many times its share of the customer's scores a brand may have; `None` switches the rule off.
    pub brand_share: Option<BrandShare>,
    /// How many new articles there are at least, as far as there are any; 0 switches the rule off.
    pub at_least_new: usize,
}

/// A brand's places: at most `max(least, ceil(times x places x share))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrandShare {
    pub least: usize,
    pub times: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { places: 10, brand_share: Some(BrandShare { least: 2, times: 2.0 }), at_least_new: 2 }
    }
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Shown, at this place from 1.
    Shown { place: usize },
    /// Its rank from 1 is behind the places.
    Rank { rank: usize },
    /// Its rank would do, but its brand has all its places.
    Brand { rank: usize, places: usize },
    /// Its rank would do, but its place was kept for a new article.
    New { rank: usize },
}

/// Fills a list in the order of the scores and by the rules.  `scores`: logarithms of what a place is worth, such as a
/// chain's; `brands`: each row's, `None` where it has no brand (no rule speaks of it); `new`: whether each row is new.
/// What the brand rule kept out fills places that would be empty.  One answer for each row.
pub fn choose(scores: &[f64], brands: &[Option<u32>], new: &[bool], rules: Rules) -> Vec<Why> {
    let ranks = order(scores, &[]);
    let brand = |row: usize| brands.get(row).copied().flatten();
    let caps = caps(scores, brand, rules);
    let cap = |row: usize| brand(row).and_then(|brand| caps.get(&brand).copied());
    let mut list = Filling { shown: vec![false; scores.len()], of_brand: BTreeMap::new(), count: 0 };
    let fits = |list: &Filling, row: usize| {
        cap(row).is_none_or(|most| brand(row).and_then(|brand| list.of_brand.get(&brand)).copied().unwrap_or(0) < most)
    };
    let is_new = |row: usize| new.get(row).copied().unwrap_or(false);
    // The new articles that have a place for certain are the best new ones that fit.
    let wanted = rules.at_least_new.min(rules.places);
    for row in ranks.iter().copied().filter(|row| is_new(*row)) {
        if list.count < wanted && fits(&list, row) {
            list.show(row, brand(row));
        }
    }
    for bound in [true, false] {
        for row in ranks.iter().copied() {
            if list.count < rules.places && !list.shown[row] && (!bound || fits(&list, row)) {
                list.show(row, brand(row));
            }
        }
    }
    let mut answers = vec![Why::Rank { rank: 0 }; scores.len()];
    let mut place = 0;
    for (rank, row) in (1..).zip(ranks) {
        answers[row] = if list.shown[row] {
            place += 1;
            Why::Shown { place }
        } else if rank > rules.places {
            Why::Rank { rank }
        } else {
            match cap(row) {
                Some(places) if !fits(&list, row) => Why::Brand { rank, places },
                _ => Why::New { rank },
            }
        };
    }
    answers
}

/// A list while it is filled.
struct Filling {
    shown: Vec<bool>,
    of_brand: BTreeMap<u32, usize>,
    count: usize,
}

impl Filling {
    fn show(&mut self, row: usize, brand: Option<u32>) {
        self.shown[row] = true;
        self.count += 1;
        if let Some(brand) = brand {
            *self.of_brand.entry(brand).or_default() += 1;
        }
    }
}

/// How many places each brand may have, by its share of exp(score).
fn caps(scores: &[f64], brand: impl Fn(usize) -> Option<u32>, rules: Rules) -> BTreeMap<u32, usize> {
    let Some(BrandShare { least, times }) = rules.brand_share else { return BTreeMap::new() };
    let total = maths::log_sum_exp(scores.iter().copied());
    let mut shares: BTreeMap<u32, f64> = BTreeMap::new();
    for (row, score) in scores.iter().enumerate() {
        if let Some(brand) = brand(row) {
            *shares.entry(brand).or_default() += maths::exp(score - total);
        }
    }
    // A share that is a whole number of places but for rounding is one.
    let places = |share: f64| (times * rules.places as f64 * share - 1e-9).ceil().max(0.0) as usize;
    shares.into_iter().map(|(brand, share)| (brand, places(share).max(least))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answers: &[Why]) -> Vec<usize> {
        let mut places: Vec<(usize, usize)> = (0..)
            .zip(answers)
            .filter_map(|(row, why)| if let Why::Shown { place } = why { Some((*place, row)) } else { None })
            .collect();
        places.sort_unstable();
        places.into_iter().map(|(_, row)| row).collect()
    }

    fn rules(places: usize, at_least_new: usize) -> Rules {
        Rules { places, at_least_new, ..Rules::default() }
    }

    #[test]
    fn a_brand_has_twice_its_share() {
        // Six articles of brand 1 that hold four fifths of what 4 places are worth, then others with brands of their own.
        let scores: Vec<f64> = (0..10).map(|row| if row < 6 { 3.0 - 0.01 * f64::from(row) } else { 1.6 }).collect();
        let brands: Vec<Option<u32>> = (0..10).map(|row| Some(if row < 6 { 1 } else { row })).collect();
        let list = |scores: &[f64]| choose(scores, &brands, &[], rules(4, 0));
        assert_eq!(shown(&list(&scores)), [0, 1, 2, 3]);
        // All alike: brand 1 has 6 of 10, so ceil(2 x 4 x 0.6) = 5 places; of 2 articles in 10 two.
        assert_eq!(shown(&list(&[0.0; 10])), [0, 1, 2, 3]);
        let few: Vec<Option<u32>> = (0..40).map(|row| Some(if row < 3 { 1 } else { row })).collect();
        let answers = choose(&[0.0; 40], &few, &[], rules(4, 0));
        assert_eq!(shown(&answers), [0, 1, 3, 4]);
        assert_eq!(
            answers[2..6],
            [
                Why::Brand { rank: 3, places: 2 },
                Why::Shown { place: 3 },
                Why::Shown { place: 4 },
                Why::Rank { rank: 6 }
            ]
        );
        let off = Rules { brand_share: None, ..rules(4, 0) };
        assert_eq!(shown(&choose(&[0.0; 40], &few, &[], off)), [0, 1, 2, 3]);
    }

    #[test]
    fn new_articles_have_their_places_where_there_are_any() {
        let scores: Vec<f64> = (0..8).map(|row| -f64::from(row)).collect();
        let mut new = [false; 8];
        (new[3], new[6], new[7]) = (true, true, true);
        let answers = choose(&scores, &[None; 8], &new, rules(4, 2));
        assert_eq!(shown(&answers), [0, 1, 3, 6]);
        assert_eq!((answers[2], answers[4]), (Why::New { rank: 3 }, Why::Rank { rank: 5 }));
        assert_eq!(shown(&choose(&scores, &[None; 8], &[false; 8], rules(4, 2))), [0, 1, 2, 3]);
    }

    #[test]
    fn a_list_is_full_where_it_can_be() {
        // One brand only: its share is everything.  And a rule that would leave places empty gives way.
        assert_eq!(shown(&choose(&[0.0; 12], &[Some(1); 12], &[], rules(10, 2))).len(), 10);
        let strict = Rules { places: 4, brand_share: Some(BrandShare { least: 1, times: 0.0 }), at_least_new: 0 };
        assert_eq!(shown(&choose(&[0.0; 6], &[Some(1); 6], &[], strict)).len(), 4);
        assert_eq!(shown(&choose(&[0.0; 3], &[], &[], rules(10, 2))).len(), 3);
        assert!(choose(&[], &[], &[], rules(10, 2)).is_empty());
    }
}
