//! What events mean beside the tables of an export: who may be known, which article a number stands for, what a return undoes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use serde_json::Value;

use super::event::{Arrived, Doubt, Kind, Purchase, Purchases, Read};
use super::rows;
use selvedge_project::error::{Advice, Result};

/// An export says moments to the second.
const SECOND: TimeDelta = TimeDelta::seconds(1);

#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    #[error("sources.{table} has no column '{column}'")]
    NoColumn { table: &'static str, column: &'static str },
    #[error("sources.{table}: {cause}")]
    Arrow { table: &'static str, cause: ArrowError },
}

impl Advice for FactsError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoColumn { table, column } => Some(format!("add {column} to the SELECT of sql/sources/{table}.sql")),
            Self::Arrow { .. } => None,
        }
    }
}

/// What the tables of an export say that events are read beside.
pub struct Facts {
    transactions: RecordBatch,
    /// What each kind of event stands for: where nobody ever looked, a purchase is a look (`sql/contract/transactions.sql`).
    stands_for: BTreeMap<String, String>,
    /// The rows of each customer.
    of_customer: HashMap<String, Vec<u32>>,
    /// Whether each customer has agreed to personalisation.
    customers: HashMap<String, bool>,
    /// The articles of each number: season, and from when until when it is on sale.
    seasons: HashMap<String, Vec<(String, DateTime<Utc>, DateTime<Utc>)>>,
    /// When the export was taken.
    delivered_at: DateTime<Utc>,
    /// What arrived before is among the rows, or was set aside when they were made.
    taken_in: Option<DateTime<Utc>>,
}

/// A customer's events as they are read beside an export, in the order of their moments.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    pub read: Vec<Read<'a>>,
    /// Those that the export holds already.
    pub again: Vec<&'a Arrived>,
    /// Those that cannot be used, and why.
    pub doubted: Vec<(&'a Arrived, Doubt)>,
}

fn column<'a>(
    batch: &'a RecordBatch,
    table: &'static str,
    name: &'static str,
) -> std::result::Result<&'a dyn Array, FactsError> {
    Ok(batch.column_by_name(name).ok_or(FactsError::NoColumn { table, column: name })?.as_ref())
}

fn texts(batch: &RecordBatch, table: &'static str, name: &'static str) -> std::result::Result<StringArray, FactsError> {
    let texts =
        cast(column(batch, table, name)?, &DataType::Utf8).map_err(|cause| FactsError::Arrow { table, cause })?;
    Ok(texts.as_string::<i32>().clone())
}

/// The beginning of a day.
fn day(days: i32) -> DateTime<Utc> {
    let epoch = NaiveDate::default();
    epoch.checked_add_signed(chrono::Duration::days(days.into())).unwrap_or(epoch).and_time(NaiveTime::MIN).and_utc()
}

impl Facts {
    /// Of the sources' tables of an export; what arrived before `taken_in` was read when they were made.
    ///
    /// # Errors
    /// Tables without a column that events need.
    pub fn of(
        transactions: RecordBatch,
        customers: &RecordBatch,
        products: &RecordBatch,
        delivered_at: DateTime<Utc>,
        taken_in: Option<DateTime<Utc>>,
    ) -> Result<Self> {
        let mut of_customer: HashMap<String, Vec<u32>> = HashMap::new();
        for (row, id) in texts(&transactions, "transactions", "customer_id")?.iter().enumerate() {
            of_customer.entry(id.unwrap_or_default().to_owned()).or_default().push(row as u32);
        }
        let kinds = texts(&transactions, "transactions", "event_type")?;
        let meanings = texts(&transactions, "transactions", "stands_for")?;
        let pairs = kinds.iter().zip(meanings.iter());
        let stands_for = pairs.filter_map(|(kind, meaning)| Some((kind?.to_owned(), meaning?.to_owned()))).collect();
        let consent = column(customers, "customers", "personalisation_consent")?.as_boolean().clone();
        let ids = texts(customers, "customers", "customer_id")?;
        let agreed = |row: usize| consent.is_valid(row) && consent.value(row);
        let known = ids.iter().enumerate().map(|(row, id)| (id.unwrap_or_default().to_owned(), agreed(row))).collect();
        let days = |name| -> Result<_> {
            let arrow = |cause| FactsError::Arrow { table: "products", cause };
            let days = cast(column(products, "products", name)?, &DataType::Date32).map_err(arrow)?;
            Ok(days.as_primitive::<Date32Type>().clone())
        };
        let (from, until) = (days("on_sale_from")?, days("on_sale_until")?);
        let (numbers, names) = (texts(products, "products", "product_id")?, texts(products, "products", "season")?);
        let mut seasons: HashMap<String, Vec<_>> = HashMap::new();
        for row in 0..products.num_rows() {
            let season = (names.value(row).to_owned(), day(from.value(row)), day(until.value(row).saturating_add(1)));
            seasons.entry(numbers.value(row).to_owned()).or_default().push(season);
        }
        Ok(Self { transactions, stands_for, of_customer, customers: known, seasons, delivered_at, taken_in })
    }

