//! What is known now: a release's tables in memory, and everything that was sent since.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use serde_json::{Value, json};

use super::event::{Arrived, Doubt, Kind, Purchase, Purchases, Read};
use super::past::Past;
use selvedge_engine::Engine;
use selvedge_engine::shapes::stored_name;
use selvedge_project::error::{Advice, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("sources.{table} has no column '{column}'")]
    NoColumn { table: &'static str, column: &'static str },
    #[error("sources.{table}: {cause}")]
    Arrow { table: &'static str, cause: ArrowError },
}

impl Advice for LiveError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoColumn { table, column } => Some(format!("add {column} to the SELECT of sql/sources/{table}.sql")),
            Self::Arrow { .. } => None,
        }
    }
}

/// The tables of a release that requests read, in memory.
pub struct Tables {
    pub project: Project,
    pub engine: Engine,
    transactions: RecordBatch,
    /// What each kind of event stands for: where nobody ever looked, a purchase is a look (`sql/contract/transactions.sql`).
    stands_for: BTreeMap<String, String>,
    /// The rows of each customer.
    of_customer: HashMap<String, Vec<u32>>,
    /// Whether each customer has agreed to personalisation.
    customers: HashMap<String, bool>,
    /// The articles of each number: season, and from when until when it is on sale.
    seasons: HashMap<String, Vec<(String, DateTime<Utc>, DateTime<Utc>)>>,
}

/// A customer's events as a release reads them, in the order of their moments.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    pub read: Vec<Read<'a>>,
    /// Those that cannot be used, and why.
    pub doubted: Vec<(&'a Arrived, Doubt)>,
}

fn column<'a>(
    batch: &'a RecordBatch,
    table: &'static str,
    name: &'static str,
) -> std::result::Result<&'a dyn Array, LiveError> {
    Ok(batch.column_by_name(name).ok_or(LiveError::NoColumn { table, column: name })?.as_ref())
}

fn texts(batch: &RecordBatch, table: &'static str, name: &'static str) -> std::result::Result<StringArray, LiveError> {
    let texts =
        cast(column(batch, table, name)?, &DataType::Utf8).map_err(|cause| LiveError::Arrow { table, cause })?;
    Ok(texts.as_string::<i32>().clone())
}

/// The beginning of a day.
fn day(days: i32) -> DateTime<Utc> {
    let epoch = NaiveDate::default();
    epoch.checked_add_signed(chrono::Duration::days(days.into())).unwrap_or(epoch).and_time(NaiveTime::MIN).and_utc()
}

