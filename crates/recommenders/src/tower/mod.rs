//! A linear two-tower model: factors of a customer and of an article, whose product says how well they go together.
//!
//! ```text
//! e = B'z     m_b = sum w (z_h - mean z)/(sum |w| + 2)     m_l = sum (z_h - mean z)/(looks + 4)
//! u = A'c + g_b * (B'm_b) + g_l * (B'm_l)        a = u.e + v.z + t.x
//! look = s_1 a + w_1.r     buy = s_2 a + w_2.r + k_2     wish = s_3 a + w_3.r + k_3
//! ```
//! z: an article's columns; c: a customer's; h: past articles, w 1.5 bought, 1 wished, -0.7 sent back; x and r: columns of
//! the shelf's rows, r those of the article's record.  Both towers are linear, so every score can be taken apart.  A new
//! event adds a vector to m; nothing is fitted again.

mod fit;
mod gradient;
mod in_batch;
mod reasons;

#[cfg(test)]
mod tests;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use fit::{TowerSettings, Visit};
pub use in_batch::in_batch;
pub use reasons::{TowerContributions, TowerPart};

use crate::{
    ModelError,
    chain::{Keep, finite},
    dense::{add, dot, stored},
    error::same_length,
    maths,
    retrieve::{History, Kind},
};

/// Raised whenever the same visits would get another model or other scores.
pub const VERSION: u32 = 1;
/// Added to the weights and the number of looks that a mean of the past is divided by.
const PRIOR: (f64, f64) = (2.0, 4.0);
/// Columns are divided by their spread, or by this where they vary less: rare brands stay small.
const LEAST_SPREAD: f64 = 0.25;
/// Looks, purchases, wishes.
const HEADS: usize = 3;

/// Mean and spread of columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Scale {
    means: Vec<f64>,
    spreads: Vec<f64>,
}

/// A fitted two-tower model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tower {
    factors: usize,
    /// Which columns of a shelf's matrix are x, and which are r.
    affinity: Vec<usize>,
    record: Vec<usize>,
    affinity_scale: Scale,
    record_scale: Scale,
    article_scale: Scale,
    parameters: Parameters,
    /// The chance that a purchase is kept.
    keep: Keep,
}

/// A request: a customer, their past, and a shelf.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// c: one-hot columns and sets of the profile.
    pub customer: &'a [f64],
    /// The things of the past are numbers of articles.
    pub history: &'a History,
    /// The number of the article of each row of the shelf.
    pub articles: &'a [u32],
    /// Rows of the shelf x columns of the frame.
    pub shelf: ArrayView2<'a, f64>,
}

/// The numbers that are learned; matrices are rows of factors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameters {
    /// A: customer columns x factors.
    #[serde(with = "stored")]
    a: Array2<f64>,
    /// B: article columns x factors.
    #[serde(with = "stored")]
    b: Array2<f64>,
    /// g_b and g_l: one for each factor.
    gates: [Vec<f64>; 2],
    v: Vec<f64>,
    t: Vec<f64>,
    /// s of each head.
    strengths: [f64; HEADS],
    /// w of each head.
    records: [Vec<f64>; HEADS],
    /// k of each head; that of looks stays 0.
    intercepts: [f64; HEADS],
}

/// A customer in front of the articles: u, and the two means of the past.
pub(crate) struct Person {
    u: Vec<f64>,
    /// B'm_b and B'm_l.
    past: [Vec<f64>; 2],
}

impl Parameters {
    fn person(&self, customer: &[f64], means: &[Vec<f64>; 2]) -> Person {
        let mut u = through(&self.a, customer);
        let past = [through(&self.b, &means[0]), through(&self.b, &means[1])];
        for (gate, past) in self.gates.iter().zip(&past) {
            u.iter_mut().zip(gate.iter().zip(past)).for_each(|(u, (gate, past))| *u += gate * past);
        }
        Person { u, past }
    }

    /// s a + w.r + k of a head.
    fn head(&self, head: usize, a: f64, r: &[f64]) -> f64 {
        self.strengths[head] * a + dot(&self.records[head], r) + self.intercepts[head]
    }
}

/// Refuses a customer with a cell that is not a finite number.
fn finite_customer(customer: &[f64]) -> Result<(), ModelError> {
    match customer.iter().position(|cell| !cell.is_finite()) {
        Some(column) => Err(ModelError::NotFinite { row: 0, column }),
        None => Ok(()),
    }
}

