//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
    PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream, SpillManager,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::bucket;
use crate::partitioned::{BUCKETS, Partitioned};
use crate::shape::{Comparison, Method, Shape};

/// A join of a grain with its source and the partial aggregate over it, in one pass: for every row of the grain its
/// groups and the aggregates' states over the row's windows.
#[derive(Debug)]
pub struct PointInTimeExec {
    shape: Arc<Shape>,
    schema: SchemaRef,
    grain: Arc<dyn ExecutionPlan>,
    source: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PointInTimeExec {
    /// `partial` is the schema of the partial aggregate in whose place this comes.
    pub(crate) fn try_new(
        shape: Shape,
        partial: SchemaRef,
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
        let schema = Arc::new(Schema::new_with_metadata(fields, partial.metadata().clone()));
        Ok(Self::over(Arc::new(shape), schema, grain, source))
    }

    fn over(
        shape: Arc<Shape>,
        schema: SchemaRef,
        grain: Arc<dyn ExecutionPlan>,
        source: Arc<dyn ExecutionPlan>,
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
            EquivalenceProperties::new(Arc::clone(&schema)),
            partitioning,
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { shape, schema, grain, source, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
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
        let keys = |input: &Arc<dyn ExecutionPlan>, first: usize| {
            let schema = input.schema();
            let key =
                |index: usize| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(schema.field(index).name(), index)) };
            Distribution::KeyPartitioned((first..first + self.shape.keys).map(key).collect())
        };
        InputDistributionRequirements::co_partitioned(vec![keys(&self.grain, self.shape.groups), keys(&self.source, 0)])
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
                Ok(Arc::new(Self::over(Arc::clone(&self.shape), Arc::clone(&self.schema), grain, source)))
            }
            _ => internal_err!("PointInTimeExec has two inputs"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(datafusion::physical_plan::ChildrenPropertiesMode::Recompute),
        )
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let spills = SpillMetrics::new(&self.metrics, partition);
        let spill = |input: &Arc<dyn ExecutionPlan>| {
            SpillManager::new(context.runtime_env(), spills.clone(), input.schema())
                .with_compression_type(context.session_config().spill_compression())
        };
        let (groups, keys) = (self.shape.groups, self.shape.keys);
        let mut sides = Sides {
            grain: Partitioned::new(groups..groups + keys, spill(&self.grain)),
            source: Partitioned::new(0..keys, spill(&self.source)),
            memory: MemoryConsumer::new(format!("PointInTimeExec[{partition}]"))
                .with_can_spill(true)
                .register(context.memory_pool()),
            next: 0,
        };
        let (mut grain, mut source) = (
            self.grain.execute(partition, Arc::clone(&context))?,
            self.source.execute(partition, Arc::clone(&context))?,
        );
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (shape, schema) = (Arc::clone(&self.shape), Arc::clone(&self.schema));
        let size = context.session_config().batch_size();
        let buckets = async move {
            while let Some(batch) = grain.try_next().await? {
                let _timer = metrics.elapsed_compute().timer();
                sides.grain.push(batch)?;
                sides.make_room()?;
            }
            while let Some(batch) = source.try_next().await? {
                let _timer = metrics.elapsed_compute().timer();
                sides.source.push(batch)?;
                sides.make_room()?;
            }
            sides.finish()?;
            Ok::<_, DataFusionError>(stream::try_unfold((sides, metrics), move |(mut sides, metrics)| {
                let (shape, schema) = (Arc::clone(&shape), Arc::clone(&schema));
                async move {
                    let Some((grain, source)) = sides.next().await? else { return Ok(None) };
                    let timer = metrics.elapsed_compute().timer();
                    let batch = bucket::aggregate(&shape, &schema, &grain, &source)?;
                    drop(timer);
                    metrics.record_output(batch.num_rows());
                    sides.give_back();
                    Ok::<_, DataFusionError>(Some((batch, (sides, metrics))))
                }
            }))
        };
        let batches = stream::once(buckets).try_flatten().map_ok(move |batch| stream::iter(pieces(&batch, size)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches.try_flatten().boxed())))
    }
}

/// `batch` in batches of at most `size` rows.
fn pieces(batch: &RecordBatch, size: usize) -> Vec<Result<RecordBatch>> {
    let piece = |from: usize| Ok(batch.slice(from, size.min(batch.num_rows() - from)));
    (0..batch.num_rows()).step_by(size.max(1)).map(piece).collect()
}

/// Both inputs, bucket by bucket.
struct Sides {
    grain: Partitioned,
    source: Partitioned,
    memory: MemoryReservation,
    next: usize,
}

impl Sides {
    /// Asks for the memory that is held; where the pool has none left, everything goes to disk.
    fn make_room(&mut self) -> Result<()> {
        if self.memory.try_resize(self.grain.held() + self.source.held()).is_err() {
            self.grain.spill()?;
            self.source.spill()?;
            self.memory.free();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if self.grain.is_split() || self.source.is_split() {
            self.grain.split()?;
            self.source.split()?;
            self.make_room()?;
        }
        self.grain.finish()?;
        self.source.finish()?;
        self.give_back();
        Ok(())
    }

    /// Holds no more than what is still to come.
    fn give_back(&mut self) {
        self.memory.shrink(self.memory.size().saturating_sub(self.grain.held() + self.source.held()));
    }

    /// The next bucket with rows of the grain.
    async fn next(&mut self) -> Result<Option<(RecordBatch, RecordBatch)>> {
        if !self.grain.is_split() {
            self.next += 1;
            return match self.next {
                1 => Ok(Some((self.grain.whole()?, self.source.whole()?))),
                _ => Ok(None),
            };
        }
        while self.next < BUCKETS {
            self.next += 1;
            let grain = self.grain.bucket(self.next - 1, &self.memory).await?;
            let source = self.source.bucket(self.next - 1, &self.memory).await?;
            if grain.num_rows() > 0 {
                // Sorted events, positions and windows: about as much again.
                let needed = 2 * (grain.get_array_memory_size() + source.get_array_memory_size());
                if self.memory.try_grow(needed).is_err() {
                    self.grain.spill()?;
                    self.source.spill()?;
                    self.memory.free();
                    self.memory.try_grow(needed)?;
                }
                return Ok(Some((grain, source)));
            }
            self.give_back();
        }
        Ok(None)
    }
}