impl Tables {
    /// Reads the tables of an opened release.
    ///
    /// # Errors
    /// Tables that are not there, or without a column that requests need.
    pub fn load(project: Project) -> Result<Self> {
        let engine = Engine::new(&project)?;
        for (file, _) in project.library.sources() {
            let table = file.table();
            let batch = engine.read(&table)?;
            engine.register(&table, batch)?;
        }
        for file in project.library.layer(Layer::TEXTS) {
            let table = stored_name(file);
            let batch = engine.read(&table)?;
            engine.register(&table, batch)?;
        }
        let read = |name: &str| engine.read(&TableName::new("sources", name));
        let (transactions, customers, products) = (read("transactions")?, read("customers")?, read("products")?);
        let mut of_customer: HashMap<String, Vec<u32>> = HashMap::new();
        for (row, id) in texts(&transactions, "transactions", "customer_id")?.iter().enumerate() {
            of_customer.entry(id.unwrap_or_default().to_owned()).or_default().push(row as u32);
        }
        let kinds = texts(&transactions, "transactions", "event_type")?;
        let meanings = texts(&transactions, "transactions", "stands_for")?;
        let pairs = kinds.iter().zip(meanings.iter());
        let stands_for = pairs.filter_map(|(kind, meaning)| Some((kind?.to_owned(), meaning?.to_owned()))).collect();
        let consent = column(&customers, "customers", "personalisation_consent")?.as_boolean().clone();
        let ids = texts(&customers, "customers", "customer_id")?;
        let agreed = |row: usize| consent.is_valid(row) && consent.value(row);
        let known = ids.iter().enumerate().map(|(row, id)| (id.unwrap_or_default().to_owned(), agreed(row))).collect();
        let days = |name| -> Result<_> {
            let arrow = |cause| LiveError::Arrow { table: "products", cause };
            let days = cast(column(&products, "products", name)?, &DataType::Date32).map_err(arrow)?;
            Ok(days.as_primitive::<Date32Type>().clone())
        };
        let (from, until) = (days("on_sale_from")?, days("on_sale_until")?);
        let (numbers, names) = (texts(&products, "products", "product_id")?, texts(&products, "products", "season")?);
        let mut seasons: HashMap<String, Vec<_>> = HashMap::new();
        for row in 0..products.num_rows() {
            let season = (names.value(row).to_owned(), day(from.value(row)), day(until.value(row).saturating_add(1)));
            seasons.entry(numbers.value(row).to_owned()).or_default().push(season);
        }
        Ok(Self { project, engine, transactions, stands_for, of_customer, customers: known, seasons })
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

    /// The moment up to which the release's own tables know everything.
    pub fn known_until(&self) -> DateTime<Utc> {
        self.project.params.shop.exported_at
    }

    /// A customer's rows of `sources.transactions`.
    fn known(&self, customer: &str) -> Result<RecordBatch> {
        let rows: UInt32Array = self.of_customer.get(customer).cloned().unwrap_or_default().into();
        Ok(take_record_batch(&self.transactions, &rows).map_err(arrow)?)
    }

    /// Reads a customer's events beside what the release's own tables hold of them; nothing of who has not agreed to
    /// personalisation.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn read<'a>(&self, customer: &str, events: impl Iterator<Item = &'a Arrived>) -> Result<Reading<'a>> {
        let mut reading = Reading::default();
        if self.consents(customer) != Some(true) {
            return Ok(reading);
        }
        // What arrived before the export was taken is in the export.
        let mut events: Vec<&Arrived> = events.filter(|event| event.arrived >= self.known_until()).collect();
        // What happened at the same moment stays as it came.
        events.sort_by_key(|event| event.at());
        let Some(first) = events.first() else { return Ok(reading) };
        let deals = |event: &&Arrived| matches!(event.event.kind, Kind::Purchase | Kind::Return);
        let known = match first.at() < self.known_until() || events.iter().any(deals) {
            true => Known::of(&self.known(customer)?)?,
            false => Known::default(),
        };
        let mut purchases = known.purchases;
        for arrived in events {
            // Late events that the export holds already.
            let event = &arrived.event;
            let kind = event.kind.event_type().unwrap_or_default().to_owned();
            if known.ids.contains(&event.id) || known.deeds.contains(&(kind, event.product_id.clone(), arrived.at())) {
                continue;
            }
            let seasons = self.seasons.get(&event.product_id).map_or(&[][..], Vec::as_slice);
            match arrived.read(seasons, &mut purchases) {
                Ok(read) => reading.read.push(read),
                Err(doubt) => reading.doubted.push((arrived, doubt)),
            }
        }
        Ok(reading)
    }

    /// `sources.transactions` as it would be if it held these customers alone, with what the first `seen` events say.
    ///
    /// # Errors
    /// Columns of other types than events have.
    pub fn transactions_of(&self, past: &Past, customers: &[String], seen: usize) -> Result<RecordBatch> {
        let rows: Vec<u32> = customers.iter().filter_map(|id| self.of_customer.get(id)).flatten().copied().collect();
        let known = take_record_batch(&self.transactions, &UInt32Array::from(rows)).map_err(arrow)?;
        Ok(self.with_events(known, past, customers.iter(), seen)?.0)
    }

    /// `sources.transactions` of everybody, with what the first `seen` events say, and how many of these cannot be used.
    ///
    /// # Errors
    /// As [`Tables::transactions_of`].
    pub fn all_transactions(&self, past: &Past, seen: usize) -> Result<(RecordBatch, usize)> {
        let mut customers: Vec<&String> = past.customers().collect();
        customers.sort_unstable();
        self.with_events(self.transactions.clone(), past, customers.into_iter(), seen)
    }

