//! Deep models, learned by a program of its own (`crates/two-tower`, over libtorch) and read here in plain Rust: a two-tower
//! over profile, past and description, and a transformer over what was done last.
//!
//! A model is prepared here (columns scaled, pasts laid out) and sent as a [`Message`]; the numbers that come back are all
//! that it is.  Both are made of sums, products and the larger of two numbers, so a score has the same bits everywhere.

mod message;
mod session;
mod towers;

#[cfg(test)]
mod tests;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

pub use message::{ENVIRONMENT, Message, PROGRAM};
pub use session::{HEADS, KINDS, LENGTH, SessionTask, SessionTransformer, Step};
pub use towers::{DeepTower, Look, TowerTask};

use crate::{
    ModelError,
    dense::{add, stored},
    retrieve::History,
};

/// Raised whenever the same past would get other scores, or what is learned from is prepared in another way.
pub const VERSION: u32 = 1;
/// What models are learned from at most, the latest: time has an end.
pub const MOST: usize = 20_000;

/// Numbers times weights, and a bias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Dense {
    /// Inputs x outputs.
    #[serde(with = "stored")]
    weights: Array2<f64>,
    bias: Vec<f64>,
}

impl Dense {
    /// The layer of this name in an answer.
    fn of(answer: &Message, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Dense, ModelError> {
        let weights = answer.matrix(name, [inputs, outputs])?.clone();
        let bias = answer.matrix(&format!("{name} bias"), [1, outputs])?.iter().copied().collect();
        Ok(Dense { weights, bias })
    }

    fn apply(&self, inputs: &[f64]) -> Vec<f64> {
        let mut sums = self.bias.clone();
        for (row, value) in self.weights.rows().into_iter().zip(inputs).filter(|(_, value)| **value != 0.0) {
            add(&mut sums, *value, row.to_slice().unwrap_or_default());
        }
        sums
    }
}

/// What is below 0 becomes 0.
fn relu(mut values: Vec<f64>) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value = value.max(0.0));
    values
}

/// What each event adds to a score that all of a past decides together: the difference that it makes to those before it, in
/// the order of time.  They sum to the score, but for rounding.
fn in_turn(history: &History, score: impl Fn(&History) -> f64) -> Vec<(u32, f64)> {
    let mut events = history.events().to_vec();
    events.sort_by(|a, b| b.age.total_cmp(&a.age).then(a.thing.cmp(&b.thing)).then(a.kind.cmp(&b.kind)));
    let mut parts = std::collections::BTreeMap::<u32, f64>::new();
    let mut before = 0.0;
    for known in 1..=events.len() {
        let after = score(&History::new(events[..known].iter().copied()));
        *parts.entry(events[known - 1].thing).or_default() += after - before;
        before = after;
    }
    parts.into_iter().filter(|(_, part)| *part != 0.0).collect()
}
