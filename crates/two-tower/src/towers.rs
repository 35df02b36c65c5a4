//! The deep two-tower, learned: see [`recommenders::deep::DeepTower`].

use ndarray::Array2;
use recommenders::deep::Message;
use tch::{TchError, Tensor};

use crate::descent::{FitError, Given, Parameters, Settings, layer, learned, matrix, tensor};
use crate::softmax::{shares, softmax};

/// Width of the hidden layers, and of the vectors.
const HIDDEN: usize = 32;
const FACTORS: usize = 16;
const SETTINGS: Settings = Settings { epochs: 12, batch: 128, rate: 0.01, l2: 2e-3 };

/// The parameters of both towers.
pub struct TowerNet {
    customer: [(Tensor, Tensor); 2],
    article: [(Tensor, Tensor); 2],
    direct: Tensor,
}

impl TowerNet {
    fn new(given: Given, told: usize, width: usize) -> Result<Self, FitError> {
        Ok(Self {
            customer: [layer(given, "customer 1", [told, HIDDEN])?, layer(given, "customer 2", [HIDDEN, FACTORS])?],
            article: [layer(given, "article 1", [width, HIDDEN])?, layer(given, "article 2", [HIDDEN, FACTORS])?],
            direct: given("direct", [width, 1], 0.0)?,
        })
    }

    /// What was learned for customers of `told` columns and articles of `width`, as libtorch reads it.
    ///
    /// # Errors
    /// An answer to another task.
    pub fn of(answer: &Message, told: usize, width: usize) -> Result<Self, FitError> {
        Self::new(&learned(answer), told, width)
    }

    fn through(layers: &[(Tensor, Tensor); 2], inputs: &Tensor) -> Result<Tensor, TchError> {
        let [(first, bias), (second, other)] = layers;
        let hidden = inputs.f_matmul(first)?.f_add(bias)?.f_relu()?;
        hidden.f_matmul(second)?.f_add(other)
    }

    /// The score of each customer with each article.
    ///
    /// # Errors
    /// libtorch's.
    pub fn scores(&self, customers: &Tensor, articles: &Tensor) -> Result<Tensor, TchError> {
        let u = Self::through(&self.customer, customers)?;
        let e = Self::through(&self.article, articles)?;
        u.f_matmul(&e.f_tr()?)?.f_add(&articles.f_matmul(&self.direct)?.f_tr()?)
    }
}

/// Learns what a [`recommenders::deep::TowerTask`] asks for; with the loss of each epoch.
///
/// # Errors
/// A task that is none, or libtorch's.
pub fn towers(task: &Message) -> Result<(Message, Vec<f64>), FitError> {
    let wrong = |matrix| FitError::Number { task: "towers", matrix };
    let of = |name| task.matrices.get(name).ok_or(wrong(name));
    let (customers, articles) = (of("customers")?, of("articles")?);
    let rows = customers.nrows();
    let column = |name: &'static str| -> Result<Vec<f64>, FitError> {
        Ok(task.matrix(name, [rows, 1])?.iter().copied().collect())
    };
    task.matrix("articles", [rows, articles.ncols()])?;
    let things: Vec<u32> = column("things")?.into_iter().map(|thing| thing as u32).collect();
    let (visits, weights) = (column("visits")?, column("weights")?);
    if weights.iter().any(|weight| *weight <= 0.0) {
        return Err(wrong("weights"));
    }
    let parameters = Parameters::new(task.seed);
    let net = TowerNet::new(
        &|name, shape, spread| parameters.begin(name, shape, spread),
        customers.ncols(),
        articles.ncols(),
    )?;
    let (customers, articles) = (tensor(customers)?, tensor(articles)?);
    let losses = parameters.descend(rows, SETTINGS, |batch| {
        let part = |all: &Tensor| all.f_narrow(0, batch.start as i64, batch.len() as i64);
        let scores = net.scores(&part(&customers)?, &part(&articles)?)?;
        let shares = shares(&things, &batch);
        let of_columns: Vec<f64> = batch.clone().map(|row| shares[&things[row]]).collect();
        // The same article twice, or what else was looked at in the visit, is no rival.
        let rival = |row: usize, other: usize| {
            let (row, other) = (batch.start + row, batch.start + other);
            visits[row] != visits[other] && things[row] != things[other]
        };
        let values: Array2<f64> = matrix(&scores)?;
        let judged = softmax(&values, |row| row, &weights[batch.clone()], &of_columns, rival);
        Ok((scores, judged))
    })?;
    Ok((parameters.answer("towers")?, losses))
}
