//! Lookup joins for DataFusion.
//!
//! Most LEFT JOINs look something up: every row meets one row of a table that has a row for each key, or none.
//! DataFusion's hash join copies all columns of such rows, batch by batch, as it does where rows multiply or fall away.
//! [`LookupJoinRule`] puts [`LookupJoinExec`] in its place, which hands the rows on as they are and only adds the columns
//! that were looked up.  Where a row does meet several, the rows are copied as before.  [`TableSideRule`] sees to it that the
//! side that is hashed is the one that is looked up in.

mod exec;
mod rule;
mod table;
mod vectors;

pub use exec::LookupJoinExec;
pub use rule::{LookupJoinRule, TableSideRule};
