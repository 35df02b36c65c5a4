//! The served log as a source: what customers did, as rows of `sources.transactions`, and what lists showed, as rows of
//! `sources.recommendations`, below those of the export.

mod tally;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{cast, concat_batches, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{SchemaRef, TimestampNanosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::array_value_to_string;

pub use self::tally::Told;
use self::tally::{OF_EVENTS, OF_SHOWN, Tally, code};
use super::IngestError;
use super::tables::Aside;
use crate::served::answers;
use crate::served::event::Arrived;
use crate::served::facts::Facts;
use crate::served::segments::{self, Part, Placed, Segment};
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

/// The sealed files of the log.
pub struct Log {
    events: Vec<Placed>,
    files: Vec<Segment>,
    requests: RecordBatch,
    shown: RecordBatch,
    /// Everything before is in it.
    pub until: DateTime<Utc>,
}

/// The sources with the log's rows in them, and what was not used.
pub struct Added {
    pub transactions: Table,
    pub recommendations: Table,
    pub told: Told,
}

fn arrow(cause: ArrowError) -> IngestError {
    IngestError::Arrow { file: "materials/served".into(), cause }
}

impl Log {
    /// What the last `ingest` read.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn ingested(project: &Project) -> Result<Option<Self>> {
        match project.params.shop.served_until {
            Some(until) => Self::sealed(project, until),
            None => Ok(None),
        }
    }

    /// Reads what is sealed; none where nothing is.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn read(project: &Project) -> Result<Option<Self>> {
        match segments::sealed_until(&project.paths.served())? {
            Some(until) => Self::sealed(project, until),
            None => Ok(None),
        }
    }

    fn sealed(project: &Project, until: DateTime<Utc>) -> Result<Option<Self>> {
        let folder = project.paths.served();
        // What was sealed since is for the next run.
        let of = |part: Part| -> Result<Vec<Segment>> {
            let mut files = part.files(&folder)?;
            files.retain(|segment| segment.until <= until);
            Ok(files)
        };
        let files = of(Part::Events)?;
        let mut events = Vec::new();
        for (number, segment) in files.iter().enumerate() {
            events.extend(segments::events(segment, number)?);
        }
        let whole = |part: Part, empty: Table| -> Result<RecordBatch> {
            let mut batches = vec![empty.batch];
            let schema = batches[0].schema();
            for segment in of(part)? {
                let batch = segments::read(&segment.path, |_| true)?;
                batches.push(conformed(&batch, &schema)?);
            }
            Ok(concat_batches(&schema, &batches).map_err(arrow)?)
        };
        let requests = once(whole(Part::Requests, answers::requests(&[])?)?, &["request"])?;
        let shown = once(whole(Part::Shown, answers::shown(&[])?)?, &["request", "place"])?;
        Ok(Some(Self { events, files, requests, shown, until }))
    }

    /// The log as it was before a moment (nanoseconds).
    ///
    /// # Errors
    /// Tables of other columns.
    pub fn before(mut self, cut: i64) -> Result<Self> {
        self.events.retain(|placed| placed.arrived.at().timestamp_nanos_opt().is_none_or(|at| at < cut));
        let Some(answered) = self.requests.column_by_name("answered_at") else { return Ok(self) };
        let answered = answered.as_primitive::<TimestampNanosecondType>();
        let early: BooleanArray = answered.iter().map(|at| Some(at.is_none_or(|at| at < cut))).collect();
        self.requests = filter_record_batch(&self.requests, &early).map_err(arrow)?;
        Ok(self)
    }

