//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, future, stream};

use super::Shape;
use super::matches::Matches;
use crate::sides::{self, Sides};

/// A LEFT or INNER join of a grain with what its source holds for a range of times.
#[derive(Debug)]
pub struct RangeJoinExec {
    shape: Arc<Shape>,
    grain: Arc<dyn ExecutionPlan>,
    source: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RangeJoinExec {
    /// `schema` is that of the join in whose place this comes.
    pub(crate) fn new(
        shape: Shape,
        schema: SchemaRef,
        grain: Arc<dyn ExecutionPlan>,
        source: Arc<dyn ExecutionPlan>,
    ) -> Self {
        Self::over(Arc::new(shape), schema, [grain, source])
    }

    fn over(shape: Arc<Shape>, schema: SchemaRef, [grain, source]: [Arc<dyn ExecutionPlan>; 2]) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(grain.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { shape, grain, source, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for RangeJoinExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let kind = if self.shape.outer { "left" } else { "inner" };
        write!(f, "RangeJoinExec: {kind}, filter={}", self.shape.filter)
    }
}

impl ExecutionPlan for RangeJoinExec {
    fn name(&self) -> &'static str {
        "RangeJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        sides::together([&self.grain, &self.source], [0, 0], self.shape.keys)
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.grain, &self.source]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop(), children.pop()) {
            (Some(source), Some(grain), None) => {
                Ok(Arc::new(Self::over(Arc::clone(&self.shape), self.schema(), [grain, source])))
            }
            _ => internal_err!("RangeJoinExec has two inputs"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition), ChildStats::Skip]
    }

    /// A row of the grain mostly meets one of the source: what is joined next had better know the size.
    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let rows = inputs[0].num_rows.to_inexact();
        Ok(Arc::new(Statistics { num_rows: rows, ..Statistics::new_unknown(&self.schema()) }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let grain = self.grain.execute(partition, Arc::clone(&context))?;
        let source = self.source.execute(partition, Arc::clone(&context))?;
        let keys = 0..self.shape.keys;
        let sides = Sides::new(
            format!("RangeJoinExec[{partition}]"),
            [keys.clone(), keys],
            [&grain, &source],
            &context,
            &SpillMetrics::new(&self.metrics, partition),
        );
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let output = metrics.clone();
        let (shape, schema, size) = (Arc::clone(&self.shape), self.schema(), context.session_config().batch_size());
        let batches = sides.buckets(grain, source, metrics.clone()).and_then(move |(grain, source)| {
            let _timer = metrics.elapsed_compute().timer();
            let matches = Matches::new(Arc::clone(&shape), Arc::clone(&schema), size, &grain, &source);
            future::ready(matches.map(stream::iter))
        });
        let counted = batches.try_flatten().inspect_ok(move |batch| output.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counted.boxed())))
    }
}
