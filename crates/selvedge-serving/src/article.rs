//! An article of a list, and from what a list was made.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use selvedge_learning::recommend::Listing;

/// An article of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Article {
    /// 1 is the first.
    pub place: usize,
    pub product_id: String,
    pub season: String,
    pub brand: Option<String>,
    pub score: f64,
    /// The chance that it is bought and kept; none where nothing was there to learn it from.
    pub chance: Option<f64>,
    /// On what it rests: `personal`, or what is popular.
    pub basis: String,
    /// What may be said of why it is shown.
    pub reason: String,
    /// The probability with which it could have stood here; lists are not drawn, so it is 1.
    pub propensity: f64,
}

/// How much was done for a list.  Where time is short, less is, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    #[default]
    Full,
    /// Ranked, and not explained.
    WithoutReasons,
    /// Neither features nor a ranking: what is popular, of what the customer could get.
    Popular,
}

/// A row of a release's recommendations.
#[derive(Deserialize)]
pub struct Recommended {
    pub customer_id: String,
    rank: usize,
    product_id: String,
    season: String,
    brand: Option<String>,
    score: f64,
    chance: Option<f64>,
    basis: String,
    reason: String,
}

/// From what a list was made, so that it can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    #[serde(with = "crate::moment")]
    pub at: DateTime<Utc>,
    /// So many events were known.
    pub seen: usize,
    #[serde(with = "crate::moment")]
    pub articles_at: DateTime<Utc>,
    pub articles_seen: usize,
    #[serde(default)]
    pub effort: Effort,
}

impl From<Recommended> for Article {
    fn from(row: Recommended) -> Self {
        Self {
            place: row.rank,
            product_id: row.product_id,
            season: row.season,
            brand: row.brand,
            score: row.score,
            chance: row.chance,
            basis: row.basis,
            reason: row.reason,
            propensity: 1.0,
        }
    }
}

impl From<(Listing, usize)> for Article {
    fn from((listing, place): (Listing, usize)) -> Self {
        Self {
            place,
            product_id: listing.product_id,
            season: listing.season,
            brand: listing.brand,
            score: listing.score,
            chance: listing.chance,
            basis: listing.basis.into(),
            reason: listing.reason,
            propensity: 1.0,
        }
    }
}
