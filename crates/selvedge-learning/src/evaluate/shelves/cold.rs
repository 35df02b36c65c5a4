//! How much a ranking needs to know of a customer: test visits with a history, of which only the latest events are known.
//!
//! Each visit becomes a customer of its own, with the same profile and only those events; what is known of articles stays as
//! it was.  The shelf stays too, so that every history is judged on the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::take_record_batch;

use selvedge_project::error::Result;

use super::long::Long;
use crate::protocol::{Board, Judged, Protocol};
use crate::rank::{POPULARITY, Ranking, baseline, judge as judge_visits};
use crate::shelf::{Outcomes, Past, Session, ShelfError, column, moments, requests_of};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// Events behind a visit for it to be judged.
const AT_LEAST: usize = 10;
/// So many of the latest events are known.
const KNOWN: [usize; 6] = [0, 1, 2, 3, 5, 10];
/// Features of this grain know nothing of any customer.
const OF_ARTICLE: &str = "product";

/// Judges the ranking of that name with each length of history; nothing where no visit has so many events behind it.
pub fn judge(
    project: &Project,
    (name, ranking): (&'static str, &Ranking),
    (session, outcomes): (&Session, &Outcomes),
    visits: &RecordBatch,
    (long, retrieve): (Option<&Long>, Option<&dyn Fn(&RecordBatch) -> Result<RecordBatch>>),
) -> Result<Vec<Judged>> {
    let sources = Sources::of(session)?;
    let visits = sources.with_history(visits)?;
    let mut boards = KNOWN.map(|known| Board::new(Protocol::Cold(known), &[POPULARITY, name]));
    let places = project.params.recommend.per_customer;
    let others = |request: u64, articles: &[u64]| long.map(|long| long.others(request, articles));
    session.each(outcomes, &visits, retrieve, |rows, shelves| {
        let popularity = baseline(shelves, "popular_in_shop")?;
        for (board, known) in boards.iter_mut().zip(KNOWN) {
            let (cut, past) = sources.cut(project, ranking, rows, known)?;
            let scores = ranking.scores(&beside(project, rows, &cut)?, &past)?;
            judge_visits(board, rows, &[popularity.clone(), scores], &others, (project.params.rank.seed, places))?;
        }
        Ok(())
    })?;
    let params = &project.params.evaluate;
    boards.into_iter().map(|board| board.judged(params.draws, params.seed)).collect()
}

/// The customers and what each did, in the order of time.
struct Sources {
    customers: RecordBatch,
    transactions: RecordBatch,
    /// Of each customer the rows of their events, the earliest first.
    events: BTreeMap<String, Vec<(i64, u32)>>,
    /// Of each customer the row.
    rows: BTreeMap<String, u32>,
}

impl Sources {
    fn of(session: &Session) -> Result<Self> {
        let read = |name| session.engine().read(&TableName::new("sources", name));
        let (customers, transactions) = (read("customers")?, read("transactions")?);
        let shown = "sql/sources/transactions.sql";
        let times = moments(&transactions, shown, "event_time")?;
        let mut events: BTreeMap<String, Vec<(i64, u32)>> = BTreeMap::new();
        for (row, owner) in column(&transactions, shown, "customer_id")?.as_string::<i32>().iter().enumerate() {
            events.entry(owner.unwrap_or_default().to_owned()).or_default().push((times[row], row as u32));
        }
        events.values_mut().for_each(|events| events.sort_unstable());
        let ids = column(&customers, "sql/sources/customers.sql", "customer_id")?.as_string::<i32>();
        let rows = ids.iter().enumerate().map(|(row, id)| (id.unwrap_or_default().to_owned(), row as u32)).collect();
        Ok(Self { customers, transactions, events, rows })
    }

    /// A customer's events before a moment.
    fn before(&self, customer: &str, moment: i64) -> &[(i64, u32)] {
        let events = self.events.get(customer).map_or(&[][..], Vec::as_slice);
        &events[..events.partition_point(|(at, _)| *at < moment)]
    }

    fn with_history(&self, visits: &RecordBatch) -> Result<RecordBatch> {
        let customers = column(visits, "sql/grain/request.sql", "customer_id")?.as_string::<i32>();
        let begun = moments(visits, "sql/grain/request.sql", "as_of")?;
        let enough = |row: &usize| self.before(customers.value(*row), begun[*row]).len() >= AT_LEAST;
        let rows: UInt32Array = (0..visits.num_rows()).filter(enough).map(|row| Some(row as u32)).collect();
        Ok(take_record_batch(visits, &rows).map_err(ShelfError::Arrow)?)
    }

    /// The features of these rows, were only the latest `known` events of each customer there, and what the ranking knows of
    /// those; each visit's customer has a name of its own.
    fn cut(
        &self,
        project: &Project,
        ranking: &Ranking,
        rows: &RecordBatch,
        known: usize,
    ) -> Result<(RecordBatch, Past)> {
        let owners = column(rows, "the shelf", "customer_id")?.as_string::<i32>();
        let begun = moments(rows, "the shelf", "as_of")?;
        // The name sorts as the customer and the moment do, so that the rows stay in their order.
        let name = |row: usize| format!("{}\u{1}{:020}", owners.value(row), begun[row]);
        let (mut profiles, mut events) = (Vec::new(), Vec::new());
        for visit in requests_of(rows)? {
            let row = visit.start;
            profiles.extend(self.rows.get(owners.value(row)).map(|at| (*at, name(row))));
            let before = self.before(owners.value(row), begun[row]);
            let latest = &before[before.len() - known.min(before.len())..];
            events.extend(latest.iter().map(|(_, at)| (*at, name(row))));
        }
        let session = Session::new(project)?;
        let lay = |table: &str, rows: RecordBatch| session.engine().register(&TableName::new("sources", table), rows);
        lay("customers", renamed(&self.customers, &profiles)?)?;
        let transactions = renamed(&self.transactions, &events)?;
        // An event that several visits know is one of each.
        let ids = column(&transactions, "sql/sources/transactions.sql", "transaction_id")?.as_string::<i32>();
        let ids = ids.iter().zip(&events).map(|(id, (_, name))| id.map(|id| format!("{id}\u{1}{name}")));
        lay("transactions", with_column(&transactions, "transaction_id", Arc::new(ids.collect::<StringArray>()))?)?;
        let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows.num_rows()).map(name)));
        Ok((session.features(&with_column(rows, "customer_id", names)?)?, ranking.past(&session)?))
    }
}

/// Rows of a source under other customers' names.
fn renamed(of: &RecordBatch, rows: &[(u32, String)]) -> Result<RecordBatch> {
    let places: UInt32Array = rows.iter().map(|(at, _)| Some(*at)).collect();
    let taken = take_record_batch(of, &places).map_err(ShelfError::Arrow)?;
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, name)| name)));
    with_column(&taken, "customer_id", names)
}

fn with_column(batch: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    if let Ok(at) = batch.schema().index_of(name) {
        columns[at] = values;
    }
    Ok(RecordBatch::try_new(batch.schema(), columns).map_err(ShelfError::Arrow)?)
}

/// The rows with what `cut` says of customers, and their names there, in place of what is known of them.
fn beside(project: &Project, rows: &RecordBatch, cut: &RecordBatch) -> Result<RecordBatch> {
    let names = column(cut, "the shelf", "customer_id")?;
    let mut all = with_column(rows, "customer_id", Arc::clone(names))?;
    for feature in project.library.feature_columns().iter().filter(|feature| feature.entity != OF_ARTICLE) {
        if let Some(column) = cut.column_by_name(&feature.name) {
            all = with_column(&all, &feature.name, Arc::clone(column))?;
        }
    }
    Ok(all)
}