    /// Whether a customer has agreed to personalisation; none where there is no such customer.
    pub fn consents(&self, customer: &str) -> Option<bool> {
        self.customers.get(customer).copied()
    }

    /// The first `most` customers, in the order of their ids.
    pub fn customers(&self, most: usize) -> Vec<String> {
        let mut ids: Vec<String> = self.customers.keys().cloned().collect();
        ids.sort_unstable();
        ids.truncate(most);
        ids
    }

    /// A customer's rows of `sources.transactions`.
    fn known(&self, customer: &str) -> Result<RecordBatch> {
        let rows: UInt32Array = self.of_customer.get(customer).cloned().unwrap_or_default().into();
        Ok(take_record_batch(&self.transactions, &rows).map_err(arrow)?)
    }

    /// Reads a customer's events beside what the tables hold of them; nothing of who has not agreed to personalisation.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn read<'a>(&self, customer: &str, events: impl Iterator<Item = &'a Arrived>) -> Result<Reading<'a>> {
        let mut reading = Reading::default();
        if self.consents(customer) != Some(true) {
            return Ok(reading);
        }
        let new = |event: &&Arrived| self.taken_in.is_none_or(|until| event.arrived >= until);
        let mut events: Vec<&Arrived> = events.filter(new).collect();
        // What happened at the same moment stays as it came.
        events.sort_by_key(|event| event.at());
        let Some(first) = events.first() else { return Ok(reading) };
        let deals = |event: &&Arrived| matches!(event.event.kind, Kind::Purchase | Kind::Return);
        // What came after the export is no look of the export's.
        let mut known = match first.at() <= self.delivered_at || events.iter().any(deals) {
            true => Known::of(&self.known(customer)?)?,
            false => Known::default(),
        };
        for arrived in events {
            if known.holds(arrived) {
                reading.again.push(arrived);
                continue;
            }
            let seasons = self.seasons.get(&arrived.event.product_id).map_or(&[][..], Vec::as_slice);
            match arrived.read(seasons, &mut known.purchases) {
                Ok(read) => reading.read.push(read),
                Err(doubt) => reading.doubted.push((arrived, doubt)),
            }
        }
        Ok(reading)
    }

    /// Reads what somebody did of whom the tables hold nothing, in its order: each as it is read, or why it cannot be.
    pub fn read_alone<'a>(&self, events: &'a [Arrived]) -> Vec<std::result::Result<Read<'a>, Doubt>> {
        let mut purchases = Purchases::new();
        let seasons = |event: &Arrived| self.seasons.get(&event.event.product_id).map_or(&[][..], Vec::as_slice);
        events.iter().map(|event| event.read(seasons(event), &mut purchases)).collect()
    }

    /// `sources.transactions` as it would be if it held these customers alone.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn rows_of(&self, customers: &[String]) -> Result<RecordBatch> {
        let rows: Vec<u32> = customers.iter().filter_map(|id| self.of_customer.get(id)).flatten().copied().collect();
        Ok(take_record_batch(&self.transactions, &UInt32Array::from(rows)).map_err(arrow)?)
    }

    /// `sources.transactions` of everybody.
    pub fn all_rows(&self) -> &RecordBatch {
        &self.transactions
    }

    /// Some of its rows with what further events say, each with its line, as rows of the same columns.
    ///
    /// # Errors
    /// Columns of other types than events have.
    pub fn with<'a>(&self, known: RecordBatch, read: impl Iterator<Item = (&'a Read<'a>, i64)>) -> Result<RecordBatch> {
        let new = rows::batch(&known.schema(), read, &self.stands_for).map_err(arrow)?;
        if new.num_rows() == 0 {
            return Ok(known);
        }
        Ok(concat_batches(&known.schema(), [&known, &new]).map_err(arrow)?)
    }
}

