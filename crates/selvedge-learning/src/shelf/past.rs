//! What customers did before a moment, by thing: an article that came back is the same thing, a number given to another
//! article is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use recommenders::deep::{LENGTH, MOST, Step};
use recommenders::retrieve::{History, Interactions, Kind, Past as Deed};

use super::{KEY, Session, ShelfError, column, moments};
use selvedge_project::error::{Error, Result};
use selvedge_project::sql::TableName;

/// Nanoseconds of a day.
const DAY: f64 = 86_400e9;

/// A thing: the article's number, and the season in which it was first sold under it.
pub type Thing = (String, String);

/// The things there are, by number.
#[derive(Debug, Default)]
pub struct Things {
    /// In the order of their numbers.
    pub keys: Vec<Thing>,
    numbers: BTreeMap<Thing, u32>,
    /// Of each thing the first moment at which it was on sale.
    on_sale_from: Vec<i64>,
    /// By article, its number and season.
    of_article: BTreeMap<Thing, u32>,
}

/// The events of customers who consent, with the things they were done to.
#[derive(Debug, Default)]
pub struct Past {
    pub things: Arc<Things>,
    /// Of each customer the moment, the thing and what was done, in the order of time.
    events: BTreeMap<String, Vec<(i64, u32, Kind)>>,
}

fn texts(batch: &RecordBatch, file: &str, name: &str) -> Result<Vec<String>> {
    let cells = column(batch, file, name)?.as_string::<i32>();
    Ok(cells.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect())
}

impl Things {
    /// Those of the session's `sources.products`, numbered as in `known`, or else in the order of their keys.
    pub fn of(session: &Session, known: Option<&[Thing]>) -> Result<Self> {
        let file = "sql/sources/products.sql";
        let products = session.engine().read(&TableName::new("sources", "products"))?;
        let of_products = |name| texts(&products, file, name);
        let (ids, seasons, firsts) = (of_products("product_id")?, of_products("season")?, of_products("first_season")?);
        let keys_of_rows = || ids.iter().cloned().zip(firsts.iter().cloned());
        let keys: Vec<Thing> = match known {
            Some(known) => known.to_vec(),
            None => keys_of_rows().collect::<BTreeSet<Thing>>().into_iter().collect(),
        };
        let numbers: BTreeMap<Thing, u32> = keys.iter().cloned().zip(0..).collect();
        let mut on_sale_from = vec![i64::MAX; keys.len()];
        for (thing, begin) in keys_of_rows().zip(moments(&products, file, "on_sale_from")?) {
            if let Some(number) = numbers.get(&thing) {
                let first = &mut on_sale_from[*number as usize];
                *first = begin.min(*first);
            }
        }
        let articles = ids.iter().cloned().zip(seasons).zip(keys_of_rows());
        let of_article = articles.filter_map(|(article, thing)| Some((article, *numbers.get(&thing)?))).collect();
        Ok(Self { keys, numbers, on_sale_from, of_article })
    }
}

impl Past {
    /// As the session's `interactions.events` have it.
    pub fn of(session: &Session, things: Arc<Things>) -> Result<Self> {
        let file = "sql/interactions/events.sql";
        let batch = session.events()?;
        let times = moments(&batch, file, "event_time")?;
        // There may be many millions, so no text is copied that need not be.
        let of_events = |name| Ok::<_, Error>(column(&batch, file, name)?.as_string::<i32>());
        let (owners, kinds) = (of_events("customer_id")?, of_events("event_type")?);
        let (products, firsts) = (of_events("product_id")?, of_events("first_season")?);
        let numbers: HashMap<(&str, &str), u32> =
            things.numbers.iter().map(|((product, first), at)| ((product.as_str(), first.as_str()), *at)).collect();
        let mut events: BTreeMap<String, Vec<(i64, u32, Kind)>> = BTreeMap::new();
        for (row, at) in times.into_iter().enumerate() {
            let Some(number) = numbers.get(&(products.value(row), firsts.value(row))) else { continue };
            let kind = match kinds.value(row) {
                "browse" => Kind::Looked,
                "wishlist" => Kind::Wished,
                "purchase" => Kind::Bought,
                _ => Kind::Returned,
            };
            match events.get_mut(owners.value(row)) {
                Some(own) => own.push((at, *number, kind)),
                None => {
                    events.insert(owners.value(row).to_owned(), vec![(at, *number, kind)]);
                }
            }
        }
        events.values_mut().for_each(|events| events.sort_unstable());
        Ok(Self { things, events })
    }

