//! Rules for every layer: the same rows give the same answer, whatever their order and whenever they are asked.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::WindowFunctionParams;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan, Volatility, WindowFrameUnits};

use super::Found;
use super::place::Words;
use super::rule::Rule;

/// Functions whose answer is one row's, or follows the order of rows.
pub const PICKS: [&str; 9] =
    ["row_number", "first_value", "last_value", "nth_value", "lag", "lead", "ntile", "array_agg", "string_agg"];
/// Functions of a row's place, which rows of one order share.
const PLACES: [&str; 2] = ["cume_dist", "percent_rank"];
/// Aggregates that add up what they are given.
const SUMS: [&str; 2] = ["sum", "avg"];
/// Aggregates that work in doubles whatever they are given, or in centroids that follow the order of rows.
const ALWAYS_FLOATS: [&str; 18] = [
    "stddev",
    "stddev_pop",
    "var",
    "var_pop",
    "covar_samp",
    "covar_pop",
    "corr",
    "regr_slope",
    "regr_intercept",
    "regr_r2",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_syy",
    "regr_sxy",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
];

/// What in a plan depends on chance.
pub fn findings(plan: &LogicalPlan, words: &Words) -> Vec<Found> {
    let mut found = Vec::new();
    let _ = plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::Limit(limit) if !sorted(&limit.input) => found.push(Found {
                rule: Rule::UnorderedPick,
                line: words.line_of(&["limit"]).or_else(|| words.line_of(&["fetch"])),
                what: "LIMIT without ORDER BY".into(),
                instead: None,
            }),
            LogicalPlan::Distinct(Distinct::On(on)) if on.sort_expr.is_none() => found.push(Found {
                rule: Rule::UnorderedPick,
                line: words.line_of(&["distinct", "on"]),
                what: "DISTINCT ON without ORDER BY".into(),
                instead: None,
            }),
            _ => {}
        }
        let _ = node.apply_expressions(|expr| {
            let _ = expr.apply(|part| {
                found.extend(of_expr(part, node, words));
                Ok(TreeNodeRecursion::Continue)
            });
            Ok(TreeNodeRecursion::Continue)
        });
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn of_expr(expr: &Expr, node: &LogicalPlan, words: &Words) -> Option<Found> {
    let at = |rule, what: String| Some(Found { rule, line: words.line_of_expr(expr), what, instead: None });
    let floats = |args: &[Expr]| {
        let input = node.inputs().first().map(|input| input.schema().clone());
        let is_float = |arg: &Expr| {
            let kind = input.as_ref().and_then(|schema| arg.get_type(schema.as_ref()).ok());
            kind.is_some_and(|kind| matches!(kind, DataType::Float16 | DataType::Float32 | DataType::Float64))
        };
        args.iter().any(is_float)
    };
    let open = |name: &str, args: &[Expr]| ALWAYS_FLOATS.contains(&name) || SUMS.contains(&name) && floats(args);
    match expr {
        Expr::ScalarFunction(function) if function.func.signature().volatility != Volatility::Immutable => {
            let name = function.name();
            let line = words.line_of(&[name, "("]).or_else(|| words.line_of(&[name]));
            Some(Found { rule: Rule::VolatileFunction, line, what: format!("{name}()"), instead: None })
        }
        Expr::AggregateFunction(function) => {
            let (name, params) = (function.func.name(), &function.params);
            match () {
                () if needs_order(name) && params.order_by.is_empty() => {
                    at(Rule::UnorderedPick, format!("{name} without ORDER BY"))
                }
                () if open(name, &params.args) => at(Rule::OpenFloatSum, format!("{name} in floats")),
                () => None,
            }
        }
        Expr::WindowFunction(function) => {
            let (name, params) = (function.fun.name(), &function.params);
            match () {
                () if needs_order(name) && params.order_by.is_empty() => {
                    at(Rule::UnorderedPick, format!("{name} without ORDER BY"))
                }
                () if open(name, &params.args) && !running(params) => {
                    at(Rule::OpenFloatSum, format!("{name} in floats over a window"))
                }
                () => None,
            }
        }
        _ => None,
    }
}

fn needs_order(function: &str) -> bool {
    PICKS.contains(&function) || PLACES.contains(&function)
}

/// Whether a window adds row after row in an order that the query states.
fn running(params: &WindowFunctionParams) -> bool {
    let frame = &params.window_frame;
    !params.order_by.is_empty() && frame.units == WindowFrameUnits::Rows && frame.start_bound.is_unbounded()
}

/// Whether rows come in an order that the query states.
fn sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => sorted(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => sorted(&alias.input),
        // One row whatever the order.
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}
