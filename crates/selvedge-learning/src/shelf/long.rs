//! Shelves too long to be worked on whole: which of their articles stand for the others.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use rayon::prelude::*;
use recommenders::chain::others;

use super::outcomes::DAY;
use super::{KEY, Outcomes, Session, ShelfError, Thing, column, name_of};
use selvedge_engine::batch_of;
use selvedge_project::error::Result;

/// The articles of `sources.products`, by row, and when they are on sale.
pub struct OnSale {
    products: [ArrayRef; 3],
    names: Vec<u64>,
    days: Vec<Option<(i32, i32)>>,
    numbers: HashMap<(String, String), u32>,
    /// By thing, its number and first season: an article that came back is the same thing.
    of_thing: HashMap<(String, String), Vec<u32>>,
    of_brand: HashMap<String, Vec<u32>>,
}

impl OnSale {
    /// # Errors
    /// Products without a number, a season or days of sale.
    pub fn of(products: &RecordBatch) -> Result<Self> {
        let file = "sql/sources/products.sql";
        let text = |name| -> Result<ArrayRef> {
            Ok(cast(column(products, file, name)?, &DataType::Utf8).map_err(ShelfError::Arrow)?)
        };
        let days = |name| -> Result<Vec<Option<i32>>> {
            let days = cast(column(products, file, name)?, &DataType::Date32).map_err(ShelfError::Arrow)?;
            Ok(days.as_primitive::<Date32Type>().iter().collect())
        };
        let products = [text(KEY[2])?, text(KEY[3])?, text("brand")?];
        let (ids, seasons) = (products[0].as_string::<i32>(), products[1].as_string::<i32>());
        let key = |row: usize| (ids.value(row).to_owned(), seasons.value(row).to_owned());
        let numbers = (0..ids.len()).map(|row| (key(row), row as u32)).collect();
        let firsts = text("first_season")?;
        let mut of_thing: HashMap<(String, String), Vec<u32>> = HashMap::new();
        for (row, first) in firsts.as_string::<i32>().iter().enumerate() {
            let thing = (ids.value(row).to_owned(), first.unwrap_or_default().to_owned());
            of_thing.entry(thing).or_default().push(row as u32);
        }
        let mut of_brand: HashMap<String, Vec<u32>> = HashMap::new();
        for (row, brand) in products[2].as_string::<i32>().iter().enumerate() {
            if let Some(brand) = brand {
                of_brand.entry(brand.to_owned()).or_default().push(row as u32);
            }
        }
        let names = (0..ids.len()).map(|row| name_of(&[ids.value(row), seasons.value(row)])).collect();
        let days = days("on_sale_from")?.into_iter().zip(days("on_sale_until")?).map(|(from, until)| from.zip(until));
        Ok(Self { names, days: days.collect(), numbers, of_thing, of_brand, products })
    }

    /// The articles that may be on sale at a moment (nanoseconds): which day it is, the shop's own clock tells, so it is one day
    /// more on either side, and the shelf's query decides.
    pub fn at(&self, moment: i64) -> Vec<u32> {
        let day = moment.div_euclid(DAY) as i32;
        let is = |days: &Option<(i32, i32)>| days.is_some_and(|(from, until)| from <= day + 1 && until >= day - 1);
        (0..).zip(&self.days).filter(|(_, days)| is(days)).map(|(number, _)| number).collect()
    }

    /// The most articles that are on sale on one day.
    pub fn most(&self) -> usize {
        let (mut from, mut until): (Vec<i32>, Vec<i32>) = self.days.iter().flatten().copied().unzip();
        from.sort_unstable();
        until.sort_unstable();
        // One that ends before it begins is never on sale, and takes nothing away.
        let on_sale = |day: &i32| {
            from.partition_point(|first| first <= day).saturating_sub(until.partition_point(|last| last < day))
        };
        from.iter().map(on_sale).max().unwrap_or_default()
    }

    /// The number of an article here; none where there is no such article.
    pub fn number(&self, product: &str, season: &str) -> Option<u32> {
        self.numbers.get(&(product.to_owned(), season.to_owned())).copied()
    }

    /// What names an article for good.
    pub fn name(&self, number: u32) -> u64 {
        self.names[number as usize]
    }

    /// The articles that a thing is.
    pub fn of_thing(&self, thing: &Thing) -> &[u32] {
        self.of_thing.get(thing).map_or(&[], Vec::as_slice)
    }

    /// The articles of a brand, in order.
    pub fn of_brand(&self, brand: &str) -> &[u32] {
        self.of_brand.get(brand).map_or(&[], Vec::as_slice)
    }

    /// The brand of an article, where it has one.
    pub fn brand(&self, number: u32) -> Option<&str> {
        let brands = self.products[2].as_string::<i32>();
        brands.is_valid(number as usize).then(|| brands.value(number as usize))
    }

    /// The key of an article.
    pub fn key(&self, number: u32) -> (&str, &str) {
        let [products, seasons, _] = &self.products;
        (products.as_string::<i32>().value(number as usize), seasons.as_string::<i32>().value(number as usize))
    }

    /// These articles for each request, with what names a row of a shelf, and their brands.
    ///
    /// # Errors
    /// Requests without what names them.
    pub fn beside(&self, requests: &RecordBatch, articles: &[Vec<u32>]) -> Result<RecordBatch> {
        let of_request = (0..).zip(articles).flat_map(|(row, of)| std::iter::repeat_n(row, of.len()));
        let rows: UInt32Array = of_request.map(Some).collect();
        let numbers: UInt32Array = articles.iter().flatten().copied().map(Some).collect();
        let mut columns = Vec::new();
        for name in &KEY[..2] {
            let whose = column(requests, "the requests", name)?;
            columns.push((*name, take(whose, &rows, None).map_err(ShelfError::Arrow)?));
        }
        for (name, products) in [KEY[2], KEY[3], "brand"].into_iter().zip(&self.products) {
            columns.push((name, take(products, &numbers, None).map_err(ShelfError::Arrow)?));
        }
        batch_of("recommend.retrieved", columns)
    }
}

impl Session<'_> {
    /// Of each visit's shelf that is too long what stands for it: what something came of, and `beside` others, drawn by the
    /// smallest hash of (seed, request, article).  Rows of `sources.products`, in order.
    ///
    /// # Errors
    /// Visits without what names them.
    pub fn drawn(
        &self,
        on_sale: &OnSale,
        outcomes: &Outcomes,
        visits: &RecordBatch,
        seed: u64,
        beside: usize,
    ) -> Result<Vec<Vec<u32>>> {
        let (names, moments) = (super::requests(visits)?, super::moments(visits, "the requests", KEY[1])?);
        let came = outcomes.came(visits, on_sale)?;
        let of_visit = |visit: usize| -> Vec<u32> {
            let there = on_sale.at(moments[visit]);
            let articles: Vec<u64> = there.iter().map(|number| on_sale.names[*number as usize]).collect();
            let came: Vec<bool> = there.iter().map(|number| came[visit].binary_search(number).is_ok()).collect();
            let mut chosen = others(seed, names[visit], &articles, &came, beside);
            chosen.extend(came.iter().enumerate().filter(|(_, came)| **came).map(|(at, _)| at));
            chosen.sort_unstable();
            chosen.into_iter().map(|at| there[at]).collect()
        };
        Ok((0..visits.num_rows()).into_par_iter().map(of_visit).collect())
    }
}
