//! Lists for who asks now: loaded once, asked again and again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampNanosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use super::{Maker, RecommendError};
use crate::rank::Catalogue;
use crate::shelf::{Past, Session, Shelves, column};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// How lists are made, loaded once.
pub struct Lists(Maker);

/// What is wanted of shelves.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// How many articles, by customer; one list each where nothing is said.
    pub places: Option<&'a (dyn Fn(&str) -> usize + Sync)>,
    /// Which rows of the candidates may be shown; all where nothing is said.
    pub may: Option<&'a [bool]>,
    /// False where there is no time for the ranking: then everybody gets what is popular.
    pub ranked: bool,
    /// Asked once features are there: is there time for reasons?
    pub reasons: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { places: None, may: None, ranked: true, reasons: None }
    }
}

/// How long the parts of making lists took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    pub features: Duration,
    pub rank: Duration,
    pub explain: Duration,
    /// Whether there was time for reasons.
    pub explained: bool,
}

/// An article of a list, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub product_id: String,
    pub season: String,
    pub brand: Option<String>,
    pub score: f64,
    /// The chance that it is bought and kept; none where nothing was there to learn it from.
    pub chance: Option<f64>,
    pub basis: &'static str,
    pub reason: String,
}

impl Lists {
    /// # Errors
    /// No ranking yet.
    pub fn load(project: &Project) -> Result<Self> {
        Maker::of(project, None).map(Self)
    }

    /// Names the ranking.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// What keeps an article out of the list of the one customer whose shelf this is, a line a season.
    ///
    /// # Errors
    /// No such article.
    pub fn why_not(&self, session: &Session, shelves: &Shelves, article: &str) -> Result<String> {
        self.0.why_not(session, shelves, article)
    }

    /// What the ranking must know of what customers did.
    ///
    /// # Errors
    /// Events that are not there.
    pub fn past(&self, session: &Session) -> Result<Past> {
        self.0.past(session)
    }

    /// What retrieval searches at a moment, for these customers and whoever is sent the same; nothing where shelves are ranked
    /// whole.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn catalogue(&self, session: &Session, requests: &RecordBatch, at: DateTime<Utc>) -> Result<Option<Catalogue>> {
        self.0.catalogue(session, requests, &Past::default(), at)
    }

    /// The lists of the customers whose shelves these are, which have their baselines, and how long their parts took.
    ///
    /// # Errors
    /// Features that are not those of the ranking.
    pub fn of(
        &self,
        session: &Session,
        shelves: &Shelves,
        wanted: &Wanted,
    ) -> Result<(Vec<(String, Vec<Listing>)>, Took)> {
        let text = |name| -> Result<StringArray> {
            let values = column(&shelves.candidates, "sql/recommend/candidates.sql", name)?;
            Ok(cast(values, &DataType::Utf8).map_err(RecommendError::Arrow)?.as_string::<i32>().clone())
        };
        let (products, seasons, brands) = (text("product_id")?, text("season")?, text("brand")?);
        let listing = |one: super::Recommendation| Listing {
            product_id: products.value(one.row).to_owned(),
            season: seasons.value(one.row).to_owned(),
            brand: brands.is_valid(one.row).then(|| brands.value(one.row).to_owned()),
            score: one.score,
            chance: one.chance,
            basis: one.basis,
            reason: one.reason,
        };
        let (lists, took) = self.0.lists(session, shelves, &self.past(session)?, wanted)?;
        let of_customer =
            |list: super::Listed| (list.customer, list.recommendations.into_iter().map(listing).collect());
        Ok((lists.into_iter().map(of_customer).collect(), took))
    }
}

/// Every customer at a moment.
pub fn everybody(engine: &Engine, moment: DateTime<Utc>) -> Result<RecordBatch> {
    let customers = engine.read(&TableName::new("sources", "customers"))?;
    let ids = column(&customers, "sql/sources/customers.sql", "customer_id")?;
    let nanoseconds = moment.timestamp_nanos_opt().unwrap_or_default();
    let as_of: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(nanoseconds, ids.len()));
    let columns = [("customer_id", Arc::clone(ids), true), ("as_of", as_of, true)];
    Ok(RecordBatch::try_from_iter_with_nullable(columns).map_err(RecommendError::Arrow)?)
}
