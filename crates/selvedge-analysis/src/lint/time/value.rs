//! Expressions: what each depends on, and whether it is a time.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator};

use super::moment::{DAY, Moment, Unit, seconds, span, unit};
use super::state::{Facts, Rows, Taint, Value};
use super::{Analysis, Kind};

impl Analysis<'_> {
    /// What an expression over `rows` depends on, and whether it is a time or a column as it stands in a table.
    pub fn value(&mut self, expr: &Expr, rows: &Rows) -> Value {
        match expr {
            Expr::Column(column) => rows.value(column).unwrap_or_default(),
            Expr::OuterReferenceColumn(_, column) => self.outer(column).unwrap_or_default(),
            Expr::Alias(alias) => self.value(&alias.expr, rows),
            Expr::ScalarSubquery(subquery) => self.subquery(subquery, rows),
            Expr::Case(case) => Value { taint: self.taint_of_case(case, rows), ..Value::default() },
            _ => Value { taint: self.taint(expr, rows), moment: self.moment(expr, rows), column: None },
        }
    }

    /// The moment that an expression is, or is near.
    fn moment(&mut self, expr: &Expr, rows: &Rows) -> Option<Moment> {
        match expr {
            Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::Alias(_) | Expr::ScalarSubquery(_) => {
                self.value(expr, rows).moment
            }
            Expr::Cast(cast) => {
                let days = is_day(cast.field.data_type());
                self.cast(&cast.expr, days, cast.field.data_type(), rows)
            }
            Expr::TryCast(cast) => {
                let days = is_day(cast.field.data_type());
                self.cast(&cast.expr, days, cast.field.data_type(), rows)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::Plus => match (span(left), span(right)) {
                    (_, Some(by)) => Some(self.moment(left, rows)?.plus(by)),
                    (Some(by), _) => Some(self.moment(right, rows)?.plus(by)),
                    _ => None,
                },
                Operator::Minus => Some(self.moment(left, rows)?.plus(span(&Expr::Negative(right.clone()))?)),
                _ => None,
            },
            Expr::ScalarFunction(function) => {
                let args = function.args.as_slice();
                match (function.name(), args) {
                    ("date_trunc", [period, time]) => Some(self.moment(time, rows)?.down_to(unit(text(period)?))),
                    ("date_bin", [period, time]) => {
                        Some(self.moment(time, rows)?.down_to(Unit::Seconds(seconds(period)?)))
                    }
                    ("date_part", [part, time]) if text(part)?.eq_ignore_ascii_case("epoch") => self.moment(time, rows),
                    ("to_date", [time]) => Some(self.moment(time, rows)?.down_to(Unit::Seconds(DAY))),
                    ("to_unixtime" | "to_timestamp" | "coalesce", [time, ..]) => self.moment(time, rows),
                    // The least is not after the moment, whatever else there is; the greatest not before the row's time.
                    ("least", times) => self.limit(times, true, rows),
                    ("greatest", times) => self.limit(times, false, rows),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn limit(&mut self, times: &[Expr], least: bool, rows: &Rows) -> Option<Moment> {
        let times: Vec<Moment> = times.iter().filter_map(|time| self.moment(time, rows)).collect();
        let of_grain = |time: &&Moment| (self.scans[time.scan].kind == Kind::Grain) == least;
        times.iter().find(of_grain).or(times.first()).map(|time| time.limit(least))
    }

    fn cast(&mut self, inner: &Expr, to_days: bool, to: &DataType, rows: &Rows) -> Option<Moment> {
        let moment = self.moment(inner, rows)?;
        let from_days = match inner {
            Expr::Column(column) => rows
                .schema
                .maybe_index_of_column(column)
                .is_some_and(|place| is_day(rows.schema.field(place).data_type())),
            _ => false,
        };
        match to {
            _ if to_days && !from_days => Some(moment.down_to(Unit::Seconds(DAY))),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Some(moment),
            number if number.is_numeric() => Some(moment),
            _ => None,
        }
    }

    /// A branch that is taken only before the moment depends on nothing after it.
    fn taint_of_case(&mut self, case: &Case, rows: &Rows) -> Taint {
        let mut taint = Taint::new();
        if let Some(base) = &case.expr {
            taint.extend(self.taint(base, rows));
        }
        for (when, then) in &case.when_then_expr {
            let facts = self.holds(when, rows);
            for part in [when, then] {
                let mut part = self.value(part, rows).taint;
                facts.apply(&mut part);
                taint.extend(part);
            }
        }
        if let Some(other) = &case.else_expr {
            taint.extend(self.value(other, rows).taint);
        }
        taint
    }

    /// What an aggregate's argument says of the rows that it leaves out by being NULL for them, or 0 where `zero` says that it counts for nothing.
    pub fn facts_of_case(&mut self, expr: &Expr, zero: bool, rows: &Rows) -> Facts {
        match expr {
            Expr::Alias(alias) => self.facts_of_case(&alias.expr, zero, rows),
            Expr::Cast(cast) => self.facts_of_case(&cast.expr, zero, rows),
            Expr::Case(case)
                if case.expr.is_none() && case.else_expr.as_deref().is_none_or(|other| is_nothing(other, zero)) =>
            {
                let mut all: Option<Facts> = None;
                for (when, _) in &case.when_then_expr {
                    let facts = self.holds(when, rows);
                    all = Some(all.map_or(facts.clone(), |all| all.or(&facts)));
                }
                all.unwrap_or_default()
            }
            _ => Facts::default(),
        }
    }
}

fn is_day(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

/// NULL, or 0 where that adds nothing.
fn is_nothing(expr: &Expr, zero: bool) -> bool {
    match expr {
        Expr::Cast(cast) => is_nothing(&cast.expr, zero),
        Expr::Literal(value, _) if value.is_null() => true,
        other => zero && seconds(other) == Some(0.0),
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => Some(text),
        _ => None,
    }
}
