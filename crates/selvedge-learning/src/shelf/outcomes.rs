//! What came of each visit, and from when that is known.

use std::collections::HashMap;

use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;

use super::{KEY, OnSale, ShelfError, column, moments, requests};
use selvedge_engine::{Engine, Table};
use selvedge_features::features::View;
use selvedge_features::frame;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::label::VISITS;
use selvedge_project::sql::{Layer, TableName};

/// From when it is known what was looked at in a row's visit.
pub const OVER_AT: &str = "over_at";
/// Nanoseconds of a day.
pub const DAY: i64 = 86_400_000_000_000;

/// The visits that the features stage left behind: `customer_id`, `as_of` and `over_at`, in the order of their key.
pub fn visits(project: &Project, engine: &Engine) -> Result<RecordBatch> {
    let name = TableName::new("grain", "request");
    let missing = || ShelfError::NoFile { file: "grain/request.sql".into() };
    let file = project.library.file(&name).ok_or_else(missing)?;
    Ok(Table::new(engine.read(&name)?, project.library.key(file), &file.shown)?.batch)
}

/// What was looked at, bought and kept of each visit's shelf (`sql/labels/visits.sql`).
pub struct Outcomes {
    views: [View; 2],
    purchase_window: i64,
    return_window: i64,
}

impl Outcomes {
    /// Of these visits, as the tables of `engine` have it.
    pub fn of(project: &Project, engine: &Engine, visits: &RecordBatch) -> Result<Self> {
        let missing = || ShelfError::NoFile { file: format!("labels/{VISITS}.sql") };
        let file =
            project.library.layer(Layer::LABELS).find(|file| file.header.name() == VISITS).ok_or_else(missing)?;
        let table = TableName::new("grain", "request");
        engine.register(&table, visits.clone())?;
        let places: Vec<usize> =
            ["customer_id", "as_of", OVER_AT].iter().filter_map(|name| visits.schema().index_of(name).ok()).collect();
        let requests = visits.project(&places).map_err(ShelfError::Arrow)?;
        let key = ["customer_id", "as_of"].map(str::to_owned);
        let requests = Table::new(requests, &key, "sql/grain/request.sql")?;
        let views = [
            View { name: VISITS.into(), table: engine.table(project, file)? },
            View { name: "request".into(), table: requests },
        ];
        let shop = &project.params.shop;
        Ok(Self {
            views,
            purchase_window: i64::from(shop.purchase_days.0) * DAY,
            return_window: i64::from(shop.return_days.0) * DAY,
        })
    }

    /// How many articles were looked at in all visits together.
    pub fn looks(&self) -> usize {
        self.views[0].table.batch.num_rows()
    }

    /// The rows with `looked`, `bought`, `kept` and `over_at` beside them.
    pub fn beside(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let base = Table { batch: rows, key: super::KEY.map(str::to_owned).to_vec() };
        Ok(frame::attach(base, &self.views, "the shelf")?.batch)
    }

    /// Of each visit the articles that something came of, in order.
    pub fn came(&self, visits: &RecordBatch, on_sale: &OnSale) -> Result<Vec<Vec<u32>>> {
        let table = &self.views[0].table.batch;
        let file = "sql/labels/visits.sql";
        let [products, seasons] = [KEY[2], KEY[3]].map(|name| column(table, file, name).map(|c| c.as_string::<i32>()));
        let (products, seasons) = (products?, seasons?);
        let mut came: HashMap<u64, Vec<u32>> = HashMap::new();
        for (row, request) in requests(table)?.into_iter().enumerate() {
            came.entry(request).or_default().extend(on_sale.number(products.value(row), seasons.value(row)));
        }
        came.values_mut().for_each(|articles| articles.sort_unstable());
        Ok(requests(visits)?.iter().map(|request| came.get(request).cloned().unwrap_or_default()).collect())
    }

    /// From when what was bought in a visit is known.
    pub fn bought_known_at(&self, as_of: i64) -> i64 {
        as_of.saturating_add(self.purchase_window)
    }

    /// From when it is known whether that was kept.
    pub fn kept_known_at(&self, as_of: i64) -> i64 {
        self.bought_known_at(as_of).saturating_add(self.return_window)
    }

    /// The visits that were over at `cut`.
    pub fn over_by(visits: &RecordBatch, cut: i64) -> Result<RecordBatch> {
        let over = moments(visits, "sql/grain/request.sql", OVER_AT)?;
        let wanted: BooleanArray = over.iter().map(|over| Some(*over < cut)).collect();
        Ok(filter_record_batch(visits, &wanted).map_err(ShelfError::Arrow)?)
    }

    /// The visits that begin at `from` or later and whose outcomes are all known at `until`.
    pub fn known_between(&self, visits: &RecordBatch, from: i64, until: i64) -> Result<RecordBatch> {
        let begun = moments(visits, "sql/grain/request.sql", "as_of")?;
        let wanted = begun.iter().map(|begun| Some(*begun >= from && self.kept_known_at(*begun) <= until));
        let wanted: BooleanArray = wanted.collect();
        Ok(filter_record_batch(visits, &wanted).map_err(ShelfError::Arrow)?)
    }
}
