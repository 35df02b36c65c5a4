//! From ranks to a list: the best of each customer, within the rules of taste.
//!
//! - A brand gets at most `max(least_of_brand, ceil(brand_share x places x its share))` places, where its share is that of
//!   this customer's own scores: whoever likes one brand sees more of it than others do.
//! - So many places of a personal list go to the best of the new articles: nobody has bought those yet, so against a record
//!   they would never be seen, and a catalogue that changes weekly would stand still.
//!
//! Where the rules leave places free, the next best have them.

use std::collections::BTreeMap;

use selvedge_project::params::Recommend;

/// What the rules need to know of an article on a customer's shelf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer<'a> {
    pub brand: &'a str,
    pub new: bool,
    /// Higher first.
    pub score: f64,
    /// How much of the customer's liking it is; not negative.
    pub weight: f64,
    /// Which of two equal scores stands first.
    pub lot: u64,
}

/// The rules of taste, each with a switch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    pub places: usize,
    /// How many times its share a brand may have, and the places that it always may; none: as many as there are.
    pub brand: Option<(f64, usize)>,
    pub at_least_new: usize,
}

/// A list, and why others are not in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    /// Offers in the order of their places.
    pub chosen: Vec<usize>,
    /// Offers better than the last place that a brand's limit passed over.
    pub over_brand: Vec<usize>,
    /// Every offer, best first, as if there were no rules.
    pub order: Vec<usize>,
}

impl Rules {
    /// Those of params.yaml.
    pub fn of(params: &Recommend) -> Self {
        Self {
            places: params.per_customer,
            brand: Some((params.brand_share, params.least_of_brand)),
            at_least_new: params.at_least_new,
        }
    }

    /// The list of one customer.
    pub fn list(&self, offers: &[Offer]) -> List {
        let mut order: Vec<usize> = (0..offers.len()).collect();
        let place = |a: &usize, b: &usize| {
            let (one, other) = (&offers[*a], &offers[*b]);
            other.score.total_cmp(&one.score).then(one.lot.cmp(&other.lot)).then(a.cmp(b))
        };
        order.sort_by(place);
        let limits = self.limits(offers);
        let mut of_brand: BTreeMap<&str, usize> = BTreeMap::new();
        let mut list = List::default();
        let mut fill = |list: &mut List, wanted: &dyn Fn(usize) -> bool, long: usize, any_brand: bool| {
            for offer in order.iter().copied().filter(|offer| wanted(*offer)) {
                if list.chosen.len() >= long {
                    return;
                }
                if list.chosen.contains(&offer) {
                    continue;
                }
                let brand = offers[offer].brand;
                let count = of_brand.entry(brand).or_default();
                if any_brand || *count < limits.get(brand).copied().unwrap_or(usize::MAX) {
                    *count += 1;
                    list.chosen.push(offer);
                } else {
                    list.over_brand.push(offer);
                }
            }
        };
        fill(&mut list, &|offer| offers[offer].new, self.at_least_new.min(self.places), false);
        list.over_brand.clear();
        fill(&mut list, &|_| true, self.places, false);
        fill(&mut list, &|_| true, self.places, true);
        let chosen = list.chosen.clone();
        list.over_brand.retain(|offer| !chosen.contains(offer));
        list.chosen.sort_by(place);
        list.order = order;
        list
    }

    /// The most places of each brand.
    fn limits<'a>(&self, offers: &[Offer<'a>]) -> BTreeMap<&'a str, usize> {
        let Some((times, least)) = self.brand else { return BTreeMap::new() };
        let total: f64 = offers.iter().map(|offer| offer.weight).sum();
        let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
        for offer in offers {
            // Where nothing is liked more than anything else, a brand's share is that of the shelf.
            let share = if total > 0.0 { offer.weight / total } else { 1.0 / offers.len() as f64 };
            *shares.entry(offer.brand).or_default() += share;
        }
        let limit = |share: f64| ((times * self.places as f64 * share).ceil() as usize).max(least);
        shares.into_iter().map(|(brand, share)| (brand, limit(share))).collect()
    }
}
