//! Lists judged by true chances: how likely does the next visit lead to something in the list that is bought and kept?

use std::collections::BTreeMap;

use chrono::{Days, NaiveDateTime};

use super::TrueShop;
use super::visits::{GOES_ON, What};

/// Places of a list.
pub const PLACES: usize = 10;

/// The shelf of a customer at the export, with the true chance that one look ends with each article bought and kept.
pub struct Shelf {
    pub articles: Vec<usize>,
    pub chances: Vec<f64>,
}

impl Shelf {
    pub fn of(shop: &TrueShop, customer: usize, owned: &[usize]) -> Self {
        let (person, day) = (&shop.customers[customer], shop.exported);
        let mut articles = shop.on_sale(person.country, day);
        articles.retain(|article| !owned.contains(article));
        let pulls: Vec<f64> = articles.iter().map(|article| shop.drawn(person, *article, day).exp()).collect();
        let total: f64 = pulls.iter().sum();
        let chance = |(article, pull): (&usize, &f64)| {
            pull / total * shop.chances(person, *article, day).iter().product::<f64>()
        };
        let chances = articles.iter().zip(&pulls).map(chance).collect();
        Self { articles, chances }
    }

    /// The chance that the next visit, of one look or more, ends with an article of the list bought and kept.
    pub fn worth(&self, list: &[usize]) -> f64 {
        let chance_of = |article: &usize| {
            self.articles.iter().position(|other| other == article).map_or(0.0, |at| self.chances[at])
        };
        let not = 1.0 - list.iter().take(PLACES).map(chance_of).sum::<f64>();
        1.0 - (1.0 - GOES_ON) * not / (1.0 - GOES_ON * not)
    }

    /// The best list there is by a score of each article, the first of equal ones.
    pub fn best_by(&self, score: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut order = self.articles.clone();
        order.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(a.cmp(b)));
        order.truncate(PLACES);
        order
    }

    /// The best list.
    pub fn best(&self) -> Vec<usize> {
        let chances: BTreeMap<usize, f64> = self.articles.iter().copied().zip(self.chances.iter().copied()).collect();
        self.best_by(|article| chances[&article])
    }
}

/// What each customer owns at the export.
pub fn owned(shop: &TrueShop) -> Vec<Vec<usize>> {
    let mut owned = vec![Vec::new(); shop.customers.len()];
    for event in &shop.events {
        match event.what {
            What::Purchase => owned[event.customer].push(event.article),
            What::Return => owned[event.customer].retain(|article| *article != event.article),
            What::Look | What::Wish => {}
        }
    }
    owned
}

/// Purchases of each article that were not sent back, of the last sixty days, of customers who consent; looks between equals.
pub fn popularity(shop: &TrueShop) -> Vec<f64> {
    let since: NaiveDateTime = (shop.exported - Days::new(60)).into();
    let mut counts = vec![0.0; shop.catalogue.articles.len()];
    for event in shop.events.iter().filter(|event| event.at >= since && shop.customers[event.customer].consents) {
        counts[event.article] += match event.what {
            What::Purchase => 1.0,
            What::Return => -1.0,
            What::Look => 0.001,
            What::Wish => 0.0,
        };
    }
    counts
}
