//! Scores taken apart against the middle of the shelf.
//!
//! With the profile's share of u, A'c, the score u.e is (B A'c).z, a sum over the article's columns; the rest of u is the past's.
//! The log sigmoid of the purchase is shared out as in the chain (Aumann-Shapley), so the parts add up exactly.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Request, Tower, means_of_past, through};
use crate::{ModelError, chain::log_sigmoid_factor, dense::dot, error::rows_of_shelf, maths};

/// What a part of a score speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TowerPart {
    /// What the customer did before.
    Past,
    /// A column of the articles, for this customer's profile and for everyone.
    Article(usize),
    /// A column of the shelf's matrix.
    Column(usize),
    /// The share of purchases that are kept.
    Kept,
}

/// `reference` + the sum of a row of `values` = the row's score, but for rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerContributions {
    pub reference: f64,
    /// In their order, each once.
    pub parts: Vec<TowerPart>,
    /// The rows asked for x parts.
    pub values: Array2<f64>,
}

impl Tower {
    /// What makes the scores of some rows differ from that of the shelf's middle; a row of values for each of `rows`.
    ///
    /// # Errors
    /// As [`Tower::scores`], and a row that is not on the shelf.
    pub fn contributions(
        &self,
        catalogue: &Catalogue,
        request: Request,
        rows: &[usize],
    ) -> Result<TowerContributions, ModelError> {
        let shelf = self.affinities(catalogue, request)?;
        rows_of_shelf(rows, shelf.len())?;
        let count = shelf.len().max(1) as f64;
        let head = |head: usize| -> Vec<f64> { shelf.iter().map(|(a, r)| self.parameters.head(head, *a, r)).collect() };
        let (looks, buys) = (head(0), head(1));
        let kept: Vec<f64> = request.shelf.rows().into_iter().map(|row| self.keep.log_chance(row)).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let (mean_look, mean_buy, mean_kept) = (mean(&looks), mean(&buys), mean(&kept));

        let terms = self.terms(catalogue, request);
        let inputs: Vec<Vec<f64>> = (0..shelf.len()).map(|row| self.inputs(catalogue, request, &terms, row)).collect();
        let mut means = vec![0.0; terms.weights.len()];
        inputs.iter().for_each(|inputs| means.iter_mut().zip(inputs).for_each(|(sum, input)| *sum += input));
        means.iter_mut().for_each(|sum| *sum /= count);

        let mut places: BTreeMap<TowerPart, usize> = terms.weights.iter().map(|weight| (weight.part, 0)).collect();
        places.insert(TowerPart::Kept, 0);
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let mut values = Array2::zeros((rows.len(), places.len()));
        for (row, mut values) in rows.iter().zip(values.rows_mut()) {
            let factor = log_sigmoid_factor(buys[*row], mean_buy);
            for (weight, (input, mean)) in terms.weights.iter().zip(inputs[*row].iter().zip(&means)) {
                values[places[&weight.part]] += (weight.look + factor * weight.buy) * (input - mean);
            }
            values[places[&TowerPart::Kept]] = kept[*row] - mean_kept;
        }
        let total = maths::log_sum_exp(looks.iter().copied());
        let reference =
            if shelf.is_empty() { 0.0 } else { mean_look - total + maths::log_sigmoid(mean_buy) + mean_kept };
        Ok(TowerContributions { reference, parts: places.into_keys().collect(), values })
    }

    /// Everything that is summed up in the two heads, in the order of [`Tower::inputs`].
    fn terms(&self, catalogue: &Catalogue, request: Request) -> Terms {
        let parameters = &self.parameters;
        let [look, buy, _] = parameters.strengths;
        let profile = through(&parameters.a, request.customer);
        let mut past = parameters.person(request.customer, &means_of_past(&catalogue.z, request.history)).u;
        past.iter_mut().zip(&profile).for_each(|(whole, profile)| *whole -= profile);
        let of_affinity = |part, by: f64| Weight { part, look: look * by, buy: buy * by };
        let mut weights = vec![of_affinity(TowerPart::Past, 1.0)];
        let articles = parameters.b.rows().into_iter().zip(&parameters.v).enumerate();
        weights.extend(articles.map(|(at, (b, v))| {
            of_affinity(TowerPart::Article(at), dot(&profile, b.to_slice().unwrap_or_default()) + v)
        }));
        let affinity = self.affinity.iter().zip(&parameters.t);
        weights.extend(affinity.map(|(column, t)| of_affinity(TowerPart::Column(*column), *t)));
        let records = parameters.records[0].iter().zip(&parameters.records[1]);
        let record = self.record.iter().zip(records);
        weights.extend(record.map(|(column, (look, buy))| Weight {
            part: TowerPart::Column(*column),
            look: *look,
            buy: *buy,
        }));
        Terms { past, weights }
    }

    /// What the terms weigh, of a row of the shelf.
    fn inputs(&self, catalogue: &Catalogue, request: Request, terms: &Terms, row: usize) -> Vec<f64> {
        let article = request.articles[row] as usize;
        let (x, r) = self.columns(request.shelf.row(row));
        let e = catalogue.vectors.row(article);
        let mut inputs = vec![dot(&terms.past, &e.to_slice().unwrap_or_default()[..self.factors])];
        inputs.extend(catalogue.z.row(article));
        inputs.extend(x);
        inputs.extend(r);
        inputs
    }
}

/// The terms of one request.
struct Terms {
    /// What the past adds to u.
    past: Vec<f64>,
    weights: Vec<Weight>,
}

/// How often a term counts in the looks' and the purchases' score.
struct Weight {
    part: TowerPart,
    look: f64,
    buy: f64,
}
