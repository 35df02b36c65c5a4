//! Lists of one release at request time: the project's own SQL over what is narrowed to the customers who ask.
//!
//! What is known of articles is worked out for all of them now and then ([`Articles`]); what is known of a customer is worked
//! out for each request, from their own events.  Whether a project's views allow that is tried when a release is loaded, bit by
//! bit: where one does not, everything is worked out from everybody's events, which is slower and told.

mod queries;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::RecordBatch;

use super::article::Recommended;
pub use super::article::{Article, Basis, Effort};
use super::articles::{Articles, requests};
use super::catalogue::Catalogue;
use super::live::Tables;
use super::past::Past;
use super::release::Release;
use super::who::{Ask, Visitor};
use queries::{Queries, Rows};
use selvedge_engine::Engine;
use selvedge_learning::rank::May;
use selvedge_learning::recommend::{Lists, Wanted};
use selvedge_learning::shelf::{self, Shelves};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// Customers whose lists are made both ways when a release is loaded.
const TRIED: usize = 24;
/// On what a list rests that is not made for anybody.
const POPULAR: &str = "popular";

/// A release that is loaded.
pub struct Serving {
    pub release: Release,
    pub tables: Tables,
    pub catalogue: Catalogue,
    pub lists: Lists,
    articles: RwLock<Arc<Articles>>,
    queries: Queries,
    /// The lists that the release came with, for who cannot be answered in time.
    made_before: HashMap<String, Vec<Article>>,
}

/// How much may be done for lists.
#[derive(Clone, Copy)]
pub struct Pace<'a> {
    pub effort: Effort,
    /// Asked once features are there: is there time for reasons?
    pub in_time: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Pace<'_> {
    /// As much as was done before.
    pub fn of(effort: Effort) -> Self {
        Self { effort, in_time: None }
    }
}

/// Lists, in the order in which they were asked for.
pub struct Made {
    pub lists: Vec<Vec<Article>>,
    pub basis: Basis,
    /// Of what is known of articles, what is missing because it is too old.
    pub stale: Vec<String>,
    pub took: Parts,
}

/// How long the parts of making lists took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    pub shelves: Duration,
    pub features: Duration,
    pub rank: Duration,
    pub explain: Duration,
}

impl Serving {
    /// Loads a release, as of a moment.
    ///
    /// # Errors
    /// A release that is not what was sealed, or that cannot be opened.
    pub fn load(
        release: Release,
        open: fn(&std::path::Path) -> Result<Project>,
        past: &RwLock<Past>,
        at: DateTime<Utc>,
    ) -> Result<Self> {
        release.verify()?;
        let tables = Tables::load(open(&release.root)?)?;
        let catalogue = Catalogue::load(&tables.engine)?;
        let lists = Lists::load(&tables.project)?;
        let known = known((&tables, &lists), &catalogue, past, at, None)?;
        let mut made_before: HashMap<String, Vec<Article>> = HashMap::new();
        for row in tables.engine.rows::<Recommended>(&TableName::bare("recommendations"))? {
            made_before.entry(row.customer_id.clone()).or_default().push(row.into());
        }
        let articles = RwLock::new(Arc::new(known));
        let queries = Queries::of(shelf::narrowed(&tables.project), true);
        let mut serving = Self { release, tables, catalogue, lists, articles, queries, made_before };
        let everybody = Queries::of(serving.tables.project.clone(), false);
        if !serving.may_narrow(&everybody, past, at)? {
            serving.queries = everybody;
        }
        Ok(serving)
    }

    /// Names the ranking.
    pub fn ranking(&self) -> &str {
        self.lists.version()
    }