    /// Adds the log to the sources that are registered in `engine`, and registers them anew.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn add(&self, project: &Project, engine: &Engine) -> Result<Added> {
        let source = |name: &str| TableName::new(Layer::SOURCES.folder, name);
        let mut told = Told::default();
        let transactions = self.transactions(project, engine, &mut told)?;
        engine.register(&source("transactions"), transactions.batch.clone())?;
        let recommendations = self.recommendations(project, engine, &mut told)?;
        engine.register(&source("recommendations"), recommendations.batch.clone())?;
        Ok(Added { transactions, recommendations, told })
    }

    /// The line that stands for an event in the sources: what stands in no CSV counts backwards.
    fn line(place: usize) -> i64 {
        -(place as i64) - 1
    }

    fn transactions(&self, project: &Project, engine: &Engine, told: &mut Told) -> Result<Table> {
        let read = |name: &str| engine.read(&TableName::new(Layer::SOURCES.folder, name));
        let export = read("transactions")?;
        let delivered_at = project.params.shop.delivered_at;
        let facts = Facts::of(export.clone(), &read("customers")?, &read("products")?, delivered_at, None)?;
        let (mut tally, mut of_lists) = (Tally::default(), 0);
        let listed = self.listed()?;
        let mut put = |place: usize, code: &'static str| {
            let Placed { arrived, file, row, .. } = &self.events[place];
            tally.aside(code, *row);
            let text = match code {
                "without_consent" => String::new(),
                _ => serde_json::to_string(&arrived.event).unwrap_or_default(),
            };
            told.aside.push(Aside { csv: self.shown_name(*file).into(), line: *row, reason: code.into(), text });
        };
        let taken = ids_of_others(&self.events, &export)?;
        let mut deeds = Vec::new();
        let mut places = HashMap::<&str, usize>::new();
        for (place, placed) in self.events.iter().enumerate() {
            let event = &placed.arrived.event;
            let deed = event.kind.event_type().is_some();
            match facts.consents(&event.customer_id) {
                Some(false) => put(place, "without_consent"),
                _ if places.contains_key(event.id.as_str()) => put(place, "again"),
                None => put(place, "unknown_customer"),
                Some(true) if deed && taken.contains(&place) => put(place, "id_of_another"),
                Some(true) if deed => deeds.push(place),
                // Told with the lists.
                Some(true)
                    if listed.contains(&(event.request.as_deref().unwrap_or_default(), event.product_id.as_str())) =>
                {
                    of_lists += 1
                }
                Some(true) => put(place, "no_such_list"),
            }
            places.entry(&event.id).or_insert(place);
        }
        let robots = self.robots(project, engine, &deeds)?;
        let mut of_customer = BTreeMap::<&str, Vec<&Arrived>>::new();
        for place in deeds {
            let arrived = &self.events[place].arrived;
            match robots.contains(&arrived.event.id) {
                true => put(place, "robot"),
                false => of_customer.entry(&arrived.event.customer_id).or_default().push(arrived),
            }
        }
        let mut readings = Vec::new();
        for (customer, events) in of_customer {
            let reading = facts.read(customer, events.into_iter())?;
            for again in &reading.again {
                put(places[again.event.id.as_str()], "in_the_export");
            }
            for (doubted, doubt) in &reading.doubted {
                put(places[doubted.event.id.as_str()], code(doubt.code));
            }
            readings.push(reading);
        }
        let used = readings.iter().flat_map(|reading| &reading.read);
        let batch = facts.with(export, used.map(|read| (read, Self::line(places[read.event.id.as_str()]))))?;
        tally.rows = self.events.len() - of_lists;
        told.tally("served/events", &tally, &OF_EVENTS);
        keyed(project, "transactions", batch)
    }

    /// The ids of what no person did, of the events at these places.
    fn robots(&self, project: &Project, engine: &Engine, deeds: &[usize]) -> Result<HashSet<String>> {
        let Some(file) = project.library.layer(Layer::SERVED).find(|file| file.header.name() == "robots") else {
            return Ok(HashSet::new());
        };
        let engine = engine.over()?;
        let table = segments::table(deeds.iter().map(|place| (*place, &self.events[*place].arrived)))?;
        engine.register(&TableName::new(Layer::SERVED.folder, Part::Events.word()), table.batch)?;
        let found = engine.table(project, file)?.batch;
        let no = IngestError::NoColumn { file: file.shown.clone(), column: "id", wanted: "a text" };
        let ids = found.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>()).ok_or(no)?;
        Ok(ids.iter().flatten().map(str::to_owned).collect())
    }

    fn recommendations(&self, project: &Project, engine: &Engine, told: &mut Told) -> Result<Table> {
        let source = TableName::new(Layer::SOURCES.folder, "recommendations");
        let export = engine.read(&source)?;
        let events = self.events.iter().enumerate().map(|(place, placed)| (place, &placed.arrived));
        let served = [
            (Part::Events, segments::table(events)?.batch),
            (Part::Requests, self.requests.clone()),
            (Part::Shown, self.shown.clone()),
        ];
        for (part, batch) in served {
            engine.register(&TableName::new(Layer::SERVED.folder, part.word()), batch)?;
        }
        let mut tally = Tally::default();
        let mut batches = vec![export.clone()];
        for file in project.library.layer(Layer::SERVED).filter(|file| file.header.name() == "recommendations") {
            let places = engine.table(project, file)?.batch;
            let no =
                |column: &'static str| IngestError::NoColumn { file: file.shown.clone(), column, wanted: "a text" };
            let texts = |column: &'static str| {
                places.column_by_name(column).and_then(|texts| texts.as_string_opt::<i32>()).ok_or_else(|| no(column))
            };
            let (codes, names) = (texts("set_aside")?, texts("recommendation_id")?);
            tally.rows = places.num_rows();
            let mut used = Vec::new();
            for row in 0..places.num_rows() {
                if codes.is_null(row) {
                    used.push(row as u32);
                    continue;
                }
                let code = code(codes.value(row));
                let line = row as i64 + 1;
                tally.aside(code, line);
                let text = if code == "without_consent" { "" } else { names.value(row) };
                told.aside.push(Aside { csv: "served/shown".into(), line, reason: code.into(), text: text.into() });
            }
            let lines = used.iter().map(|row| Self::line(*row as usize)).collect::<Vec<_>>();
            let used = take_record_batch(&places, &UInt32Array::from(used)).map_err(arrow)?;
            batches.push(lined(&conformed(&used, &export.schema())?, lines)?);
        }
        told.tally("served/shown", &tally, &OF_SHOWN);
        let batch = concat_batches(&export.schema(), &batches).map_err(arrow)?;
        keyed(project, "recommendations", batch)
    }

    /// Requests with the numbers of the articles that they showed.
    fn listed(&self) -> Result<HashSet<(&str, &str)>> {
        let text = |column: &'static str| {
            let found = self.shown.column_by_name(column).and_then(|texts| texts.as_string_opt::<i32>());
            found.ok_or(IngestError::NoColumn { file: "served.shown".into(), column, wanted: "a text" })
        };
        let (requests, articles) = (text("request")?, text("product_id")?);
        Ok((0..self.shown.num_rows()).map(|row| (requests.value(row), articles.value(row))).collect())
    }

    /// A file as people know it.
    fn shown_name(&self, file: usize) -> String {
        let name = self.files.get(file).and_then(|segment| segment.path.file_name()).unwrap_or_default();
        format!("served/{}", name.to_string_lossy())
    }

    /// Until when the log goes, as it is kept beside the sources.
    pub fn until_text(&self) -> String {
        self.until.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

/// Rows as a source has them: sorted by its key, each once.
fn keyed(project: &Project, name: &str, batch: RecordBatch) -> Result<Table> {
    let found = project.library.sources().find(|(file, _)| file.header.name() == name);
    let (key, shown) = found.map_or((Vec::new(), name), |(file, header)| (header.key.clone(), file.shown.as_str()));
    Table::new(batch, &key, shown)
}

/// The columns of a schema, in its types; what is not there is missing.
fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(column) => cast(column, field.data_type()).map_err(arrow)?,
            None if field.name() == "surprises" => Arc::new(StringArray::from(vec![""; batch.num_rows()])),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow)?)
}

