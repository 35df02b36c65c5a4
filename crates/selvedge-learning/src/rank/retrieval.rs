//! Retrieval: what of a long shelf is worth ranking.
//!
//! A first pass finds the articles with the largest product of two vectors: the sum of the chain and of a linear two-tower,
//! less what only customer and article together tell.  Beside them stand what the generators of a blend put first, what the
//! customer did last, what is popular and what is new, so that every ranking and every rule finds its own there.  The law of
//! the shelf holds inside the search.  How many are found is decided by what it misses of the lists that whole shelves give.

mod catalogue;
mod measure;

use serde::{Deserialize, Serialize};

pub use self::catalogue::{Catalogue, May, union};
pub use self::measure::{Found, WIDEST, asking};
use super::tower::TwoTower;
use crate::shelf::Thing;

/// What a long shelf is searched by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    pub tower: TwoTower,
    /// The things of the past, in the order of the numbers that they have in the tower.
    pub things: Vec<Thing>,
    /// How many the first pass finds.
    pub width: usize,
    /// What it misses; none where that was not measured.
    pub found: Option<Found>,
}
