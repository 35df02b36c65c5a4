//! Views of customers worked out from what those customers did alone, so that what a shelf costs follows its customers and not
//! the shop.
//!
//! What such a view reads of everybody stands in WITH queries that its header names (`everybody`), which are worked out once.
//! Whether that is all, is tried on some customers, bit by bit: do others' rows beside theirs change anything?

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{partition, take_record_batch};

use super::{KEY, ShelfError, column};
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Header, Layer, SqlFile, TableName};

/// Rows of what was done that stand in memory at a time, where so many customers ask.
const ROWS: usize = 2_000_000;

/// The `WITH` queries of views that are over what everybody did.
fn parts(project: &Project) -> impl Iterator<Item = (&SqlFile, &String)> {
    project.library.layer(Layer::FEATURES).flat_map(|file| match &file.header {
        Header::Feature(header) => header.everybody.iter().map(move |part| (file, part)).collect(),
        _ => Vec::new(),
    })
}

/// Where such a query is read from once it is worked out.
fn of_everybody(file: &SqlFile, part: &str) -> TableName {
    TableName::new("everybody", &format!("{}_{part}", file.header.name()))
}

/// The project where these queries are read from what was worked out ([`everybody`]): what else its views read of what was done
/// is beside who asks.
pub fn narrowed(project: &Project) -> Project {
    let library = project.library.changed(|file| {
        let own = parts(project).filter(|(other, _)| other.table() == file.table());
        own.fold(file.clone(), |file, (_, part)| {
            let table = of_everybody(&file, part);
            file.reading(part, &table)
        })
    });
    Project { library: Arc::new(library), ..project.clone() }
}

/// What views of customers read of everybody, from the tables of `engine`.
///
/// # Errors
/// Queries that cannot be answered.
pub fn everybody(project: &Project, engine: &Engine) -> Result<Vec<(TableName, RecordBatch)>> {
    let queries = parts(project).filter_map(|(file, part)| Some((of_everybody(file, part), file.part(part)?)));
    queries.map(|(table, query)| Ok((table, engine.run(project, &query)?))).collect()
}

/// What some customers did, ready to be put in the place of everybody's.
pub struct Own {
    /// As it is asked of them.
    pub project: Project,
    everybody: Vec<(TableName, RecordBatch)>,
    /// Names a row of what was done, the customer first.
    key: Vec<String>,
    /// The customers in the order in which they will ask, with the place of each.
    order: Vec<String>,
    places: HashMap<String, usize>,
    /// So many of them at a time.
    at_once: usize,
    group: Mutex<Group>,
}

/// What some of them did, in the order of their ids.
#[derive(Default)]
struct Group {
    rows: Option<RecordBatch>,
    /// Of each customer who was looked up; none of who did nothing.
    of: HashMap<String, Range<usize>>,
}

fn transactions() -> TableName {
    TableName::new("sources", "transactions")
}

impl Own {
    /// Of the customers of `requests`, who will ask about in that order.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn of(project: &Project, engine: &Engine, requests: &RecordBatch) -> Result<Self> {
        let (mut order, mut places) = (Vec::new(), HashMap::new());
        for customer in column(requests, "the requests", KEY[0])?.as_string::<i32>().iter().flatten() {
            if !places.contains_key(customer) {
                places.insert(customer.to_owned(), order.len());
                order.push(customer.to_owned());
            }
        }
        // About as many rows a customer as everybody has.
        let customers = engine.stored_rows(&TableName::new("sources", "customers")).unwrap_or(1).max(1);
        let each = engine.stored_rows(&transactions()).unwrap_or(0).div_ceil(customers).max(1);
        let at_once = (ROWS / each as usize).max(1);
        let everybody = everybody(project, engine)?;
        let key = project.library.file(&transactions()).map(|file| project.library.key(file)).unwrap_or_default();
        let key =
            std::iter::once(KEY[0].to_owned()).chain(key.iter().filter(|name| *name != KEY[0]).cloned()).collect();
        Ok(Self { project: narrowed(project), everybody, key, order, places, at_once, group: Mutex::default() })
    }

    /// A session over `engine` where what these customers did stands in the place of everybody's.
    ///
    /// # Errors
    /// Tables that are not there.
    pub fn engine(&self, engine: &Engine, mut customers: Vec<&str>) -> Result<Engine> {
        let own = engine.over()?;
        customers.sort_unstable();
        customers.dedup();
        for (table, batch) in &self.everybody {
            own.register(table, batch.clone())?;
        }
        let mut group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        if !customers.iter().all(|customer| group.of.contains_key(*customer)) {
            *group = self.group(engine, &customers)?;
        }
        let Some(all) = &group.rows else { return Ok(own) };
        let ranges = customers.iter().filter_map(|customer| group.of.get(*customer).cloned());
        let rows: UInt32Array = ranges.flatten().map(|row| Some(row as u32)).collect();
        own.register(&transactions(), take_record_batch(all, &rows).map_err(ShelfError::Arrow)?)?;
        Ok(own)
    }

    /// What these customers did, and those who ask after them.
    fn group(&self, engine: &Engine, customers: &[&str]) -> Result<Group> {
        let first = customers.iter().filter_map(|customer| self.places.get(*customer)).min().copied().unwrap_or(0);
        let last = self.order.len().min(first + self.at_once);
        let mut of: HashMap<String, Range<usize>> =
            customers.iter().map(|customer| ((*customer).to_owned(), 0..0)).collect();
        of.extend(self.order[first..last].iter().map(|customer| (customer.clone(), 0..0)));
        let mut names: Vec<String> = of.keys().cloned().collect();
        names.sort_unstable();
        let rows = engine.rows_with(&transactions(), KEY[0], &names)?;
        let file = "sql/sources/transactions.sql";
        let rows = Table::new(rows, &self.key, file)?.batch;
        if rows.num_rows() > 0 {
            let owners = column(&rows, file, KEY[0])?;
            let names = owners.as_string::<i32>();
            for range in partition(std::slice::from_ref(owners)).map_err(ShelfError::Arrow)?.ranges() {
                of.insert(names.value(range.start).to_owned(), range);
            }
        }
        Ok(Group { rows: Some(rows), of })
    }
}