    /// The same with only those things, and their numbers, that were on sale before a moment: what is fitted there does not
    /// know how many come later.
    pub fn known_by(&self, moment: i64) -> Self {
        let all = &self.things;
        let known: Vec<u32> =
            (0..).zip(&all.on_sale_from).filter(|(_, from)| **from < moment).map(|(at, _)| at).collect();
        let number = |thing: &u32| known.binary_search(thing).ok().map(|at| at as u32);
        let of_article = all.of_article.iter().filter_map(|(article, at)| Some((article.clone(), number(at)?)));
        let events = self.events.iter().map(|(customer, events)| {
            let events = events.iter().filter_map(|(at, thing, kind)| Some((*at, number(thing)?, *kind)));
            (customer.clone(), events.collect())
        });
        let keys: Vec<Thing> = known.iter().map(|at| all.keys[*at as usize].clone()).collect();
        let things = Things {
            numbers: keys.iter().cloned().zip(0..).collect(),
            keys,
            on_sale_from: known.iter().map(|at| all.on_sale_from[*at as usize]).collect(),
            of_article: of_article.collect(),
        };
        Self { things: Arc::new(things), events: events.collect() }
    }

    /// What a customer did before a moment.
    pub fn history(&self, customer: &str, moment: i64) -> History {
        History::new(self.before(customer, moment))
    }

    /// What all customers did before a moment.
    pub fn interactions(&self, moment: i64) -> Result<Interactions> {
        let of_customer = |customer: &String| self.before(customer, moment).collect::<Vec<Deed>>();
        let customers = self.events.keys().map(of_customer).filter(|deeds| !deeds.is_empty()).collect();
        Ok(Interactions::of(self.things.keys.len(), customers).map_err(ShelfError::Model)?)
    }

    /// What customers did next before a moment, each with what they had done before it, in the order of time: the latest that
    /// are learned from.  The same thing again is no step, nor is what was sent back.
    pub fn steps(&self, moment: i64) -> Vec<Step> {
        let mut steps = Vec::new();
        for events in self.events.values() {
            let known = events.partition_point(|(at, _, _)| *at < moment);
            for (at, thing, kind) in events[..known].iter().filter(|(_, _, kind)| *kind != Kind::Returned) {
                let before = &events[..events.partition_point(|(earlier, _, _)| earlier < at)];
                if before.last().is_some_and(|(_, last, _)| last != thing) {
                    steps.push((*at, *kind, *thing, &before[before.len().saturating_sub(LENGTH)..]));
                }
            }
        }
        // Customers stand in their order, and stay in it where moments are equal.
        steps.sort_by_key(|(at, kind, thing, _)| (*at, *kind, *thing));
        let step = |(_, _, next, before): &(i64, Kind, u32, &[(i64, u32, Kind)])| {
            let before = before.iter().map(|(_, thing, kind)| (*thing, *kind)).collect();
            Step { before, next: *next }
        };
        steps[steps.len().saturating_sub(MOST)..].iter().map(step).collect()
    }

    /// The thing of each of these rows; none where it is not known.
    pub fn of_rows(&self, rows: &RecordBatch, range: &Range<usize>) -> Result<Vec<Option<u32>>> {
        let [products, seasons] = [KEY[2], KEY[3]].map(|name| column(rows, "the shelf", name));
        let (products, seasons) = (products?.as_string::<i32>(), seasons?.as_string::<i32>());
        let of =
            |row| self.things.of_article.get(&(products.value(row).to_owned(), seasons.value(row).to_owned())).copied();
        Ok(range.clone().map(of).collect())
    }

    fn before(&self, customer: &str, moment: i64) -> impl Iterator<Item = Deed> {
        let events = self.events.get(customer).map_or(&[][..], Vec::as_slice);
        let known = &events[..events.partition_point(|(at, _, _)| *at < moment)];
        known.iter().map(move |(at, thing, kind)| Deed { thing: *thing, kind: *kind, age: (moment - at) as f64 / DAY })
    }
}
