//! `selvedge why`: the rows of the CSVs that made one value, and those left out because they came too late.
//!
//! What made it is read off the query itself (see [`trace`]).  What came too late is found by moving it: every row that
//! is known only at the moment or after is taken to be known right before it, and what the query then takes in
//! besides is what the moment's edge kept out.

mod excluded_by_time;
mod sentences;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::LogicalPlan;

use self::excluded_by_time::just_in_time;
use self::trace::{MARK, Reach, Tracer};
use crate::cases;
use crate::proof::{Material, Materials, times};
use selvedge_engine::{Engine, batch_of, reference};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::answer;
use selvedge_project::project::Project;
use selvedge_project::sql::{Column, Header, SqlFile, TableName};

#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    #[error("'{0}' is no view.column")]
    NotAColumn(String),
    #[error("the feature view {view} has no column '{column}'")]
    NoColumn { view: String, column: String, known: Vec<String> },
    #[error("{view} has no row for {key}")]
    NoRow { view: String, key: String },
    #[error("{file}: {cause}")]
    Untraceable { file: String, cause: String },
    #[error("the answer cannot be printed: {0}")]
    Print(String),
}

impl Advice for WhyError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NotAColumn(_) => {
                Some("write such as `selvedge why customer_history.looks_30d customer_id=… as_of=…`".into())
            }
            Self::NoColumn { column, known, .. } => {
                let fallback = format!("there are {}", known.join(", "));
                Some(did_you_mean(column, known.iter().map(String::as_str), &fallback))
            }
            Self::NoRow { view, .. } => {
                Some(format!("name a row that the sources know; `selvedge sql` shows those of features.{view}"))
            }
            Self::Untraceable { .. } => {
                Some("write that part as joins and aggregates, or ask `selvedge lineage` for the columns alone".into())
            }
            Self::Print(_) => None,
        }
    }
}

/// How errors name the question.
const ASKED: &str = "selvedge why";

/// A row of a CSV: its source, and its line.
pub type Row = (TableName, i64);

/// What one value of a view is made from.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As people read it; none where there is no value.
    pub value: Option<String>,
    /// The rows that made it: of MIN, MAX, FIRST_VALUE and LAST_VALUE the one that has the value.
    pub made: BTreeSet<Row>,
    /// The rows that it would have taken in, had they been known before the moment.
    pub late: BTreeSet<Row>,
    /// Those of `made` that were not known before the moment: the view sees the future.
    pub leaked: BTreeSet<Row>,
    /// Whether the query has subqueries inside expressions, whose rows are not followed.
    pub subqueries: bool,
}

/// Prints which rows made `of` (`view.column`) in the row that `key` names, and which would have, had they come earlier.
///
/// # Errors
/// A view, column or key that is not there, or a query whose rows cannot be followed.
pub fn print(project: &Project, of: &str, key: &[String]) -> Result<()> {
    let (file, name, column) = named(project, of)?;
    let engine = Engine::new(project)?;
    let found = ask(project, &engine, file, name, key)?;
    let value = found.value.as_ref().map_or_else(|| "no value".into(), |value| format!("{value} ({})", column.unit));
    let mut text = format!("{}.{name} is {value}: {}\n  at {}\n", file.header.name(), column.meaning, key.join(", "));
    let listed = |rows| sentences::rows(project, &engine, file, rows);
    sentences::section(
        &mut text,
        &listed(&found.made)?,
        "made from",
        "no row of the CSVs: the moment and the parameters decide it",
    );
    sentences::section(
        &mut text,
        &listed(&found.late)?,
        "left out, because they came at the moment or after:",
        "nothing",
    );
    if !found.leaked.is_empty() {
        let words = "LEAK (`selvedge test` says more): made it, although known only at the moment or after:";
        sentences::section(&mut text, &listed(&found.leaked)?, words, "nothing");
    }
    if found.subqueries {
        text.push_str("\nRows that the query reads in a subquery inside an expression are not listed.\n");
    }
    Ok(answer(text.as_bytes()).map_err(|e| WhyError::Print(e.to_string()))?)
}

/// The file of a view, and the column of it, that `view.column` names; `features.` in front may be left out.
fn named<'a>(project: &'a Project, of: &'a str) -> Result<(&'a SqlFile, &'a str, &'a Column)> {
    let short = of.strip_prefix("features.").unwrap_or(of);
    let (view, name) = short.split_once('.').ok_or_else(|| WhyError::NotAColumn(of.into()))?;
    let file = cases::find(project, ASKED, view)?;
    let Header::Feature(header) = &file.header else { return Err(WhyError::NotAColumn(of.into()).into()) };
    let known = || header.columns.keys().cloned().collect();
    let column = header.columns.get(name);
    let column = column.ok_or_else(|| WhyError::NoColumn { view: view.into(), column: name.into(), known: known() })?;
    Ok((file, name, column))
}

