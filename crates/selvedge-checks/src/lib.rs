//! Questions about definitions and values that print an answer and write nothing.

/// What would be recomputed, and why.
pub mod plan;
/// Unit tests of feature views, as YAML.
pub mod cases;
/// What may not matter to a feature, proven.
pub mod proof;
/// One value -> the rows of the CSVs that made it.
pub mod why;
/// Queries that must return no rows.
pub mod audit;
