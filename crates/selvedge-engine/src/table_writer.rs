//! A table that is written while it is worked out: its rows come in the order of its key, and are never all there.

use std::path::PathBuf;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::row::{OwnedRow, RowConverter};

use super::Staged;
use super::parquet::{ROWS_OF_GROUP, Writer};
use super::table::{self, TableError, concatenated};
use selvedge_project::error::Result;

/// Writes the same file as [`Staged::table`] with all rows at once.
pub struct TableWriter<'a> {
    staged: &'a Staged,
    /// Where the file will stand.
    target: PathBuf,
    writer: Writer,
    schema: SchemaRef,
    order: Order<'a>,
    /// Rows that make no group yet.
    waiting: Vec<RecordBatch>,
    /// Of those that wait, and of all.
    rows: (usize, usize),
}

/// The rows' keys, which ascend.
struct Order<'a> {
    key: &'a [String],
    /// The SQL file, for errors.
    file: &'a str,
    converter: Option<RowConverter>,
    last: Option<OwnedRow>,
    /// The key that stands there twice and how often, and the first without a value.
    twice: Option<(OwnedRow, usize, String)>,
    missing: Option<String>,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(
        staged: &'a Staged,
        target: PathBuf,
        writer: Writer,
        schema: SchemaRef,
        key: &'a [String],
        file: &'a str,
    ) -> Self {
        let order = Order { key, file, converter: None, last: None, twice: None, missing: None };
        Self { staged, target, writer, schema, order, waiting: Vec::new(), rows: (0, 0) }
    }

    /// Adds the rows that follow, sorted by the key as [`super::Table`] sorts.
    ///
    /// # Errors
    /// Where the disk is full, a column cannot be kept, or the query returns no such key.
    pub fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.order.check(&batch)?;
        self.rows = (self.rows.0 + batch.num_rows(), self.rows.1 + batch.num_rows());
        self.waiting.push(batch);
        if self.rows.0 >= ROWS_OF_GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the rows that wait, those behind a group's end excepted.
    fn write_group(&mut self) -> Result<()> {
        let over = self.rows.0.saturating_sub(ROWS_OF_GROUP);
        let mut rest = Vec::new();
        if let Some(last) = self.waiting.last_mut().filter(|_| over > 0) {
            let own = last.num_rows() - over;
            rest.push(last.slice(own, over));
            *last = last.slice(0, own);
        }
        let batches = std::mem::replace(&mut self.waiting, rest);
        self.rows.0 = over;
        let arrow = |cause| TableError::Arrow { file: self.order.file.into(), cause };
        let group = concatenated(&self.schema, batches).map_err(arrow)?;
        self.writer.write(&group).map_err(|cause| self.staged.unwritten(&self.target, cause).into())
    }

    /// The number of rows, once all are written.
    ///
    /// # Errors
    /// Where a key stands there twice, or has no value.
    pub fn finish(mut self) -> Result<usize> {
        while self.rows.0 > 0 {
            self.write_group()?;
        }
        self.order.refuse()?;
        let file = self.writer.finish().map_err(|cause| self.staged.unwritten(&self.target, cause))?;
        self.staged.sync(self.target, file)?;
        Ok(self.rows.1)
    }
}

impl Order<'_> {
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = table::key_columns(batch, self.key, self.file)?;
        let arrow = |cause| TableError::Arrow { file: self.file.into(), cause };
        let converter = match self.converter.take() {
            Some(converter) => converter,
            None => table::row_converter(&keys).map_err(arrow)?,
        };
        let rows = converter.convert_columns(&keys).map_err(arrow)?;
        let shown = |row: usize| table::show_row(batch, self.key, row);
        for row in 0..batch.num_rows() {
            let before = match row {
                0 => self.last.as_ref().map(OwnedRow::row),
                _ => Some(rows.row(row - 1)),
            };
            if before != Some(rows.row(row)) {
                continue;
            }
            match &mut self.twice {
                None => self.twice = Some((rows.row(row).owned(), 2, shown(row))),
                Some((key, count, _)) if key.row() == rows.row(row) => *count += 1,
                Some(_) => {}
            }
        }
        if self.missing.is_none() {
            let null = |key: &ArrayRef| (0..key.len()).find(|row| key.is_null(*row));
            self.missing = keys.iter().filter(|key| key.null_count() > 0).filter_map(null).min().map(shown);
        }
        self.last = Some(rows.row(batch.num_rows() - 1).owned());
        self.converter = Some(converter);
        Ok(())
    }

    fn refuse(&mut self) -> Result<()> {
        let file = self.file.to_owned();
        if let Some((_, count, row)) = self.twice.take() {
            return Err(TableError::RowTwice { file, count, row }.into());
        }
        match self.missing.take() {
            Some(row) => Err(TableError::NoValueInKey { file, row }.into()),
            None => Ok(()),
        }
    }
}
