//! Rankings judged over visits by named protocols: no figure without an id, and no comparison across ids.
//!
//! Each customer counts once: the mean over a customer's visits, then over customers.  Ranges are drawn by customer, paired
//! for differences.  Ties are decided by seeded lot.

mod figures;

pub use self::figures::{FIGURES, Visit, lots};

use std::collections::BTreeMap;

use ndarray::Array2;
use recommenders::metrics::{Range, Ranges, by_customer};

use selvedge_project::error::{Advice, Result};

/// Which visits are judged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The whole shelf in the order of the scores.
    ShelfVisit,
    /// The lists as they would be delivered, rules and all.
    ShelfDelivered,
    /// Lists of visits with at least ten events behind them, of which only the latest so many are known.
    Cold(usize),
    /// As delivered; only articles that were new count.
    NewArticles,
}

impl Protocol {
    /// The name that stands beside every figure.
    pub fn id(self) -> String {
        match self {
            Self::ShelfVisit => "shelf-visit".into(),
            Self::ShelfDelivered => "shelf-delivered".into(),
            Self::Cold(events) => format!("cold-{events}"),
            Self::NewArticles => "new-articles".into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error("a figure of {one} is not compared with one of {other}")]
    OtherProtocol { one: String, other: String },
    #[error("two figures of {id} rest on other visits ({one} and {other}), so they are not compared")]
    OtherVisits { id: String, one: String, other: String },
    #[error("the ranges: {0}")]
    Model(#[from] recommenders::ModelError),
}

impl Advice for ProtocolError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::OtherProtocol { .. } | Self::OtherVisits { .. } => {
                Some("judge both rankings in one run of `selvedge evaluate`".into())
            }
            Self::Model(cause) => cause.advice(),
        }
    }
}

/// Visits while they are judged.
pub struct Board {
    protocol: Protocol,
    rankings: Vec<String>,
    /// Of each visit the customer and, for each ranking, the figures in the order of [`FIGURES`].
    visits: Vec<(String, Vec<[f64; FIGURES.len()]>)>,
    data: blake3::Hasher,
}

/// Visits that were judged.
pub struct Judged {
    pub protocol: Protocol,
    /// Names the visits and what came of them: 16 hex digits.
    pub data: String,
    pub rankings: Vec<String>,
    pub visits: usize,
    /// Customers with something to find.
    pub customers: usize,
    /// Of each customer, for each ranking, the figures in the order of [`FIGURES`].
    values: BTreeMap<String, Vec<f64>>,
    ranges: Ranges,
}

impl Board {
    pub fn new(protocol: Protocol, rankings: &[&str]) -> Self {
        let rankings = rankings.iter().map(|name| (*name).to_owned()).collect();
        Self { protocol, rankings, visits: Vec::new(), data: blake3::Hasher::new() }
    }

    /// One visit with the figures of each ranking; `named` tells it and what came of it from all others.
    pub fn add(&mut self, customer: &str, named: &[u8], figures: Vec<[f64; FIGURES.len()]>) {
        self.data.update(&(named.len() as u64).to_le_bytes());
        self.data.update(named);
        self.visits.push((customer.to_owned(), figures));
    }

    /// The figures with their ranges.
    pub fn judged(self, draws: usize, seed: u64) -> Result<Judged> {
        let width = self.rankings.len() * FIGURES.len();
        let mut customers: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for at in 0..width {
            let (ranking, figure) = (at / FIGURES.len(), at % FIGURES.len());
            let values = self.visits.iter().map(|(customer, figures)| (customer.as_str(), figures[ranking][figure]));
            for (customer, mean) in by_customer(values) {
                customers.entry(customer).or_insert_with(|| vec![f64::NAN; width])[at] = mean;
            }
        }
        // Whoever kept nothing has a place in the draws only where looks are judged.
        let found = customers.values().filter(|values| values.first().is_some_and(|value| value.is_finite())).count();
        let mut values = Array2::from_elem((customers.len(), width), f64::NAN);
        for (mut row, of_customer) in values.rows_mut().into_iter().zip(customers.values()) {
            row.iter_mut().zip(of_customer).for_each(|(cell, value)| *cell = *value);
        }
        let ranges = Ranges::new(&values, draws, seed).map_err(ProtocolError::Model)?;
        let data = self.data.finalize().to_hex()[..16].to_owned();
        let values = customers.into_iter().map(|(customer, values)| (customer.to_owned(), values)).collect();
        let visits = self.visits.len();
        Ok(Judged { protocol: self.protocol, data, rankings: self.rankings, visits, customers: found, values, ranges })
    }
}

impl Judged {
    fn place(&self, ranking: &str, figure: &str) -> Option<usize> {
        let ranking = self.rankings.iter().position(|name| name == ranking)?;
        Some(ranking * FIGURES.len() + FIGURES.iter().position(|name| *name == figure)?)
    }

    /// A ranking's figure.
    pub fn of(&self, ranking: &str, figure: &str) -> Option<Range> {
        self.ranges.of(self.place(ranking, figure)?)
    }

    /// A ranking's figure of each customer who has it, in the order of their names.
    pub fn of_customers(&self, ranking: &str, figure: &str) -> BTreeMap<&str, f64> {
        let Some(place) = self.place(ranking, figure) else { return BTreeMap::new() };
        let of = self.values.iter().map(|(customer, values)| (customer.as_str(), values[place]));
        of.filter(|(_, value)| value.is_finite()).collect()
    }

    /// How much more of a figure `ranking` has than a ranking of `other`, over the same draws of customers.
    ///
    /// # Errors
    /// `other` was judged by another protocol, or on other visits.
    pub fn lead(&self, ranking: &str, other: &Judged, over: &str, figure: &str) -> Result<Option<Range>> {
        let (one, another) = (self.protocol.id(), other.protocol.id());
        if one != another {
            return Err(ProtocolError::OtherProtocol { one, other: another }.into());
        }
        if self.data != other.data {
            let (one, other) = (self.data.clone(), other.data.clone());
            return Err(ProtocolError::OtherVisits { id: another, one, other }.into());
        }
        let places = self.place(ranking, figure).zip(self.place(over, figure));
        Ok(places.and_then(|(ranking, over)| self.ranges.difference(ranking, over)))
    }
}
