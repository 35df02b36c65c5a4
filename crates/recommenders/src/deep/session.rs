//! A transformer over what was done last (after Kang and McAuley 2018, with things made of their columns, as in Zhang and
//! others 2019): the latest step asks all before it what matters, and the sum says what comes next.
//!
//! ```text
//! x_p = W z_p + kind + place     a_p = relu(q(x_last).k(x_p)/sqrt(d))/steps     h = x_last + sum a_p v(x_p)
//! u = h + F2 relu(F1 h)          score of j = u.(V z_j) + b.z_j
//! ```
//! Attention by relu in the softmax's place (Wortsman and others 2023) does without exponentials.  It is learned by a softmax
//! over what came next and others that were done at the time (sampled, corrected by logQ).  Things have no numbers of their
//! own: what is new today has a description, and is as good as any.

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Dense, MOST, Message, VERSION, in_turn, relu};
use crate::{
    ModelError,
    dense::{add, dot, stored},
    error::same_length,
    retrieve::{History, Kind, Past, Retriever},
    tower::Scale,
};

/// Steps that are looked back on.
pub const LENGTH: usize = 12;
/// Heads of the attention.
pub const HEADS: usize = 2;
/// Kinds of steps.
pub const KINDS: usize = 4;

/// Something done next, with what was done before.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Oldest first; the latest [`LENGTH`] are read.
    pub before: Vec<(u32, Kind)>,
    pub next: u32,
}

/// What a session transformer is learned from, prepared.
pub struct SessionTask {
    /// What the program is asked.
    pub message: Message,
    scale: Scale,
}

/// A fitted session transformer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionTransformer {
    scale: Scale,
    /// What each thing is as a step, and as what comes next; the last number of the latter is added to any product.
    #[serde(with = "stored")]
    steps: Array2<f64>,
    #[serde(with = "stored")]
    nexts: Array2<f64>,
    #[serde(with = "stored")]
    next: Array2<f64>,
    #[serde(with = "stored")]
    kinds: Array2<f64>,
    #[serde(with = "stored")]
    places: Array2<f64>,
    query: Dense,
    key: Dense,
    value: Dense,
    up: Dense,
    down: Dense,
}

/// The column of the program that stands for a kind.
fn number(kind: Kind) -> usize {
    match kind {
        Kind::Looked => 0,
        Kind::Wished => 1,
        Kind::Bought => 2,
        Kind::Returned => 3,
    }
}

impl SessionTask {
    /// Of `steps` in the order of time, the latest of them where there are many.  `things`: of each its columns as they last
    /// stood on a shelf, none where it never did.
    ///
    /// # Errors
    /// Columns of unequal number, things that are not there, or cells that are not finite.
    pub fn new(things: &[Vec<f64>], steps: &[Step], seed: u64) -> Result<SessionTask, ModelError> {
        let steps = &steps[steps.len().saturating_sub(MOST)..];
        let known: Vec<&Vec<f64>> = things.iter().filter(|thing| !thing.is_empty()).collect();
        let width = known.first().map_or(0, |thing| thing.len());
        known.iter().try_for_each(|thing| same_length("article columns", thing.len(), width))?;
        let rows = Array2::from_shape_fn((known.len(), width), |(row, at)| known[row][at]);
        crate::chain::finite(rows.view())?;
        let scale = Scale::fit(rows.view(), &(0..width).collect::<Vec<usize>>());
        let of = |(row, at): (usize, usize)| things[row].get(at).map_or(0.0, |value| scale.floored(at, *value));
        let scaled = Array2::from_shape_fn((things.len(), width), of);
        let (mut places, mut kinds) = (Array2::zeros((steps.len(), LENGTH)), Array2::zeros((steps.len(), LENGTH)));
        for (row, step) in steps.iter().enumerate() {
            let done = step.before.iter().map(|(thing, _)| *thing).chain([step.next]);
            if let Some(thing) = done.max().filter(|thing| *thing as usize >= things.len()) {
                return Err(ModelError::Unknown { what: "thing", number: thing as usize, count: things.len() });
            }
            for (place, (thing, kind)) in (0..LENGTH).rev().zip(step.before.iter().rev()) {
                places[(row, place)] = f64::from(*thing) + 1.0;
                kinds[(row, place)] = number(*kind) as f64;
            }
        }
        let next = Array2::from_shape_fn((steps.len(), 1), |(row, _)| f64::from(steps[row].next));
        let matrices = [("things", scaled), ("places", places), ("kinds", kinds), ("next", next)];
        let matrices = matrices.map(|(name, matrix)| (name.to_owned(), matrix)).into();
        Ok(SessionTask { message: Message { name: "session".into(), seed, matrices }, scale })
    }

