//! What is known of the shop's articles now and then: views whose grain holds no customer, and what is popular.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::live::Tables;
use selvedge_engine::{Table, batch_of};
use selvedge_features::features::{self, View};
use selvedge_learning::shelf::{self, Shelves};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SqlFile, TableName};

/// What is known of articles, as of a moment.
pub(super) struct Articles {
    pub at: DateTime<Utc>,
    pub seen: usize,
    /// Events that cannot be used.
    pub unused: usize,
    pub views: Vec<View>,
    /// What views of customers read of everybody.
    pub everybody: Vec<(TableName, RecordBatch)>,
    /// By region, number and season: score in the region, in the shop, and the reason.
    popular: HashMap<(String, String, String), (f64, f64, String)>,
}

fn moment(at: DateTime<Utc>, rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_value(at.timestamp_nanos_opt().unwrap_or_default(), rows))
}

pub(super) fn requests(customers: &[String], at: DateTime<Utc>) -> Result<RecordBatch> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(customers));
    batch_of("grain.request", [("customer_id", ids), ("as_of", moment(at, customers.len()))])
}

/// Works out what is known of all articles at a moment.
pub(super) fn articles(
    tables: &Tables,
    (everybody, unused): (RecordBatch, usize),
    at: DateTime<Utc>,
    seen: usize,
) -> Result<Articles> {
    let project = tables.project.as_of(at);
    let engine = tables.engine.over()?;
    engine.register(&TableName::new("sources", "transactions"), everybody)?;
    engine.register(&TableName::new("grain", "request"), requests(&tables.customers(usize::MAX), at)?)?;
    for file in shelf::needed(&project, &["popular"])? {
        let table = engine.table(&project, file)?;
        engine.register(&file.table(), table.batch)?;
    }
    let popular = popular(&engine.read(&TableName::new("recommend", "popular"))?)?;
    let mut everybody = Vec::new();
    for (file, part) in parts(&project) {
        if let Some(query) = file.part(part) {
            everybody.push((of_everybody(file, part), engine.run(&project, &query)?));
        }
    }
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
        let view = features::view(&project, &engine, file)?;
        let key: Vec<String> = view.table.key.iter().filter(|name| *name != "as_of").cloned().collect();
        let kept: Vec<usize> = (0..view.table.batch.num_columns())
            .filter(|place| view.table.batch.schema().field(*place).name() != "as_of")
            .collect();
        let batch = view.table.batch.project(&kept).map_err(shelf::ShelfError::Arrow)?;
        views.push(View { name: view.name, table: Table::new(batch, &key, &file.shown)? });
    }
    Ok(Articles { at, seen, unused, views, everybody, popular })
}

/// The `WITH` queries of views of customers that are over what everybody did.
fn parts(project: &Project) -> impl Iterator<Item = (&SqlFile, &String)> {
    project.library.layer(Layer::FEATURES).flat_map(|file| match &file.header {
        Header::Feature(header) => header.everybody.iter().map(move |part| (file, part)).collect(),
        _ => Vec::new(),
    })
}

/// Where such a query is read from once it is worked out.
fn of_everybody(file: &SqlFile, part: &str) -> TableName {
    TableName::new("everybody", &format!("{}_{part}", file.header.name()))
}

/// The project where these queries are read from what is known now and then: what else its views read of what was done is beside
/// who asks.
pub(super) fn narrowed(project: &Project) -> Project {
    let library = project.library.changed(|file| {
        let own = parts(project).filter(|(other, _)| other.table() == file.table());
        own.fold(file.clone(), |file, (_, part)| {
            let table = of_everybody(&file, part);
            file.reading(part, &table)
        })
    });
    Project { library: Arc::new(library), ..project.clone() }
}

/// Whether a view says the same of an article whoever asks.
fn of_articles(project: &Project, file: &SqlFile) -> bool {
    let key = project.library.key(file);
    ["product_id", "season", "as_of"].iter().all(|name| key.iter().any(|key| key == name)) && key.len() == 3
}

type Popular = HashMap<(String, String, String), (f64, f64, String)>;

fn popular(table: &RecordBatch) -> Result<Popular> {
    let file = "sql/recommend/popular.sql";
    let text = |name| -> Result<StringArray> {
        let column = cast(shelf::column(table, file, name)?, &DataType::Utf8).map_err(shelf::ShelfError::Arrow)?;
        Ok(column.as_string::<i32>().clone())
    };
    let number = |name| -> Result<Float64Array> {
        let column = cast(shelf::column(table, file, name)?, &DataType::Float64).map_err(shelf::ShelfError::Arrow)?;
        Ok(column.as_primitive::<Float64Type>().clone())
    };
    let (regions, products, seasons) = (text("region")?, text("product_id")?, text("season")?);
    let (scores, in_shop, reasons) = (number("score")?, number("in_shop")?, text("reason")?);
    let row = |row: usize| {
        let key = (regions.value(row).to_owned(), products.value(row).to_owned(), seasons.value(row).to_owned());
        (key, (scores.value(row), in_shop.value(row), reasons.value(row).to_owned()))
    };
    Ok((0..table.num_rows()).map(row).collect())
}

impl Articles {
    /// What `sql/recommend/baselines.sql` says of these shelves, but for what others also bought.
    pub fn beside(&self, shelves: &Shelves) -> Result<RecordBatch> {
        let (candidates, file) = (&shelves.candidates, "sql/recommend/candidates.sql");
        let text = |name| -> Result<StringArray> {
            let column =
                cast(shelf::column(candidates, file, name)?, &DataType::Utf8).map_err(shelf::ShelfError::Arrow)?;
            Ok(column.as_string::<i32>().clone())
        };
        let (regions, products, seasons) = (text("region")?, text("product_id")?, text("season")?);
        let of = |row: usize| {
            let key = (regions.value(row).to_owned(), products.value(row).to_owned(), seasons.value(row).to_owned());
            self.popular.get(&key)
        };
        let rows = 0..candidates.num_rows();
        let popular: Float64Array = rows.clone().map(|row| Some(of(row).map_or(0.0, |found| found.0))).collect();
        let in_shop: Float64Array = rows.clone().map(|row| Some(of(row).map_or(0.0, |found| found.1))).collect();
        let because: StringArray =
            rows.clone().map(|row| Some(of(row).map_or("on sale now", |found| found.2.as_str()))).collect();
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