/// What the tables hold of a customer.
#[derive(Default)]
struct Known {
    purchases: Purchases,
    ids: HashSet<String>,
    /// By order and article number.
    bought: HashSet<(String, String)>,
    /// The pieces of each return, by order and article number; one that is held against an event is taken out.
    back: HashMap<(String, String), Vec<u32>>,
    /// The moments of looks and wishes, by kind and article number; likewise.
    deeds: HashMap<(String, String), Vec<DateTime<Utc>>>,
}

impl Known {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let text = |name| texts(batch, "transactions", name);
        let number = |name, to: DataType| cast(column(batch, "transactions", name)?, &to).map_err(arrow);
        let moments = number("event_time", DataType::Timestamp(TimeUnit::Nanosecond, None))
            .and_then(|moments| cast(&moments, &DataType::Int64).map_err(arrow))?;
        let pieces = number("quantity", DataType::Int64)?;
        let prices = number("unit_price_eur", DataType::Decimal128(18, 2))?;
        let (ids, kinds, orders) = (text("transaction_id")?, text("event_type")?, text("order_id")?);
        let (numbers, seasons) = (text("product_id")?, text("season")?);
        let (moments, pieces) = (moments.as_primitive::<Int64Type>(), pieces.as_primitive::<Int64Type>());
        let prices = prices.as_primitive::<Decimal128Type>();
        let mut known = Self::default();
        for row in 0..batch.num_rows() {
            let at = DateTime::from_timestamp_nanos(moments.value(row));
            let (kind, article) = (kinds.value(row), numbers.value(row).to_owned());
            let key = (orders.value(row).to_owned(), article.clone());
            let count = u32::try_from(pieces.value(row).unsigned_abs()).unwrap_or(u32::MAX);
            known.ids.insert(ids.value(row).to_owned());
            match kind {
                "purchase" => {
                    let cents = i64::try_from(prices.value(row)).unwrap_or_default();
                    let season = seasons.value(row).to_owned();
                    known.bought.insert(key.clone());
                    known.purchases.insert(key, Purchase { season, at, left: count, pieces: count, cents });
                }
                "return" => known.back.entry(key).or_default().push(count),
                _ => known.deeds.entry((kind.to_owned(), article)).or_default().push(at),
            }
        }
        for (key, counts) in &known.back {
            if let Some(purchase) = known.purchases.get_mut(key) {
                purchase.left =
                    purchase.left.saturating_sub(counts.iter().fold(0, |sum, count| sum.saturating_add(*count)));
            }
        }
        Ok(known)
    }

    /// Whether the export says what an event says: by its id, its order, or the second of a look or wish.  Each row of the export
    /// stands for one event.
    fn holds(&mut self, arrived: &Arrived) -> bool {
        let (event, at) = (&arrived.event, arrived.at());
        if self.ids.contains(&event.id) {
            return true;
        }
        let order = || (event.order_id.clone().unwrap_or_default(), event.product_id.clone());
        match event.kind {
            Kind::Purchase => self.bought.contains(&order()),
            Kind::Return => {
                let Some(counts) = self.back.get_mut(&order()) else { return false };
                let same = counts.iter().position(|count| *count == event.quantity.unwrap_or(1));
                same.map(|place| counts.swap_remove(place)).is_some()
            }
            Kind::Browse | Kind::Wishlist => {
                let key = (event.kind.word().to_owned(), event.product_id.clone());
                let Some(moments) = self.deeds.get_mut(&key) else { return false };
                let near = |moment: &DateTime<Utc>| (*moment - at).abs() < SECOND;
                let same = moments.iter().position(near);
                same.map(|place| moments.swap_remove(place)).is_some()
            }
            Kind::Shown | Kind::Clicked => false,
        }
    }
}

fn arrow(cause: ArrowError) -> FactsError {
    FactsError::Arrow { table: "transactions", cause }
}

/// Rows with the columns of a table.
pub fn typed(schema: &SchemaRef, rows: &[Value]) -> std::result::Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows.len()).build_decoder()?;
    decoder.serialize(rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}
