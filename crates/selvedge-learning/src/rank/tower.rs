//! The two-tower over the columns of the chain: what the customer told and did on one side, what the article is on the other.

use ndarray::{Array2, ArrayView2, Axis, s};
use recommenders::chain::Keep;
use recommenders::rank::Part;
use recommenders::retrieve::{History, Past as Deed};
use recommenders::tower::{Catalogue, Request, Tower, TowerPart, TowerSettings, Visit};
use serde::{Deserialize, Serialize};

use super::RankError;
use super::choice::customer;
use super::known::Known;
use super::matrix::Sides;
use crate::shelf::{Past, moments, requests_of};
use selvedge_project::error::Result;

/// A fitted two-tower, with what each thing of the past is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoTower {
    tower: Tower,
    sides: Sides,
    /// By number of the thing, its columns as they last stood on a shelf; empty where it never did.
    things: Vec<Vec<f64>>,
}

/// A request as the tower reads it.
struct Asked {
    catalogue: Catalogue,
    customer: Vec<f64>,
    history: History,
    articles: Vec<u32>,
}

/// What was shown in the visits that a tower learns from: those whose purchases were known at the cut.
pub struct Shown {
    /// By number of the thing, the last row at which it stood on a shelf.
    rows: Vec<Option<usize>>,
    pub visits: Vec<Visit>,
    /// When each of them began, in nanoseconds.
    pub begun: Vec<i64>,
}

impl Shown {
    /// `matrix`: the rows as the chain reads them.
    pub fn of(known: &Known, matrix: ArrayView2<f64>, past: &Past, sides: &Sides) -> Result<Self> {
        let rows = known.rows().rows();
        let moments = moments(rows, "the shelf", "as_of")?;
        let mut shown = Self { rows: vec![None; past.things.keys.len()], visits: Vec::new(), begun: Vec::new() };
        for visit in requests_of(rows)? {
            let numbers = past.of_rows(rows, &visit)?;
            let articles: Option<Vec<u32>> = numbers.into_iter().collect();
            let bought: Option<Vec<bool>> = known.bought[visit.clone()].iter().copied().collect();
            let (Some(articles), Some(bought)) = (articles, bought) else { continue };
            visit.clone().zip(&articles).for_each(|(row, thing)| shown.rows[*thing as usize] = Some(row));
            let looked = known.looked[visit.clone()].to_vec();
            shown.begun.push(moments[visit.start]);
            shown.visits.push(Visit {
                customer: picked(matrix, visit.start, &sides.customer),
                history: past.history(&customer(rows, visit.start)?, moments[visit.start]),
                first_row: visit.start,
                wished: vec![false; looked.len()],
                articles,
                looked,
                bought,
            });
        }
        Ok(shown)
    }

    /// By number of the thing, these columns as they last stood on a shelf; empty where it never did.
    pub fn things(&self, matrix: ArrayView2<f64>, columns: &[usize]) -> Vec<Vec<f64>> {
        self.rows.iter().map(|row| row.map_or(Vec::new(), |row| picked(matrix, row, columns))).collect()
    }
}

impl TwoTower {
    /// Fits it on these visits.
    pub fn fit(matrix: ArrayView2<f64>, shown: &Shown, sides: &Sides, keep: Keep, seed: u64) -> Result<Self> {
        let things = shown.things(matrix, &sides.article);
        let mut catalogue = Array2::zeros((things.len(), sides.article.len()));
        for (thing, mut row) in things.iter().zip(catalogue.rows_mut()) {
            row.iter_mut().zip(thing).for_each(|(cell, value)| *cell = *value);
        }
        let settings = TowerSettings { seed, ..TowerSettings::default() };
        let (reads, visits) = ((sides.both.as_slice(), sides.record.as_slice()), &shown.visits);
        let tower = Tower::fit(catalogue.view(), matrix, visits, reads, keep, settings).map_err(RankError::Model)?;
        Ok(Self { tower, sides: sides.clone(), things })
    }

    pub fn scores(&self, shelf: ArrayView2<f64>, history: &History) -> Result<Vec<f64>> {
        let asked = self.asked(shelf, history)?;
        Ok(self.tower.scores(&asked.catalogue, asked.request(&shelf)).map_err(RankError::Model)?)
    }

