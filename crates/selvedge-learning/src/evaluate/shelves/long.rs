//! Shelves too long to be judged whole: what retrieval finds is ranked, and a draw stands for the rest in the pairs.
//!
//! Lists are made as they are delivered, from what is retrieved, beside what the list of today is made from.  What came of a
//! visit stands there too: whether retrieval had found it is known from what it misses (`rank`'s measure).  Pairs in the right
//! order are those with articles drawn from the whole shelf, so the share is that of the whole shelf but for chance.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};

use crate::rank::{Catalogue, Ranking, union};
use crate::shelf::{self, OnSale, Outcomes, Past, Session, ShelfError, key_of, moments};
use selvedge_project::error::Result;

/// Articles that stand for the rest of a shelf.
const BESIDE: usize = 200;
/// What is on sale is looked at anew so often over all visits.
const CATALOGUES: i64 = 8;

/// What stands for long shelves.
pub struct Long<'a> {
    session: &'a Session<'a>,
    outcomes: &'a Outcomes,
    ranking: Option<Arc<Ranking>>,
    past: &'a Past,
    on_sale: OnSale,
    seed: u64,
    /// Nanoseconds between two looks at what is on sale, from the first visit on.
    every: i64,
    first: i64,
    catalogues: RefCell<BTreeMap<i64, Catalogue>>,
    /// Requests and articles that were drawn.
    drawn: RefCell<HashSet<(u64, u64)>>,
}

impl<'a> Long<'a> {
    /// Of these visits, with the visits in the order of time; nothing where shelves are judged whole.
    ///
    /// # Errors
    /// Visits without what names them.
    pub fn of(
        session: &'a Session<'a>,
        outcomes: &'a Outcomes,
        ranking: Option<&'a Ranking>,
        past: &'a Past,
        (visits, seed): (&RecordBatch, u64),
    ) -> Result<Option<(Self, RecordBatch)>> {
        if !session.is_long()? {
            return Ok(None);
        }
        let begun = moments(visits, "sql/grain/request.sql", "as_of")?;
        let mut order: Vec<u32> = (0..begun.len() as u32).collect();
        order.sort_by_key(|row| (begun[*row as usize], *row));
        let visits = take_record_batch(visits, &UInt32Array::from(order)).map_err(ShelfError::Arrow)?;
        let (first, last) = (begun.iter().min().copied().unwrap_or(0), begun.iter().max().copied().unwrap_or(0));
        let every = ((last - first) / CATALOGUES).max(1);
        let (catalogues, drawn) = (RefCell::default(), RefCell::default());
        let (on_sale, ranking) = (session.on_sale()?, ranking.map(|ranking| Arc::new(ranking.clone())));
        Ok(Some((Self { session, outcomes, ranking, past, on_sale, seed, every, first, catalogues, drawn }, visits)))
    }

    /// What stands for the shelves of some visits, which are in the order of time.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn retrieved(&self, visits: &RecordBatch) -> Result<RecordBatch> {
        let begun = moments(visits, "sql/grain/request.sql", "as_of")?;
        let of = |row: usize| (begun[row] - self.first) / self.every;
        let (mut start, mut parts) = (0, Vec::new());
        let drawn = self.session.drawn(&self.on_sale, self.outcomes, visits, self.seed, BESIDE)?;
        let mut known = self.drawn.borrow_mut();
        known.clear();
        for (request, drawn) in shelf::requests(visits)?.into_iter().zip(&drawn) {
            known.extend(drawn.iter().map(|article| (request, self.on_sale.name(*article))));
        }
        while start < begun.len() {
            let end = (start..begun.len()).find(|row| of(*row) != of(start)).unwrap_or(begun.len());
            let part = key_of(&visits.slice(start, end - start))?;
            let mut catalogues = self.catalogues.borrow_mut();
            let catalogue = match catalogues.entry(of(start)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let moment = self.first + of(start) * self.every;
                    new.insert(Catalogue::at(self.session, self.ranking.as_ref(), &part, moment)?)
                }
            };
            let found = catalogue.for_ranking(self.session, &part, self.past, None)?;
            let today = catalogue.bought_together(self.session, &part)?;
            let all = union([found, today, drawn[start..end].to_vec()]);
            parts.push(self.on_sale.beside(&part, &all)?);
            start = end;
        }
        match parts.first() {
            Some(first) => Ok(concat_batches(&first.schema(), &parts).map_err(ShelfError::Arrow)?),
            None => self.on_sale.beside(visits, &[]),
        }
    }

    /// Which of the articles of a request were drawn.
    pub fn others(&self, request: u64, articles: &[u64]) -> Vec<bool> {
        let drawn = self.drawn.borrow();
        articles.iter().map(|article| drawn.contains(&(request, *article))).collect()
    }
}
