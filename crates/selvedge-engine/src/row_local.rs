//! A query in two: what a row says of itself is read off the row; only what depends on other rows goes through the query's
//! joins, so these carry few columns (late materialization).

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// Where a column of the answer comes from.
pub enum Origin {
    /// A column of the CSV as it stands there.
    Written(String),
    /// Worked out from the row alone.
    Row,
    /// Worked out with the help of other rows.
    Query,
}

/// A source's query in two: over the rows, and over everything.
pub struct Parts {
    pub columns: Vec<(String, Origin)>,
    /// `line` and the columns of [`Origin::Row`].
    pub rows: Option<LogicalPlan>,
    /// `line` and the columns of [`Origin::Query`].
    pub query: LogicalPlan,
}

impl Parts {
    /// The parts of `plan`, whose answer has a row for every `line` of the table `raw`; `kept` names the queries that are
    /// worked out once for all their readers.
    pub fn of(plan: LogicalPlan, raw: &TableReference, kept: &BTreeSet<String>) -> Result<Self> {
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
