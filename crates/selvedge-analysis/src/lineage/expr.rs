//! An expression as a node: names that were given along the way are resolved, and so is order that means nothing.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{AggregateFunctionParams, Sort, WindowFunctionParams};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, ExprSchemable, Operator};

use super::node::{Kind, Node};
use super::relation::Tracer;
use selvedge_engine::function_version;

/// What column names mean at one place of a plan: `nodes` is as long as `schema`.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub schema: &'a DFSchema,
    pub nodes: &'a [Node],
}

impl Tracer<'_> {
    /// The meaning of an expression.
    pub(super) fn expr(&self, expr: &Expr, scope: Scope<'_>) -> Node {
        let of = |expr: &Expr| self.expr(expr, scope);
        match expr {
            Expr::Alias(alias) => of(&alias.expr),
            Expr::Column(column) => match scope.schema.maybe_index_of_column(column) {
                Some(place) if place < scope.nodes.len() => scope.nodes[place].clone(),
                _ => Node::list("unknown column", &[]).with(&column.name),
            },
            Expr::OuterReferenceColumn(_, column) => self.outer(column),
            Expr::Literal(value, _) => Node::list("literal", &[]).with(&format!("{}: {value:?}", value.data_type())),
            Expr::BinaryExpr(binary) => self.binary(binary, scope),
            Expr::Between(between) => {
                let value = of(&between.expr);
                let low = Node::list("<=", &[of(&between.low), value.clone()]);
                let high = Node::list("<=", &[value, of(&between.high)]);
                negated_if(between.negated, Node::set("AND", &[low, high]))
            }
            Expr::InList(list) => {
                let options: Vec<Node> = list.list.iter().map(of).collect();
                negated_if(list.negated, Node::list("in list", &[of(&list.expr), Node::set("options", &options)]))
            }
            Expr::Like(like) | Expr::SimilarTo(like) => {
                let detail = format!("{} {:?} {}", expr.variant_name(), like.escape_char, like.case_insensitive);
                negated_if(like.negated, Node::list("like", &[of(&like.expr), of(&like.pattern)]).with(&detail))
            }
            Expr::Case(case) => self.case(case, scope),
            Expr::Cast(cast) => Node::list("cast", &[of(&cast.expr)]).with(&cast.field.data_type().to_string()),
            Expr::TryCast(cast) => Node::list("try_cast", &[of(&cast.expr)]).with(&cast.field.data_type().to_string()),
            Expr::ScalarFunction(call) => {
                let parts: Vec<Node> = call.args.iter().map(of).collect();
                Node::list("function", &parts).with(&versioned(call.name()))
            }
            Expr::AggregateFunction(call) => self.aggregate(&versioned(call.func.name()), &call.params, scope),
            Expr::WindowFunction(call) => self.window(&versioned(call.fun.name()), &call.params, scope),
            Expr::Exists(exists) => {
                let rows = self.subquery(&exists.subquery.subquery, scope).rows;
                negated_if(exists.negated, Node::list("exists", &[rows.doing(Kind::Filter)]))
            }
            Expr::InSubquery(inside) => {
                let found = self.subquery(&inside.subquery.subquery, scope);
                let parts = [of(&inside.expr), Node::list("found", &found.columns), found.rows.doing(Kind::Filter)];
                negated_if(inside.negated, Node::list("in subquery", &parts))
            }
            Expr::ScalarSubquery(query) => {
                let found = self.subquery(&query.subquery, scope);
                let rows = found.rows.doing(Kind::Filter);
                Node::list("scalar", &[Node::list("found", &found.columns), rows])
            }
            Expr::Not(inner) => negated_if(true, of(inner)),
            _ => self.other_expr(expr, scope),
        }
    }

    /// The meaning of a condition: what it compares decides how its columns take part.
    pub(super) fn predicate(&self, expr: &Expr, scope: Scope<'_>) -> Node {
        let timed = |sides: &[&Expr]| {
            let temporal = |side: &&Expr| side.get_type(scope.schema).is_ok_and(|found| found.is_temporal());
            sides.iter().any(temporal)
        };
        let of = |side: &Expr| self.expr(side, scope);
        match expr {
            Expr::Alias(alias) => self.predicate(&alias.expr, scope),
            Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => {
                let parts: Vec<Node> = flattened(binary).into_iter().map(|part| self.predicate(part, scope)).collect();
                Node::set(&binary.op.to_string(), &parts)
            }
            Expr::BinaryExpr(BinaryExpr { left, right, op }) => {
                let kind = match op {
                    Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq if timed(&[left, right]) => {
                        Kind::Window
                    }
                    Operator::Eq if !of(left).uses.is_empty() && !of(right).uses.is_empty() => Kind::JoinKey,
                    _ => Kind::Filter,
                };
                of(expr).doing(kind)
            }
            Expr::Between(between) if timed(&[&between.low, &between.high]) => of(expr).doing(Kind::Window),
            _ => of(expr).doing(Kind::Filter),
        }
    }

    fn binary(&self, binary: &BinaryExpr, scope: Scope<'_>) -> Node {
        let (left, right) = (&binary.left, &binary.right);
        let sides = || [self.expr(left, scope), self.expr(right, scope)];
        let turned = || [self.expr(right, scope), self.expr(left, scope)];
        match binary.op {
            Operator::And | Operator::Or => {
                let parts: Vec<Node> = flattened(binary).into_iter().map(|part| self.expr(part, scope)).collect();
                Node::set(&binary.op.to_string(), &parts)
            }
            Operator::Eq
            | Operator::NotEq
            | Operator::Plus
            | Operator::Multiply
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => Node::set(&binary.op.to_string(), &sides()),
            Operator::Gt => Node::list("<", &turned()),
            Operator::GtEq => Node::list("<=", &turned()),
            op => Node::list(&op.to_string(), &sides()),
        }
    }

    fn case(&self, case: &Case, scope: Scope<'_>) -> Node {
        let absent = || Node::list("absent", &[]);
        let base = case.expr.as_ref().map_or_else(absent, |expr| self.expr(expr, scope).doing(Kind::Filter));
        let mut parts = vec![base];
        for (when, then) in &case.when_then_expr {
            parts.push(self.predicate(when, scope));
            parts.push(self.expr(then, scope));
        }
        parts.push(case.else_expr.as_ref().map_or_else(absent, |expr| self.expr(expr, scope)));
        Node::list("case", &parts)
    }

    fn aggregate(&self, name: &str, params: &AggregateFunctionParams, scope: Scope<'_>) -> Node {
        let args: Vec<Node> = params.args.iter().map(|arg| self.expr(arg, scope)).collect();
        let filter: Vec<Node> = params.filter.iter().map(|filter| self.predicate(filter, scope)).collect();
        let parts = [Node::list("of", &args), Node::list("where", &filter), self.order(&params.order_by, scope)];
        Node::list("aggregate", &parts).with(&format!("{name} {} {:?}", params.distinct, params.null_treatment))
    }

    fn window(&self, name: &str, params: &WindowFunctionParams, scope: Scope<'_>) -> Node {
        let args: Vec<Node> = params.args.iter().map(|arg| self.expr(arg, scope)).collect();
        let groups: Vec<Node> = params.partition_by.iter().map(|by| self.expr(by, scope).doing(Kind::Window)).collect();
        let filter: Vec<Node> = params.filter.iter().map(|filter| self.predicate(filter, scope)).collect();
        let parts = [
            Node::list("of", &args),
            Node::set("partition", &groups),
            self.order(&params.order_by, scope),
            Node::list("where", &filter),
        ];
        let detail = format!("{name} {} {:?} {}", params.distinct, params.null_treatment, params.window_frame);
        Node::list("window", &parts).with(&detail)
    }

    /// The meaning of ORDER BY.
    pub(super) fn order(&self, sorts: &[Sort], scope: Scope<'_>) -> Node {
        let one = |sort: &Sort| {
            let by = self.expr(&sort.expr, scope).doing(Kind::Window);
            Node::list("by", &[by]).with(&format!("{} {}", sort.asc, sort.nulls_first))
        };
        Node::list("order", &sorts.iter().map(one).collect::<Vec<_>>())
    }

    /// Kinds without a rule of their own: as written, over what they hold.
    fn other_expr(&self, expr: &Expr, scope: Scope<'_>) -> Node {
        let mut parts = Vec::new();
        // The visitor cannot fail: it only collects.
        let _ = expr.apply_children(|child| {
            parts.push(self.expr(child, scope));
            Ok(TreeNodeRecursion::Continue)
        });
        let node = Node::list(expr.variant_name(), &parts);
        if parts.is_empty() { node.with(&expr.to_string()) } else { node }
    }
}

fn negated_if(negated: bool, node: Node) -> Node {
    if negated { Node::list("not", &[node]) } else { node }
}

/// `a AND (b AND c)` as `a, b, c`; the same for OR.
fn flattened(binary: &BinaryExpr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    for side in [&binary.left, &binary.right] {
        match side.as_ref() {
            Expr::BinaryExpr(inner) if inner.op == binary.op => parts.extend(flattened(inner)),
            other => parts.push(other),
        }
    }
    parts
}

/// A function's name with the version of the project's own.
fn versioned(name: &str) -> String {
    function_version(name).map_or_else(|| name.to_owned(), |version| format!("{name} version {version}"))
}
