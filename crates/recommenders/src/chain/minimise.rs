//! L-BFGS that starts from a curvature: a smooth convex function to a short gradient in few steps.
//!
//! Nocedal and Wright, "Numerical Optimization" (2006), algorithm 7.5; the first approximation of the inverse curvature is
//! that of a Cholesky decomposition instead of a multiple of the identity, so some ten steps do where a hundred would.

use crate::{
    ModelError,
    dense::{Cholesky, add, dot},
};

/// Steps whose changes are remembered.
const MEMORY: usize = 12;
/// Steps before the curvature is worked out anew.
const STEPS: usize = 12;
/// Times that the curvature is worked out at most.
const ROUNDS: usize = 40;
/// Halvings of a step before it is given up.
const HALVINGS: usize = 40;
/// The share of what a step promises that it must keep (Armijo).
const KEPT: f64 = 1e-4;
/// What rounding may add to a value, as a share of it.
const ROUNDING: f64 = 1e-13;

/// A function to be minimised.
pub trait Convex: Sync {
    /// The value at a place, and the gradient.
    fn at(&self, place: &[f64]) -> (f64, Vec<f64>);

    /// About the second derivatives at a place; they must be positive definite.
    fn curvature(&self, place: &[f64]) -> Result<Cholesky, ModelError>;
}

/// Walks from `place` to where the gradient is shorter than `short`.
///
/// # Errors
/// No curvature, or no arrival; the error's gradient is divided by `rows`.
pub fn minimise(function: &impl Convex, mut place: Vec<f64>, short: f64, rows: f64) -> Result<Vec<f64>, ModelError> {
    let (mut value, mut gradient) = function.at(&place);
    let mut steps = 0;
    for _ in 0..ROUNDS {
        if length(&gradient) < short {
            return Ok(place);
        }
        let curvature = function.curvature(&place)?;
        let mut memory: Vec<Change> = Vec::new();
        for _ in 0..STEPS {
            let direction = direction(&curvature, &memory, &gradient);
            let slope = dot(&direction, &gradient);
            let Some((next, next_value, next_gradient)) = walk(function, &place, value, &direction, slope) else {
                break;
            };
            let change = Change::new(&place, &next, &gradient, &next_gradient);
            (place, value, gradient) = (next, next_value, next_gradient);
            steps += 1;
            if length(&gradient) < short {
                return Ok(place);
            }
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.extend(change);
        }
    }
    Err(ModelError::NotArrived { gradient: length(&gradient) / rows, steps })
}

/// How place and gradient changed in a step.
struct Change {
    place: Vec<f64>,
    gradient: Vec<f64>,
    /// One divided by their product.
    scale: f64,
}

impl Change {
    /// `None` where rounding hides the curvature.
    fn new(place: &[f64], next: &[f64], gradient: &[f64], next_gradient: &[f64]) -> Option<Change> {
        let less = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let (place, gradient) = (less(next, place), less(next_gradient, gradient));
        let product = dot(&place, &gradient);
        let curved = product > 1e-12 * length(&place) * length(&gradient);
        curved.then(|| Change { place, gradient, scale: 1.0 / product })
    }
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Minus the gradient, times the approximate inverse of the curvature (two loops).
fn direction(curvature: &Cholesky, memory: &[Change], gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = vec![0.0; memory.len()];
    for (change, share) in memory.iter().zip(&mut shares).rev() {
        *share = change.scale * dot(&change.place, &direction);
        add(&mut direction, -*share, &change.gradient);
    }
    curvature.solve(&mut direction);
    for (change, share) in memory.iter().zip(&shares) {
        let back = change.scale * dot(&change.gradient, &direction);
        add(&mut direction, share - back, &change.place);
    }
    direction
}

/// The longest of 1, 1/2, 1/4 ... of a step that keeps what it promises; `None` where none does.
fn walk(
    function: &impl Convex,
    place: &[f64],
    value: f64,
    direction: &[f64],
    slope: f64,
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let mut share = 1.0;
    for _ in 0..HALVINGS {
        let mut next = place.to_vec();
        add(&mut next, share, direction);
        let (next_value, gradient) = function.at(&next);
        if next_value <= value + KEPT * share * slope + ROUNDING * value.abs() {
            return Some((next, next_value, gradient));
        }
        share /= 2.0;
    }
    None
}
