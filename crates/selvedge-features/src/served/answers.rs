//! Answers as tables: a row for each, and a row for each place of each.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray,
};

use selvedge_engine::Table;
use selvedge_project::error::Result;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub id: String,
    pub answered_at: DateTime<Utc>,
    /// As of when its list is; none of a list that the release came with.
    pub as_of: Option<DateTime<Utc>>,
    pub customer_id: String,
    pub release: String,
    /// What was left out, in words.
    pub degraded: String,
    /// Nobody saw it.
    pub shadow: bool,
    pub milliseconds: f64,
    /// The whole of it, as it was written down.
    pub answer: String,
}

/// A place of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub request: String,
    pub place: i64,
    pub product_id: String,
    pub season: String,
    pub score: f64,
    pub chance: Option<f64>,
    pub basis: String,
    pub reason: String,
    /// The probability with which it could have stood there.
    pub propensity: f64,
}

/// `served.requests`.
///
/// # Errors
/// Two of one id.
pub fn requests(answers: &[Request]) -> Result<Table> {
    let texts = |of: fn(&Request) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(answers.iter().map(|one| of(one))))
    };
    let moments = |of: fn(&Request) -> Option<DateTime<Utc>>| -> ArrayRef {
        let nanoseconds = answers.iter().map(|one| of(one).and_then(|moment| moment.timestamp_nanos_opt()));
        Arc::new(nanoseconds.collect::<TimestampNanosecondArray>())
    };
    let shadows = answers.iter().map(|one| Some(one.shadow)).collect::<BooleanArray>();
    let took = Float64Array::from_iter_values(answers.iter().map(|one| one.milliseconds));
    let columns: [(&str, ArrayRef); 9] = [
        ("request", texts(|one| &one.id)),
        ("answered_at", moments(|one| Some(one.answered_at))),
        ("as_of", moments(|one| one.as_of)),
        ("customer_id", texts(|one| &one.customer_id)),
        ("release", texts(|one| &one.release)),
        ("degraded", texts(|one| &one.degraded)),
        ("shadow", Arc::new(shadows)),
        ("milliseconds", Arc::new(took)),
        ("answer", texts(|one| &one.answer)),
    ];
    Table::of_columns("served.requests", &["request"], columns)
}

/// `served.shown`.
///
/// # Errors
/// Two of one place.
pub fn shown(places: &[Place]) -> Result<Table> {
    let texts = |of: fn(&Place) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(places.iter().map(|one| of(one))))
    };
    let numbers =
        |of: fn(&Place) -> Option<f64>| -> ArrayRef { Arc::new(places.iter().map(of).collect::<Float64Array>()) };
    let columns: [(&str, ArrayRef); 9] = [
        ("request", texts(|one| &one.request)),
        ("place", Arc::new(Int64Array::from_iter_values(places.iter().map(|one| one.place)))),
        ("product_id", texts(|one| &one.product_id)),
        ("season", texts(|one| &one.season)),
        ("score", numbers(|one| Some(one.score))),
        ("chance", numbers(|one| one.chance)),
        ("basis", texts(|one| &one.basis)),
        ("reason", texts(|one| &one.reason)),
        ("propensity", numbers(|one| Some(one.propensity))),
    ];
    Table::of_columns("served.shown", &["request", "place"], columns)
}
