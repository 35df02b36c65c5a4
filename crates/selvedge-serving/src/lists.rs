//! Lists of one release at request time: the project's own SQL over what is narrowed to the customers who ask.
//!
//! What is known of articles (views whose grain holds no customer, and what is popular) is worked out for all of them now and
//! then, from everybody's events; what is known of a customer is worked out for each request, from their own.  Whether a
//! project's views allow that is tried when a release is loaded, bit by bit: where one does not, everything is worked out from
//! everybody's events, which is slower and told.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::{Articles, articles, narrowed, requests};
use super::live::Tables;
use super::past::Past;
use super::release::Release;
use selvedge_learning::recommend::{Listing, Lists};
use selvedge_learning::shelf::{self, Shelves};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// Customers whose lists are made both ways when a release is loaded.
const TRIED: usize = 24;

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

/// A release that is loaded.
pub struct Serving {
    pub release: Release,
    pub tables: Tables,
    lists: Lists,
    articles: RwLock<Arc<Articles>>,
    /// The project as it is asked of a customer's own events; none where its views read others' too.
    narrowed: Option<Project>,
    /// The lists that the release came with, for who cannot be answered in time.
    made_before: HashMap<String, Vec<Article>>,
}

/// A row of a release's recommendations.
#[derive(Deserialize)]
struct Recommended {
    customer_id: String,
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
}

impl Serving {
    /// Loads a release, as of a moment.
    ///
    /// # Errors
    /// A release that is not what was sealed, or that cannot be opened.
    pub fn load(
        release: Release,
        open: fn(&std::path::Path) -> Result<Project>,
        past: &Past,
        at: DateTime<Utc>,
    ) -> Result<Self> {
        release.verify()?;
        let tables = Tables::load(open(&release.root)?)?;
        let lists = Lists::load(&tables.project)?;
        let everybody = tables.all_transactions(past, past.count())?;
        let articles = RwLock::new(Arc::new(articles(&tables, everybody, at, past.count())?));
        let mut made_before: HashMap<String, Vec<Article>> = HashMap::new();
        for row in tables.engine.rows::<Recommended>(&TableName::bare("recommendations"))? {
            made_before.entry(row.customer_id.clone()).or_default().push(row.into());
        }
        let narrowed = narrowed(&tables.project);
        let mut serving = Self { release, tables, lists, articles, narrowed: None, made_before };
        if serving.may_narrow(&narrowed, past, at)? {
            serving.narrowed = Some(narrowed);
        }
        Ok(serving)
    }

    /// Names the ranking.
    pub fn ranking(&self) -> &str {
        self.lists.version()
    }

    /// Whether requests read the customer's own events alone.
    pub fn is_narrowed(&self) -> bool {
        self.narrowed.is_some()
    }

    /// As of when articles are known.
    pub fn articles_at(&self) -> DateTime<Utc> {
        self.known().at
    }

    /// As of when, and from how many events, articles are known.
    pub fn articles_known(&self) -> (DateTime<Utc>, usize) {
        let known = self.known();
        (known.at, known.seen)
    }

    /// Events that this release could not use when articles were last looked at: no such customer, article or order.
    pub fn unused(&self) -> usize {
        self.known().unused
    }

