//! Point-in-time aggregates for DataFusion.
//!
//! A feature is written as the SQL a person would write: the moments it is wanted for (the *grain*), left joined to
//! what happened before (the *source*), aggregated with FILTERs that narrow the window:
//!
//! ```sql
//! SELECT g.customer_id, g.as_of, COUNT(*) FILTER (WHERE e.event_time >= g.as_of - INTERVAL '30' DAY)
//! FROM grain g LEFT JOIN events e ON e.customer_id = g.customer_id AND e.event_time < g.as_of
//! GROUP BY g.customer_id, g.as_of
//! ```
//!
//! Run as it stands, the join makes a row for every pair of a moment and an earlier event.  [`PointInTimeRule`] sees the
//! shape in the physical plan and puts [`PointInTimeExec`] in the place of the join and the partial aggregate.  It splits
//! both sides by key, sorts a key's events by time once, and finds every window as a range of that order: a count is then
//! a difference of two positions, a sum a difference of two running sums, a last value the event at the range's end.
//! That gives the state that the partial aggregate would have made for one row of the grain, and DataFusion's own
//! functions finish it: types, rounding, NULLs and repeated groups are those of the plain plan.  Where the groups hold
//! the keys this happens bucket by bucket.
//!
//! Two other ways to write such questions are taken as well.  `ROW_NUMBER() OVER (PARTITION BY … ORDER BY e.event_time DESC)
//! = 1` over the join is the last value before the moment.  A join that holds two times of the source against the moment,
//! `p.valid_from <= g.as_of AND (g.as_of < p.valid_to OR p.valid_to IS NULL)`, becomes a [`RangeJoinExec`], in which only
//! rows whose times can fit meet each other; where the source is small the grain is not split, and keeps its order.
//!
//! What the rule does not recognise runs as before; [`verdicts`] says what was in the way.

mod bucket;
mod events;
mod exec;
mod expressions;
mod finish;
mod partitioned;
mod range;
mod recognise;
mod rule;
mod shape;
mod sides;
mod state;
mod verdict;
mod windows;

pub use exec::PointInTimeExec;
pub use range::RangeJoinExec;
pub use rule::PointInTimeRule;
pub use verdict::{Verdict, verdicts};