    /// `known` with what people did whom these tables do not know, and what of that cannot be used: its place, and why.
    ///
    /// # Errors
    /// As [`Tables::transactions_of`].
    pub fn with_deeds(&self, known: RecordBatch, deeds: &[Arrived]) -> Result<(RecordBatch, Vec<(usize, String)>)> {
        let (mut rows, mut doubted, mut purchases) = (Vec::<Value>::new(), Vec::new(), Purchases::new());
        for (place, arrived) in deeds.iter().enumerate() {
            let seasons = self.seasons.get(&arrived.event.product_id).map_or(&[][..], Vec::as_slice);
            match arrived.read(seasons, &mut purchases) {
                Ok(read) => rows.extend(row(&read, &self.stands_for)),
                Err(Doubt::Waits(words) | Doubt::Never(words)) => doubted.push((place, words)),
            }
        }
        if rows.is_empty() {
            return Ok((known, doubted));
        }
        let new = typed(&known.schema(), &rows).map_err(arrow)?;
        Ok((concat_batches(&known.schema(), [&known, &new]).map_err(arrow)?, doubted))
    }

    fn with_events<'a>(
        &self,
        known: RecordBatch,
        past: &Past,
        customers: impl Iterator<Item = &'a String>,
        seen: usize,
    ) -> Result<(RecordBatch, usize)> {
        let (mut rows, mut unused) = (Vec::<Value>::new(), 0);
        for customer in customers {
            let reading = self.read(customer, past.of(customer, seen))?;
            unused += match self.consents(customer) {
                Some(_) => reading.doubted.len(),
                None => past.of(customer, seen).count(),
            };
            rows.extend(reading.read.iter().filter_map(|read| row(read, &self.stands_for)));
        }
        if rows.is_empty() {
            return Ok((known, unused));
        }
        let new = typed(&known.schema(), &rows).map_err(arrow)?;
        Ok((concat_batches(&known.schema(), [&known, &new]).map_err(arrow)?, unused))
    }
}

/// What the tables of a release hold of a customer.
#[derive(Default)]
struct Known {
    purchases: Purchases,
    ids: HashSet<String>,
    /// Kind, article number and moment.
    deeds: HashSet<(String, String, DateTime<Utc>)>,
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
        let prices = prices.as_primitive::<datafusion::arrow::datatypes::Decimal128Type>();
        let mut known = Self::default();
        let mut back: Vec<((String, String), u32)> = Vec::new();
        for row in 0..batch.num_rows() {
            let at = DateTime::from_timestamp_nanos(moments.value(row));
            let key = (orders.value(row).to_owned(), numbers.value(row).to_owned());
            let count = u32::try_from(pieces.value(row).unsigned_abs()).unwrap_or(u32::MAX);
            known.ids.insert(ids.value(row).to_owned());
            known.deeds.insert((kinds.value(row).to_owned(), numbers.value(row).to_owned(), at));
            match kinds.value(row) {
                "purchase" => {
                    let cents = i64::try_from(prices.value(row)).unwrap_or_default();
                    let season = seasons.value(row).to_owned();
                    known.purchases.insert(key, Purchase { season, at, left: count, pieces: count, cents });
                }
                "return" => back.push((key, count)),
                _ => {}
            }
        }
        for (key, count) in back {
            if let Some(purchase) = known.purchases.get_mut(&key) {
                purchase.left = purchase.left.saturating_sub(count);
            }
        }
        Ok(known)
    }
}

fn arrow(cause: ArrowError) -> LiveError {
    LiveError::Arrow { table: "transactions", cause }
}

/// An event as a row of `sources.transactions`; what a column is not known by is missing.
fn row(read: &Read<'_>, stands_for: &BTreeMap<String, String>) -> Option<Value> {
    let event = read.event;
    let kind = event.kind.event_type()?;
    let counts = matches!(event.kind, Kind::Purchase | Kind::Return);
    let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    Some(json!({
        "transaction_id": event.id,
        "event_time": read.at.format("%Y-%m-%dT%H:%M:%S%.9f").to_string(),
        "customer_id": event.customer_id,
        "product_id": event.product_id,
        "season": read.season,
        "event_type": kind,
        "order_id": event.order_id,
        "quantity": counts.then_some(read.pieces),
        "unit_price_eur": counts.then(|| money(read.cents)),
        "amount_eur": counts.then(|| money(read.cents * i64::from(read.pieces))),
        "first_return": (event.kind == Kind::Return).then_some(read.first_return),
        "stands_for": stands_for.get(kind).map_or(kind, String::as_str),
        "consented": true,
        "session_id": event.session_id,
        "channel": event.channel.as_deref().unwrap_or("not given"),
    }))
}

/// Rows with the columns of a table.
pub fn typed(schema: &SchemaRef, rows: &[Value]) -> std::result::Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows.len()).build_decoder()?;
    decoder.serialize(rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}
