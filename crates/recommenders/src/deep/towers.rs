//! A deep two-tower: what a customer told and did on one side, what an article is and how it does on the other.
//!
//! ```text
//! u = C2 relu(C1 [c, m_b, m_l])      e = E2 relu(E1 z)      score = u.e + d.z
//! ```
//! c: the customer's columns; m_b, m_l: means over what was bought and wished, and looked at; z: the article's columns.  It
//! is learned by a softmax over batches of looks that lie together in time, corrected for how often an article is in them
//! (logQ, Yi and others 2019), so that a batch's articles were on sale together.

use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::{Dense, MOST, Message, VERSION, in_turn, relu};
use crate::{
    ModelError,
    dense::{dot, stored},
    error::same_length,
    retrieve::{History, Retriever},
    tower::{Scale, means_of_past},
};

/// A look to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// c.
    pub customer: Vec<f64>,
    /// What was known before the visit.
    pub history: History,
    /// z, as it was at the visit.
    pub article: Vec<f64>,
    pub thing: u32,
    /// Looks of one visit are no rivals of each other.
    pub visit: u32,
    /// How much it counts: what was bought and kept counts for more.
    pub weight: f64,
}

/// What a deep two-tower is learned from, prepared.
pub struct TowerTask {
    /// What the program is asked.
    pub message: Message,
    scale: Scale,
    things: Array2<f64>,
    /// How many of an article's columns pasts are made of.
    of_past: usize,
}

/// A fitted deep two-tower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeepTower {
    scale: Scale,
    /// What pasts are made of, for each thing.
    #[serde(with = "stored")]
    past: Array2<f64>,
    /// Of each thing, as it last stood on a shelf, e and what is added to its product with any u: what an index holds.
    #[serde(with = "stored")]
    vectors: Array2<f64>,
    customer: [Dense; 2],
    article: [Dense; 2],
    direct: Vec<f64>,
    /// The columns of a customer.
    told: usize,
}

impl TowerTask {
    /// Of `looks` in the order of time, the latest of them where there are many.  `things`: of each its columns as they last
    /// stood on a shelf, none where it never did; the first `of_past` say what it is, the others how it does.
    ///
    /// # Errors
    /// Columns of unequal number, things that are not there, or cells that are not finite.
    pub fn new(things: &[Vec<f64>], of_past: usize, looks: &[Look], seed: u64) -> Result<TowerTask, ModelError> {
        let looks = &looks[looks.len().saturating_sub(MOST)..];
        let width = things.iter().find(|thing| !thing.is_empty()).map_or(0, Vec::len);
        let told = looks.first().map_or(0, |look| look.customer.len());
        if of_past > width {
            return Err(ModelError::NoColumn { column: of_past, columns: width });
        }
        let mut articles = Array2::zeros((looks.len(), width));
        for (look, mut row) in looks.iter().zip(articles.rows_mut()) {
            same_length("article columns", look.article.len(), width)?;
            same_length("customer columns", look.customer.len(), told)?;
            if look.thing as usize >= things.len() {
                return Err(ModelError::Unknown { what: "thing", number: look.thing as usize, count: things.len() });
            }
            row.iter_mut().zip(&look.article).for_each(|(cell, value)| *cell = *value);
        }
        crate::chain::finite(articles.view())?;
        let scale = Scale::fit(articles.view(), &(0..width).collect::<Vec<usize>>());
        articles.indexed_iter_mut().for_each(|((_, column), cell)| *cell = scale.floored(column, *cell));
        let mut scaled = Array2::zeros((things.len(), width));
        for (thing, mut row) in things.iter().zip(scaled.rows_mut()).filter(|(thing, _)| !thing.is_empty()) {
            same_length("article columns", thing.len(), width)?;
            row.iter_mut().zip(thing).enumerate().for_each(|(at, (cell, value))| *cell = scale.floored(at, *value));
        }
        let past = scaled.slice(s![.., ..of_past]).to_owned();
        let inputs: Vec<Vec<f64>> =
            looks.iter().map(|look| told_and_done(&look.customer, &past, &look.history)).collect();
        let column = |of: &dyn Fn(&Look) -> f64| Array2::from_shape_fn((looks.len(), 1), |(at, _)| of(&looks[at]));
        let customers = Array2::from_shape_fn((looks.len(), told + 2 * of_past), |(row, at)| inputs[row][at]);
        crate::chain::finite(customers.view())?;
        let matrices = [
            ("customers", customers),
            ("articles", articles),
            ("things", column(&|look| f64::from(look.thing))),
            ("visits", column(&|look| f64::from(look.visit))),
            ("weights", column(&|look| look.weight)),
        ];
        let matrices = matrices.map(|(name, matrix)| (name.to_owned(), matrix)).into();
        let message = Message { name: "towers".into(), seed, matrices };
        Ok(TowerTask { message, scale, things: scaled, of_past })
    }