    fn known(&self) -> Arc<Articles> {
        Arc::clone(&self.articles.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The list of a customer that the release came with.
    pub fn made_before(&self, customer: &str) -> &[Article] {
        self.made_before.get(customer).map_or(&[], Vec::as_slice)
    }

    /// Works out anew what is known of articles, from the first `seen` events.
    ///
    /// # Errors
    /// Queries that cannot be answered; then what was known stays.
    pub fn refresh(&self, past: &RwLock<Past>, at: DateTime<Utc>, seen: Option<usize>) -> Result<()> {
        // The lock is held no longer than it takes to copy.
        let (everybody, seen) = {
            let past = past.read().unwrap_or_else(PoisonError::into_inner);
            let seen = seen.unwrap_or(past.count());
            (self.tables.all_transactions(&past, seen)?, seen)
        };
        let new = Arc::new(articles(&self.tables, everybody, at, seen)?);
        *self.articles.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The lists of some customers at a moment, in their order, and from what they were made: the first `seen` events, or all.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn lists(
        &self,
        past: &RwLock<Past>,
        customers: &[String],
        at: DateTime<Utc>,
        seen: Option<usize>,
    ) -> Result<(Vec<Vec<Article>>, Basis)> {
        let known = self.known();
        let (transactions, seen) = {
            let past = past.read().unwrap_or_else(PoisonError::into_inner);
            let seen = seen.unwrap_or(past.count());
            (self.read_by(&past, customers, seen)?, seen)
        };
        let basis = Basis { at, seen, articles_at: known.at, articles_seen: known.seen };
        Ok((self.made(self.project(), &known, transactions, customers, at)?, basis))
    }

    /// The project as requests ask it.
    fn project(&self) -> &Project {
        self.narrowed.as_ref().unwrap_or(&self.tables.project)
    }

    /// The transactions that requests of some customers read.
    fn read_by(&self, past: &Past, customers: &[String], seen: usize) -> Result<RecordBatch> {
        match self.narrowed {
            Some(_) => self.tables.transactions_of(past, customers, seen),
            None => Ok(self.tables.all_transactions(past, seen)?.0),
        }
    }

    fn made(
        &self,
        project: &Project,
        known: &Articles,
        transactions: RecordBatch,
        customers: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<Vec<Article>>> {
        let found = self.over_shelves(project, known, transactions, customers, at, |session, shelves| {
            let mut found: HashMap<String, Vec<Article>> = HashMap::new();
            if shelves.candidates.num_rows() > 0 {
                for (customer, list) in self.lists.of(session, shelves)? {
                    found.insert(customer, list.into_iter().zip(1..).map(article).collect());
                }
            }
            Ok(found)
        })?;
        Ok(customers.iter().map(|customer| found.get(customer).cloned().unwrap_or_default()).collect())
    }

    /// Works over the shelves of some customers at a moment.
    fn over_shelves<T>(
        &self,
        project: &Project,
        known: &Articles,
        transactions: RecordBatch,
        customers: &[String],
        at: DateTime<Utc>,
        work: impl FnOnce(&shelf::Session, &Shelves) -> Result<T>,
    ) -> Result<T> {
        let project = project.as_of(at);
        let engine = self.tables.engine.over()?;
        engine.register(&TableName::new("sources", "transactions"), transactions)?;
        for (table, batch) in &known.everybody {
            engine.register(table, batch.clone())?;
        }
        let session = shelf::Session::over(&project, engine).with_views(known.views.clone());
        let mut shelves = session.shelves(requests(customers, at)?, false)?;
        shelves.baselines = Some(known.beside(&shelves)?);
        work(&session, &shelves)
    }

    /// Every feature of the shelves of some customers at a moment, from the first `seen` events, or all.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn features(
        &self,
        past: &RwLock<Past>,
        customers: &[String],
        at: DateTime<Utc>,
        seen: Option<usize>,
    ) -> Result<RecordBatch> {
        let transactions = {
            let past = past.read().unwrap_or_else(PoisonError::into_inner);
            self.read_by(&past, customers, seen.unwrap_or(past.count()))?
        };
        self.over_shelves(self.project(), &self.known(), transactions, customers, at, |session, shelves| {
            session.features(&shelves.candidates)
        })
    }

    /// What keeps an article out of a customer's list: which filter, which rule, or how many places; at the moment of an
    /// answer, from the first `seen` events.
    ///
    /// # Errors
    /// No such article.
    pub fn why_not(&self, past: &RwLock<Past>, customer: &str, article: &str, basis: Basis) -> Result<String> {
        let transactions = {
            let past = past.read().unwrap_or_else(PoisonError::into_inner);
            self.read_by(&past, &[customer.to_owned()], basis.seen)?
        };
        let customers = [customer.to_owned()];
        self.over_shelves(self.project(), &self.known(), transactions, &customers, basis.at, |session, shelves| {
            self.lists.why_not(session, shelves, article)
        })
    }

    /// Makes the lists of some customers from their own events and from everybody's: are they the same, bit by bit?
    fn may_narrow(&self, narrowed: &Project, past: &Past, at: DateTime<Utc>) -> Result<bool> {
        let customers = self.tables.customers(TRIED);
        let known = self.known();
        let own = self.tables.transactions_of(past, &customers, known.seen)?;
        let (all, _) = self.tables.all_transactions(past, known.seen)?;
        let from_own = self.made(narrowed, &known, own, &customers, at)?;
        Ok(from_own == self.made(&self.tables.project, &known, all, &customers, at)?)
    }
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

fn article((listing, place): (Listing, usize)) -> Article {
    Article {
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
