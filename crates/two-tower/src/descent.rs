//! Parameters that are learned, and the steps that change them: Adam (Kingma and Ba 2015), at a rate that falls by cosine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::Array2;
use rand::seq::SliceRandom;
use recommenders::deep::Message;
use recommenders::{ModelError, maths, seeds};
use tch::{Kind, TchError, Tensor};

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error("libtorch failed: {0}")]
    Torch(#[from] TchError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(
        "there is no task '{0}'; the programs are of different versions: `cargo build --release` builds them together"
    )]
    NoTask(String),
    #[error("the {task} task: a number in '{matrix}' names nothing")]
    Number { task: &'static str, matrix: &'static str },
}

/// Epochs, rows of a batch, the first rate, and the shrinkage of all weights.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub epochs: usize,
    pub batch: usize,
    pub rate: f64,
    pub l2: f64,
}

/// A matrix for libtorch.
///
/// # Errors
/// libtorch's.
pub fn tensor(matrix: &Array2<f64>) -> Result<Tensor, TchError> {
    let numbers: Vec<f64> = matrix.iter().copied().collect();
    Tensor::f_from_slice(&numbers)?.f_reshape([matrix.nrows() as i64, matrix.ncols() as i64])
}

/// A matrix of libtorch's.
///
/// # Errors
/// libtorch's; a tensor that is no matrix.
pub fn matrix(tensor: &Tensor) -> Result<Array2<f64>, TchError> {
    let (rows, columns) = tensor.size2()?;
    let numbers = Vec::<f64>::try_from(tensor.f_detach()?.f_contiguous()?.f_flatten(0, -1)?)?;
    Array2::from_shape_vec((rows as usize, columns as usize), numbers)
        .map_err(|error| TchError::Shape(error.to_string()))
}

/// What gives a parameter by its name, shape and first spread.
pub type Given<'a> = &'a dyn Fn(&str, [usize; 2], f64) -> Result<Tensor, FitError>;

/// Those of an answer.
pub fn learned(answer: &Message) -> impl Fn(&str, [usize; 2], f64) -> Result<Tensor, FitError> {
    |name, shape, _| Ok(tensor(answer.matrix(name, shape)?)?)
}

/// A layer: weights, and a bias that begins at 0.
pub fn layer(given: Given, name: &str, shape: [usize; 2]) -> Result<(Tensor, Tensor), FitError> {
    Ok((given(name, shape, 1.0)?, given(&format!("{name} bias"), [1, shape[1]], 0.0)?))
}

/// How much of the last steps' gradients, and of their squares, a step keeps.
const KEPT: [f64; 2] = [0.9, 0.999];
/// Added to what a step is divided by.
const LEAST: f64 = 1e-8;

/// A parameter with what Adam remembers of its gradients.
struct Parameter {
    value: Tensor,
    mean: Tensor,
    square: Tensor,
}

/// The parameters by name.
pub struct Parameters {
    all: RefCell<BTreeMap<String, Parameter>>,
    seed: u64,
}

impl Parameters {
    pub fn new(seed: u64) -> Self {
        Self { all: RefCell::default(), seed }
    }

    /// Begins one: with normal draws, so spread that a sum over the rows has about this spread.
    pub fn begin(&self, name: &str, [rows, columns]: [usize; 2], spread: f64) -> Result<Tensor, FitError> {
        let mut random = seeds::stream(self.seed, name, 0);
        let sd = spread / (rows.max(1) as f64).sqrt();
        let start = Array2::from_shape_simple_fn((rows, columns), || seeds::normal(&mut random, sd));
        let value = tensor(&start)?.f_set_requires_grad(true)?;
        let (mean, square) = (tensor(&Array2::zeros((rows, columns)))?, tensor(&Array2::zeros((rows, columns)))?);
        let parameter = Parameter { value: value.shallow_clone(), mean, square };
        self.all.borrow_mut().insert(name.to_owned(), parameter);
        Ok(value)
    }

    /// What was learned.
    pub fn answer(&self, name: &str) -> Result<Message, FitError> {
        let mut answer = Message { name: name.to_owned(), seed: self.seed, ..Message::default() };
        for (name, parameter) in self.all.borrow().iter() {
            answer.matrices.insert(name.clone(), matrix(&parameter.value)?);
        }
        Ok(answer)
    }

    /// Goes through `rows` rows in batches of neighbours, the batches in a drawn order, `settings.epochs` times.  `scores`
    /// gives the scores of a batch with what its loss says of them.  The loss of each epoch.
    pub fn descend(
        &self,
        rows: usize,
        settings: Settings,
        mut scores: impl FnMut(Range<usize>) -> Result<(Tensor, Batch), FitError>,
    ) -> Result<Vec<f64>, FitError> {
        let batches: Vec<Range<usize>> =
            (0..rows).step_by(settings.batch).map(|start| start..rows.min(start + settings.batch)).collect();
        let steps = (settings.epochs * batches.len()).max(1);
        let (mut step, mut losses) = (0, Vec::new());
        for epoch in 0..settings.epochs {
            let mut order: Vec<usize> = (0..batches.len()).collect();
            order.shuffle(&mut seeds::stream(self.seed, "batches", epoch as u64));
            let mut loss = 0.0;
            for batch in order {
                let (found, judged) = scores(batches[batch].clone())?;
                loss += judged.loss * batches[batch].len() as f64;
                found.f_mul(&tensor(&judged.gradient)?)?.f_sum(Kind::Double)?.f_backward()?;
                let angle = std::f64::consts::PI * step as f64 / steps as f64;
                step += 1;
                let rate = settings.rate * (1.0 + maths::cos(angle)) / 2.0;
                tch::no_grad(|| self.step(rate, step, settings.l2))?;
            }
            losses.push(loss / rows.max(1) as f64);
        }
        Ok(losses)
    }

    /// One step of Adam, and the gradients back to 0.
    fn step(&self, rate: f64, step: i32, l2: f64) -> Result<(), FitError> {
        for parameter in self.all.borrow_mut().values_mut() {
            let mut slope = parameter.value.f_grad()?;
            if !slope.defined() {
                continue;
            }
            let gradient = slope.f_add(&parameter.value.f_mul_scalar(l2)?)?;
            let kept = |was: &Tensor, now: &Tensor, kept: f64| -> Result<Tensor, TchError> {
                was.f_mul_scalar(kept)?.f_add(&now.f_mul_scalar(1.0 - kept)?)
            };
            parameter.mean = kept(&parameter.mean, &gradient, KEPT[0])?;
            parameter.square = kept(&parameter.square, &gradient.f_mul(&gradient)?, KEPT[1])?;
            let mean = parameter.mean.f_div_scalar(1.0 - KEPT[0].powi(step))?;
            let square = parameter.square.f_div_scalar(1.0 - KEPT[1].powi(step))?;
            let change = mean.f_mul_scalar(rate)?.f_div(&square.f_sqrt()?.f_add_scalar(LEAST)?)?;
            let _ = parameter.value.f_sub_(&change)?;
            let _ = slope.f_zero_()?;
        }
        Ok(())
    }
}

/// What the loss of a batch says of its scores.
pub struct Batch {
    pub loss: f64,
    pub gradient: Array2<f64>,
}
