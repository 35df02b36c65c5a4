//! The production log: the stages monitor and drill.

/// The production log -> what changed, for whom, how sure.
pub mod monitor;
/// A drop put into a copy of the log: is it noticed?
pub mod drill;
