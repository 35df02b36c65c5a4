//! Iceberg queries for DataFusion.
//!
//! `SELECT key … GROUP BY key HAVING COUNT(*) > 1` asks for few of many groups: numbers that come twice, visits with too
//! many looks.  DataFusion keeps every group until the end.  [`FrequentGroupsRule`] puts [`FrequentRowsExec`] below the
//! aggregate: it counts rows by a hash of their keys first, and then hands on only those whose hash came often enough.
//! These are all rows of the groups that are asked for, and a few that share a hash with others; the aggregate and its
//! HAVING stay as they are and have the last word.
//!
//! Coarse counting, of Fang, Shivakumar, Garcia-Molina, Motwani and Ullman, "Computing Iceberg Queries Efficiently", VLDB
//! 1998.

mod exec;
mod rule;

pub use exec::FrequentRowsExec;
pub use rule::FrequentGroupsRule;
