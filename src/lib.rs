//! selvedge: features, recommendations and monitoring from SQL files, with edges that cannot fray.
//!
//! The modules in the order of the flow; each may use those above it, never those below.

pub mod error;
pub mod params;
pub mod paths;
pub mod progress;
pub mod intervals;
pub mod sql;
pub mod project;
pub mod engine;
pub mod ingest;
pub mod embeddings;
pub mod features;
pub mod frame;
pub mod model;
pub mod train;
pub mod evaluate;
pub mod recommend;
pub mod monitor;
pub mod report;
pub mod explore;
pub mod cli;
