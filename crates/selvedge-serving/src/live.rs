//! What is known now: a release's tables in memory, and everything that was sent since.

use datafusion::arrow::array::RecordBatch;

use super::event::Arrived;
use super::past::Past;
use selvedge_engine::Engine;
use selvedge_engine::shapes::stored_name;
use selvedge_features::served::facts::{Facts, Reading};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

/// The line of what stands in no file yet.
const OF_LOG: i64 = 0;

/// The tables of a release that requests read, in memory.
pub struct Tables {
    pub project: Project,
    pub engine: Engine,
    facts: Facts,
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
        let (delivered_at, taken_in) = (project.params.shop.delivered_at, project.params.shop.served_until);
        let facts = Facts::of(read("transactions")?, &read("customers")?, &read("products")?, delivered_at, taken_in)?;
        Ok(Self { project, engine, facts })
    }

    /// Whether a customer has agreed to personalisation; none where there is no such customer.
    pub fn consents(&self, customer: &str) -> Option<bool> {
        self.facts.consents(customer)
    }

    /// The first `most` customers, in the order of their ids.
    pub fn customers(&self, most: usize) -> Vec<String> {
        self.facts.customers(most)
    }

    /// Reads a customer's events beside what the release's own tables hold of them; nothing of who has not agreed to
    /// personalisation.
    ///
    /// # Errors
    /// Tables that are not what they should be.
    pub fn read<'a>(&self, customer: &str, events: impl Iterator<Item = &'a Arrived>) -> Result<Reading<'a>> {
        self.facts.read(customer, events)
    }

    /// `sources.transactions` as it would be if it held these customers alone, with what the first `seen` events say.
    ///
    /// # Errors
    /// Columns of other types than events have.
    pub fn transactions_of(&self, past: &Past, customers: &[String], seen: usize) -> Result<RecordBatch> {
        let known = self.facts.rows_of(customers)?;
        Ok(self.with_events(known, past, customers.iter(), seen)?.0)
    }

    /// `sources.transactions` of everybody, with what the first `seen` events say, and how many of these cannot be used.
    ///
    /// # Errors
    /// As [`Tables::transactions_of`].
    pub fn all_transactions(&self, past: &Past, seen: usize) -> Result<(RecordBatch, usize)> {
        let mut customers: Vec<&String> = past.customers().collect();
        customers.sort_unstable();
        self.with_events(self.facts.all_rows().clone(), past, customers.into_iter(), seen)
    }

    /// `known` with what people did whom these tables do not know, and what of that cannot be used: its place, and why.
    ///
    /// # Errors
    /// As [`Tables::transactions_of`].
    pub fn with_deeds(&self, known: RecordBatch, deeds: &[Arrived]) -> Result<(RecordBatch, Vec<(usize, String)>)> {
        let (mut read, mut doubted) = (Vec::new(), Vec::new());
        for (place, found) in self.facts.read_alone(deeds).into_iter().enumerate() {
            match found {
                Ok(found) => read.push(found),
                Err(doubt) => doubted.push((place, doubt.words)),
            }
        }
        Ok((self.facts.with(known, read.iter().map(|read| (read, OF_LOG)))?, doubted))
    }

    fn with_events<'a>(
        &self,
        known: RecordBatch,
        past: &Past,
        customers: impl Iterator<Item = &'a String>,
        seen: usize,
    ) -> Result<(RecordBatch, usize)> {
        let (mut readings, mut unused) = (Vec::new(), 0);
        for customer in customers {
            let reading = self.read(customer, past.of(customer, seen))?;
            unused += match self.consents(customer) {
                Some(_) => reading.doubted.len(),
                None => past.of(customer, seen).count(),
            };
            readings.push(reading);
        }
        let read = readings.iter().flat_map(|reading| &reading.read).map(|read| (read, OF_LOG));
        Ok((self.facts.with(known, read)?, unused))
    }
}
