//! From ranks to a list: rules of taste as pure functions over scores, each of which can be priced.
//!
//! Law (consent, on sale, shippable, not owned) is not here: what the law forbids is no candidate.

mod brands;
mod calibrated;
mod mmr;
mod top;

pub use brands::{BrandShare, Rules, Why, choose};
pub use calibrated::calibrated;
pub use mmr::most_relevant_least_alike;
pub use top::{top, top_by};
