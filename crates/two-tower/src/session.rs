//! The session transformer, learned: see [`recommenders::deep::SessionTransformer`].

use ndarray::Array2;
use rand::Rng;
use recommenders::deep::{HEADS, KINDS, LENGTH, Message};
use recommenders::seeds;
use tch::{Kind, TchError, Tensor};

use crate::descent::{FitError, Given, Parameters, Settings, layer, learned, matrix, tensor};
use crate::softmax::{shares, softmax};

/// Width of a step, and of the layer behind the attention.
const SIZE: usize = 16;
const HIDDEN: usize = 32;
/// Others that what came next is held against, drawn of what was done at the time.
const OTHERS: usize = 64;
const SETTINGS: Settings = Settings { epochs: 8, batch: 128, rate: 0.01, l2: 1e-3 };

/// The parameters of the transformer.
pub struct SessionNet {
    step: Tensor,
    next: Tensor,
    kinds: Tensor,
    places: Tensor,
    query: (Tensor, Tensor),
    key: (Tensor, Tensor),
    value: (Tensor, Tensor),
    up: (Tensor, Tensor),
    down: (Tensor, Tensor),
}

impl SessionNet {
    fn new(given: Given, width: usize) -> Result<Self, FitError> {
        Ok(Self {
            step: given("step", [width, SIZE], 1.0)?,
            next: given("next", [width, SIZE + 1], 0.3)?,
            kinds: given("kinds", [KINDS, SIZE], 0.2)?,
            places: given("places", [LENGTH, SIZE], 0.2)?,
            query: layer(given, "query", [SIZE, SIZE])?,
            key: layer(given, "key", [SIZE, SIZE])?,
            value: layer(given, "value", [SIZE, SIZE])?,
            up: layer(given, "up", [SIZE, HIDDEN])?,
            down: layer(given, "down", [HIDDEN, SIZE])?,
        })
    }

    /// What was learned of things of `width` columns, as libtorch reads it.
    ///
    /// # Errors
    /// An answer to another task.
    pub fn of(answer: &Message, width: usize) -> Result<Self, FitError> {
        Self::new(&learned(answer), width)
    }

    /// u after each row of steps; `places`: numbers of things from 1, 0 where there was no step.
    ///
    /// # Errors
    /// libtorch's.
    pub fn states(&self, things: &Tensor, places: &Tensor, kinds: &Tensor) -> Result<Tensor, TchError> {
        let (rows, length, size) = (places.size()[0], LENGTH as i64, SIZE as i64);
        let part = size / HEADS as i64;
        let dense = |(weights, bias): &(Tensor, Tensor), inputs: &Tensor| inputs.f_matmul(weights)?.f_add(bias);
        let there = places.f_gt(0.0)?.f_to_kind(Kind::Double)?;
        let numbers = places.f_sub_scalar(1.0)?.f_clamp_min(0.0)?.f_to_kind(Kind::Int64)?.f_flatten(0, -1)?;
        let of_things = things.f_matmul(&self.step)?.f_index_select(0, &numbers)?;
        let of_kinds = self.kinds.f_index_select(0, &kinds.f_to_kind(Kind::Int64)?.f_flatten(0, -1)?)?;
        let steps = of_things.f_add(&of_kinds)?.f_view([rows, length, size])?.f_add(&self.places)?;
        let last = steps.f_select(1, length - 1)?;
        let heads = |tensor: Tensor| tensor.f_view([rows, -1, HEADS as i64, part]);
        let query = heads(dense(&self.query, &last)?)?;
        let (key, value) = (heads(dense(&self.key, &steps)?)?, heads(dense(&self.value, &steps)?)?);
        let likeness = key.f_mul(&query)?.f_sum_dim_intlist([-1_i64].as_slice(), false, Kind::Double)?;
        let count = there.f_sum_dim_intlist([1_i64].as_slice(), true, Kind::Double)?.f_clamp_min(1.0)?;
        let weights = likeness.f_div_scalar((part as f64).sqrt())?.f_relu()?;
        let weights = weights.f_mul(&there.f_unsqueeze(-1)?)?.f_div(&count.f_unsqueeze(-1)?)?;
        let summed =
            value.f_mul(&weights.f_unsqueeze(-1)?)?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Double)?;
        let state = last.f_add(&summed.f_reshape([rows, size])?)?;
        let more = dense(&self.down, &dense(&self.up, &state)?.f_relu()?)?;
        state.f_add(&more)
    }

    /// The score of each state with each of these things.
    ///
    /// # Errors
    /// libtorch's.
    pub fn scores(&self, states: &Tensor, things: &Tensor, numbers: &[i64]) -> Result<Tensor, TchError> {
        let nexts = things.f_index_select(0, &Tensor::f_from_slice(numbers)?)?.f_matmul(&self.next)?;
        let (vectors, biases) = (nexts.f_narrow(1, 0, SIZE as i64)?, nexts.f_narrow(1, SIZE as i64, 1)?);
        states.f_matmul(&vectors.f_tr()?)?.f_add(&biases.f_tr()?)
    }
}

