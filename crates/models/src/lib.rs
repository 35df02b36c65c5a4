//! The model: rows of the frame to a matrix, a matrix to a probability, a probability to its reasons and its errors.

pub mod bootstrap;
pub mod choice;
pub mod columns;
pub mod lists;
pub mod logistic;
pub mod matrix;
pub mod metrics;
pub mod outcomes;
mod ranked;
pub mod reliability;
pub mod rule;
pub mod scale;
pub mod split;

/// Raised whenever the same rows would get other models or other chances; a test holds it together with numbers.
pub const VERSION: u32 = 2;
