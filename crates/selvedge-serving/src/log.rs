//! What was answered, so that it can be had again: the log of requests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lists::{Article, Basis};
use super::who::Wished;

/// An answered request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// Names the request.
    pub id: String,
    #[serde(with = "crate::moment")]
    pub answered_at: DateTime<Utc>,
    /// Empty for a visitor.
    pub customer_id: String,
    /// What was wished for beside the customer.
    #[serde(default)]
    pub wished: Wished,
    pub release: String,
    /// None where the release's own list had to do.
    pub basis: Option<Basis>,
    pub articles: Vec<Article>,
    /// What was left out, in words.
    pub degraded: Vec<String>,
    /// Of a shadow release: nobody saw it.
    pub shadow: bool,
    pub milliseconds: f64,
}
