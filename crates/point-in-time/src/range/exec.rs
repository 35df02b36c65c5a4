//! The operator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream, collect,
};
use futures::future::{BoxFuture, Shared};
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, TryFutureExt, TryStreamExt, future, stream};

use super::Shape;
use super::matches::Matches;
use crate::partitioned::size;
use crate::rule::plain;
use crate::sides::{self, Sides};

/// A source that every partition holds its grain against.
type Whole = Shared<BoxFuture<'static, std::result::Result<RecordBatch, Arc<DataFusionError>>>>;

/// A LEFT or INNER join of a grain with what its source holds for a range of times.  A small source is held against the
/// grain as that comes, which keeps its order; else both are split by key.
#[derive(Debug)]
pub struct RangeJoinExec {
    shape: Arc<Shape>,
    grain: Arc<dyn ExecutionPlan>,
    source: Arc<dyn ExecutionPlan>,
    /// The source is made of few rows, as far as statistics tell.
    small: bool,
    whole: Mutex<Option<Whole>>,
    plain: Option<Arc<dyn ExecutionPlan>>,
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
        Self::over(Arc::new(shape), schema, [grain, source], false)
    }

    /// The same, with the source held whole where it is made of at most `rows` rows.
    pub(crate) fn with_small(self, rows: usize) -> Result<Self> {
        let small = rows_read(&self.source)?.is_some_and(|read| read <= rows);
        Ok(self.held(small))
    }

    /// The same, with the source held whole or not.
    pub(crate) fn held(self, small: bool) -> Self {
        let over = Self::over(Arc::clone(&self.shape), self.schema(), [self.grain, self.source], small);
        Self { plain: self.plain, ..over }
    }

    /// The same, not yet run.
    pub(crate) fn again(&self) -> Self {
        let inputs = [Arc::clone(&self.grain), Arc::clone(&self.source)];
        let over = Self::over(Arc::clone(&self.shape), self.schema(), inputs, self.small);
        Self { plain: self.plain.clone(), ..over }
    }

    /// Whether every partition holds all of the source: it is made of few rows, as far as statistics tell.
    pub fn is_small(&self) -> bool {
        self.small
    }

    /// The same, which can say in whose place it stands.
    pub(crate) fn in_place_of(self, plain: &Arc<dyn ExecutionPlan>) -> Self {
        Self { plain: Some(Arc::clone(plain)), ..self }
    }

    /// The join in whose place this stands, over inputs without rows: what
    /// [`PointInTimeRule::restored`](crate::PointInTimeRule::restored) makes it of again.
    pub fn plain(&self) -> Result<Arc<dyn ExecutionPlan>> {
        plain(self.plain.as_ref())
    }

    fn over(shape: Arc<Shape>, schema: SchemaRef, [grain, source]: [Arc<dyn ExecutionPlan>; 2], small: bool) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(grain.output_partitioning().partition_count()),
            if small { EmissionType::Incremental } else { EmissionType::Final },
            Boundedness::Bounded,
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Self { shape, grain, source, small, whole: Mutex::default(), plain: None, properties, metrics }
    }

    /// Rows of the grain and the rows of the source that they may meet.
    fn pairs(
        &self,
        partition: usize,
        context: &Arc<TaskContext>,
        metrics: BaselineMetrics,
    ) -> Result<BoxStream<'static, Result<(RecordBatch, RecordBatch)>>> {
        let name = format!("RangeJoinExec[{partition}]");
        let grain = self.grain.execute(partition, Arc::clone(context))?;
        if self.small {
            let (source, memory) = (self.whole(context), MemoryConsumer::new(name).register(context.memory_pool()));
            let held = async move {
                let source = source.await.map_err(DataFusionError::Shared)?;
                memory.try_grow(size(&source)?)?;
                // The source is made ready anew each time, which so costs no more than reading the grain.
                let grain = gathered(grain, source.num_rows());
                Ok::<_, DataFusionError>(grain.map_ok(move |grain| {
                    // Given back with the last of the grain.
                    let _held = &memory;
                    (grain, source.clone())
                }))
            };
            return Ok(stream::once(held).try_flatten().boxed());
        }
        let source = self.source.execute(partition, Arc::clone(context))?;
        let keys = 0..self.shape.keys;
        let spills = SpillMetrics::new(&self.metrics, partition);
        let sides = Sides::new(name, [keys.clone(), keys], [&grain, &source], context, &spills);
        Ok(sides.buckets(grain, source, metrics).boxed())
    }

    /// All of the source, read once for all partitions.
    fn whole(&self, context: &Arc<TaskContext>) -> Whole {
        let read = || {
            let (source, context) = (Arc::clone(&self.source), Arc::clone(context));
            let schema = source.schema();
            let read = collect(source, context).and_then(async move |batches| Ok(concat_batches(&schema, &batches)?));
            read.map_err(Arc::new).boxed().shared()
        };
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(read).clone()
    }
}

/// How many rows a plan reads; None where that is not known.  What a filter leaves of them is a guess, so it does not count.
fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    if plan.children().is_empty() {
        let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())?;
        return Ok(known.num_rows.get_value().copied());
    }
    plan.children().into_iter().try_fold(Some(0), |sum, child| {
        let rows = rows_read(child)?;
        Ok(sum.zip(rows).map(|(sum, rows)| sum + rows))
    })
}

/// The batches put together until they have `least` rows.
fn gathered(batches: SendableRecordBatchStream, least: usize) -> impl Stream<Item = Result<RecordBatch>> + Send {
    stream::try_unfold(batches.fuse(), move |mut batches| async move {
        let (mut some, mut rows) = (Vec::new(), 0);
        while let Some(batch) = batches.try_next().await? {
            rows += batch.num_rows();
            some.push(batch);
            if rows >= least {
                break;
            }
        }
        let whole = some.first().map(|first| concat_batches(first.schema_ref(), &some)).transpose()?;
        Ok(whole.map(|whole| (whole, batches)))
    })
}

impl DisplayAs for RangeJoinExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let kind = if self.shape.outer { "left" } else { "inner" };
        let source = if self.small { ", small source" } else { "" };
        write!(f, "RangeJoinExec: {kind}{source}, filter={}", self.shape.filter)
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
        if self.small {
            let sides = vec![Distribution::UnspecifiedDistribution, Distribution::SinglePartition];
            return InputDistributionRequirements::new(sides);
        }
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
                let over = Self::over(Arc::clone(&self.shape), self.schema(), [grain, source], self.small);
                Ok(Arc::new(Self { plain: self.plain.clone(), ..over }))
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
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let output = metrics.clone();
        let (shape, schema, size) = (Arc::clone(&self.shape), self.schema(), context.session_config().batch_size());
        let pairs = self.pairs(partition, &context, metrics.clone())?;
        let batches = pairs.and_then(move |(grain, source)| {
            let _timer = metrics.elapsed_compute().timer();
            let matches = Matches::new(Arc::clone(&shape), Arc::clone(&schema), size, &grain, &source);
            future::ready(matches.map(stream::iter))
        });
        let counted = batches.try_flatten().inspect_ok(move |batch| output.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counted.boxed())))
    }
}
