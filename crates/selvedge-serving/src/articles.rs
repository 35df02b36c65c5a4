//! What is known of all articles at a moment: views whose grain holds no customer, and what is popular.  It is worked out from
//! everybody's events now and then, and used until it is older than its header lets it be.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::catalogue::{Catalogue, texts};
use super::live::Tables;
use super::who::NOBODY;
use selvedge_engine::{Engine, Table, batch_of};
use selvedge_features::features::{self, View};
use selvedge_learning::rank::Catalogue as Retrieval;
use selvedge_learning::recommend::Lists;
use selvedge_learning::shelf::{self, Shelves};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{FreshFor, Header, Layer, SqlFile, TableName};

/// What is known of articles, as of a moment.
pub struct Articles {
    pub at: DateTime<Utc>,
    pub seen: usize,
    /// Events that cannot be used.
    pub unused: usize,
    views: Vec<Kept>,
    /// What views of customers read of everybody.
    everybody: Vec<(TableName, RecordBatch)>,
    popular: Popular,
    /// What is searched of shelves that are too long to be ranked whole.
    pub retrieval: Option<Retrieval>,
}

/// A view of articles, and how old it may be.
struct Kept {
    view: View,
    fresh_for: Option<FreshFor>,
    /// The same where nothing is known.
    missing: View,
}

/// By region, number and season.
type Popular = HashMap<String, HashMap<String, Vec<(String, Rank)>>>;

/// How popular an article is.
#[derive(Debug, Clone)]
pub struct Rank {
    pub in_region: f64,
    in_shop: f64,
    pub reason: String,
}

pub fn moment(at: DateTime<Utc>, rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_value(at.timestamp_nanos_opt().unwrap_or_default(), rows))
}

/// Some customers, at a moment.
///
/// # Errors
/// None that rows of one length have.
pub fn requests(names: &[String], at: DateTime<Utc>) -> Result<RecordBatch> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    batch_of("grain.request", [("customer_id", ids), ("as_of", moment(at, names.len()))])
}

/// Whether a view says the same of an article whoever asks.
pub fn of_articles(project: &Project, file: &SqlFile) -> bool {
    let key = project.library.key(file);
    ["product_id", "season", "as_of"].iter().all(|name| key.iter().any(|key| key == name)) && key.len() == 3
}

/// How often a project's views of articles want to be worked out: half as old as the strictest may be.
pub fn refreshed_within(project: &Project) -> Option<std::time::Duration> {
    let header = |file: &SqlFile| match &file.header {
        Header::Feature(header) if of_articles(project, file) => header.fresh_for,
        _ => None,
    };
    project.library.layer(Layer::FEATURES).filter_map(header).min().map(|FreshFor(span)| span / 2)
}

