//! Aggregates: what is added up over rows that nothing bounds can be bounded by nothing above.

use std::sync::Arc;

use datafusion::logical_expr::{Aggregate, Expr};

use super::moment::Scan;
use super::state::{Facts, Rows, Taint, Value};
use super::{Analysis, Kind};
use crate::lint::rule::Rule;

impl Analysis<'_> {
    pub fn aggregate(&mut self, aggregate: &Aggregate) -> Rows {
        let input = self.rows(&aggregate.input);
        let keys: Vec<&Expr> = aggregate.group_expr.iter().flat_map(parts).collect();
        let mut columns: Vec<Value> = keys.iter().map(|key| self.value(key, &input)).collect();
        let times: Vec<Scan> = columns.iter().filter_map(|key| key.moment).map(|moment| moment.scan).collect();
        let per_moment = times.iter().any(|scan| self.scans[*scan].kind == Kind::Grain);
        let around = self.around();
        // The groups of a GROUPING SET are named by a column more.
        columns.resize(aggregate.schema.fields().len().saturating_sub(aggregate.aggr_expr.len()), Value::default());
        for expr in &aggregate.aggr_expr {
            let mut value = self.added_up(expr, &input);
            self.ties_of_aggregate(expr, &keys, &input);
            let open: Vec<Scan> = value
                .taint
                .iter()
                .copied()
                .filter(|scan| !input.is_near(*scan, &times) && !around.contains(scan))
                .collect();
            for scan in open {
                value.taint.remove(&scan);
                self.over_all(scan, expr, per_moment || !around.is_empty());
            }
            columns.push(value);
        }
        // Of a group's rows, those lag as before that have one time in it.
        let lags = input.lags.into_iter().filter(|lag| times.contains(&lag.after)).collect();
        Rows {
            schema: Arc::clone(&aggregate.schema),
            columns,
            exist: input.exist,
            often: Taint::new(),
            lags,
            single: Taint::new(),
        }
    }

    /// What one aggregate depends on: its arguments, and which rows there are.
    fn added_up(&mut self, expr: &Expr, input: &Rows) -> Value {
        let function = match expr {
            Expr::Alias(alias) => return self.added_up(&alias.expr, input),
            Expr::AggregateFunction(function) => function,
            other => return self.value(other, input),
        };
        let params = &function.params;
        let mut facts = match params.args.as_slice() {
            // A count counts a 0 too.
            [arg] => self.facts_of_case(arg, ["sum", "max"].contains(&function.func.name()), input),
            _ => Facts::default(),
        };
        if let Some(filter) = &params.filter {
            let more = self.holds(filter, input);
            facts.by.extend(more.by);
        }
        let exprs =
            params.args.iter().chain(params.filter.as_deref()).chain(params.order_by.iter().map(|sort| &sort.expr));
        let mut taint: Taint = exprs.flat_map(|expr| self.value(expr, input).taint).collect();
        taint.extend(input.exist.iter().copied());
        // The largest of some is the largest of the same some twice.
        let once = params.distinct || ["min", "max", "bool_or", "bool_and"].contains(&function.func.name());
        if !once {
            taint.extend(input.often.iter().copied());
        }
        facts.apply(&mut taint);
        let pick = ["min", "max", "first_value", "last_value"].contains(&function.func.name());
        let moment = params.args.first().filter(|_| pick).and_then(|arg| self.value(arg, input).moment);
        Value { taint, moment, column: None }
    }

    /// Something over all rows of a reading, with nothing that bounds it.
    pub fn over_all(&mut self, scan: Scan, expr: &Expr, per_moment: bool) {
        let Some(reading) = self.scans.get(scan) else { return };
        match (per_moment, reading.kind) {
            (true, Kind::Timed) => self.no_bound(scan),
            (true, Kind::Grain) if Some(scan) != self.root => self.no_bound(scan),
            _ => {
                let what = format!("{} over all rows of {}", short(expr), reading.shown);
                self.find(Rule::WholeTableAggregate, Some(expr), Some(scan), what);
            }
        }
    }
}

/// The columns that a GROUP BY names.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::GroupingSet(set) => set.distinct_expr(),
        other => vec![other],
    }
}

/// The name of the function that an expression is.
pub fn short(expr: &Expr) -> String {
    match expr {
        Expr::Alias(alias) => short(&alias.expr),
        Expr::AggregateFunction(function) => function.func.name().to_uppercase(),
        Expr::WindowFunction(function) => function.fun.name().to_uppercase(),
        _ => "an aggregate".into(),
    }
}
