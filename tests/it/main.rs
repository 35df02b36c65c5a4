//! Every integration test, in one binary.

mod charts;
#[cfg(feature = "encoder")]
mod encoder;
mod logistic;
mod matrix;
mod metrics;
#[cfg(not(feature = "encoder"))]
mod no_encoder;
mod reduction;
