//! Both inputs of an operator, bucket by bucket.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, SpillMetrics};
use datafusion::physical_plan::{
    ExecutionPlan, InputDistributionRequirements, SendableRecordBatchStream, SpillManager,
};
use futures::{Stream, TryStreamExt, stream};

use crate::partitioned::{BUCKETS, Partitioned, size};

/// The inputs are read to their ends, split by key, and handed on as pairs of buckets with the same keys, those without
/// rows of the grain left out.  What the memory pool has no room for waits on disk.
pub struct Sides {
    grain: Partitioned,
    source: Partitioned,
    memory: MemoryReservation,
    next: usize,
}

/// Both inputs parted by their keys, so that rows of one key meet in one partition; `first` is the place of each one's
/// first key.
pub fn together(inputs: [&Arc<dyn ExecutionPlan>; 2], first: [usize; 2], keys: usize) -> InputDistributionRequirements {
    let parted = |input: &Arc<dyn ExecutionPlan>, first: usize| {
        let schema = input.schema();
        let key = |index: usize| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(schema.field(index).name(), index)) };
        Distribution::KeyPartitioned((first..first + keys).map(key).collect())
    };
    let [grain, source] = inputs;
    InputDistributionRequirements::co_partitioned(vec![parted(grain, first[0]), parted(source, first[1])])
}

impl Sides {
    /// `keys` are the places of the keys in the two inputs; `name` is who asks for memory.
    pub fn new(
        name: String,
        keys: [std::ops::Range<usize>; 2],
        [grain, source]: [&SendableRecordBatchStream; 2],
        context: &TaskContext,
        spills: &SpillMetrics,
    ) -> Self {
        let spill = |input: &SendableRecordBatchStream| {
            SpillManager::new(context.runtime_env(), spills.clone(), input.schema())
                .with_compression_type(context.session_config().spill_compression())
        };
        let [grain_keys, source_keys] = keys;
        Self {
            grain: Partitioned::new(grain_keys, spill(grain)),
            source: Partitioned::new(source_keys, spill(source)),
            memory: MemoryConsumer::new(name).with_can_spill(true).register(context.memory_pool()),
            next: 0,
        }
    }

    /// The buckets' rows of the grain and of the source.
    pub fn buckets(
        mut self,
        mut grain: SendableRecordBatchStream,
        mut source: SendableRecordBatchStream,
        metrics: BaselineMetrics,
    ) -> impl Stream<Item = Result<(RecordBatch, RecordBatch)>> + Send {
        let ready = async move {
            while let Some(batch) = grain.try_next().await? {
                let _timer = metrics.elapsed_compute().timer();
                self.grain.push(batch)?;
                self.make_room()?;
            }
            while let Some(batch) = source.try_next().await? {
                let _timer = metrics.elapsed_compute().timer();
                self.source.push(batch)?;
                self.make_room()?;
            }
            self.finish()?;
            let next = |mut sides: Self| async move { Ok(sides.next().await?.map(|bucket| (bucket, sides))) };
            Ok::<_, DataFusionError>(stream::try_unfold(self, next))
        };
        stream::once(ready).try_flatten()
    }

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
        self.source.finish()
    }

    /// Holds no more than what is still to come.
    fn give_back(&mut self) {
        self.memory.shrink(self.memory.size().saturating_sub(self.grain.held() + self.source.held()));
    }

    /// The next bucket with rows of the grain.
    async fn next(&mut self) -> Result<Option<(RecordBatch, RecordBatch)>> {
        self.give_back();
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
                let needed = 2 * (size(&grain)? + size(&source)?);
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
