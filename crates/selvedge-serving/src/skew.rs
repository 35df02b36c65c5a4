//! `selvedge replay --day`: the features of a day's answers, as the server made them then and as the flow makes them for all at
//! once; column by column, bit by bit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, SortField};

use super::articles::Articles;
use super::journal;
use super::lists::Serving;
use super::log::{self, Answered};
use super::past::Past;
use super::release::Release;
use selvedge_engine::Table;
use selvedge_features::frame;
use selvedge_learning::shelf::{KEY, ShelfError};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// A feature, and in how many rows the two ways differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub rows: usize,
    pub differ: usize,
}

/// What was held against each other.
#[derive(Debug, Default)]
pub struct Skew {
    pub requests: usize,
    /// Requests whose customers did something before, of which the server heard later.
    pub late: usize,
    pub columns: Vec<Column>,
}

/// Rows of shelves as the server made them, and from what articles were known then.
pub struct Made {
    pub rows: RecordBatch,
    pub articles_at: DateTime<Utc>,
    pub articles_seen: usize,
}

/// Holds the answers of a day, on the shop's clock, against the flow.
///
/// # Errors
/// A log or a release that is not there.
pub fn day(project: &Project, open: fn(&Path) -> Result<Project>, day: NaiveDate) -> Result<Skew> {
    let zone = project.params.shop.timezone;
    let mut skew = Skew::default();
    let mut of_release: BTreeMap<String, Vec<Answered>> = BTreeMap::new();
    for answered in log::all(project)? {
        let on_day = answered.answered_at.with_timezone(&zone).date_naive() == day;
        // A visit's own features are those of its answer alone, and where something was left out it is told there.
        let is_whole = answered.basis.is_some() && answered.degraded.is_empty();
        if on_day && is_whole && !answered.customer_id.is_empty() {
            of_release.entry(answered.release.clone()).or_default().push(answered);
        }
    }
    let past = RwLock::new(Past::read(&journal::folder(project.paths.root()))?);
    let mut differ: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (release, answers) in of_release {
        // Who asks again while nothing has changed gets the same.
        let mut groups: BTreeMap<(DateTime<Utc>, usize), BTreeMap<(DateTime<Utc>, usize), BTreeSet<String>>> =
            BTreeMap::new();
        for (basis, customer) in answers.iter().filter_map(|one| Some((one.basis?, &one.customer_id))) {
            let known = past.read().unwrap_or_else(PoisonError::into_inner);
            let late = known.of(customer, usize::MAX).skip(known.of(customer, basis.seen).count());
            if late.into_iter().any(|event| event.at() < basis.at) {
                skew.late += 1;
                continue;
            }
            let group = groups.entry((basis.articles_at, basis.articles_seen)).or_default();
            group.entry((basis.at, basis.seen)).or_default().insert(customer.clone());
        }
        let Some((first, _)) = groups.keys().next().copied() else { continue };
        let serving = Serving::load(Release::find(project, &release)?, open, &past, first)?;
        for ((articles_at, articles_seen), moments) in groups {
            serving.refresh(&past, articles_at, Some(articles_seen))?;
            let mut made = Vec::new();
            for ((at, seen), customers) in moments {
                skew.requests += customers.len();
                let customers: Vec<String> = customers.into_iter().collect();
                made.push(serving.shelf_features(&past, &customers, at, seen)?);
            }
            let Some(rows) = together(&made)? else { continue };
            for column in compared(&serving, &past, &Made { rows, articles_at, articles_seen })? {
                let known = differ.entry(column.name).or_default();
                *known = (known.0 + column.rows, known.1 + column.differ);
            }
        }
    }
    skew.columns = differ.into_iter().map(|(name, (rows, differ))| Column { name, rows, differ }).collect();
    Ok(skew)
}

/// Batches of the same columns in one.
///
/// # Errors
/// Others.
pub fn together(batches: &[RecordBatch]) -> Result<Option<RecordBatch>> {
    let Some(first) = batches.first() else { return Ok(None) };
    Ok(Some(concat_batches(&first.schema(), batches).map_err(ShelfError::Arrow)?))
}

/// Makes the features of rows again as the flow does, over everything that everybody did, all at once; and holds them against
/// those that are there.
///
/// # Errors
/// Queries that cannot be answered.
pub fn compared(serving: &Serving, past: &RwLock<Past>, made: &Made) -> Result<Vec<Column>> {
    let tables = &serving.tables;
    let key = KEY.map(str::to_owned);
    let made_then = Table::new(made.rows.clone(), &key, "served features")?;
    let (everybody, known_then) = {
        let past = past.read().unwrap_or_else(PoisonError::into_inner);
        (tables.all_transactions(&past, past.count())?.0, tables.all_transactions(&past, made.articles_seen)?)
    };
    let engine = tables.engine.over()?;
    engine.register(&TableName::new("sources", "transactions"), everybody)?;
    let known = Articles::known(
        (tables, &serving.lists),
        &serving.catalogue,
        known_then,
        made.articles_at,
        made.articles_seen,
    )?;
    let (views, _) = known.views(made.articles_at);
    let own: Vec<usize> =
        KEY.iter().chain(&["brand"]).filter_map(|name| made_then.batch.schema().index_of(name).ok()).collect();
    let request = Table::new(made_then.batch.project(&own).map_err(ShelfError::Arrow)?, &key, "served features")?;
    let again = frame::at_request_with(&tables.project, &engine, request, views, "served features")?.batch;
    let mut columns = Vec::new();
    for (field, then) in made_then.batch.schema().fields().iter().zip(made_then.batch.columns()) {
        if own.iter().any(|place| made_then.batch.schema().field(*place).name() == field.name()) {
            continue;
        }
        let differ = match again.column_by_name(field.name()) {
            Some(now) => differing(then, now).map_err(ShelfError::Arrow)?,
            None => then.len(),
        };
        columns.push(Column { name: field.name().clone(), rows: then.len(), differ });
    }
    Ok(columns)
}

/// In how many rows two columns differ, to the bit.
fn differing(a: &ArrayRef, b: &ArrayRef) -> std::result::Result<usize, ArrowError> {
    if a.data_type() != b.data_type() {
        return Ok(a.len());
    }
    let converter = RowConverter::new(vec![SortField::new(a.data_type().clone())])?;
    let rows = |column: &ArrayRef| converter.convert_columns(std::slice::from_ref(column));
    Ok(rows(a)?.iter().zip(&rows(b)?).filter(|(a, b)| a != b).count())
}
