//! Shelves: what could be shown to a customer at a moment, by one file of SQL for training, evaluation and serving.
//!
//! A request is a customer at a moment; its shelf is every article on sale then that may be sent there and is not owned
//! (`sql/recommend/candidates.sql`).  Features of a shelf's rows are made by the SQL that makes all features.

mod columns;
mod long;
mod outcomes;
mod own;
mod past;
mod sample;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;

pub use self::columns::{column, moments, name_of, numbers, requests_of, truths, typed};
pub use self::long::OnSale;
pub use self::outcomes::{OVER_AT, Outcomes, visits};
use self::own::Own;
pub use self::own::{everybody, narrowed};
pub use self::past::{Past, Thing, Things};
pub use self::sample::{articles, judged, key_of, requests, sampled};
use selvedge_engine::{Engine, Table};
use selvedge_features::features::{self, View};
use selvedge_features::frame;
use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};

/// What names a row of a shelf; its first two columns name the request.
pub const KEY: [&str; 4] = ["customer_id", "as_of", "product_id", "season"];
/// Rows of shelves whose features stand in memory at a time.
pub const ROWS: usize = 1 << 17;
/// Of a shelf with more articles, those that retrieval finds are ranked.
pub const WHOLE: usize = 500;
/// So many times as many rows of long shelves.
const AT_ONCE: usize = 4;
/// Requests, and articles of each, whose features are worked out both ways before customers' own events are read alone.
const TRIED: usize = 24;
const TRIED_ARTICLES: usize = 4;
/// Customers whose rows stand beside theirs, or do not.
const OTHERS: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("sql/{file} is missing or has no key")]
    NoFile { file: String },
    #[error("{file} does not return the column '{column}' as {wanted}")]
    NoColumn { file: String, column: String, wanted: &'static str },
    #[error("what customers did: {0}")]
    Model(#[from] recommenders::ModelError),
    #[error("the shelves: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for ShelfError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoFile { file } => Some(format!("bring back sql/{file}")),
            Self::NoColumn { column, .. } => Some(format!("add {column} to the SELECT")),
            Self::Model(cause) => cause.advice(),
            Self::Arrow(_) => None,
        }
    }
}

/// A session that makes shelves.
pub struct Session<'a> {
    project: &'a Project,
    engine: Engine,
    /// Views that are not computed anew.
    given: Vec<View>,
    /// What customers did, where their views are worked out from that alone.
    own: Option<Own>,
}

/// The shelves of some requests, in the order of [`KEY`].
pub struct Shelves {
    /// As `sql/recommend/candidates.sql` returns them.
    pub candidates: RecordBatch,
    /// What is held against the ranking, row by row; as `sql/recommend/baselines.sql` returns it.
    pub baselines: Option<RecordBatch>,
}