/// What made the value of `column` in the row of the view `file` that `key` names.
///
/// # Errors
/// A key that the view does not have, or a query whose rows cannot be followed.
pub fn ask(project: &Project, engine: &Engine, file: &SqlFile, column: &str, key: &[String]) -> Result<Answer> {
    let materials = Materials::load(project, engine, &[file])?;
    let request = cases::request(project, engine, file, key, ASKED)?;
    let as_of = times(&request, "as_of", ASKED)?.first().copied().flatten().unwrap_or(i64::MAX);
    let question = Question { file, column, plan: engine.plan(project, file)?, engine, materials: &materials };
    let (as_is, in_time) = (question.marked(None)?, question.marked(Some(as_of))?);
    let (found, made) = question.rows(&as_is, Reach::Deciding)?;
    if found.num_rows() == 0 {
        return Err(WhyError::NoRow { view: file.header.name().into(), key: key.join(", ") }.into());
    }
    let (_, taken_in) = question.rows(&as_is, Reach::Every)?;
    let (_, would_be) = question.rows(&in_time, Reach::Every)?;
    let known = question.known_from();
    let comes_late = |row: &&Row| known.get(row).copied().flatten().is_some_and(|from| from >= as_of);
    let value = found.column(0);
    Ok(Answer {
        value: (!value.is_null(0)).then(|| array_value_to_string(value, 0).unwrap_or_default()),
        late: would_be.difference(&taken_in).filter(comes_late).cloned().collect(),
        leaked: made.iter().filter(comes_late).cloned().collect(),
        made,
        subqueries: has_subqueries(&question.plan),
    })
}

/// One column of one row of a view, and what it may be made from.
struct Question<'a> {
    engine: &'a Engine,
    file: &'a SqlFile,
    plan: LogicalPlan,
    column: &'a str,
    materials: &'a Materials,
}

type Marked = BTreeMap<TableReference, Arc<dyn TableProvider>>;

impl Question<'_> {
    fn failed(&self, cause: impl ToString) -> WhyError {
        WhyError::Untraceable { file: self.file.shown.clone(), cause: cause.to_string() }
    }

    /// Every table with its marks; with a moment, as if all of it had been known right before.
    fn marked(&self, just_before: Option<i64>) -> Result<Marked> {
        let mut marked = Marked::new();
        for (place, material) in self.materials.tables.iter().enumerate() {
            let batch = match just_before {
                Some(as_of) => just_in_time(material, as_of).map_err(|e| self.failed(e))?,
                None => material.batch.clone(),
            };
            let marks: StringArray = (0..batch.num_rows()).map(|row| Some(format!("{place}:{row}"))).collect();
            let schema = batch.schema();
            let columns =
                schema.fields().iter().map(|field| field.name().as_str()).zip(batch.columns().iter().cloned());
            let marks: ArrayRef = Arc::new(marks);
            let batch = batch_of(&self.file.shown, columns.chain([(MARK, marks)]))?;
            let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(|e| self.failed(e))?;
            marked.insert(reference(&material.name), Arc::new(table));
        }
        Ok(marked)
    }

    /// The column's value, and the rows of the CSVs that it is made from.
    fn rows(&self, tables: &Marked, reach: Reach) -> Result<(RecordBatch, BTreeSet<Row>)> {
        let plan =
            Tracer::new(tables, reach).trace(&self.plan, self.column).map_err(|e| self.failed(e.strip_backtrace()))?;
        let found = self.engine.run_plan(plan, &self.file.shown)?;
        let marks = found.columns().iter().skip(1).flat_map(|column| column.as_string::<i32>().iter().flatten());
        let rows = marks.flat_map(str::split_whitespace).filter_map(|mark| {
            let (place, row) = mark.split_once(':')?;
            let material = self.materials.tables.get(place.parse::<usize>().ok()?)?;
            behind(material, row.parse().ok()?)
        });
        let rows = rows.collect();
        Ok((found, rows))
    }

    /// From when each row of a CSV is known, in nanoseconds.
    fn known_from(&self) -> BTreeMap<Row, Option<i64>> {
        let tables = self.materials.tables.iter();
        let rows =
            tables.flat_map(|table| (0..).zip(&table.known_from).map(move |(row, from)| (behind(table, row), *from)));
        rows.filter_map(|(row, from)| Some((row?, from))).collect()
    }
}

/// The row of a CSV that a table's row stands for.
fn behind(material: &Material, row: usize) -> Option<Row> {
    let (source, lines) = material.csv.as_ref()?;
    Some((source.clone(), (*lines.get(row)?)?))
}

/// Whether a query reads tables inside an expression, such as `IN (SELECT …)`: those rows are not followed.
fn has_subqueries(plan: &LogicalPlan) -> bool {
    let mut found = false;
    // The visit itself cannot fail.
    let _ = plan.apply(|node| {
        node.apply_subqueries(|_| {
            found = true;
            Ok(TreeNodeRecursion::Stop)
        })
    });
    found
}