/// M'x: the sum of the rows of M, each as often as x says.
fn through(matrix: &Array2<f64>, x: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; matrix.ncols()];
    for (row, value) in matrix.rows().into_iter().zip(x).filter(|(_, value)| **value != 0.0) {
        add(&mut sum, *value, row.to_slice().unwrap_or_default());
    }
    sum
}

impl Scale {
    pub(crate) fn fit(matrix: ArrayView2<f64>, columns: &[usize]) -> Scale {
        let rows = matrix.nrows();
        let width = columns.len();
        let sums = crate::blocks::sum(rows, 2 * width, |range, sums| {
            for row in range {
                for (at, column) in columns.iter().enumerate() {
                    let value = matrix[(row, *column)];
                    sums[at] += value;
                    sums[width + at] += value * value;
                }
            }
        });
        let count = rows.max(1) as f64;
        let means: Vec<f64> = sums[..width].iter().map(|sum| sum / count).collect();
        let spread = |(sum, mean): (&f64, &f64)| (sum / count - mean * mean).max(0.0).sqrt();
        let spreads = sums[width..].iter().zip(&means).map(spread).collect();
        Scale { means, spreads }
    }

    /// A column that never varies is 0.
    fn full(&self, at: usize, value: f64) -> f64 {
        let (mean, spread) = (self.means[at], self.spreads[at]);
        if spread > 1e-9 * mean.abs() && spread > 0.0 { (value - mean) / spread } else { 0.0 }
    }

    /// With spreads that are not below a floor.
    pub(crate) fn floored(&self, at: usize, value: f64) -> f64 {
        (value - self.means[at]) / self.spreads[at].max(LEAST_SPREAD)
    }
}

/// m_b and m_l of a past, over rows of z that are centred; articles that are not there add nothing.
pub(crate) fn means_of_past(z: &Array2<f64>, history: &History) -> [Vec<f64>; 2] {
    let mut means = [vec![0.0; z.ncols()], vec![0.0; z.ncols()]];
    let mut weights = [PRIOR.0, PRIOR.1];
    for (article, weights_of) in past_weights(z.nrows(), history) {
        for (side, weight) in weights_of.into_iter().enumerate() {
            weights[side] += weight.abs();
            add(&mut means[side], weight, z.row(article as usize).to_slice().unwrap_or_default());
        }
    }
    means.iter_mut().zip(weights).for_each(|(mean, weight)| mean.iter_mut().for_each(|sum| *sum /= weight));
    means
}

/// What each event of a past weighs in m_b and in m_l.
fn past_weights(articles: usize, history: &History) -> impl Iterator<Item = (u32, [f64; 2])> {
    let known = history.events().iter().filter(move |past| (past.thing as usize) < articles);
    known.map(|past| {
        let weights = match past.kind {
            Kind::Looked => [0.0, 1.0],
            Kind::Wished => [1.0, 0.0],
            Kind::Bought => [1.5, 0.0],
            Kind::Returned => [-0.7, 0.0],
        };
        (past.thing, weights)
    })
}

/// The articles' side, worked out once for many requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// z, centred and scaled: articles x columns.
    z: Array2<f64>,
    /// Articles x (factors + 1): e, and v.z.  What an index of nearest articles holds.
    pub vectors: Array2<f64>,
}

impl Tower {
    /// The articles' side for `articles` (articles x columns, as in the fit; new ones among them).
    ///
    /// # Errors
    /// Another number of columns, or a cell that is not finite.
    pub fn catalogue(&self, articles: ArrayView2<f64>) -> Result<Catalogue, ModelError> {
        same_length("article columns", articles.ncols(), self.article_scale.means.len())?;
        finite(articles)?;
        let mut z = articles.as_standard_layout().to_owned();
        z.indexed_iter_mut().for_each(|((_, column), cell)| *cell = self.article_scale.floored(column, *cell));
        let mut vectors = Array2::zeros((z.nrows(), self.factors + 1));
        for (row, mut vector) in z.rows().into_iter().zip(vectors.rows_mut()) {
            let row = row.to_slice().unwrap_or_default();
            vector.iter_mut().zip(through(&self.parameters.b, row)).for_each(|(cell, value)| *cell = value);
            vector[self.factors] = dot(&self.parameters.v, row);
        }
        Ok(Catalogue { z, vectors })
    }

