//! From the training frame to lists: the stages train, evaluate, drivers and recommend.

/// The models, fitted.
pub mod train;
/// The models, judged.
pub mod evaluate;
/// What drives the score: price, brand, style, sustainability.
pub mod drivers;
/// Ten articles for every customer.
pub mod recommend;
