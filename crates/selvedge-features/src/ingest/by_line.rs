//! The answer of a source's query, line by line.  What a row says of itself is read off the row; only what depends on
//! other rows goes through the query's joins, so these carry few columns (late materialization).

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::arrow::error::ArrowError;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, JoinType, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::IngestError;
use selvedge_engine::{Engine, RawTable, picked, reference};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SourceHeader, SqlFile, TableName};

/// Where a column of the answer comes from.
enum Origin {
    /// A column of the CSV as it stands there.
    Written(String),
    /// Worked out from the row alone.
    Row,
    /// Worked out with the help of other rows.
    Query,
}

/// A source's query in two: over the rows, and over everything.
struct Parts {
    columns: Vec<(String, Origin)>,
    /// `line` and the columns of [`Origin::Row`].
    rows: Option<LogicalPlan>,
    /// `line` and the columns of [`Origin::Query`].
    query: LogicalPlan,
}

/// The answer of a source's query: its columns, a row for every row of `raw`, in the order of `raw`.
pub fn answer(
    project: &Project,
    engine: &Engine,
    file: &SqlFile,
    header: &SourceHeader,
    raw: &RawTable,
) -> Result<RecordBatch> {
    let name = TableName::new("raw", &header.name);
    engine.register(&name, raw.batch.clone())?;
    let plan = engine.plan(project, file)?;
    let parts = Parts::of(plan, &reference(&name), &file.read_again()).map_err(|e| engine.failed(file, &e))?;
    let answers = engine.run_planned(project, file, std::iter::once(parts.query).chain(parts.rows).collect())?;
    let answers = answers.into_iter().map(|answer| in_order(answer, raw, file)).collect::<Result<Vec<_>>>()?;
    let (query, rows) = (answers.first(), answers.get(1));
    let arrow = |cause| IngestError::Arrow { file: file.shown.clone(), cause };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, origin) in &parts.columns {
        let column = match origin {
            Origin::Written(written) => raw.batch.column_by_name(written),
            Origin::Row => rows.and_then(|rows| rows.column_by_name(name)),
            Origin::Query => query.and_then(|query| query.column_by_name(name)),
        };
        let missing = || arrow(ArrowError::SchemaError(format!("the column {name} went missing")));
        let column = column.ok_or_else(missing)?;
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(Arc::clone(column));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow)?)
}

impl Parts {
    /// `kept` names the queries that are worked out once for all their readers.
    fn of(
        plan: LogicalPlan,
        raw: &TableReference,
        kept: &BTreeSet<String>,
    ) -> std::result::Result<Self, DataFusionError> {
        let schema = Arc::clone(plan.schema());
        let all: Vec<Column> = schema.columns();
        let traced = |column: &Column| row_of(Expr::Column(column.clone()), &plan, raw, kept);
        let line = all.iter().find(|column| column.name == "line").and_then(traced);
        let (mut columns, mut own, mut rest, mut by_row) = (Vec::new(), Vec::new(), Vec::new(), false);
        for column in &all {
            let name = column.name.clone();
            let found = line.as_ref().zip(traced(column)).filter(|(line, found)| line.place == found.place);
            let origin = match found.map(|(_, found)| found) {
                Some(Row { written: Some(written), .. }) => Origin::Written(written),
                Some(Row { expr, .. }) => {
                    by_row = true;
                    // The line stands in front of the others in any case.
                    if name != "line" {
                        own.push(expr.alias(&name));
                    }
                    Origin::Row
                }
                None => {
                    rest.push(Expr::Column(column.clone()));
                    Origin::Query
                }
            };
            columns.push((name, origin));
        }
        let rows = match line {
            Some(Row { expr, rows, .. }) if by_row => {
                Some(LogicalPlanBuilder::from(rows).project(std::iter::once(expr.alias("line")).chain(own))?.build()?)
            }
            _ => None,
        };
        let line = all.iter().find(|column| column.name == "line" && !rest.contains(&Expr::Column((*column).clone())));
        let query = LogicalPlanBuilder::from(plan).project(line.cloned().map(Expr::Column).into_iter().chain(rest))?;
        Ok(Self { columns, rows, query: query.build()? })
    }
}

/// An expression over rows that are a table's.
struct Row {
    expr: Expr,
    /// The table's scan, or the outermost query over all its rows that is kept anyway.
    rows: LogicalPlan,
    /// Which of the table's columns it is, where it is just that.
    written: Option<String>,
    /// Which side of every join the rows stand on: expressions of one place are over one and the same row.
    place: Vec<bool>,
}

