//! Rows that are kept to be read again: in memory while there is room for them, on disk from then on (a spool).

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};

/// Rows in parts, each of which is written and read by itself.
#[derive(Debug)]
pub struct Spool {
    schema: SchemaRef,
    parts: Vec<Arc<Part>>,
}

/// Some of a spool's rows: those on disk, and behind them those in memory.
pub struct Part {
    schema: SchemaRef,
    files: Vec<Arc<dyn SpillFile>>,
    batches: Vec<RecordBatch>,
    spills: SpillManager,
    /// What the batches may take, and what they take of the memory that all share.
    room: usize,
    held: MemoryReservation,
}

impl Part {
    /// A part that holds `room` bytes in memory at most.
    pub fn new(env: &Arc<RuntimeEnv>, schema: &SchemaRef, room: usize) -> Self {
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        let held = MemoryConsumer::new("rows that are read again").register(&env.memory_pool);
        let spills = SpillManager::new(Arc::clone(env), metrics, Arc::clone(schema));
        Self { schema: Arc::clone(schema), files: Vec::new(), batches: Vec::new(), spills, room, held }
    }

    /// Adds rows behind the others.
    ///
    /// # Errors
    /// Where the disk has no room either.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let size = get_record_batch_memory_size(&batch);
        self.batches.push(batch);
        if self.held.size() + size > self.room || self.held.try_grow(size).is_err() {
            let batches = std::mem::take(&mut self.batches);
            self.files.extend(self.spills.spill_record_batch_and_finish(&batches, "rows that are read again")?);
            self.held.free();
        }
        Ok(())
    }

    /// The rows in their order; a file is opened when those before it are read.
    fn read(&self) -> SendableRecordBatchStream {
        let spills = self.spills.clone();
        let files = stream::iter(self.files.clone().into_iter().map(Ok));
        let files = files.and_then(move |file| ready(spills.read_spill_as_stream(file, None))).try_flatten();
        let batches = files.chain(stream::iter(self.batches.clone().into_iter().map(Ok)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("schema", &self.schema).field("files", &self.files.len()).finish()
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.read()
    }
}

impl Spool {
    pub fn new(schema: SchemaRef, parts: Vec<Part>) -> Self {
        Self { schema, parts: parts.into_iter().map(Arc::new).collect() }
    }

    /// The columns of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows as a table of queries.
    ///
    /// # Errors
    /// Parts of other columns than the spool's.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        // Of what is in memory its size is known to the planner.
        if self.parts.iter().all(|part| part.files.is_empty()) {
            let parts = match self.parts.is_empty() {
                true => vec![Vec::new()],
                false => self.parts.iter().map(|part| part.batches.clone()).collect(),
            };
            return Ok(Arc::new(MemTable::try_new(Arc::clone(&self.schema), parts)?));
        }
        let parts = self.parts.iter().map(|part| Arc::clone(part) as Arc<dyn PartitionStream>).collect();
        Ok(Arc::new(StreamingTable::try_new(Arc::clone(&self.schema), parts)?))
    }

    /// Reads all rows, a batch at a time.
    ///
    /// # Errors
    /// Where the disk cannot be read, and what `take` finds wrong.
    pub async fn each<E: From<datafusion::error::DataFusionError>>(
        &self,
        mut take: impl FnMut(RecordBatch) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        for part in &self.parts {
            let mut batches = part.read();
            while let Some(batch) = batches.next().await {
                take(batch?)?;
            }
        }
        Ok(())
    }
}
