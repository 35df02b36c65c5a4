//! A CASE without ELSE asks first whether any of its conditions holds.  DataFusion asks them one by one, and after each
//! copies the columns of the rows that are left; where the CASE is for few rows, that is nearly all, again and again.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

/// Puts `CASE WHEN a OR b THEN CASE WHEN a THEN x WHEN b THEN y END END` in the place of
/// `CASE WHEN a THEN x WHEN b THEN y END` in what a projection works out, where the conditions are comparisons and cannot
/// fail on rows that one of them would have kept from another.
#[derive(Debug)]
pub struct CaseGuardRule;

impl PhysicalOptimizerRule for CaseGuardRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let rewrite = |plan: Arc<dyn ExecutionPlan>| {
            let Some(projection) = plan.downcast_ref::<ProjectionExec>() else { return Ok(Transformed::no(plan)) };
            let mut changed = false;
            let mut exprs = Vec::with_capacity(projection.expr().len());
            for ProjectionExpr { expr, alias } in projection.expr() {
                let asked = Arc::clone(expr).transform_down(asked_first)?;
                changed |= asked.transformed;
                exprs.push(ProjectionExpr { expr: asked.data, alias: alias.clone() });
            }
            match changed {
                true => {
                    Ok(Transformed::yes(Arc::new(ProjectionExec::try_new(exprs, Arc::clone(projection.input()))?)
                        as Arc<dyn ExecutionPlan>))
                }
                false => Ok(Transformed::no(plan)),
            }
        };
        Ok(plan.transform_up(rewrite)?.data)
    }

    fn name(&self) -> &'static str {
        "case_guard"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn asked_first(expr: Arc<dyn PhysicalExpr>) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    let Some(case) = expr.downcast_ref::<CaseExpr>() else { return Ok(Transformed::no(expr)) };
    let conditions = case.when_then_expr().iter().map(|(condition, _)| condition);
    if case.expr().is_some() || case.else_expr().is_some() || !conditions.clone().all(cannot_fail) {
        return Ok(Transformed::no(expr));
    }
    let or = |any, condition| Arc::new(BinaryExpr::new(any, Operator::Or, condition)) as Arc<dyn PhysicalExpr>;
    match conditions.cloned().reduce(or) {
        Some(any) if case.when_then_expr().len() > 1 => {
            let asked = CaseExpr::try_new(None, vec![(any, expr)], None)?;
            Ok(Transformed::new(Arc::new(asked), true, TreeNodeRecursion::Jump))
        }
        _ => Ok(Transformed::no(expr)),
    }
}

/// Comparisons of columns and constants, with AND, OR and NOT.
fn cannot_fail(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let compares = |binary: &BinaryExpr| match binary.op() {
        Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom => true,
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => true,
        Operator::And | Operator::Or => true,
        _ => false,
    };
    let is_safe = expr.is::<Column>()
        || expr.is::<Literal>()
        || expr.is::<IsNullExpr>()
        || expr.is::<IsNotNullExpr>()
        || expr.is::<NotExpr>()
        || expr.downcast_ref::<BinaryExpr>().is_some_and(compares);
    is_safe && expr.children().into_iter().all(cannot_fail)
}