/// `expr` over the output of `plan` as an expression over one row of `table`; None where it needs more than that.
fn row_of(expr: Expr, plan: &LogicalPlan, table: &TableReference, kept: &BTreeSet<String>) -> Option<Row> {
    if expr.is_volatile() {
        return None;
    }
    match plan {
        LogicalPlan::TableScan(scan) => {
            let is_row = scan.table_name.resolved_eq(table) && scan.filters.is_empty() && scan.fetch.is_none();
            let written = expr.try_as_col().map(|column| column.name.clone());
            is_row.then(|| Row { expr, rows: plan.clone(), written, place: Vec::new() })
        }
        LogicalPlan::Projection(projection) => {
            let written = |place: usize| Some(projection.expr[place].clone().unalias());
            row_of(over(expr, plan, written)?, &projection.input, table, kept)
        }
        LogicalPlan::SubqueryAlias(query) => {
            let column = |place| Some(Expr::Column(Column::from(query.input.schema().qualified_field(place))));
            let row = row_of(over(expr.clone(), plan, column)?, &query.input, table, kept)?;
            // Below a join, a row may stand there more than once.
            let is_kept = row.place.is_empty() && kept.contains(query.alias.table());
            Some(if is_kept { Row { expr, rows: plan.clone(), ..row } } else { row })
        }
        LogicalPlan::Filter(filter) => row_of(expr, &filter.input, table, kept),
        LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::Right) => {
            let left = join.left.schema().fields().len();
            let mut sides = BTreeSet::new();
            let expr = over(expr, plan, |place| {
                sides.insert(place >= left);
                Some(Expr::Column(Column::from(plan.schema().qualified_field(place))))
            })?;
            let right = *sides.first().filter(|_| sides.len() == 1)?;
            let mut row = row_of(expr, if right { &join.right } else { &join.left }, table, kept)?;
            row.place.push(right);
            Some(row)
        }
        _ => None,
    }
}

/// `expr` with `inner` in the place of every column of `plan`; None where it looks at other rows.
fn over(expr: Expr, plan: &LogicalPlan, mut inner: impl FnMut(usize) -> Option<Expr>) -> Option<Expr> {
    let mut fits = true;
    let replaced = expr.transform_down(|node| {
        let new = match &node {
            Expr::Column(column) => plan.schema().maybe_index_of_column(column).and_then(&mut inner),
            Expr::Alias(_)
            | Expr::Literal(..)
            | Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::ScalarFunction(_)
            | Expr::InList(_) => {
                return Ok(Transformed::no(node));
            }
            _ => None,
        };
        fits &= new.is_some();
        let new = new.unwrap_or(node);
        Ok(Transformed::new(new, true, TreeNodeRecursion::Jump))
    });
    replaced.ok().map(|replaced| replaced.data).filter(|_| fits)
}

/// The rows in the order of the lines of `raw`; refused where the lines that went in are not those that came out.
fn in_order(answer: RecordBatch, raw: &RawTable, file: &SqlFile) -> Result<RecordBatch> {
    let lines = answer.column_by_name("line").and_then(|lines| lines.as_primitive_opt::<Int64Type>());
    let missing = || IngestError::NoColumn { file: file.shown.clone(), column: "line", wanted: "a whole number" };
    let (came_out, went_in) = (lines.ok_or_else(missing)?, raw.lines());
    if came_out.null_count() == 0 && came_out.values() == went_in {
        return Ok(answer);
    }
    let order = order(came_out, went_in).map_err(|line| IngestError::RowsLost {
        file: file.shown.clone(),
        rows_in: went_in.len(),
        rows_out: came_out.len(),
        line,
    })?;
    let ordered = picked(answer, &order);
    Ok(ordered.map_err(|cause| IngestError::Arrow { file: file.shown.clone(), cause })?)
}

/// For every line that went in, which ascend, its place among those that came out; else the first line that is not
/// there exactly once.
fn order(came_out: &Int64Array, went_in: &[i64]) -> std::result::Result<UInt32Array, i64> {
    let first = went_in.first().copied().unwrap_or_default();
    let place = |line: i64| {
        // Most rows take one line, so most stand where their line says.
        let guess = usize::try_from(line - first).ok().filter(|guess| went_in.get(*guess) == Some(&line));
        guess.or_else(|| went_in.binary_search(&line).ok())
    };
    let mut order = vec![u32::MAX; went_in.len()];
    let mut odd: Option<i64> = None;
    for (row, line) in came_out.iter().enumerate() {
        // One without a line is missed where it came from.
        let Some(line) = line else { continue };
        match place(line).filter(|place| order[*place] == u32::MAX) {
            Some(place) => order[place] = row as u32,
            None => odd = Some(odd.map_or(line, |odd| odd.min(line))),
        }
    }
    let lost = order.iter().position(|row| *row == u32::MAX).map(|place| went_in[place]);
    match [odd, lost].into_iter().flatten().min() {
        Some(line) => Err(line),
        None => Ok(order.into()),
    }
}
