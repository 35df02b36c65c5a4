//! What customers did before a moment, by thing: an article that came back is the same thing, a number given to another
//! article is not.

use std::collections::BTreeMap;
use std::ops::Range;

use datafusion::arrow::array::{AsArray, RecordBatch};
use recommenders::retrieve::{Event, History, Interactions, Kind, Past as Deed};

use super::{KEY, Session, ShelfError, column, moments};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// Nanoseconds of a day.
const DAY: f64 = 86_400e9;

/// A thing: the article's number, and the season in which it was first sold under it.
pub type Thing = (String, String);

/// The events of customers who consent, with the things they were done to.
#[derive(Debug, Default)]
pub struct Past {
    /// The things in the order of their numbers.
    pub things: Vec<Thing>,
    /// By article, its number and season.
    of_article: BTreeMap<Thing, u32>,
    /// Of each customer the moment, the thing and what was done, in the order of time.
    events: BTreeMap<String, Vec<(i64, u32, Kind)>>,
}

impl Past {
    /// As the session's `interactions.events` have it.  Things are numbered as in `known`, or else in the order of their keys.
    pub fn of(session: &Session, known: Option<&[Thing]>) -> Result<Self> {
        let products = session.engine().read(&TableName::new("sources", "products"))?;
        let text = |batch: &RecordBatch, file: &str, name: &str| -> Result<Vec<String>> {
            let cells = column(batch, file, name)?.as_string::<i32>();
            Ok(cells.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect())
        };
        let of_products = |name| text(&products, "sql/sources/products.sql", name);
        let (ids, seasons, firsts) = (of_products("product_id")?, of_products("season")?, of_products("first_season")?);
        let keys = ids.iter().cloned().zip(firsts);
        let things: Vec<Thing> = match known {
            Some(known) => known.to_vec(),
            None => keys.clone().collect::<std::collections::BTreeSet<Thing>>().into_iter().collect(),
        };
        let numbers: BTreeMap<&Thing, u32> = things.iter().zip(0..).collect();
        let articles = ids.iter().cloned().zip(seasons).zip(keys);
        let of_article = articles.filter_map(|(article, thing)| Some((article, *numbers.get(&thing)?))).collect();
        let file = "sql/interactions/events.sql";
        let batch = session.events()?;
        let times = moments(&batch, file, "event_time")?;
        let of_events = |name| text(&batch, file, name);
        let (owners, kinds) = (of_events("customer_id")?, of_events("event_type")?);
        let done_to = of_events("product_id")?.into_iter().zip(of_events("first_season")?);
        let mut events: BTreeMap<String, Vec<(i64, u32, Kind)>> = BTreeMap::new();
        for (((at, owner), kind), thing) in times.into_iter().zip(owners).zip(kinds).zip(done_to) {
            let kind = match kind.as_str() {
                "browse" => Kind::Looked,
                "wishlist" => Kind::Wished,
                "purchase" => Kind::Bought,
                _ => Kind::Returned,
            };
            if let Some(number) = numbers.get(&thing) {
                events.entry(owner).or_default().push((at, *number, kind));
            }
        }
        events.values_mut().for_each(|events| events.sort_unstable());
        Ok(Self { of_article, events, things })
    }

    /// What a customer did before a moment.
    pub fn history(&self, customer: &str, moment: i64) -> History {
        History::new(self.before(customer, moment))
    }

    /// What all customers did before a moment.
    pub fn interactions(&self, moment: i64) -> Result<Interactions> {
        let of_customer = |(number, customer): (u32, &String)| {
            let deeds: Vec<Deed> = self.before(customer, moment).collect();
            deeds.into_iter().map(move |past| Event { customer: number, past })
        };
        let events = (0..).zip(self.events.keys()).flat_map(of_customer);
        Ok(Interactions::new(self.events.len(), self.things.len(), events).map_err(ShelfError::Model)?)
    }

    /// The thing of each of these rows; none where it is not known.
    pub fn of_rows(&self, rows: &RecordBatch, range: &Range<usize>) -> Result<Vec<Option<u32>>> {
        let [products, seasons] = [KEY[2], KEY[3]].map(|name| column(rows, "the shelf", name));
        let (products, seasons) = (products?.as_string::<i32>(), seasons?.as_string::<i32>());
        let of = |row| self.of_article.get(&(products.value(row).to_owned(), seasons.value(row).to_owned())).copied();
        Ok(range.clone().map(of).collect())
    }

    fn before(&self, customer: &str, moment: i64) -> impl Iterator<Item = Deed> {
        let events = self.events.get(customer).map_or(&[][..], Vec::as_slice);
        let known = &events[..events.partition_point(|(at, _, _)| *at < moment)];
        known.iter().map(move |(at, thing, kind)| Deed { thing: *thing, kind: *kind, age: (moment - at) as f64 / DAY })
    }
}
