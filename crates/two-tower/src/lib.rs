//! Learns deep models for lists with libtorch: a two-tower, and a transformer over what was done last.
//!
//! A program of its own (`selvedge-towers`), because libtorch takes a quarter of a second to start: a task comes in, numbers
//! go out, and `recommenders::deep` reads them without libtorch.
//!
//! The same bits everywhere: numbers are f64, one thread computes, and libtorch is asked for nothing but sums, products,
//! quotients, square roots and the larger of two numbers; softmaxes, which need exponentials, and their gradients are worked
//! out in Rust.  [`recommenders::deep::ENVIRONMENT`] keeps libtorch from choosing its instructions by processor.

mod descent;
mod serve;
mod session;
mod softmax;
mod towers;

pub use descent::{FitError, matrix, tensor};
pub use serve::serve;
pub use session::{SessionNet, session};
pub use towers::{TowerNet, towers};

// Exponentials and logarithms with the same bits on every machine.
use numeric as _;
