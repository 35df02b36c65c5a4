//! Figures of ranked shelves and of lists: how many they hit, how personal they are, and how sure that is.

mod customers;
mod early;
mod list;
mod order;
mod personal;
mod ranges;

pub use customers::by_customer;
pub use early::{Figure, Verdict, verdict};
pub use list::ListFigures;
pub(crate) use order::rounded;
pub use order::{order, right_order};
pub use personal::{KindShares, distinct, exposure_gini, in_common, in_common_within, kinds_apart, surprise, varied};
pub use ranges::{Range, Ranges};
