//! Picks by time alone: rows of one time stand in any order, so which of them is taken is left to chance.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Sort;

use super::Analysis;
use super::aggregate::short;
use super::state::Rows;
use crate::lint::rule::Rule;
use crate::lint::stability::PICKS;

/// How [`Analysis::ties`] is told of a DISTINCT ON.
pub const DISTINCT_ON: &str = "distinct on";

impl Analysis<'_> {
    pub fn ties_of_aggregate(&mut self, expr: &Expr, keys: &[&Expr], rows: &Rows) {
        match expr {
            Expr::Alias(alias) => self.ties_of_aggregate(&alias.expr, keys, rows),
            Expr::AggregateFunction(function) => {
                let params = &function.params;
                self.ties(function.func.name(), expr, &params.args, keys, &params.order_by, rows);
            }
            _ => {}
        }
    }

    /// Finds a pick whose order is nothing but the time of one reading, which does not tell its rows apart.
    /// Orders that hold anything else are taken at their word: a plan does not say what is unique after joins.
    pub fn ties(&mut self, name: &str, expr: &Expr, args: &[Expr], keys: &[&Expr], order: &[Sort], rows: &Rows) {
        if !PICKS.contains(&name) && name != DISTINCT_ON {
            return;
        }
        let times: Option<Vec<_>> = order.iter().map(|sort| self.value(&sort.expr, rows).moment).collect();
        let Some(times) = times else { return };
        let Some(time) = times.first().copied().filter(|first| times.iter().all(|time| time.scan == first.scan)) else {
            return;
        };
        let exprs: Vec<&Expr> = keys.iter().copied().chain(order.iter().map(|sort| &sort.expr)).collect();
        let given: Vec<String> = exprs
            .iter()
            .filter_map(|expr| self.value(expr, rows).column)
            .filter(|(scan, _)| *scan == time.scan)
            .map(|(_, column)| column)
            .collect();
        let Some(reading) = self.scans.get(time.scan).cloned() else { return };
        let unique = !reading.key.is_empty() && reading.key.iter().all(|column| given.contains(column));
        // Rows that are the same to the query can stand in any order.
        let same = |arg: &Expr| matches!(arg, Expr::Literal(..)) || exprs.contains(&arg);
        let alike = !args.is_empty() && args.iter().all(same);
        if unique || alike || !rows.single.contains(&time.scan) {
            return;
        }
        let what = match name {
            DISTINCT_ON => format!("DISTINCT ON takes one of several rows of {} of one time", reading.shown),
            _ => format!("{} orders rows of {} by time alone", short(expr), reading.shown),
        };
        let instead = format!("end the ORDER BY in the key of {}: {}", reading.shown, reading.key.join(", "));
        self.find_with(Rule::OrderWithTies, Some(expr), Some(time.scan), what, Some(instead));
    }
}