    /// What a long shelf is searched by: a vector for each row (of one article each), as [`Tower::article_vectors`] has it.
    pub fn article_vectors(&self, rows: ArrayView2<f64>) -> Result<Array2<f64>> {
        let articles = rows.select(Axis(1), &self.sides.article);
        let catalogue = self.tower.catalogue(articles.view()).map_err(RankError::Model)?;
        Ok(self.tower.article_vectors(&catalogue, rows).map_err(RankError::Model)?)
    }

    /// The things of the past, worked out once for many customers.
    pub fn past(&self) -> Result<Catalogue> {
        let mut articles = Array2::zeros((self.things.len(), self.sides.article.len()));
        for (thing, mut row) in self.things.iter().zip(articles.rows_mut()) {
            row.iter_mut().zip(thing).for_each(|(cell, value)| *cell = *value);
        }
        Ok(self.tower.catalogue(articles.view()).map_err(RankError::Model)?)
    }

    /// What a customer's product with [`TwoTower::article_vectors`] is made with: of a row of theirs, and what they did.
    pub fn customer_vector(
        &self,
        past: &Catalogue,
        rows: ArrayView2<f64>,
        row: usize,
        history: &History,
    ) -> Result<Vec<f64>> {
        let known = |deed: &&Deed| self.things.get(deed.thing as usize).is_some_and(|thing| !thing.is_empty());
        let history = History::new(history.events().iter().filter(known).copied());
        let customer = picked(rows, row, &self.sides.customer);
        Ok(self.tower.query(past, &customer, &history).map_err(RankError::Model)?)
    }

    /// What each part adds to the scores of some rows, against the middle of the shelf; none stands for the past.
    pub fn parts(
        &self,
        shelf: ArrayView2<f64>,
        history: &History,
        rows: &[usize],
    ) -> Result<(Vec<Option<Part>>, Array2<f64>)> {
        let asked = self.asked(shelf, history)?;
        let apart =
            self.tower.contributions(&asked.catalogue, asked.request(&shelf), rows).map_err(RankError::Model)?;
        let part = |part: &TowerPart| match part {
            TowerPart::Article(at) => Some(Part::Column(self.sides.article[*at])),
            TowerPart::Column(at) => Some(Part::Column(*at)),
            TowerPart::Kept => Some(Part::Kept),
            TowerPart::Past => None,
        };
        Ok((apart.parts.iter().map(part).collect(), apart.values))
    }

    /// The shelf's articles, then the things of the past that ever stood on one.
    fn asked(&self, shelf: ArrayView2<f64>, history: &History) -> Result<Asked> {
        let known = |deed: &&Deed| self.things.get(deed.thing as usize).is_some_and(|thing| !thing.is_empty());
        let deeds: Vec<&Deed> = history.events().iter().filter(known).collect();
        let mut articles = Array2::zeros((shelf.nrows() + deeds.len(), self.sides.article.len()));
        for (at, column) in self.sides.article.iter().enumerate() {
            articles.slice_mut(s![..shelf.nrows(), at]).assign(&shelf.column(*column));
        }
        for (deed, mut row) in deeds.iter().zip(articles.rows_mut().into_iter().skip(shelf.nrows())) {
            row.iter_mut().zip(&self.things[deed.thing as usize]).for_each(|(cell, value)| *cell = *value);
        }
        let numbered = (shelf.nrows() as u32..).zip(&deeds).map(|(thing, deed)| Deed { thing, ..**deed });
        Ok(Asked {
            history: History::new(numbered),
            catalogue: self.tower.catalogue(articles.view()).map_err(RankError::Model)?,
            customer: if shelf.nrows() == 0 { Vec::new() } else { picked(shelf, 0, &self.sides.customer) },
            articles: (0..shelf.nrows() as u32).collect(),
        })
    }
}

impl Asked {
    fn request<'a>(&'a self, shelf: &'a ArrayView2<f64>) -> Request<'a> {
        Request { customer: &self.customer, history: &self.history, articles: &self.articles, shelf: shelf.view() }
    }
}

/// Some columns of a row.
pub fn picked(matrix: ArrayView2<f64>, row: usize, columns: &[usize]) -> Vec<f64> {
    columns.iter().map(|column| matrix[[row, *column]]).collect()
}