impl<'a> Session<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        Ok(Self::over(project, Engine::new(project)?))
    }

    /// A session over tables of its own.
    pub fn over(project: &'a Project, engine: Engine) -> Self {
        Self { project, engine, given: Vec::new(), own: None }
    }

    /// The same where some views are not computed anew.
    pub fn with_views(self, given: Vec<View>) -> Self {
        Self { given, ..self }
    }

    /// The same with what is known of the articles that are on sale at the moment of these requests worked out once, where it
    /// makes many shelves.
    pub fn knowing_articles(mut self, requests: &RecordBatch, moment: i64) -> Result<Self> {
        let on_sale = self.on_sale()?;
        let one = requests.slice(0, 1.min(requests.num_rows()));
        self.given = self.views_of_articles(&on_sale.beside(&one, &vec![on_sale.at(moment); one.num_rows()])?)?;
        Ok(self)
    }

    /// What is known of the articles of rows of a shelf, whoever asks.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn views_of_articles(&self, rows: &RecordBatch) -> Result<Vec<View>> {
        let request = Table::new(rows.clone(), &KEY.map(str::to_owned), "the shelf")?;
        frame::lay_grains(self.project, &self.engine, &request, "the shelf")?;
        let of_all = features::views(self.project, &self.engine, &self.whoever_asks())?;
        Ok(self.given.iter().cloned().chain(of_all).collect())
    }

    /// The views that say the same whoever asks, but for those that are given.
    fn whoever_asks(&self) -> Vec<&SqlFile> {
        let library = &self.project.library;
        let is_given = |file: &SqlFile| self.given.iter().any(|view| view.name == file.header.name());
        let of_customers = |file: &SqlFile| library.key(file).iter().any(|name| name == KEY[0]);
        library.layer(Layer::FEATURES).filter(|file| !of_customers(file) && !is_given(file)).collect()
    }

    /// The same for these requests, who will ask about in this order: where shelves are long, views of customers are worked out
    /// from what those customers did alone, if some come out the same, bit by bit, whether or not others' rows stand beside.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn narrowed_to(mut self, requests: &RecordBatch) -> Result<Self> {
        if !self.is_long()? || requests.num_rows() == 0 {
            return Ok(self);
        }
        let (on_sale, some) = (self.on_sale()?, requests.slice(0, TRIED.min(requests.num_rows())));
        let begun = moments(&some, "the requests", KEY[1])?;
        let articles_at = |moment: &i64| on_sale.at(*moment).into_iter().take(TRIED_ARTICLES).collect();
        let articles: Vec<Vec<u32>> = begun.iter().map(articles_at).collect();
        let rows = on_sale.beside(&some, &articles)?;
        let own = Own::of(self.project, &self.engine, requests)?;
        let customers = self.engine.read(&TableName::new("sources", "customers"))?;
        let others = column(&customers, "sql/sources/customers.sql", KEY[0])?.as_string::<i32>();
        let others: Vec<&str> = others.iter().flatten().take(OTHERS).collect();
        let given = self.views_of_articles(&rows)?;
        let alone = self.narrowed_features(&own, &rows, given.clone(), &[])?;
        if alone == self.narrowed_features(&own, &rows, given, &others)? {
            self.own = Some(own);
        }
        Ok(self)
    }

    /// What is said where shelves are long and features of customers cost as much as the shop is large.
    ///
    /// # Errors
    /// No products.
    pub fn slow(&self) -> Result<Option<&'static str>> {
        Ok((self.own.is_none() && self.is_long()?).then_some(
            "features of customers are worked out from everybody's events, which is slow: a view in sql/features reads of others \
             what `everybody` in its header does not name",
        ))
    }

    /// The session's tables.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What recommendations may learn from, `sql/interactions/events.sql`.
    pub fn events(&self) -> Result<RecordBatch> {
        for file in self.project.library.layer(Layer::INTERACTIONS) {
            self.make(file)?;
        }
        self.engine.read(&TableName::new(Layer::INTERACTIONS.folder, "events"))
    }

    /// Runs a file and gives its answer its name; what was done before any request was made is worked out once.
    fn make(&self, file: &SqlFile) -> Result<()> {
        if file.layer == Layer::INTERACTIONS && self.engine.has(&file.table()) {
            return Ok(());
        }
        let table = self.engine.table(self.project, file)?;
        self.engine.register(&file.table(), table.batch)
    }

    /// What is on sale when.
    pub fn on_sale(&self) -> Result<OnSale> {
        OnSale::of(&self.engine.read(&TableName::new("sources", "products"))?)
    }

    /// About how many rows of a shelf are worked on: as many articles as are ever on sale at once, of long shelves [`WHOLE`].
    pub fn length(&self) -> Result<usize> {
        if self.is_long()? { Ok(WHOLE) } else { Ok(self.on_sale()?.most()) }
    }

    /// Whether shelves are so long that retrieval comes before ranking; never where `sql/recommend/candidates.sql` does not read
    /// what was retrieved.
    pub fn is_long(&self) -> Result<bool> {
        let reads = needed(self.project, &["candidates"])?.iter().any(|file| file.table() == retrieved());
        Ok(reads && self.on_sale()?.most() > WHOLE)
    }

    /// Runs the files that make `wanted` of sql/recommend for these requests (`customer_id`, `as_of`).
    pub fn make_for(&self, requests: RecordBatch, wanted: &[&str]) -> Result<()> {
        self.engine.register(&TableName::new("grain", "request"), requests)?;
        needed(self.project, wanted)?.into_iter().try_for_each(|file| self.make(file))
    }

    /// What of a request decides what may be on its shelf: the key of `sql/recommend/offered.sql`, less what names an article.
    pub fn key_of_offers(&self) -> Result<Vec<String>> {
        let key = self.project.library.key(file(self.project, "offered")?);
        Ok(key.iter().filter(|name| !KEY[2..].contains(&name.as_str())).cloned().collect())
    }

    /// Makes the shelves of `requests` (`customer_id`, `as_of`), whole or what was `retrieved` of them, with what is held against
    /// the ranking where it is wanted.
    pub fn shelves(
        &self,
        requests: RecordBatch,
        retrieved: Option<RecordBatch>,
        with_baselines: bool,
    ) -> Result<Shelves> {
        self.shelves_beside(&[], requests, retrieved, with_baselines)
    }

    /// The same where some files of sql/recommend stand `made` for these requests already.
    ///
    /// # Errors
    /// As [`Session::shelves`].
    pub fn shelves_beside(
        &self,
        made: &[&str],
        requests: RecordBatch,
        retrieved: Option<RecordBatch>,
        with_baselines: bool,
    ) -> Result<Shelves> {
        self.engine.register(&TableName::new("grain", "request"), requests)?;
        let wanted: &[&str] = if with_baselines { &["candidates", "baselines"] } else { &["candidates"] };
        for file in needed(self.project, wanted)? {
            match &retrieved {
                Some(retrieved) if file.table() == self::retrieved() => {
                    self.engine.register(&file.table(), retrieved.clone())?;
                }
                _ if made.contains(&file.header.name()) => {}
                _ => self.make(file)?,
            }
        }
        let read = |name: &'static str| -> Result<RecordBatch> {
            let file = file(self.project, name)?;
            let key = KEY.map(str::to_owned);
            Ok(Table::new(self.engine.read(&file.table())?, &key, &file.shown)?.batch)
        };
        let candidates = read("candidates")?;
        for (name, data_type, wanted) in [
            ("customer_id", DataType::Utf8, "a text"),
            ("brand", DataType::Utf8, "a text"),
            ("region", DataType::Utf8, "a text"),
            ("personal", DataType::Boolean, "true or false"),
            ("new", DataType::Boolean, "true or false"),
        ] {
            typed(&candidates, "sql/recommend/candidates.sql", name, &data_type, wanted)?;
        }
        let baselines = if with_baselines { Some(read("baselines")?) } else { None };
        Ok(Shelves { candidates, baselines })
    }

    /// The features of rows of a shelf, row by row: their key, brand, and every feature column.
    pub fn features(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        match &self.own {
            Some(_) => self.features_with(rows, self.views_of_articles(rows)?),
            None => self.features_with(rows, self.given.clone()),
        }
    }

    /// The same where some views are not computed.
    pub fn features_with(&self, rows: &RecordBatch, given: Vec<View>) -> Result<RecordBatch> {
        match &self.own {
            Some(own) => self.narrowed_features(own, rows, given, &[]),
            None => Ok(frame::at_request_with(self.project, &self.engine, named(rows)?, given, "the shelf")?.batch),
        }
    }

    /// The same from what the customers of these rows did, and from what `others` did.
    fn narrowed_features(
        &self,
        own: &Own,
        rows: &RecordBatch,
        given: Vec<View>,
        others: &[&str],
    ) -> Result<RecordBatch> {
        let customers = column(rows, "the shelf", KEY[0])?.as_string::<i32>().iter().flatten();
        let engine = own.engine(&self.engine, customers.chain(others.iter().copied()).collect())?;
        Ok(frame::at_request_with(&own.project, &engine, named(rows)?, given, "the shelf")?.batch)
    }

    /// Hands the shelves of `visits`, some at a time, to `seen`: their features with what came of them, and what is held
    /// against the ranking.  `retrieve`: what of long shelves stands for them.
    pub fn each(
        &self,
        outcomes: &Outcomes,
        visits: &RecordBatch,
        retrieve: Option<&dyn Fn(&RecordBatch) -> Result<RecordBatch>>,
        mut seen: impl FnMut(&RecordBatch, &Shelves) -> Result<()>,
    ) -> Result<()> {
        for requests in self.parts(visits, ROWS)? {
            let retrieved = retrieve.map(|retrieve| retrieve(&requests)).transpose()?;
            let shelves = self.shelves(key_of(&requests)?, retrieved, true)?;
            if shelves.candidates.num_rows() > 0 {
                let rows = outcomes.beside(self.features(&shelves.candidates)?)?;
                seen(&rows, &shelves)?;
            }
        }
        Ok(())
    }

    /// `requests` in parts whose shelves have about `rows` rows each; long ones as much of them as is retrieved, and [`AT_ONCE`]
    /// times as many, because what is read for each part grows with the shop.
    pub fn parts(&self, requests: &RecordBatch, rows: usize) -> Result<Vec<RecordBatch>> {
        let rows = if self.is_long()? { AT_ONCE * rows } else { rows };
        let size = (rows / self.length()?.max(1)).max(1);
        let starts = (0..requests.num_rows()).step_by(size);
        Ok(starts.map(|start| requests.slice(start, size.min(requests.num_rows() - start))).collect())
    }
}