    /// The model that was learned.
    ///
    /// # Errors
    /// An answer to another task.
    pub fn learned(self, answer: &Message) -> Result<DeepTower, ModelError> {
        let sizes = |name: &str| answer.matrices.get(name).map_or([0, 0], |matrix| [matrix.nrows(), matrix.ncols()]);
        let inputs = self.message.matrices["customers"].ncols();
        let width = self.things.ncols();
        let tower = |side: &str, inputs: usize| -> Result<[Dense; 2], ModelError> {
            let [hidden, outputs] = sizes(&format!("{side} 2"));
            Ok([
                Dense::of(answer, &format!("{side} 1"), [inputs, hidden])?,
                Dense::of(answer, &format!("{side} 2"), [hidden, outputs])?,
            ])
        };
        let (customer, article) = (tower("customer", inputs)?, tower("article", width)?);
        same_length("factors", article[1].bias.len(), customer[1].bias.len())?;
        let direct = answer.matrix("direct", [width, 1])?.iter().copied().collect();
        let mut tower = DeepTower {
            scale: self.scale,
            past: self.things.slice(s![.., ..self.of_past]).to_owned(),
            vectors: Array2::zeros((self.things.nrows(), article[1].bias.len() + 1)),
            told: inputs - 2 * self.of_past,
            customer,
            article,
            direct,
        };
        for (thing, row) in self.things.rows().into_iter().enumerate() {
            let vector = tower.vector(row.to_slice().unwrap_or_default());
            tower.vectors.row_mut(thing).iter_mut().zip(vector).for_each(|(cell, value)| *cell = value);
        }
        Ok(tower)
    }
}

/// c, m_b and m_l.
fn told_and_done(customer: &[f64], things: &Array2<f64>, history: &History) -> Vec<f64> {
    let [bought, looked] = means_of_past(things, history);
    [customer, &bought, &looked].concat()
}

fn through([first, second]: &[Dense; 2], inputs: &[f64]) -> Vec<f64> {
    second.apply(&relu(first.apply(inputs)))
}

impl DeepTower {
    /// u of a customer, and 1: what their product with an article's vector is made with.
    ///
    /// # Errors
    /// Another number of columns than in the fit.
    pub fn query(&self, customer: &[f64], history: &History) -> Result<Vec<f64>, ModelError> {
        same_length("customer columns", customer.len(), self.told)?;
        let mut query = through(&self.customer, &told_and_done(customer, &self.past, history));
        query.push(1.0);
        Ok(query)
    }

    /// e of an article whose columns are scaled, and what is added to its product with any u.
    fn vector(&self, scaled: &[f64]) -> Vec<f64> {
        let mut vector = through(&self.article, scaled);
        vector.push(dot(&self.direct, scaled));
        vector
    }

    /// The score of each row of a shelf; `articles`: z of each row.
    ///
    /// # Errors
    /// Another number of columns than in the fit, or a cell that is not finite.
    pub fn shelf(
        &self,
        customer: &[f64],
        history: &History,
        articles: ArrayView2<f64>,
    ) -> Result<Vec<f64>, ModelError> {
        same_length("article columns", articles.ncols(), self.direct.len())?;
        crate::chain::finite(articles)?;
        let query = self.query(customer, history)?;
        let score = |row: ndarray::ArrayView1<f64>| {
            let scaled: Vec<f64> = row.iter().enumerate().map(|(at, value)| self.scale.floored(at, *value)).collect();
            dot(&query, &self.vector(&scaled))
        };
        Ok(articles.rows().into_iter().map(score).collect())
    }
}

/// Of a customer of whom nothing is known but the past, over things as they last stood on a shelf.
impl Retriever for DeepTower {
    fn name(&self) -> &'static str {
        "deep two-tower"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        if !history.events().iter().any(|past| (past.thing as usize) < self.past.nrows()) {
            return vec![0.0; self.vectors.nrows()];
        }
        let query = self.query(&vec![0.0; self.told], history).unwrap_or_default();
        self.vectors.rows().into_iter().map(|vector| dot(&query, vector.to_slice().unwrap_or_default())).collect()
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        in_turn(history, |history| self.scores(history).get(thing as usize).copied().unwrap_or_default())
    }
}
