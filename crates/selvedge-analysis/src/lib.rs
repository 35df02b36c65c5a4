//! What a query means, read off its plan.

/// Plans -> what every column is made from.
pub mod lineage;
/// What in a query would leak or change from run to run.
pub mod lint;