/// What names rows of a shelf, with the brand of the article.
fn named(rows: &RecordBatch) -> Result<Table> {
    let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
    for name in KEY.into_iter().chain(["brand"]) {
        columns.push((name, Arc::clone(column(rows, "sql/recommend/candidates.sql", name)?), true));
    }
    let request = RecordBatch::try_from_iter_with_nullable(columns).map_err(ShelfError::Arrow)?;
    Table::new(request, &KEY.map(str::to_owned), "the shelf")
}

/// What was retrieved of shelves that are too long to be ranked whole.
fn retrieved() -> TableName {
    TableName::new("recommend", "retrieved")
}

/// The files that make `wanted` of sql/recommend, in run order; the others of their layer, such as the old list, wait.
pub fn needed<'a>(project: &'a Project, wanted: &[&str]) -> Result<Vec<&'a SqlFile>> {
    let mut tables: BTreeSet<TableName> = wanted.iter().map(|name| TableName::new("recommend", name)).collect();
    let mut files = Vec::new();
    let made_here = |file: &&SqlFile| [Layer::INTERACTIONS, Layer::RECOMMEND].contains(&file.layer);
    // Each file stands after those it reads, so backwards everything that is wanted is known in time.
    for file in project.library.files().filter(made_here).collect::<Vec<_>>().into_iter().rev() {
        if tables.contains(&file.table()) {
            tables.extend(file.reads.iter().cloned());
            files.push(file);
        }
    }
    files.reverse();
    for name in wanted {
        file(project, name)?;
    }
    Ok(files)
}

fn file<'a>(project: &'a Project, name: &str) -> Result<&'a SqlFile> {
    let missing = || ShelfError::NoFile { file: format!("recommend/{name}.sql") };
    Ok(project.library.file(&TableName::new("recommend", name)).ok_or_else(missing)?)
}
