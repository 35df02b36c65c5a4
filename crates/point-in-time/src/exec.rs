//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, future, stream};

use crate::rule::plain;
use crate::shape::{Comparison, Method, Shape};
use crate::sides::{self, Sides};
use crate::{bucket, finish};

/// A join of a grain with its source and the aggregate over it, in one pass: for every row of the grain its groups and
/// the aggregates' states over the row's windows or, where it `finishes`, for every group the aggregates' values.
#[derive(Debug)]
pub struct PointInTimeExec {
    shape: Arc<Shape>,
    states: SchemaRef,
    finishes: bool,
    grain: Arc<dyn ExecutionPlan>,
    source: Arc<dyn ExecutionPlan>,
    plain: Option<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PointInTimeExec {
    /// In the schema of the partial aggregate in whose place this comes the groups stand first.
    pub(crate) fn try_new(
        shape: Shape,
        partial: &SchemaRef,
        grain: Arc<dyn ExecutionPlan>,
        source: Arc<dyn ExecutionPlan>,
    ) -> Result<Self> {
        let mut fields: Vec<FieldRef> = partial.fields()[..shape.groups].to_vec();
        for aggregate in &shape.aggregates {
            match aggregate.method {
                Method::Distinct => fields.push(Arc::clone(&aggregate.function.field())),
                _ => fields.extend(aggregate.function.state_fields()?),
            }
        }
        // The groups come from the grain, where a field may say less of itself than in the joined rows.
        let groups = grain.schema();
        for (field, group) in fields.iter_mut().zip(&groups.fields()[..shape.groups]) {
            if group.is_nullable() && !field.is_nullable() {
                *field = Arc::new(Field::clone(field).with_nullable(true));
            }
        }
        let states = Arc::new(Schema::new_with_metadata(fields, partial.metadata().clone()));
        Ok(Self::over(Arc::new(shape), Arc::clone(&states), (states, false), [grain, source]))
    }

    /// The same with the final aggregate, of schema `last`; None where the rows of one group may lie in several buckets.
    pub(crate) fn finished(&self, last: &Schema) -> Option<Self> {
        self.shape.keys_in_groups.as_ref()?;
        let groups = self.states.fields()[..self.shape.groups].iter().cloned();
        let fields: Vec<FieldRef> = groups.chain(last.fields()[self.shape.groups..].iter().cloned()).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, last.metadata().clone()));
        let inputs = [Arc::clone(&self.grain), Arc::clone(&self.source)];
        Some(Self::over(Arc::clone(&self.shape), Arc::clone(&self.states), (schema, true), inputs))
    }

    fn over(
        shape: Arc<Shape>,
        states: SchemaRef,
        (schema, finishes): (SchemaRef, bool),
        [grain, source]: [Arc<dyn ExecutionPlan>; 2],
    ) -> Self {
        let partitioning = match (grain.output_partitioning(), &shape.keys_in_groups) {
            (Partitioning::Hash(_, count), Some(groups)) => {
                let column = |group: &usize| -> Arc<dyn PhysicalExpr> {
                    Arc::new(Column::new(schema.field(*group).name(), *group))
                };
                Partitioning::Hash(groups.iter().map(column).collect(), *count)
            }
            (other, _) => Partitioning::UnknownPartitioning(other.partition_count()),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            partitioning,
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Self { shape, states, finishes, grain, source, plain: None, properties, metrics }
    }

    /// The same, which can say in whose place it stands.
    pub(crate) fn in_place_of(self, plain: &Arc<dyn ExecutionPlan>) -> Self {
        Self { plain: Some(Arc::clone(plain)), ..self }
    }

    /// The plan in whose place this stands, over inputs without rows: what
    /// [`PointInTimeRule::restored`](crate::PointInTimeRule::restored) makes it of again.
    pub fn plain(&self) -> Result<Arc<dyn ExecutionPlan>> {
        plain(self.plain.as_ref())
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The names of the aggregates.
    pub fn aggregates(&self) -> Vec<&str> {
        self.shape.aggregates.iter().map(|aggregate| aggregate.function.name()).collect()
    }
}

impl DisplayAs for PointInTimeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let kind = if self.shape.inner { "inner" } else { "left" };
        let window = |bound: &crate::shape::Bound| {
            let sign = match bound.comparison {
                Comparison::Before => "<",
                Comparison::UpTo => "<=",
                Comparison::After => ">",
                Comparison::From => ">=",
                Comparison::At => "=",
            };
            format!("time {sign} moment {}", bound.moment)
        };
        let bounds: Vec<String> = self.shape.window.bounds.iter().map(window).collect();
        write!(f, "PointInTimeExec: {kind}, window=[{}], aggr=[{}]", bounds.join(", "), self.aggregates().join(", "))
    }
}

impl ExecutionPlan for PointInTimeExec {
    fn name(&self) -> &'static str {
        "PointInTimeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        sides::together([&self.grain, &self.source], [self.shape.groups, 0], self.shape.keys)
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
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop(), children.pop()) {
            (Some(source), Some(grain), None) => {
                let (shape, states) = (Arc::clone(&self.shape), Arc::clone(&self.states));
                let over = Self::over(shape, states, (self.schema(), self.finishes), [grain, source]);
                let properties = match options.children_properties {
                    ChildrenPropertiesMode::Keep => Arc::clone(&self.properties),
                    ChildrenPropertiesMode::Recompute => over.properties,
                };
                Ok(Arc::new(Self { plain: self.plain.clone(), properties, ..over }))
            }
            _ => internal_err!("PointInTimeExec has two inputs"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (groups, keys) = (self.shape.groups, self.shape.keys);
        let grain = self.grain.execute(partition, Arc::clone(&context))?;
        let source = self.source.execute(partition, Arc::clone(&context))?;
        let sides = Sides::new(
            format!("PointInTimeExec[{partition}]"),
            [groups..groups + keys, 0..keys],
            [&grain, &source],
            &context,
            &SpillMetrics::new(&self.metrics, partition),
        );
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (shape, states, schema) = (Arc::clone(&self.shape), Arc::clone(&self.states), self.schema());
        let (size, finishes) = (context.session_config().batch_size(), self.finishes);
        let batches = sides.buckets(grain, source, metrics.clone()).and_then(move |(grain, source)| {
            let _timer = metrics.elapsed_compute().timer();
            let found = bucket::aggregate(&shape, &states, &grain, &source).and_then(|found| match finishes {
                true => finish::finish(&shape, &schema, &found),
                false => Ok(found),
            });
            future::ready(found.map(|found| {
                metrics.record_output(found.num_rows());
                stream::iter(pieces(&found, size))
            }))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten().boxed())))
    }
}

/// `batch` in batches of at most `size` rows.
fn pieces(batch: &RecordBatch, size: usize) -> Vec<Result<RecordBatch>> {
    let piece = |from: usize| Ok(batch.slice(from, size.min(batch.num_rows() - from)));
    (0..batch.num_rows()).step_by(size.max(1)).map(piece).collect()
}
