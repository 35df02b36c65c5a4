//! A file of materials of more rows than memory has room for: as [`RawTable`] reads it, but kept in a spool.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, sort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;

use super::csv::{Expected, Malformed, RawTable, Scanned, scan, texts};
use super::csv_blocks::BLOCK;
use super::query_error::query_error;
use super::spool::{Part, Spool};
use super::{Session, wait_for};
use selvedge_project::error::Result;

/// A part in memory is as large as so many blocks of a CSV, which are at least so many bytes long.
const BATCHES: usize = 8;
const LEAST: usize = 1 << 16;

/// What one file holds.
#[derive(Debug)]
pub struct RawSpool {
    pub rows: Spool,
    pub lines: Lines,
    /// Rows that are no rows of this table.
    pub malformed: Vec<Malformed>,
    /// The file as errors name it.
    file: String,
}

/// The lines on which rows stand, a bit for every line of a file.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    bits: Vec<u64>,
    pub count: usize,
}

impl Lines {
    /// Adds a line; says whether it is new.
    pub fn add(&mut self, line: i64) -> bool {
        let (word, bit) = place(line);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.count += usize::from(new);
        new
    }

    /// Whether a row stands there.
    pub fn has(&self, line: i64) -> bool {
        let (word, bit) = place(line);
        line >= 0 && self.bits.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// The first line of these that is not among others.
    pub fn first_not_in(&self, others: &Self) -> Option<i64> {
        let missing = |(word, bits): (usize, &u64)| {
            let missing = bits & !others.bits.get(word).copied().unwrap_or_default();
            (missing != 0).then(|| (word * 64) as i64 + i64::from(missing.trailing_zeros()))
        };
        self.bits.iter().enumerate().find_map(missing)
    }
}

/// Where the bit of a line stands, from 0 on.
fn place(line: i64) -> (usize, u64) {
    let line = usize::try_from(line).unwrap_or_default();
    (line / 64, 1 << (line % 64))
}

impl RawSpool {
    /// Reads what [`RawTable::read`] reads, for the queries of a session with a limit of memory.
    ///
    /// # Errors
    /// The same, and a disk without room.
    pub fn read(session: &Session, path: &Path, file: &str, wanted: &Expected) -> Result<Self> {
        let threads = rayon::current_num_threads().max(1);
        let room = session.room().unwrap_or(usize::MAX) / threads;
        // What queries sort comes in batches of that size.
        let block = (room / BATCHES).clamp(LEAST, BLOCK);
        let failed = |error| query_error(file, &error, &[]);
        let parts: Vec<Mutex<Option<Part>>> = (0..threads).map(|_| Mutex::default()).collect();
        let lines = Mutex::new(Lines::default());
        // Each thread adds to a part of its own.
        let Scanned { schema, malformed, .. } = scan(path, file, wanted, block, |schema, batch: RecordBatch| {
            let mut all = lines.lock().unwrap_or_else(PoisonError::into_inner);
            batch.column(0).as_primitive::<Int64Type>().values().iter().for_each(|line| _ = all.add(*line));
            drop(all);
            let own = &parts[rayon::current_thread_index().unwrap_or_default() % threads];
            let mut part = own.lock().unwrap_or_else(PoisonError::into_inner);
            let part = part.get_or_insert_with(|| session.part(schema, room));
            part.push(batch).map_err(failed)
        })?;
        let parts = parts.into_iter().filter_map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner));
        let rows = Spool::new(schema, parts.collect());
        let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { rows, lines, malformed, file: file.into() })
    }

    /// No rows, of a file that is not there.
    pub fn nothing() -> Self {
        let rows = Spool::new(texts(&[]), Vec::new());
        Self { rows, lines: Lines::default(), malformed: Vec::new(), file: String::new() }
    }

    /// Reads all rows, some of them at a time and in any order.
    ///
    /// # Errors
    /// Where the disk cannot be read.
    pub fn each(&self, mut take: impl FnMut(RecordBatch)) -> Result<()> {
        let read = self.rows.each(|batch| {
            take(batch);
            Ok::<_, DataFusionError>(())
        });
        wait_for(read)?.map_err(|error| query_error(&self.file, &error, &[]))
    }

    /// The rows that stand on these lines, sorted by them.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn only(&self, lines: &Lines) -> Result<RawTable> {
        let mut found = Vec::new();
        let read = self.rows.each(|batch| {
            let own = batch.column(0).as_primitive::<Int64Type>().values();
            let chosen: BooleanArray = own.iter().map(|line| Some(lines.has(*line))).collect();
            if chosen.true_count() > 0 {
                found.push(filter_record_batch(&batch, &chosen)?);
            }
            Ok::<_, DataFusionError>(())
        });
        let failed = |error| query_error(&self.file, &error, &[]);
        wait_for(read)?.map_err(failed)?;
        let rows = concat_batches(self.rows.schema(), &found).and_then(|rows| {
            let order = sort_to_indices(rows.column(0), None, None)?;
            take_record_batch(&rows, &order)
        });
        let batch = rows.map_err(|cause| failed(cause.into()))?;
        Ok(RawTable { batch, malformed: Vec::new() })
    }
}
