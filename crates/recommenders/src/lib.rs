//! Models for recommendations over plain numbers: candidate generators, recommenders, rules for lists, and their figures.
//!
//! Nothing here knows of files, tables or a shop.  Customers and things are numbers from 0, in the order of their keys,
//! so that "ties by key" is "ties by number"; a row of a matrix is an article on a shelf at a moment.
//!
//! Same numbers, same bytes, whatever the number of threads: sums are made in blocks of [`blocks::ROWS`] rows that are
//! added in their order, what runs beside each other are blocks or outputs and never the parts of one sum, and random
//! numbers are ChaCha8 streams named by a purpose and an index ([`seeds`]).

pub mod maths;
mod error;
pub mod blocks;
pub mod dense;
pub mod seeds;
pub mod metrics;
pub mod calibration;
pub mod rank;
pub mod chain;
pub mod retrieve;
pub mod tower;
pub mod boosted;
pub mod deep;
pub mod blend;
pub mod lists;
pub mod nearest;

pub use error::ModelError;
