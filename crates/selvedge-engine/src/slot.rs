//! Tables that are put into a plan when it is run: what was planned once is run over other rows, again and again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Statistics, TableReference, internal_err, project_schema};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};

/// Rows of tables, by name.
pub type Rows = BTreeMap<TableReference, Vec<RecordBatch>>;

/// A table of which a plan knows the columns, and about how many rows there will be.
#[derive(Debug)]
pub struct SlotTable {
    name: TableReference,
    schema: SchemaRef,
    rows: usize,
}

impl SlotTable {
    /// A place for the rows of `name`; those that are there now say how many to expect.
    pub fn new(name: TableReference, schema: SchemaRef, likely: &[RecordBatch]) -> Self {
        Self { name, schema, rows: likely.iter().map(RecordBatch::num_rows).sum() }
    }
}

#[async_trait]
impl TableProvider for SlotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&self.schema, projection)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(SlotExec {
            name: self.name.clone(),
            projection: projection.cloned(),
            likely: self.rows,
            rows: None,
            properties: Arc::new(properties),
        }))
    }
}

/// Reads the rows that were put in.
#[derive(Debug, Clone)]
struct SlotExec {
    name: TableReference,
    projection: Option<Vec<usize>>,
    likely: usize,
    rows: Option<Vec<RecordBatch>>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for SlotExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "SlotExec: {}", self.name)
    }
}

impl ExecutionPlan for SlotExec {
    fn name(&self) -> &'static str {
        "SlotExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(rows) = &self.rows else { return internal_err!("nothing was put in the place of {}", self.name) };
        Ok(Box::pin(MemoryStream::try_new(rows.clone(), self.schema(), self.projection.clone())?))
    }

    /// Never exact: a count that a rule takes for the truth would be that of other rows.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let unknown = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(Statistics { num_rows: Precision::Inexact(self.likely), ..unknown }))
    }
}

/// The plan with rows in its slots and nothing left in its operators of an earlier run.
///
/// # Errors
/// A table that is not among `rows`.
pub fn filled(plan: &Arc<dyn ExecutionPlan>, rows: &Rows) -> Result<Arc<dyn ExecutionPlan>> {
    let fresh = |node: Arc<dyn ExecutionPlan>| {
        let Some(slot) = node.downcast_ref::<SlotExec>() else { return node.reset_state().map(Transformed::yes) };
        let Some(rows) = rows.get(&slot.name) else { return internal_err!("there is no table {}", slot.name) };
        Ok(Transformed::yes(Arc::new(SlotExec { rows: Some(rows.clone()), ..slot.clone() }) as _))
    };
    Arc::clone(plan).transform_up(fresh).data()
}
