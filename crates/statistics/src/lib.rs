//! Statistics that stand on their own.

/// Ranges that chance allows.
pub mod intervals;
