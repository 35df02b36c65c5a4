//! Small questions about physical expressions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use datafusion::physical_expr::utils::collect_columns;

use crate::shape::Comparison;

pub type Expr = Arc<dyn PhysicalExpr>;

/// Which input an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Neither,
    Grain,
    Source,
    Both,
}

/// `expr` with every column replaced by what `by` gives for its index.
pub fn substitute(expr: &Expr, by: &dyn Fn(usize) -> Expr) -> Result<Expr> {
    let replaced = Arc::clone(expr).transform_down(|node| match node.downcast_ref::<Column>() {
        Some(column) => Ok(Transformed::new(by(column.index()), true, TreeNodeRecursion::Jump)),
        None => Ok(Transformed::no(node)),
    })?;
    Ok(replaced.data)
}

/// The side of `expr`, whose columns in `grain` are the grain's.
pub fn side(expr: &Expr, grain: &std::ops::Range<usize>) -> Side {
    let columns = collect_columns(expr);
    let of_grain = columns.iter().filter(|column| grain.contains(&column.index())).count();
    match (of_grain, columns.len() - of_grain) {
        (0, 0) => Side::Neither,
        (_, 0) => Side::Grain,
        (0, _) => Side::Source,
        _ => Side::Both,
    }
}

/// `source OP grain` of a comparison between the sides, whichever way round it is written.
pub fn comparison(expr: &Expr, grain: &std::ops::Range<usize>) -> Option<(Expr, Comparison, Expr)> {
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (binary.left(), binary.right());
    let straight = match binary.op() {
        Operator::Lt => Comparison::Before,
        Operator::LtEq => Comparison::UpTo,
        Operator::Gt => Comparison::After,
        Operator::GtEq => Comparison::From,
        Operator::Eq => Comparison::At,
        _ => return None,
    };
    let turned = match straight {
        Comparison::Before => Comparison::After,
        Comparison::UpTo => Comparison::From,
        Comparison::After => Comparison::Before,
        Comparison::From => Comparison::UpTo,
        Comparison::At => Comparison::At,
    };
    match (side(left, grain), side(right, grain)) {
        (Side::Source, Side::Grain) => Some((Arc::clone(left), straight, Arc::clone(right))),
        (Side::Grain, Side::Source) => Some((Arc::clone(right), turned, Arc::clone(left))),
        _ => None,
    }
}

/// The place of `expr` in `list`, where it is added if it is new.
pub fn place(list: &mut Vec<Expr>, expr: Expr) -> usize {
    if let Some(known) = list.iter().position(|known| **known == *expr) {
        return known;
    }
    list.push(expr);
    list.len() - 1
}