/// Learns what a [`recommenders::deep::SessionTask`] asks for; with the loss of each epoch.
///
/// # Errors
/// A task that is none, or libtorch's.
pub fn session(task: &Message) -> Result<(Message, Vec<f64>), FitError> {
    let wrong = |matrix| FitError::Number { task: "session", matrix };
    let things = task.matrices.get("things").ok_or(wrong("things"))?;
    let rows = task.matrices.get("next").map_or(0, Array2::nrows);
    let (places, kinds) = (task.matrix("places", [rows, LENGTH])?, task.matrix("kinds", [rows, LENGTH])?);
    let next: Vec<u32> = task.matrix("next", [rows, 1])?.iter().map(|thing| *thing as u32).collect();
    let count = things.nrows();
    if next.iter().any(|thing| *thing as usize >= count) {
        return Err(wrong("next"));
    }
    if places.iter().any(|place| !(0.0..=count as f64).contains(place)) {
        return Err(wrong("places"));
    }
    if kinds.iter().any(|kind| !(0.0..KINDS as f64).contains(kind)) {
        return Err(wrong("kinds"));
    }
    let parameters = Parameters::new(task.seed);
    let net = SessionNet::new(&|name, shape, spread| parameters.begin(name, shape, spread), things.ncols())?;
    let (things, places, kinds) = (tensor(things)?, tensor(places)?, tensor(kinds)?);
    let mut random = seeds::stream(task.seed, "others", 0);
    let losses = parameters.descend(rows, SETTINGS, |batch| {
        let part = |all: &Tensor| all.f_narrow(0, batch.start as i64, batch.len() as i64);
        let states = net.states(&things, &part(&places)?, &part(&kinds)?)?;
        // Candidates: what came next in the batch, each once, and others of what was done around it, as often as it was.
        let shares = shares(&next, &batch);
        let around: Vec<(u32, f64)> = shares.iter().map(|(thing, share)| (*thing, *share)).collect();
        let mut candidates: Vec<u32> = next[batch.clone()].to_vec();
        for _ in 0..OTHERS {
            let mut left = random.gen_range(0.0..1.0);
            let drawn = around.iter().find(|(_, share)| {
                left -= share;
                left < 0.0
            });
            candidates.extend(drawn.or(around.last()).map(|(thing, _)| *thing));
        }
        let numbers: Vec<i64> = candidates.iter().map(|thing| i64::from(*thing)).collect();
        let scores = net.scores(&states, &things, &numbers)?;
        let of_columns: Vec<f64> = candidates.iter().map(|thing| shares[thing]).collect();
        let rival = |row: usize, column: usize| candidates[column] != next[batch.start + row];
        let judged = softmax(&matrix(&scores)?, |row| row, &vec![1.0; batch.len()], &of_columns, rival);
        Ok((scores, judged))
    })?;
    Ok((parameters.answer("session")?, losses))
}
