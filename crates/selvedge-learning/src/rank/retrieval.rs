//! Retrieval: what of a long shelf is worth ranking.
//!
//! A first pass finds the articles with the largest product of two vectors: the sum of the chain and of a linear two-tower,
//! less what only customer and article together tell.  Beside them stand what the generators of a blend put first, what the
//! customer did last, what is popular and what is new, so that every ranking and every rule finds its own there.  The law of
//! the shelf holds inside the search.  How many are found is decided by what it misses of the lists that whole shelves give.

mod catalogue;
mod measure;
mod tables;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::catalogue::{Catalogue, May};
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

/// Of each request what stands in any of these, in order.
pub fn union<const N: usize>(all: [Vec<Vec<u32>>; N]) -> Vec<Vec<u32>> {
    let mut merged: Vec<BTreeSet<u32>> = Vec::new();
    for found in all {
        merged.resize(found.len().max(merged.len()), BTreeSet::new());
        merged.iter_mut().zip(found).for_each(|(merged, found)| merged.extend(found));
    }
    merged.into_iter().map(|merged| merged.into_iter().collect()).collect()
}
