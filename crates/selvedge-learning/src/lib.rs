//! From the training frame to lists: the stages train, rank, evaluate, drivers and recommend.

/// The models, fitted.
pub mod train;
/// A customer at a moment, and all that could be shown.
pub mod shelf;
/// Rankings judged over visits, by named protocols.
pub mod protocol;
/// Shelves put in order.
pub mod rank;
/// Ten articles for every customer.
pub mod recommend;
/// The models, judged.
pub mod evaluate;
/// What drives the score: price, brand or whatever a shop calls it.
pub mod drivers;
