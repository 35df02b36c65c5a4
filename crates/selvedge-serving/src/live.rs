//! What is known now: a release's tables in memory, and everything that was sent since.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use serde_json::{Value, json};

use super::event::{Event, Kept, Kind, Purchase, Purchases};
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

/// What was sent since the exports, in the order in which it was kept.
#[derive(Debug, Default)]
pub struct Past {
    of_customer: HashMap<String, Vec<(usize, Kept)>>,
    /// What each id stands for.
    ids: HashMap<String, Event>,
    count: usize,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// It is new, and is to be kept.
    New(Box<Kept>),
    /// It was sent before.
    Again,
    /// The customer has not agreed to personalisation: it is neither used nor kept.
    NoConsent,
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

    /// What a customer bought, as far as it is still there.
    fn purchases(&self, past: &Past, customer: &str) -> Result<Purchases> {
        let rows = self.rows_of(customer);
        let batch = take_record_batch(&self.transactions, &rows).map_err(arrow)?;
        let text = |name| texts(&batch, "transactions", name);
        let number = |name, to: DataType| cast(column(&batch, "transactions", name)?, &to).map_err(arrow);
        let moments = number("event_time", DataType::Timestamp(TimeUnit::Nanosecond, None))
            .and_then(|moments| cast(&moments, &DataType::Int64).map_err(arrow))?;
        let pieces = number("quantity", DataType::Int64)?;
        let prices = number("unit_price_eur", DataType::Decimal128(18, 2))?;
        let (kinds, orders) = (text("event_type")?, text("order_id")?);
        let (numbers, seasons) = (text("product_id")?, text("season")?);
        let (moments, pieces) = (moments.as_primitive::<Int64Type>(), pieces.as_primitive::<Int64Type>());
        let prices = prices.as_primitive::<datafusion::arrow::datatypes::Decimal128Type>();
        let mut bought = Purchases::new();
        let mut back: Vec<((String, String), u32)> = Vec::new();
        for row in 0..batch.num_rows() {
            let key = (orders.value(row).to_owned(), numbers.value(row).to_owned());
            let count = u32::try_from(pieces.value(row).unsigned_abs()).unwrap_or(u32::MAX);
            match kinds.value(row) {
                "purchase" => {
                    let at = DateTime::from_timestamp_nanos(moments.value(row));
                    let cents = i64::try_from(prices.value(row)).unwrap_or_default();
                    let season = seasons.value(row).to_owned();
                    bought.insert(key, Purchase { season, at, left: count, pieces: count, cents });
                }
                "return" => back.push((key, count)),
                _ => {}
            }
        }
        for kept in past.of(customer, usize::MAX, self.known_until()) {
            let order = kept.event.order_id.clone().unwrap_or_default();
            let key = (order, kept.event.product_id.clone());
            match kept.event.kind {
                Kind::Purchase => {
                    let (season, at, pieces, cents) = (kept.season.clone(), kept.at, kept.pieces, kept.cents);
                    bought.insert(key, Purchase { season, at, left: pieces, pieces, cents });
                }
                Kind::Return => back.push((key, kept.pieces)),
                _ => {}
            }
        }
        for (key, count) in back {
            if let Some(purchase) = bought.get_mut(&key) {
                purchase.left = purchase.left.saturating_sub(count);
            }
        }
        Ok(bought)
    }

    fn rows_of(&self, customer: &str) -> UInt32Array {
        self.of_customer.get(customer).cloned().unwrap_or_default().into()
    }