impl Articles {
    /// Works out what is known of all articles at a moment.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn known(
        (tables, lists): (&Tables, &Lists),
        catalogue: &Catalogue,
        (everybody, unused): (RecordBatch, usize),
        at: DateTime<Utc>,
        seen: usize,
    ) -> Result<Self> {
        let project = tables.project.as_of(at);
        let engine = tables.engine.over()?;
        engine.register(&TableName::new("sources", "transactions"), everybody)?;
        engine.register(&TableName::new("sources", "customers"), catalogue.customers_and_nobody()?)?;
        let mut names = tables.customers(usize::MAX);
        names.push(NOBODY.to_owned());
        engine.register(&TableName::new("grain", "request"), requests(&names, at)?)?;
        for file in shelf::needed(&project, &["popular"])? {
            let table = engine.table(&project, file)?;
            engine.register(&file.table(), table.batch)?;
        }
        let popular = popular(&engine.read(&TableName::new("recommend", "popular"))?)?;
        let of_all = shelf::everybody(&project, &engine)?;
        let products = engine.read(&TableName::new("sources", "products"))?;
        let mut views = Vec::new();
        for file in project.library.layer(Layer::FEATURES).filter(|file| of_articles(&project, file)) {
            let Header::Feature(header) = &file.header else { continue };
            let grain = TableName::new("grain", &header.entity);
            let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
            for name in project.library.key(file) {
                columns.push(match name.as_str() {
                    "as_of" => (name, moment(at, products.num_rows())),
                    _ => (name, Arc::clone(shelf::column(&products, "sql/sources/products.sql", name)?)),
                });
            }
            engine.register(&grain, batch_of(&grain.to_string(), columns)?)?;
            let view = without_moment(features::view(&project, &engine, file)?, &file.shown)?;
            let missing = missing(&view)?;
            views.push(Kept { view, fresh_for: header.fresh_for, missing });
        }
        let session = shelf::Session::over(&project, engine);
        let retrieval = lists.catalogue(&session, &requests(&names, at)?, at)?;
        Ok(Self { at, seen, unused, views, everybody: of_all, popular, retrieval })
    }

    /// Puts what views of customers read of everybody where a narrowed project reads it.
    ///
    /// # Errors
    /// None that tables of their own names have.
    pub fn lay(&self, engine: &Engine) -> Result<()> {
        self.everybody.iter().try_for_each(|(table, batch)| engine.register(table, batch.clone()))
    }

    /// The views as they may be used at a moment, and which of them are older than they may be: those are missing.
    pub fn views(&self, at: DateTime<Utc>) -> (Vec<View>, Vec<String>) {
        let mut stale = Vec::new();
        let view = |kept: &Kept| match kept.fresh_for.filter(|fresh| self.is_older(at, *fresh)) {
            Some(fresh) => {
                let name = &kept.view.name;
                stale.push(format!("{name} is older than {fresh}: what it says of articles is missing"));
                kept.missing.clone()
            }
            None => kept.view.clone(),
        };
        (self.views.iter().map(view).collect(), stale)
    }

    /// Whether some view is older at a moment than it may be.
    pub fn is_stale(&self, at: DateTime<Utc>) -> bool {
        self.views.iter().filter_map(|kept| kept.fresh_for).any(|fresh| self.is_older(at, fresh))
    }

    /// Whether what is known is older at a moment than it may be.
    pub fn is_older(&self, at: DateTime<Utc>, fresh: FreshFor) -> bool {
        (at - self.at).to_std().is_ok_and(|age| age > fresh.0)
    }

    /// A view of articles, as it is known.
    pub fn view(&self, name: &str) -> Option<&View> {
        self.views.iter().map(|kept| &kept.view).find(|view| view.name == name)
    }

    /// How popular an article is in a region; in the whole shop, where nothing is known of the region.
    pub fn popular(&self, region: &str, product: &str, season: &str) -> Option<&Rank> {
        let of = self.popular.get(region).or_else(|| self.popular.get(""))?;
        of.get(product)?.iter().find(|(known, _)| known == season).map(|(_, rank)| rank)
    }

    /// What `sql/recommend/baselines.sql` says of these shelves, but for what others also bought.
    ///
    /// # Errors
    /// Candidates without a column that is needed.
    pub fn beside(&self, shelves: &Shelves) -> Result<RecordBatch> {
        let (candidates, file) = (&shelves.candidates, "sql/recommend/candidates.sql");
        let text = |name| texts(candidates, file, name);
        let (regions, products, seasons) = (text("region")?, text("product_id")?, text("season")?);
        let of = |row: usize| self.popular(regions.value(row), products.value(row), seasons.value(row));
        let rows = 0..candidates.num_rows();
        let popular: Float64Array = rows.clone().map(|row| Some(of(row).map_or(0.0, |rank| rank.in_region))).collect();
        let in_shop: Float64Array = rows.clone().map(|row| Some(of(row).map_or(0.0, |rank| rank.in_shop))).collect();
        let because: StringArray =
            rows.map(|row| Some(of(row).map_or("on sale now", |rank| rank.reason.as_str()))).collect();
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for name in shelf::KEY {
            columns.push((name, Arc::clone(shelf::column(candidates, file, name)?)));
        }
        columns.push(("popular", Arc::new(popular)));
        columns.push(("popular_in_shop", Arc::new(in_shop)));
        columns.push(("because", Arc::new(because)));
        columns.push(("also_bought", Arc::new(Int64Array::from_value(0, candidates.num_rows()))));
        batch_of("recommend.baselines", columns)
    }
}

/// A view that holds whenever it is asked.
fn without_moment(view: View, shown: &str) -> Result<View> {
    let key: Vec<String> = view.table.key.iter().filter(|name| *name != "as_of").cloned().collect();
    let kept: Vec<usize> = (0..view.table.batch.num_columns())
        .filter(|place| view.table.batch.schema().field(*place).name() != "as_of")
        .collect();
    let batch = view.table.batch.project(&kept).map_err(shelf::ShelfError::Arrow)?;
    Ok(View { name: view.name, table: Table::new(batch, &key, shown)? })
}

/// The view with the same key and nothing known.
fn missing(view: &View) -> Result<View> {
    let (batch, key) = (&view.table.batch, &view.table.key);
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match key.contains(field.name()) {
        true => Arc::clone(column),
        false => new_null_array(field.data_type(), batch.num_rows()),
    });
    let fields: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(fields));
    let batch = RecordBatch::try_new(schema, columns.collect()).map_err(shelf::ShelfError::Arrow)?;
    Ok(View { name: view.name.clone(), table: Table { batch, key: key.clone() } })
}

fn popular(table: &RecordBatch) -> Result<Popular> {
    let file = "sql/recommend/popular.sql";
    let text = |name| texts(table, file, name);
    let number = |name| -> Result<Float64Array> {
        let column = cast(shelf::column(table, file, name)?, &DataType::Float64).map_err(shelf::ShelfError::Arrow)?;
        Ok(column.as_primitive::<Float64Type>().clone())
    };
    let (regions, products, seasons) = (text("region")?, text("product_id")?, text("season")?);
    let (scores, in_shop, reasons) = (number("score")?, number("in_shop")?, text("reason")?);
    let mut popular = Popular::new();
    for row in 0..table.num_rows() {
        let rank =
            Rank { in_region: scores.value(row), in_shop: in_shop.value(row), reason: reasons.value(row).to_owned() };
        let of_region = popular.entry(regions.value(row).to_owned()).or_default();
        of_region.entry(products.value(row).to_owned()).or_default().push((seasons.value(row).to_owned(), rank));
    }
    Ok(popular)
}