    /// What a long shelf is searched by: articles x (factors + 1), whose product with [`Tower::query`] is the sum of the heads
    /// of looks and purchases and of ln P(keep), less t.x and what is the same for all; `rows`: a row of the frame for each.
    ///
    /// # Errors
    /// Another number of rows than articles, columns that are not there, or a cell that is not finite.
    pub fn article_vectors(&self, catalogue: &Catalogue, rows: ArrayView2<f64>) -> Result<Array2<f64>, ModelError> {
        same_length("articles", catalogue.vectors.nrows(), rows.nrows())?;
        self.reads(rows)?;
        let (look, buy) = (&self.parameters.records[0], &self.parameters.records[1]);
        let mut vectors = &catalogue.vectors * (self.parameters.strengths[0] + self.parameters.strengths[1]);
        for (row, mut vector) in rows.rows().into_iter().zip(vectors.rows_mut()) {
            let (_, r) = self.columns(row);
            vector[self.factors] += dot(look, &r) + dot(buy, &r) + self.keep.log_chance(row);
        }
        Ok(vectors)
    }

    /// What a customer's product with [`Catalogue::vectors`] is made with: u, and 1.
    ///
    /// # Errors
    /// Another number of customer columns than in the fit, or a cell that is not finite.
    pub fn query(&self, catalogue: &Catalogue, customer: &[f64], history: &History) -> Result<Vec<f64>, ModelError> {
        same_length("customer columns", customer.len(), self.parameters.a.nrows())?;
        finite_customer(customer)?;
        let mut query = self.parameters.person(customer, &means_of_past(&catalogue.z, history)).u;
        query.push(1.0);
        Ok(query)
    }

    /// One score for each row of the shelf: ln P(look | shelf) + ln P(buy | look) + ln P(keep | buy), as a chain's.
    ///
    /// # Errors
    /// A request whose columns are not those of the fit, with an article that is not there, or a cell that is not finite.
    pub fn scores(&self, catalogue: &Catalogue, request: Request) -> Result<Vec<f64>, ModelError> {
        let rows = self.affinities(catalogue, request)?;
        let looks: Vec<f64> = rows.iter().map(|(a, r)| self.parameters.head(0, *a, r)).collect();
        let total = maths::log_sum_exp(looks.iter().copied());
        let buys = rows.iter().map(|(a, r)| maths::log_sigmoid(self.parameters.head(1, *a, r)));
        let keeps = request.shelf.rows().into_iter().map(|row| self.keep.log_chance(row));
        Ok(looks.iter().zip(buys).zip(keeps).map(|((look, buy), keep)| look - total + buy + keep).collect())
    }

    /// a and r of each row of the shelf.
    fn affinities(&self, catalogue: &Catalogue, request: Request) -> Result<Vec<(f64, Vec<f64>)>, ModelError> {
        self.accepts(catalogue, request)?;
        let query = self.query(catalogue, request.customer, request.history)?;
        let of_row = |(row, article): (ndarray::ArrayView1<f64>, &u32)| {
            let vector = catalogue.vectors.row(*article as usize);
            let (x, r) = self.columns(row);
            (dot(&query, vector.to_slice().unwrap_or_default()) + dot(&self.parameters.t, &x), r)
        };
        Ok(request.shelf.rows().into_iter().zip(request.articles).map(of_row).collect())
    }

    /// x and r of a row, standardised.
    fn columns(&self, row: ndarray::ArrayView1<f64>) -> (Vec<f64>, Vec<f64>) {
        let read = |columns: &[usize], scale: &Scale| -> Vec<f64> {
            columns.iter().enumerate().map(|(at, column)| scale.full(at, row[*column])).collect()
        };
        (read(&self.affinity, &self.affinity_scale), read(&self.record, &self.record_scale))
    }

    fn accepts(&self, catalogue: &Catalogue, request: Request) -> Result<(), ModelError> {
        same_length("articles", request.articles.len(), request.shelf.nrows())?;
        let count = catalogue.z.nrows();
        if let Some(article) = request.articles.iter().find(|article| **article as usize >= count) {
            return Err(ModelError::Unknown { what: "article", number: *article as usize, count });
        }
        self.reads(request.shelf)
    }

    /// Refuses rows without the columns that are read, or with a cell that is not a finite number.
    fn reads(&self, rows: ArrayView2<f64>) -> Result<(), ModelError> {
        match self.affinity.iter().chain(&self.record).find(|column| **column >= rows.ncols()) {
            Some(column) => Err(ModelError::NoColumn { column: *column, columns: rows.ncols() }),
            None => finite(rows),
        }
    }
}
