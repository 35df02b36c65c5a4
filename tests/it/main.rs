//! Every integration test, in one binary.

mod shop;

mod charts;
#[cfg(feature = "encoder")]
mod encoder;
mod ingest;
mod logistic;
mod matrix;
mod metrics;
#[cfg(not(feature = "encoder"))]
mod no_encoder;
mod reduction;
mod sealed;
mod time;
