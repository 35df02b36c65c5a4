//! selvedge: features, recommendations and monitoring from SQL files, with edges that cannot fray.
//!
//! The modules in the order of the flow; each may use those above it, never those below.

pub mod cli;
pub mod embeddings;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod explore;
pub mod features;
pub mod frame;
pub mod ingest;
pub mod intervals;
pub mod model;
pub mod monitor;
pub mod params;
pub mod paths;
pub mod progress;
pub mod project;
pub mod recommend;
pub mod report;
pub mod sql;
pub mod train;
