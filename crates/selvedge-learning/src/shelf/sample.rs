//! What a model of looks learns from: what was looked at in each visit, beside some of what was not.

use std::collections::BTreeSet;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use recommenders::chain::others;

use super::{KEY, OnSale, Outcomes, ROWS, Session, ShelfError, column, name_of, requests_of, truths};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// Fewer articles that were not looked at never stand beside a visit.
const FEWEST: usize = 5;
/// Rows of shelves, without features, among which the sample is drawn at a time.
const SHELVES: usize = 5 * ROWS;
/// Rows of the sample whose features are worked out at a time.
const FEATURES: usize = 1 << 18;
/// The most rows of shelves that rankings are judged on: some thousands of customers tell what there is to tell.
const JUDGED: usize = 4_000_000;
/// The same of long shelves, of which no more than a part is ranked.
const JUDGED_LONG: usize = 2_000_000;

/// For each visit the articles of its shelf that were looked at and some that were not, drawn by the smallest hash of
/// (seed, request, article), with every feature and what came of them; no more rows than memory is meant for.
pub fn sampled(project: &Project, session: &Session, outcomes: &Outcomes, visits: &RecordBatch) -> Result<RecordBatch> {
    let params = &project.params.rank;
    let looks = outcomes.looks();
    let beside = params.most_rows.saturating_sub(looks) / visits.num_rows().max(1);
    let beside = beside.max(FEWEST).min(params.negatives);
    let rows = looks + beside * visits.num_rows();
    let share = (params.most_rows as f64 / rows.max(1) as f64).min(1.0);
    let visits = drawn(params.seed, visits, share)?;
    let on_sale = if session.is_long()? { Some(session.on_sale()?) } else { None };
    let mut rows = Vec::new();
    for requests in session.parts(&visits, SHELVES)? {
        // More than are wanted, for some may not be sent there, or are owned.
        let drawn = |on_sale: &OnSale| {
            on_sale.beside(&requests, &session.drawn(on_sale, outcomes, &requests, params.seed, 2 * beside)?)
        };
        let drawn = on_sale.as_ref().map(drawn).transpose()?;
        let shelf = outcomes.beside(session.shelves(key_of(&requests)?, drawn, false)?.candidates)?;
        let chosen = chosen(params.seed, &shelf, beside)?;
        rows.push(take_record_batch(&shelf, &chosen).map_err(ShelfError::Arrow)?);
    }
    let Some(first) = rows.first() else { return Ok(RecordBatch::new_empty(visits.schema())) };
    let rows = concat_batches(&first.schema(), &rows).map_err(ShelfError::Arrow)?;
    // What is known of articles is read from all events each time, so that few large parts are quicker than many.
    let starts = (0..rows.num_rows().max(1)).step_by(FEATURES);
    let parts = starts.map(|start| rows.slice(start, FEATURES.min(rows.num_rows() - start)));
    let parts: Vec<RecordBatch> = parts.map(|part| outcomes.beside(session.features(&part)?)).collect::<Result<_>>()?;
    Ok(concat_batches(&parts[0].schema(), &parts).map_err(ShelfError::Arrow)?)
}

/// The columns that name the requests.
pub fn key_of(requests: &RecordBatch) -> Result<RecordBatch> {
    let places: Option<Vec<usize>> = KEY[..2].iter().map(|name| requests.schema().index_of(name).ok()).collect();
    Ok(requests.project(&places.unwrap_or_default()).map_err(ShelfError::Arrow)?)
}

/// The visits that rankings are judged on: all, or of more than memory and time are meant for, a share drawn by hash.
pub fn judged(session: &Session, visits: &RecordBatch, seed: u64) -> Result<RecordBatch> {
    let rows = if session.is_long()? { JUDGED_LONG } else { JUDGED };
    drawn(seed, visits, rows as f64 / (session.length()? * visits.num_rows()).max(1) as f64)
}

/// A share of the visits, by hash.
fn drawn(seed: u64, visits: &RecordBatch, share: f64) -> Result<RecordBatch> {
    if share >= 1.0 {
        return Ok(visits.clone());
    }
    let names = requests(visits)?;
    let limit = (share * u64::MAX as f64) as u64;
    let taken = names.iter().enumerate().filter(|(_, name)| recommenders::seeds::mix(seed, [**name]) <= limit);
    let taken: UInt32Array = taken.map(|(row, _)| Some(row as u32)).collect();
    Ok(take_record_batch(visits, &taken).map_err(ShelfError::Arrow)?)
}

/// A number that names the request of each row.
pub fn requests(rows: &RecordBatch) -> Result<Vec<u64>> {
    let customers = column(rows, "the shelf", KEY[0])?.as_string::<i32>();
    let moments = super::moments(rows, "the shelf", KEY[1])?;
    Ok(moments.iter().enumerate().map(|(row, at)| name_of(&[customers.value(row), &at.to_string()])).collect())
}

/// A number that names the article of each row.
pub fn articles(rows: &RecordBatch) -> Result<Vec<u64>> {
    let text = |name| -> Result<StringArray> { Ok(column(rows, "the shelf", name)?.as_string::<i32>().clone()) };
    let (products, seasons) = (text(KEY[2])?, text(KEY[3])?);
    Ok((0..rows.num_rows()).map(|row| name_of(&[products.value(row), seasons.value(row)])).collect())
}

/// The rows that are learned from, in their order.
fn chosen(seed: u64, shelf: &RecordBatch, beside: usize) -> Result<UInt32Array> {
    let looked = truths(shelf, "sql/labels/visits.sql", "looked")?;
    let (names, articles) = (requests(shelf)?, articles(shelf)?);
    let mut chosen = BTreeSet::new();
    for range in requests_of(shelf)? {
        let others = others(seed, names[range.start], &articles[range.clone()], &looked[range.clone()], beside);
        chosen.extend(others.into_iter().map(|row| (range.start + row) as u32));
        chosen.extend(range.filter(|row| looked[*row]).map(|row| row as u32));
    }
    Ok(chosen.into_iter().map(Some).collect())
}
