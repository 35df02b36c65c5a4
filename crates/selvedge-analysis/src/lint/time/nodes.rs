//! The plan's nodes: what is known of the rows that each gives.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Distinct, Expr, Join, JoinType, LogicalPlan, TableScan, Union};

use super::moment::{Moment, Scan, Shift};
use super::state::{Facts, Rows, Taint, Value};
use super::{Analysis, Kind, Reading};
use selvedge_project::sql::{Header, Layer, TableName};

impl Analysis<'_> {
    /// The rows that a plan gives.
    pub fn rows(&mut self, plan: &LogicalPlan) -> Rows {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan, None),
            LogicalPlan::SubqueryAlias(alias) => {
                let inside = match alias.input.as_ref() {
                    LogicalPlan::TableScan(scan) => self.scan(scan, Some(alias.alias.table())),
                    other => self.rows(other),
                };
                Rows { schema: Arc::clone(&alias.schema), ..inside }
            }
            LogicalPlan::Projection(projection) => {
                let input = self.rows(&projection.input);
                let columns = projection.expr.iter().map(|expr| self.value(expr, &input)).collect();
                Rows { schema: Arc::clone(&projection.schema), columns, ..input }
            }
            LogicalPlan::Filter(filter) => {
                let input = self.rows(&filter.input);
                self.filtered(input, &filter.predicate)
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.rows(input);
                Rows { often: Taint::new(), single: Taint::new(), ..input }
            }
            LogicalPlan::Distinct(Distinct::On(on)) => self.distinct_on(on),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Subquery(subquery) => {
                let rows = self.rows(&subquery.subquery);
                Rows { schema: Arc::clone(plan.schema()), ..rows }
            }
            LogicalPlan::Unnest(unnest) => {
                let input = self.rows(&unnest.input);
                let places = unnest.dependency_indices.iter();
                let columns = places.map(|place| input.columns.get(*place).cloned().unwrap_or_default()).collect();
                Rows { schema: Arc::clone(&unnest.schema), columns, ..input }
            }
            LogicalPlan::Sort(sort) => self.rows(&sort.input),
            LogicalPlan::Limit(limit) => self.rows(&limit.input),
            LogicalPlan::Repartition(split) => self.rows(&split.input),
            // Whatever else there is passes on all it reads.
            other => {
                let inputs: Vec<Rows> = other.inputs().into_iter().map(|input| self.rows(input)).collect();
                let all: Taint = inputs.iter().flat_map(Rows::all).collect();
                nothing(other.schema(), &all)
            }
        }
    }

    fn scan(&mut self, scan: &TableScan, alias: Option<&str>) -> Rows {
        let shown = scan.table_name.to_string();
        let (Some(schema), name) = (scan.table_name.schema(), scan.table_name.table()) else {
            return nothing(&scan.projected_schema, &Taint::new());
        };
        let Some((kind, key, time)) = self.reading(&TableName::new(schema, name)) else {
            return nothing(&scan.projected_schema, &Taint::new());
        };
        let line = self.words.line_of_table(&shown, alias, None);
        let id = self.scans.len();
        let days = |name: &String| {
            let field = scan.projected_schema.field_with_unqualified_name(name);
            field.is_ok_and(|field| matches!(field.data_type(), DataType::Date32 | DataType::Date64))
        };
        let known = time.clone().map(|name| (days(&name), name)).map(|(days, name)| (name, days));
        let alias = alias.map(str::to_owned);
        self.scans.push(Reading { shown, kind, key, time: known, alias, line, placed: false, late: None });
        let value = |name: &String| Value {
            taint: [id].into(),
            moment: (Some(name) == time.as_ref()).then_some(Moment { scan: id, shift: Shift::EXACT }),
            column: Some((id, name.clone())),
        };
        let columns = scan.projected_schema.fields().iter().map(|field| value(field.name())).collect();
        Rows {
            schema: Arc::clone(&scan.projected_schema),
            columns,
            exist: [id].into(),
            often: Taint::new(),
            lags: Vec::new(),
            single: [id].into(),
        }
    }

    /// Kind, key and time of a table; nothing where all its rows are known from the start.
    fn reading(&self, table: &TableName) -> Option<(Kind, Vec<String>, Option<String>)> {
        match (table.schema.as_deref(), self.project.library.file(table).map(|file| &file.header)) {
            (Some("grain"), Some(Header::Table(header))) => {
                Some((Kind::Grain, header.key.clone(), Some("as_of".into())))
            }
            (_, Some(Header::Source(header))) => {
                let time = header.known_from.clone()?;
                Some((Kind::Timed, header.key.clone(), Some(time)))
            }
            (Some("embeddings"), _) => {
                let texts = self.project.library.file(&TableName::new(Layer::TEXTS.folder, &table.name))?;
                let Header::Table(header) = &texts.header else { return None };
                Some((Kind::Timed, header.key.clone(), None))
            }
            _ => None,
        }
    }

    fn filtered(&mut self, input: Rows, predicate: &Expr) -> Rows {
        let facts = self.holds(predicate, &input);
        let mut asked = self.value(predicate, &input).taint;
        facts.apply(&mut asked);
        let mut rows = input.given(&facts);
        rows.exist.extend(asked);
        rows
    }

    fn join(&mut self, join: &Join) -> Rows {
        let left = self.rows(&join.left);
        // A LATERAL subquery sees the rows to its left.
        let lateral = matches!(join.right.as_ref(), LogicalPlan::Subquery(_))
            || matches!(join.right.as_ref(), LogicalPlan::SubqueryAlias(alias) if matches!(alias.input.as_ref(), LogicalPlan::Subquery(_)));
        if lateral {
            self.outer.push(left.clone());
        }
        let right = self.rows(&join.right);
        if lateral {
            self.outer.pop();
        }
        let pairs = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
        let condition = pairs.chain(join.filter.clone()).reduce(Expr::and);
        let both = Rows {
            schema: pair_schema(&left, &right, &join.schema),
            columns: left.columns.iter().chain(&right.columns).cloned().collect(),
            exist: &left.exist | &right.exist,
            often: &left.often | &right.often,
            lags: [left.lags.as_slice(), &right.lags].concat(),
            single: &left.single | &right.single,
        };
        let (facts, mut asked) = match &condition {
            Some(condition) => (self.holds(condition, &both), self.value(condition, &both).taint),
            None => (Facts::default(), Taint::new()),
        };
        facts.apply(&mut asked);
        // Rows of an outer side stay whatever the condition says, so it says nothing of them.
        let (left, right) = match join.join_type {
            JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => (left, right.given(&facts)),
            JoinType::Right | JoinType::RightAnti | JoinType::RightMark => (left.given(&facts), right),
            JoinType::Full => (left, right),
            _ => (left.given(&facts), right.given(&facts)),
        };
        let optional = |rows: &Rows| {
            let mut columns = rows.columns.clone();
            columns.iter_mut().for_each(|value| value.taint.extend(rows.exist.iter().copied()));
            columns
        };
        let (exist, often, columns) = match join.join_type {
            JoinType::Left => {
                let columns = left.columns.iter().cloned().chain(optional(&right)).collect();
                (left.exist.clone(), &left.often | &right.count(), columns)
            }
            JoinType::Right => {
                let columns = optional(&left).into_iter().chain(right.columns.iter().cloned()).collect();
                (right.exist.clone(), &right.often | &left.count(), columns)
            }
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                (&(&left.exist | &right.exist) | &asked, left.often.clone(), left.columns.clone())
            }
            JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                (&(&left.exist | &right.exist) | &asked, right.often.clone(), right.columns.clone())
            }
            JoinType::Inner | JoinType::Full => {
                let columns = left.columns.iter().chain(&right.columns).cloned().collect();
                (&(&left.exist | &right.exist) | &asked, &left.often | &right.often, columns)
            }
        };
        let lags = [left.lags, right.lags].concat();
        let single = &left.single | &right.single;
        Rows { schema: Arc::clone(&join.schema), columns, exist, often, lags, single }
    }

    /// Rows of several queries under each other: where all have a time in one column, one bound on it bounds them all.
    fn union(&mut self, union: &Union) -> Rows {
        let parts: Vec<Rows> = union.inputs.iter().map(|input| self.rows(input)).collect();
        let width = union.schema.fields().len();
        let column = |place: usize| parts.iter().filter_map(move |rows| rows.columns.get(place));
        let times =
            |place: &usize| column(*place).all(|value| value.moment.is_some_and(|moment| moment.shift == Shift::EXACT));
        let time = (0..width).find(times);
        let merged: Vec<Scan> =
            time.into_iter().flat_map(column).filter_map(|value| value.moment).map(|moment| moment.scan).collect();
        let id = match merged.first().and_then(|first| self.scans.get(*first)).cloned() {
            Some(first) if merged.iter().any(|scan| Some(scan) != merged.first()) => {
                let grain = merged.iter().any(|scan| self.scans[*scan].kind == Kind::Grain);
                let kind = if grain { Kind::Grain } else { Kind::Timed };
                self.scans.push(Reading { kind, key: Vec::new(), ..first });
                Some(self.scans.len() - 1)
            }
            _ => None,
        };
        let rename = |taint: Taint| -> Taint {
            taint.into_iter().map(|scan| id.filter(|_| merged.contains(&scan)).unwrap_or(scan)).collect()
        };
        let value = |place: usize| Value {
            taint: rename(column(place).flat_map(|value| &value.taint).copied().collect()),
            moment: match id {
                Some(scan) if Some(place) == time => Some(Moment { scan, shift: Shift::EXACT }),
                _ => column(place).next().and_then(|value| value.moment).filter(|_| id.is_none()),
            },
            column: None,
        };
        let columns = (0..width).map(value).collect();
        let exist = rename(parts.iter().flat_map(|rows| &rows.exist).copied().collect());
        let often = rename(parts.iter().flat_map(|rows| &rows.often).copied().collect());
        Rows { schema: Arc::clone(&union.schema), columns, exist, often, lags: Vec::new(), single: Taint::new() }
    }
}

/// Rows of which each column depends on `taint`.
fn nothing(schema: &DFSchemaRef, taint: &Taint) -> Rows {
    let value = Value { taint: taint.clone(), ..Value::default() };
    let columns = vec![value; schema.fields().len()];
    Rows {
        schema: Arc::clone(schema),
        columns,
        exist: taint.clone(),
        often: Taint::new(),
        lags: Vec::new(),
        single: Taint::new(),
    }
}

/// The columns of both sides, as a join's condition sees them.
fn pair_schema(left: &Rows, right: &Rows, joined: &DFSchemaRef) -> DFSchemaRef {
    left.schema.join(&right.schema).map_or_else(|_| Arc::clone(joined), Arc::new)
}