    /// The model that was learned.
    ///
    /// # Errors
    /// An answer to another task.
    pub fn learned(self, answer: &Message) -> Result<SessionTransformer, ModelError> {
        let things = &self.message.matrices["things"];
        let size = answer.matrices.get("step").map_or(0, Array2::ncols);
        let hidden = answer.matrices.get("up").map_or(0, Array2::ncols);
        let step = answer.matrix("step", [things.ncols(), size])?;
        let next = answer.matrix("next", [things.ncols(), size + 1])?.clone();
        let square = |name| Dense::of(answer, name, [size, size]);
        Ok(SessionTransformer {
            steps: times(things.view(), step),
            nexts: times(things.view(), &next),
            kinds: answer.matrix("kinds", [KINDS, size])?.clone(),
            places: answer.matrix("places", [LENGTH, size])?.clone(),
            query: square("query")?,
            key: square("key")?,
            value: square("value")?,
            up: Dense::of(answer, "up", [size, hidden])?,
            down: Dense::of(answer, "down", [hidden, size])?,
            scale: self.scale,
            next,
        })
    }
}

/// Rows times a matrix, a row at a time.
fn times(rows: ArrayView2<f64>, matrix: &Array2<f64>) -> Array2<f64> {
    let mut found = Array2::zeros((rows.nrows(), matrix.ncols()));
    for (row, mut sums) in rows.rows().into_iter().zip(found.rows_mut()) {
        for (line, value) in matrix.rows().into_iter().zip(row) {
            sums.scaled_add(*value, &line);
        }
    }
    found
}

impl SessionTransformer {
    /// u after a past; none where nothing of it is known.
    fn state(&self, history: &History) -> Option<Vec<f64>> {
        let mut done: Vec<Past> =
            history.events().iter().filter(|past| (past.thing as usize) < self.steps.nrows()).copied().collect();
        done.sort_by(|a, b| b.age.total_cmp(&a.age).then(a.thing.cmp(&b.thing)).then(a.kind.cmp(&b.kind)));
        let latest = &done[done.len().saturating_sub(LENGTH)..];
        let row = |matrix: &Array2<f64>, at: usize| matrix.row(at).to_vec();
        let steps: Vec<Vec<f64>> = latest
            .iter()
            .zip(LENGTH - latest.len()..)
            .map(|(past, place)| {
                let mut step = row(&self.steps, past.thing as usize);
                add(&mut step, 1.0, &row(&self.kinds, number(past.kind)));
                add(&mut step, 1.0, &row(&self.places, place));
                step
            })
            .collect();
        let last = steps.last()?;
        let query = self.query.apply(last);
        let part = (query.len() / HEADS).max(1);
        let mut state = last.clone();
        for step in &steps {
            let (key, value) = (self.key.apply(step), self.value.apply(step));
            for ((state, value), (query, key)) in
                state.chunks_mut(part).zip(value.chunks(part)).zip(query.chunks(part).zip(key.chunks(part)))
            {
                let weight = (dot(query, key) / (part as f64).sqrt()).max(0.0) / steps.len() as f64;
                add(state, weight, value);
            }
        }
        let more = self.down.apply(&relu(self.up.apply(&state)));
        add(&mut state, 1.0, &more);
        Some(state)
    }

    /// The score of each row of a shelf; `articles`: the columns of each row.
    ///
    /// # Errors
    /// Another number of columns than in the fit, or a cell that is not finite.
    pub fn shelf(&self, history: &History, articles: ArrayView2<f64>) -> Result<Vec<f64>, ModelError> {
        same_length("article columns", articles.ncols(), self.next.nrows())?;
        crate::chain::finite(articles)?;
        let Some(state) = self.state(history) else { return Ok(vec![0.0; articles.nrows()]) };
        let scaled = |(row, at): (usize, usize)| self.scale.floored(at, articles[(row, at)]);
        let scaled = Array2::from_shape_fn(articles.dim(), scaled);
        Ok(times(scaled.view(), &self.next).rows().into_iter().map(|next| score(&state, next)).collect())
    }
}

/// u times what comes next, and what is added.
fn score(state: &[f64], next: ArrayView1<f64>) -> f64 {
    let next = next.to_vec();
    let (bias, next) = next.split_last().map_or((0.0, &[][..]), |(bias, next)| (*bias, next));
    dot(state, next) + bias
}

/// Over things as they last stood on a shelf.
impl Retriever for SessionTransformer {
    fn name(&self) -> &'static str {
        "session transformer"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        let state = self.state(history);
        let of = |next| state.as_ref().map_or(0.0, |state| score(state, next));
        self.nexts.rows().into_iter().map(of).collect()
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        let next = self.nexts.rows().into_iter().nth(thing as usize);
        let of = |history: &History| Some(score(&self.state(history)?, next?));
        in_turn(history, |history| of(history).unwrap_or_default())
    }
}
