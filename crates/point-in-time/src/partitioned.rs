//! Rows split by key into buckets, which fit the processor's cache and, when memory runs out, go to disk.

use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::execution::SpillFile;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::SpillManager;
use futures::TryStreamExt;

/// How many buckets each partition's rows are split into.
pub const BUCKETS: usize = 64;
/// Rows that are split at a time; fewer rows than this are not split at all.
const CHUNK: usize = 1 << 16;
/// Another seed than that of the partitions, which split by the same keys.
const SEED: u64 = 0x7365_6c76_6564_6765;

/// Bytes of the rows of `batch`, whatever larger arrays they are slices of.
pub fn size(batch: &RecordBatch) -> Result<usize> {
    batch.columns().iter().map(|column| Ok(column.to_data().get_slice_memory_size()?)).sum()
}

/// One side of the join.
pub struct Partitioned {
    keys: std::ops::Range<usize>,
    spill: SpillManager,
    /// Rows that are not split yet.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    split: bool,
    buckets: Vec<Bucket>,
    /// Bytes in memory.
    held: usize,
}

#[derive(Default)]
struct Bucket {
    batches: Vec<RecordBatch>,
    spilled: Vec<Arc<dyn SpillFile>>,
}

impl Partitioned {
    /// Rows whose keys are the columns `keys`.
    pub fn new(keys: std::ops::Range<usize>, spill: SpillManager) -> Self {
        let buckets = std::iter::repeat_with(Bucket::default).take(BUCKETS).collect();
        Self { keys, spill, pending: Vec::new(), pending_rows: 0, split: false, buckets, held: 0 }
    }

    /// Takes rows in.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.pending_rows += batch.num_rows();
        self.pending.push(batch);
        if self.pending_rows >= CHUNK { self.split() } else { Ok(()) }
    }

    pub fn is_split(&self) -> bool {
        self.split
    }

    /// Bytes that this side holds in memory.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Splits what is pending.
    pub fn split(&mut self) -> Result<()> {
        self.split = true;
        if self.pending_rows == 0 {
            return Ok(());
        }
        let chunk = concat_batches(self.spill.schema(), &self.pending)?;
        self.pending.clear();
        self.pending_rows = 0;
        let mut hashes = vec![0; chunk.num_rows()];
        create_hashes(&chunk.columns()[self.keys.clone()], &RandomState::with_seed(SEED), &mut hashes)?;
        let bucket = |hash: u64| (hash >> (64 - BUCKETS.ilog2())) as usize;
        let mut starts = vec![0_usize; BUCKETS + 1];
        hashes.iter().for_each(|hash| starts[bucket(*hash) + 1] += 1);
        for n in 0..BUCKETS {
            starts[n + 1] += starts[n];
        }
        let (mut next, mut rows) = (starts.clone(), vec![0_u32; chunk.num_rows()]);
        for (row, hash) in (0..).zip(&hashes) {
            let place = &mut next[bucket(*hash)];
            rows[*place] = row;
            *place += 1;
        }
        let sorted = take_record_batch(&chunk, &UInt32Array::from(rows))?;
        self.held += size(&sorted)?;
        for (n, bucket) in self.buckets.iter_mut().enumerate().filter(|(n, _)| starts[*n] < starts[*n + 1]) {
            bucket.batches.push(sorted.slice(starts[n], starts[n + 1] - starts[n]));
        }
        Ok(())
    }

    /// Moves all that is split to disk.
    pub fn spill(&mut self) -> Result<()> {
        for bucket in &mut self.buckets {
            let batches = std::mem::take(&mut bucket.batches);
            bucket.spilled.extend(self.spill.spill_record_batch_and_finish(&batches, "point in time")?);
        }
        self.held = 0;
        Ok(())
    }

    /// No more rows come: moves the rest to disk where some is there already.
    pub fn finish(&mut self) -> Result<()> {
        match self.buckets.iter().any(|bucket| !bucket.spilled.is_empty()) {
            true => self.spill(),
            false => Ok(()),
        }
    }

    /// All rows, where they were never split.
    pub fn whole(&mut self) -> Result<RecordBatch> {
        Ok(concat_batches(self.spill.schema(), &std::mem::take(&mut self.pending))?)
    }

    /// Takes out one bucket's rows.
    pub async fn bucket(&mut self, number: usize, memory: &MemoryReservation) -> Result<RecordBatch> {
        let bucket = &mut self.buckets[number];
        let mut batches = std::mem::take(&mut bucket.batches);
        for file in bucket.spilled.drain(..) {
            let mut stream = self.spill.read_spill_as_stream_unbuffered(file, None)?;
            while let Some(batch) = stream.try_next().await? {
                memory.try_grow(size(&batch)?)?;
                batches.push(batch);
            }
        }
        Ok(concat_batches(self.spill.schema(), &batches)?)
    }
}