    /// What becomes of an event: the inner error says, in words for who sent it, why it cannot be true.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn sent(&self, past: &Past, event: Event, now: DateTime<Utc>) -> Result<std::result::Result<Sent, String>> {
        match self.consents(&event.customer_id) {
            None => return Ok(Err(format!("there is no customer '{}'", event.customer_id))),
            Some(false) => return Ok(Ok(Sent::NoConsent)),
            Some(true) => {}
        }
        match past.ids.get(&event.id) {
            Some(before) if *before == event => return Ok(Ok(Sent::Again)),
            Some(_) => return Ok(Err(format!("the id '{}' was given to another event before", event.id))),
            None => {}
        }
        let seasons = self.seasons.get(&event.product_id).map_or(&[][..], Vec::as_slice);
        let purchases = match event.kind {
            Kind::Purchase | Kind::Return => self.purchases(past, &event.customer_id)?,
            _ => Purchases::new(),
        };
        Ok(event.checked(now, seasons, &purchases).map(|kept| Sent::New(Box::new(kept))))
    }

    /// `sources.transactions` as it would be if it held these customers alone, with what the first `seen` events say.
    ///
    /// # Errors
    /// Columns of other types than events have.
    pub fn transactions_of(&self, past: &Past, customers: &[String], seen: usize) -> Result<RecordBatch> {
        let rows: Vec<u32> = customers.iter().filter_map(|id| self.of_customer.get(id)).flatten().copied().collect();
        let known = take_record_batch(&self.transactions, &UInt32Array::from(rows)).map_err(arrow)?;
        let since: Vec<&Kept> = customers.iter().flat_map(|id| past.of(id, seen, self.known_until())).collect();
        self.with_events(known, &since)
    }

    /// `sources.transactions` of everybody, with what the first `seen` events say.
    ///
    /// # Errors
    /// As [`Tables::transactions_of`].
    pub fn all_transactions(&self, past: &Past, seen: usize) -> Result<RecordBatch> {
        let mut since: Vec<&(usize, Kept)> = past.of_customer.values().flatten().filter(|(n, _)| *n < seen).collect();
        since.sort_by_key(|(number, _)| *number);
        let since: Vec<&Kept> =
            since.into_iter().map(|(_, kept)| kept).filter(|kept| kept.at >= self.known_until()).collect();
        self.with_events(self.transactions.clone(), &since)
    }

    fn with_events(&self, known: RecordBatch, since: &[&Kept]) -> Result<RecordBatch> {
        let rows: Vec<Value> = since.iter().filter_map(|kept| row(kept, &self.stands_for)).collect();
        if rows.is_empty() {
            return Ok(known);
        }
        let new = typed(&known.schema(), &rows).map_err(arrow)?;
        Ok(concat_batches(&known.schema(), [&known, &new]).map_err(arrow)?)
    }
}

fn arrow(cause: ArrowError) -> LiveError {
    LiveError::Arrow { table: "transactions", cause }
}

/// An event as a row of `sources.transactions`; what a column is not known by is missing.
fn row(kept: &Kept, stands_for: &BTreeMap<String, String>) -> Option<Value> {
    let kind = kept.event.kind.event_type()?;
    let event = &kept.event;
    let counts = matches!(event.kind, Kind::Purchase | Kind::Return);
    let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    Some(json!({
        "transaction_id": event.id,
        "event_time": kept.at.format("%Y-%m-%dT%H:%M:%S%.9f").to_string(),
        "customer_id": event.customer_id,
        "product_id": event.product_id,
        "season": kept.season,
        "event_type": kind,
        "order_id": event.order_id,
        "quantity": counts.then_some(kept.pieces),
        "unit_price_eur": counts.then(|| money(kept.cents)),
        "amount_eur": counts.then(|| money(kept.cents * i64::from(kept.pieces))),
        "first_return": (event.kind == Kind::Return).then_some(kept.first_return),
        "stands_for": stands_for.get(kind).map_or(kind, String::as_str),
        "consented": true,
        "session_id": event.session_id,
        "channel": event.channel.as_deref().unwrap_or("not given"),
    }))
}

/// Rows with the columns of a table.
fn typed(schema: &SchemaRef, rows: &[Value]) -> std::result::Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows.len()).build_decoder()?;
    decoder.serialize(rows)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}

impl Past {
    /// How many events there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The moment of the latest event.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.of_customer.values().flatten().map(|(_, kept)| kept.at).max()
    }

    /// Takes a kept event in.
    pub fn take(&mut self, kept: Kept) {
        self.ids.insert(kept.event.id.clone(), kept.event.clone());
        self.of_customer.entry(kept.event.customer_id.clone()).or_default().push((self.count, kept));
        self.count += 1;
    }

    /// A customer's events among the first `seen`, those from `since` on.
    pub fn of(&self, customer: &str, seen: usize, since: DateTime<Utc>) -> impl Iterator<Item = &Kept> {
        let all = self.of_customer.get(customer).map_or(&[][..], Vec::as_slice);
        all.iter().filter(move |(number, kept)| *number < seen && kept.at >= since).map(|(_, kept)| kept)
    }

    /// How often each kind came.
    pub fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for (_, kept) in self.of_customer.values().flatten() {
            let kind = match kept.event.kind {
                Kind::Shown => "shown",
                Kind::Clicked => "clicked",
                other => other.event_type().unwrap_or_default(),
            };
            *kinds.entry(kind).or_default() += 1;
        }
        kinds
    }
}
