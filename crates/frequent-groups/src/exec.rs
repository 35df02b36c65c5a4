//! The operator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::{PhysicalExpr, PhysicalExprRef};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

/// Counters for each row: fewer make more rows share one.
const COUNTERS: usize = 4;

/// Hands on the rows whose keys may be those of at least so many rows.
#[derive(Debug)]
pub struct FrequentRowsExec {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<PhysicalExprRef>,
    least: u64,
    /// Up to so many rows nothing is counted.
    small: usize,
    counted: Mutex<Option<Shared<BoxFuture<'static, Counting>>>>,
    metrics: ExecutionPlanMetricsSet,
}

type Counting = std::result::Result<Arc<Counted>, Arc<DataFusionError>>;

/// All partitions' rows, and how often their hashes came.
struct Counted {
    /// Each is taken once.
    parts: Vec<Mutex<Option<Part>>>,
    /// A power of two of them, or none: then all rows are handed on.
    counters: Vec<u8>,
}

/// A partition's rows with the hashes of their keys, and what is left of it where memory was refused.
struct Part {
    rows: Vec<(RecordBatch, Vec<u64>)>,
    rest: Option<SendableRecordBatchStream>,
    memory: MemoryReservation,
}

impl FrequentRowsExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, keys: Vec<PhysicalExprRef>, least: u64, small: usize) -> Self {
        Self { input, keys, least, small, counted: Mutex::default(), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// Reads all partitions; whichever asks first starts it for all.
    fn counted(&self, context: &Arc<TaskContext>) -> Result<Shared<BoxFuture<'static, Counting>>> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = counted.as_ref() {
            return Ok(counted.clone());
        }
        let mut parts = Vec::new();
        for partition in 0..self.input.output_partitioning().partition_count() {
            let memory = MemoryConsumer::new("FrequentRowsExec").register(context.memory_pool());
            parts.push((self.input.execute(partition, Arc::clone(context))?, memory));
        }
        let (keys, small) = (self.keys.clone(), self.small);
        let count = async move {
            let read = |(rows, memory)| SpawnedTask::spawn(Part::read(rows, keys.clone(), memory));
            let mut read_parts = Vec::new();
            for part in parts.into_iter().map(read).collect::<Vec<_>>() {
                let part = part.join_unwind().await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)));
                read_parts.push(part.and_then(|part| part).map_err(Arc::new)?);
            }
            Ok(Arc::new(Counted::new(read_parts, small)))
        };
        Ok(counted.insert(count.boxed().shared()).clone())
    }
}

impl Part {
    async fn read(
        mut input: SendableRecordBatchStream,
        keys: Vec<PhysicalExprRef>,
        memory: MemoryReservation,
    ) -> Result<Self> {
        let mut rows = Vec::new();
        while let Some(batch) = input.try_next().await? {
            let mut hashes = vec![0; batch.num_rows()];
            let keys = keys.iter().map(|key| key.evaluate(&batch)?.into_array(batch.num_rows()));
            create_hashes(&keys.collect::<Result<Vec<ArrayRef>>>()?, &RandomState::with_seed(0), &mut hashes)?;
            let slices = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size());
            let size = slices.sum::<std::result::Result<usize, _>>()? + size_of_val(&hashes[..]);
            rows.push((batch, hashes));
            if memory.try_grow(size).is_err() {
                // Whoever groups the rows needs it now.
                memory.free();
                return Ok(Self { rows, rest: Some(input), memory });
            }
        }
        Ok(Self { rows, rest: None, memory })
    }
}

impl Counted {
    fn new(parts: Vec<Part>, small: usize) -> Self {
        let hashes = || parts.iter().flat_map(|part| &part.rows).flat_map(|(_, hashes)| hashes);
        let rows: usize = parts.iter().flat_map(|part| &part.rows).map(|(_, hashes)| hashes.len()).sum();
        let mut counters = Vec::new();
        if rows > small && parts.iter().all(|part| part.rest.is_none()) {
            counters = vec![0_u8; (COUNTERS * rows).next_power_of_two()];
            let last = counters.len() - 1;
            for hash in hashes() {
                let counter = &mut counters[*hash as usize & last];
                *counter = counter.saturating_add(1);
            }
        }
        Self { parts: parts.into_iter().map(|part| Mutex::new(Some(part))).collect(), counters }
    }

    /// Those of the rows whose hash came at least `least` times.
    fn frequent(&self, (batch, hashes): (RecordBatch, Vec<u64>), least: u8) -> Result<RecordBatch> {
        let Some(last) = self.counters.len().checked_sub(1) else { return Ok(batch) };
        let often = |row: usize| self.counters[hashes[row] as usize & last] >= least;
        let often = BooleanArray::new(BooleanBuffer::collect_bool(hashes.len(), often), None);
        Ok(filter_record_batch(&batch, &often)?)
    }
}

impl DisplayAs for FrequentRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(f, "FrequentRowsExec: keys=[{}], at least {} rows", keys.join(", "), self.least)
    }
}

impl ExecutionPlan for FrequentRowsExec {
    fn name(&self) -> &'static str {
        "FrequentRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        seen: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut next = TreeNodeRecursion::Continue;
        for key in &self.keys {
            next = next.visit_sibling(|| seen(key))?;
        }
        Ok(next)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop()) {
            (Some(input), None) => Ok(Arc::new(Self::new(input, self.keys.clone(), self.least, self.small))),
            _ => internal_err!("FrequentRowsExec has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(inputs[0].as_ref().clone().to_inexact()))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (counted, least) = (self.counted(&context)?, u8::try_from(self.least).unwrap_or(u8::MAX));
        let rows = async move {
            let counted = counted.await.map_err(DataFusionError::Shared)?;
            let part = counted.parts[partition].lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(Part { rows, rest, memory }) = part else {
                return internal_err!("partition {partition} was taken before");
            };
            let frequent = stream::iter(rows).map(move |rows| {
                // Given back with the last of the rows.
                let _held = &memory;
                counted.frequent(rows, least)
            });
            let rest = rest.map_or_else(|| stream::empty().boxed(), |rest| rest.boxed());
            Ok(frequent.chain(rest))
        };
        let rows = stream::once(rows).try_flatten();
        let rows = rows.inspect_ok(move |batch: &RecordBatch| metrics.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
