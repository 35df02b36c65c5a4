//! Scores taken apart against the middle of the shelf: pairs of what is known of the customer and of the article.
//!
//! u.e is a sum over pairs of columns, c_p A_p.B_d z_d; a past article adds its own share of u.  The log sigmoid of the
//! purchase is shared out as in the chain (Aumann-Shapley), so the parts add up exactly.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Catalogue, PRIOR, Request, Tower, past_weights};
use crate::{
    ModelError,
    chain::log_sigmoid_factor,
    dense::{add, dot},
    maths,
};

/// Whose side a part comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum By {
    /// A column of the customer.
    Profile(usize),
    /// An article of the past.
    Past(u32),
    Everyone,
}

/// What of the article it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Of {
    /// All its columns together.
    Whole,
    /// A column of the articles.
    Article(usize),
    /// A column of the shelf's matrix.
    Column(usize),
    /// The share of purchases that are kept.
    Kept,
}

/// A part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TowerPart {
    pub by: By,
    pub of: Of,
}

/// `reference` + the sum of a row of `values` = the row's score, but for rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerContributions {
    pub reference: f64,
    /// In their order, each once.
    pub parts: Vec<TowerPart>,
    /// Rows of the shelf x parts.
    pub values: Array2<f64>,
}

impl Tower {
    /// What makes each row's score differ from that of the shelf's middle.
    ///
    /// # Errors
    /// As [`Tower::scores`].
    pub fn contributions(&self, catalogue: &Catalogue, request: Request) -> Result<TowerContributions, ModelError> {
        let rows = self.affinities(catalogue, request)?;
        let count = rows.len();
        let terms = self.terms(catalogue, request);
        let kept: Vec<f64> = request.shelf.rows().into_iter().map(|row| self.keep.log_chance(row)).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count.max(1) as f64;
        let head = |head: usize| -> Vec<f64> { rows.iter().map(|(a, r)| self.parameters.head(head, *a, r)).collect() };
        let (looks, buys) = (head(0), head(1));
        let (mean_look, mean_buy) = (mean(&mut looks.iter().copied()), mean(&mut buys.iter().copied()));
        let mean_kept = mean(&mut kept.iter().copied());
        let factors: Vec<f64> = buys.iter().map(|buy| log_sigmoid_factor(*buy, mean_buy)).collect();
        let mut parts: BTreeMap<TowerPart, usize> = terms.iter().map(|term| (term.part, 0)).collect();
        parts.insert(TowerPart { by: By::Everyone, of: Of::Kept }, 0);
        parts.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let mut values = Array2::zeros((count, parts.len()));
        for term in &terms {
            let middle = mean(&mut term.values.iter().copied());
            let place = parts[&term.part];
            for (row, value) in term.values.iter().enumerate() {
                values[(row, place)] += (term.look + factors[row] * term.buy) * (value - middle);
            }
        }
        let place = parts[&TowerPart { by: By::Everyone, of: Of::Kept }];
        values.column_mut(place).iter_mut().zip(&kept).for_each(|(value, kept)| *value = kept - mean_kept);
        let total = maths::log_sum_exp(looks.iter().copied());
        let reference = if count == 0 { 0.0 } else { mean_look - total + maths::log_sigmoid(mean_buy) + mean_kept };
        Ok(TowerContributions { reference, parts: parts.into_keys().collect(), values })
    }

    /// Everything that is summed up in the two heads.
    fn terms(&self, catalogue: &Catalogue, request: Request) -> Vec<Term> {
        let parameters = &self.parameters;
        let [look, buy, _] = parameters.strengths;
        let z = |row: usize| catalogue.z.row(request.articles[row] as usize);
        let over = |value: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..request.articles.len()).map(value).collect() };
        let mut terms = Vec::new();
        for (column, value) in request.customer.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            for d in 0..catalogue.z.ncols() {
                let product = value * parameters.a.row(column).dot(&parameters.b.row(d));
                let part = TowerPart { by: By::Profile(column), of: Of::Article(d) };
                terms.push(Term { part, look, buy, values: over(&|row| product * z(row)[d]) });
            }
        }
        for (article, share) in self.past_shares(catalogue, request) {
            let part = TowerPart { by: By::Past(article), of: Of::Whole };
            let vector = |row: usize| catalogue.vectors.row(request.articles[row] as usize);
            let product = |row: usize| dot(&share, &vector(row).to_slice().unwrap_or_default()[..self.factors]);
            terms.push(Term { part, look, buy, values: over(&product) });
        }
        for (d, v) in parameters.v.iter().enumerate() {
            let part = TowerPart { by: By::Everyone, of: Of::Article(d) };
            terms.push(Term { part, look, buy, values: over(&|row| v * z(row)[d]) });
        }
        for (at, column) in self.affinity.iter().enumerate() {
            let part = TowerPart { by: By::Everyone, of: Of::Column(*column) };
            let x = |row: usize| parameters.t[at] * self.affinity_scale.full(at, request.shelf[(row, *column)]);
            terms.push(Term { part, look, buy, values: over(&x) });
        }
        for (at, column) in self.record.iter().enumerate() {
            let part = TowerPart { by: By::Everyone, of: Of::Column(*column) };
            let (look, buy) = (parameters.records[0][at], parameters.records[1][at]);
            let r = |row: usize| self.record_scale.full(at, request.shelf[(row, *column)]);
            terms.push(Term { part, look, buy, values: over(&r) });
        }
        terms
    }

    /// What each article of the past adds to u.
    fn past_shares(&self, catalogue: &Catalogue, request: Request) -> BTreeMap<u32, Vec<f64>> {
        let mut totals = [PRIOR.0, PRIOR.1];
        let mut weights: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
        for (article, weights_of) in past_weights(catalogue.z.nrows(), request.history) {
            let sums = weights.entry(article).or_default();
            for side in 0..2 {
                totals[side] += weights_of[side].abs();
                sums[side] += weights_of[side];
            }
        }
        let share = |(article, weights): (u32, [f64; 2])| {
            let vector = catalogue.vectors.row(article as usize);
            let e = &vector.to_slice().unwrap_or_default()[..self.factors];
            let mut share = vec![0.0; self.factors];
            for side in 0..2 {
                let gated: Vec<f64> = self.parameters.gates[side].iter().zip(e).map(|(gate, e)| gate * e).collect();
                add(&mut share, weights[side] / totals[side], &gated);
            }
            (article, share)
        };
        weights.into_iter().map(share).collect()
    }
}

/// A part with its value in each row, and how often it counts in the looks' and the purchases' score.
struct Term {
    part: TowerPart,
    look: f64,
    buy: f64,
    values: Vec<f64>,
}