/// The same with these lines.
fn lined(batch: &RecordBatch, lines: Vec<i64>) -> Result<RecordBatch> {
    let Ok(place) = batch.schema().index_of("line") else { return Ok(batch.clone()) };
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(Int64Array::from(lines));
    Ok(RecordBatch::try_new(batch.schema(), columns).map_err(arrow)?)
}

/// The first row of each key, in their order: a crash may have sealed an answer twice.
fn once(batch: RecordBatch, key: &[&str]) -> Result<RecordBatch> {
    let columns: Vec<_> = key.iter().filter_map(|name| batch.column_by_name(name)).collect();
    let mut met = HashSet::new();
    let mut first = Vec::new();
    for row in 0..batch.num_rows() {
        let named: std::result::Result<Vec<String>, ArrowError> =
            columns.iter().map(|column| array_value_to_string(column, row)).collect();
        if met.insert(named.map_err(arrow)?) {
            first.push(row as u32);
        }
    }
    Ok(take_record_batch(&batch, &UInt32Array::from(first)).map_err(arrow)?)
}

/// The places of events whose id the export gives to another customer.
fn ids_of_others(events: &[Placed], export: &RecordBatch) -> Result<HashSet<usize>> {
    let own: HashMap<&str, usize> =
        events.iter().enumerate().map(|(place, placed)| (placed.arrived.event.id.as_str(), place)).rev().collect();
    let text = |name: &'static str| {
        let column = export.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or(IngestError::NoColumn {
            file: "sql/sources/transactions.sql".into(),
            column: name,
            wanted: "a text",
        })
    };
    let (ids, customers) = (text("transaction_id")?, text("customer_id")?);
    let of_other = (0..export.num_rows()).filter_map(|row| {
        let place = *own.get(ids.value(row))?;
        (events[place].arrived.event.customer_id != customers.value(row)).then_some(place)
    });
    Ok(of_other.collect())
}
