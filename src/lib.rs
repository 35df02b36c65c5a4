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
pub mod monitor;
pub mod explore;
pub mod cli;