    /// Whether requests read the customer's own events alone.
    pub fn is_narrowed(&self) -> bool {
        self.queries.narrowed
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

    /// What is known of articles.
    pub fn known(&self) -> Arc<Articles> {
        Arc::clone(&self.articles.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A list for who cannot be answered in time: the one that the release came with, or else what is popular and can be sent
    /// there.
    pub fn in_no_time(&self, ask: &Ask, at: DateTime<Utc>) -> Vec<Article> {
        let may = |article: &&Article| {
            let known = self.catalogue.article(&article.product_id, &article.season);
            let category = known.and_then(|known| known.words.category.as_ref());
            ask.category.is_empty() || category.is_some_and(|category| ask.category.contains(category))
        };
        if let Some(list) = self.made_before.get(&ask.name) {
            return list.iter().filter(may).cloned().collect();
        }
        let (known, project) = (self.known(), &self.tables.project);
        let country = self.catalogue.country_of(ask);
        let region = ask.visitor.as_ref().and_then(|visitor| visitor.region.as_deref()).unwrap_or_default();
        let had = self.catalogue.articles.iter().filter(|(_, known)| known.can_be_had(project, at, Some(&country)));
        let article = |((product, season), about): (&(String, String), &super::catalogue::Known)| {
            let rank = known.popular(region, product, season)?;
            Some(Article {
                place: 0,
                product_id: product.clone(),
                season: season.clone(),
                brand: about.brand.clone(),
                score: rank.in_region,
                chance: None,
                basis: POPULAR.into(),
                reason: rank.reason.clone(),
                propensity: 1.0,
            })
        };
        let mut found: Vec<Article> = had.filter_map(article).filter(|article| may(&article)).collect();
        // Equal ones stay in the order of their keys.
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(ask.places.max(project.params.recommend.per_customer));
        found.iter_mut().zip(1..).for_each(|(article, place)| article.place = place);
        found
    }

    /// Works out anew what is known of articles, from the first `seen` events.
    ///
    /// # Errors
    /// Queries that cannot be answered; then what was known stays.
    pub fn refresh(&self, past: &RwLock<Past>, at: DateTime<Utc>, seen: Option<usize>) -> Result<()> {
        let new = Arc::new(known((&self.tables, &self.lists), &self.catalogue, past, at, seen)?);
        *self.articles.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The lists that are asked for, at a moment, from the first `seen` events, or all.  No name is asked for twice.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn lists(
        &self,
        past: &RwLock<Past>,
        asks: &[Ask],
        at: DateTime<Utc>,
        seen: Option<usize>,
        pace: Pace<'_>,
    ) -> Result<Made> {
        let known = self.known();
        let (rows, seen) = self.rows(past, asks, at, seen, self.is_narrowed())?;
        let basis = Basis { at, seen, articles_at: known.at, articles_seen: known.seen, effort: pace.effort };
        self.made(&self.queries, &known, rows, asks, basis, pace)
    }

    /// The project as requests ask it.
    pub fn project(&self) -> &Project {
        &self.queries.project
    }

    /// The rows of those who ask, or of everybody; and how many events were known.
    fn rows(
        &self,
        past: &RwLock<Past>,
        asks: &[Ask],
        at: DateTime<Utc>,
        seen: Option<usize>,
        narrowed: bool,
    ) -> Result<(Rows, usize)> {
        let (known, seen) = {
            // The lock is held no longer than it takes to copy.
            let past = past.read().unwrap_or_else(PoisonError::into_inner);
            let seen = seen.unwrap_or(past.count());
            let known = match narrowed {
                true => {
                    let customers: Vec<String> =
                        asks.iter().filter(|ask| ask.visitor.is_none()).map(|ask| ask.name.clone()).collect();
                    self.tables.transactions_of(&past, &customers, seen)?
                }
                false => self.tables.all_transactions(&past, seen)?.0,
            };
            (known, seen)
        };
        let visitors = asks.iter().filter_map(|ask| ask.visitor.as_ref());
        let deeds: Vec<_> = visitors.flat_map(|visitor| visitor.deeds(at)).collect();
        let (transactions, _) = self.tables.with_deeds(known, &deeds)?;
        let customers = match narrowed {
            true => Some(self.catalogue.customers_of(asks)?),
            false => self.catalogue.customers_with(asks)?,
        };
        Ok((Rows { customers, transactions }, seen))
    }

    /// What of a visit cannot be used: its place, and why.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn ignored(&self, visitor: &Visitor, at: DateTime<Utc>) -> Result<Vec<(usize, String)>> {
        let none = self.tables.transactions_of(&Past::default(), &[], 0)?;
        Ok(self.tables.with_deeds(none, &visitor.deeds(at))?.1)
    }

    fn made(
        &self,
        queries: &Queries,
        known: &Articles,
        rows: Rows,
        asks: &[Ask],
        basis: Basis,
        pace: Pace<'_>,
    ) -> Result<Made> {
        let places: HashMap<&str, usize> = asks.iter().map(|ask| (ask.name.as_str(), ask.places)).collect();
        let began = Instant::now();
        self.over_shelves(queries, known, rows, asks, basis.at, |session, shelves, stale| {
            let mut parts = Parts { shelves: began.elapsed(), ..Parts::default() };
            let (mut effort, mut found) = (basis.effort, HashMap::<String, Vec<Article>>::new());
            if shelves.candidates.num_rows() > 0 {
                let may = self.catalogue.may(&shelves.candidates, asks)?;
                let in_time = || effort == Effort::Full && pace.in_time.is_none_or(|in_time| in_time());
                let places = |name: &str| places.get(name).copied().unwrap_or_default();
                let wanted = Wanted {
                    places: Some(&places),
                    may: may.as_deref(),
                    ranked: effort != Effort::Popular,
                    reasons: Some(&in_time),
                };
                let (lists, took) = self.lists.of(session, shelves, &wanted)?;
                parts = Parts { features: took.features, rank: took.rank, explain: took.explain, ..parts };
                if !took.explained {
                    effort = effort.max(Effort::WithoutReasons);
                }
                for (customer, list) in lists {
                    found.insert(customer, list.into_iter().zip(1..).map(Article::from).collect());
                }
            }
            let lists = asks.iter().map(|ask| found.get(&ask.name).cloned().unwrap_or_default()).collect();
            Ok(Made { lists, basis: Basis { effort, ..basis }, stale, took: parts })
        })
    }

    /// Puts the rows of those who ask in the place of everybody's.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn lay(&self, engine: &Engine, past: &RwLock<Past>, asks: &[Ask], at: DateTime<Utc>) -> Result<()> {
        let (rows, _) = self.rows(past, asks, at, None, self.is_narrowed())?;
        self.known().lay(engine)?;
        rows.lay(engine)
    }

    /// Works over the shelves of those who ask, at a moment.
    fn over_shelves<T>(
        &self,
        queries: &Queries,
        known: &Articles,
        rows: Rows,
        asks: &[Ask],
        at: DateTime<Utc>,
        work: impl FnOnce(&shelf::Session, &Shelves, Vec<String>) -> Result<T>,
    ) -> Result<T> {
        let project = queries.project.as_of(at);
        // Everybody's rows are too many for one thread.
        let engine = match queries.narrowed {
            true => self.tables.engine.over_again(&queries.plans)?,
            false => self.tables.engine.over()?,
        };
        rows.lay(&engine)?;
        known.lay(&engine)?;
        let (views, stale) = known.views(at);
        let session = shelf::Session::over(&project, engine).with_views(views);
        let names: Vec<String> = asks.iter().map(|ask| ask.name.clone()).collect();
        let requests = requests(&names, at)?;
        let wanted = self.catalogue.wanted(asks);
        let retrieved = match &known.retrieval {
            Some(retrieval) => {
                let past = self.lists.past(&session)?;
                Some(retrieval.retrieved(&session, &requests, &past, wanted.as_ref().map(|wanted| wanted as May))?)
            }
            None => None,
        };
        let mut shelves = session.shelves(requests, retrieved, false)?;
        shelves.baselines = Some(known.beside(&shelves)?);
        work(&session, &shelves, stale)
    }

    /// Every feature of the shelves of some customers at a moment, from the first `seen` events.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn shelf_features(
        &self,
        past: &RwLock<Past>,
        customers: &[String],
        at: DateTime<Utc>,
        seen: usize,
    ) -> Result<RecordBatch> {
        let asks: Vec<Ask> = customers.iter().map(|id| Ask::of(id)).collect();
        let (rows, _) = self.rows(past, &asks, at, Some(seen), self.is_narrowed())?;
        self.over_shelves(&self.queries, &self.known(), rows, &asks, at, |session, shelves, _| {
            session.features(&shelves.candidates)
        })
    }

    /// What keeps an article out of a list that was asked for: which filter, which rule, or how many places; at the moment of
    /// an answer, from the first `seen` events.
    ///
    /// # Errors
    /// No such article.
    pub fn why_not(&self, past: &RwLock<Past>, ask: &Ask, article: &str, basis: Basis) -> Result<String> {
        let asks = [ask.clone()];
        let (rows, _) = self.rows(past, &asks, basis.at, Some(basis.seen), self.is_narrowed())?;
        self.over_shelves(&self.queries, &self.known(), rows, &asks, basis.at, |session, shelves, _| {
            self.lists.why_not(session, shelves, article)
        })
    }

    /// Makes the lists of some customers from their own rows and from everybody's: are they the same, bit by bit?
    fn may_narrow(&self, everybody: &Queries, past: &RwLock<Past>, at: DateTime<Utc>) -> Result<bool> {
        let asks: Vec<Ask> = self.tables.customers(TRIED).iter().map(|id| Ask::of(id)).collect();
        let (known, pace) = (self.known(), Pace::of(Effort::Full));
        let made = |queries: &Queries| -> Result<Vec<Vec<Article>>> {
            let (rows, seen) = self.rows(past, &asks, at, Some(known.seen), queries.narrowed)?;
            let basis = Basis { at, seen, articles_at: known.at, articles_seen: known.seen, effort: pace.effort };
            Ok(self.made(queries, &known, rows, &asks, basis, pace)?.lists)
        };
        Ok(made(&self.queries)? == made(everybody)?)
    }
}

/// What is known of articles at a moment, from the first `seen` events, or all.
fn known(
    (tables, lists): (&Tables, &Lists),
    catalogue: &Catalogue,
    past: &RwLock<Past>,
    at: DateTime<Utc>,
    seen: Option<usize>,
) -> Result<Articles> {
    let (everybody, seen) = {
        // The lock is held no longer than it takes to copy.
        let past = past.read().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.unwrap_or(past.count());
        (tables.all_transactions(&past, seen)?, seen)
    };
    Articles::known((tables, lists), catalogue, everybody, at, seen)
}
