//! What retrieval misses of the lists that whole shelves give.

use std::collections::HashMap;

use datafusion::arrow::array::{BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{filter_record_batch, take_record_batch};
use recommenders::lists::top;
use recommenders::seeds;
use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;
use super::tables::{at, texts};
use crate::rank::RankError;
use crate::shelf::{self, KEY, Past, ROWS, Session, requests_of, truths};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// How many the first pass may find: the fewest that miss no more than [`RECALL`] allows.
const WIDTHS: [usize; 4] = [100, 200, 400, 800];
pub const WIDEST: usize = WIDTHS[WIDTHS.len() - 1];
/// The share of the articles of lists made from whole shelves that are to be found.
const RECALL: f64 = 0.97;
/// Rows of whole shelves that it is measured on.
const MEASURED: usize = 1_000_000;

/// How much is found of what ranking whole shelves would show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Share of the articles of those lists.
    pub recall: f64,
    pub customers: usize,
    /// Articles of their shelves, and how many of them are ranked, on average.
    pub shelf: f64,
    pub ranked: f64,
}

/// Customers who consent, at a moment (nanoseconds), in an order drawn by lot.
pub fn asking(session: &Session, seed: u64, moment: i64) -> Result<RecordBatch> {
    let customers = session.engine().read(&TableName::new("sources", "customers"))?;
    let consents = truths(&customers, "sql/sources/customers.sql", "personalisation_consent")?;
    let asked: BooleanArray = consents.into_iter().map(Some).collect();
    let customers = filter_record_batch(&customers, &asked).map_err(RankError::Arrow)?;
    let names = texts(&customers, "sql/sources/customers.sql", KEY[0])?;
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_by_key(|at| (seeds::mix(seed, [shelf::name_of(&[&names[*at as usize]])]), *at));
    let rows = take_record_batch(&customers, &UInt32Array::from(order)).map_err(RankError::Arrow)?;
    at(&rows, moment)
}

impl Catalogue {
    /// The smallest width that finds nearly all that ranking whole shelves would show, `places` a list, and what it misses.
    ///
    /// # Errors
    /// As [`Catalogue::retrieved`].
    pub fn measured(
        &self,
        session: &Session,
        requests: &RecordBatch,
        past: &Past,
        places: usize,
    ) -> Result<Option<(usize, Found)>> {
        let Some(search) = &self.search else { return Ok(None) };
        let some = (MEASURED / self.articles.len().max(1)).max(1);
        let requests = requests.slice(0, some.min(requests.num_rows()));
        let asked = self.ask(session, &requests, Some(past))?;
        // Of each list the articles; of whole shelves, some customers at a time.
        let mut lists: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut rows = 0;
        let at_once = (ROWS / self.articles.len().max(1)).max(1);
        for start in (0..requests.num_rows()).step_by(at_once) {
            let part = requests.slice(start, at_once.min(requests.num_rows() - start));
            let features = session.features(&session.shelves(shelf::key_of(&part)?, None, false)?.candidates)?;
            let scores = search.ranking.scores(&features, past)?;
            let (names, products) = (shelf::requests(&features)?, texts(&features, "the shelf", KEY[2])?);
            let seasons = texts(&features, "the shelf", KEY[3])?;
            for shelf in requests_of(&features)? {
                let best = top(&scores[shelf.clone()], places).into_iter().map(|row| shelf.start + row as usize);
                let list = best.filter_map(|row| self.on_sale.number(&products[row], &seasons[row])).collect();
                lists.insert(names[shelf.start], list);
            }
            rows += features.num_rows();
        }
        let names = shelf::requests(&requests)?;
        let mut measured = None;
        for width in WIDTHS {
            let found = self.found(&asked, past, width, None);
            let (mut hits, mut wanted, mut ranked) = (0, 0, 0);
            for (found, list) in found.iter().zip(&names).filter_map(|(found, name)| Some((found, lists.get(name)?))) {
                wanted += list.len();
                ranked += found.len();
                hits += list.iter().filter(|article| found.binary_search(article).is_ok()).count();
            }
            if wanted == 0 {
                return Ok(None);
            }
            let (recall, customers) = (hits as f64 / wanted as f64, lists.len());
            let of_each = |count: usize| count as f64 / customers as f64;
            measured = Some((width, Found { recall, customers, shelf: of_each(rows), ranked: of_each(ranked) }));
            if recall >= RECALL {
                break;
            }
        }
        Ok(measured)
    }
}
