//! Parquet with pinned settings: the same rows give the same bytes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::file::reader::FileReader;
use datafusion::parquet::file::serialized_reader::SerializedFileReader;
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use super::Table;

/// Rows that lie together in a file.
pub const ROWS_OF_GROUP: usize = 1 << 20;

/// Writes a table; `notes` go into the file's metadata, so that a file says what it is.  The file comes back to be synced.
pub fn write(path: &Path, table: &Table, notes: &[(&str, String)]) -> Result<File, ParquetError> {
    let mut writer = Writer::create(path, table.batch.schema(), &table.key, notes)?;
    writer.write(&table.batch)?;
    writer.finish()
}

/// A table on its way into a file, some of its rows at a time.
pub struct Writer {
    schema: SchemaRef,
    file: SerializedFileWriter<File>,
    groups: ArrowRowGroupWriterFactory,
    /// How many groups of rows there are by now.
    group: usize,
}

impl Writer {
    pub fn create(
        path: &Path,
        schema: SchemaRef,
        key: &[String],
        notes: &[(&str, String)],
    ) -> Result<Self, ParquetError> {
        let mut metadata = vec![KeyValue::new("selvedge.key".into(), key.join(", "))];
        metadata.extend(notes.iter().map(|(name, value)| KeyValue::new(format!("selvedge.{name}"), value.clone())));
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_created_by("selvedge".into())
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(ROWS_OF_GROUP))
            .set_key_value_metadata(Some(metadata));
        // Rows lie in the order of the key, so the first and last of other texts seldom tell one group from another.
        for field in schema.fields() {
            if *field.data_type() == DataType::Utf8 && !key.contains(field.name()) {
                let column = ColumnPath::from(vec![field.name().clone()]);
                properties = properties.set_column_statistics_enabled(column, EnabledStatistics::None);
            }
        }
        let file = File::create(path)?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties.build()))?;
        let (file, groups) = writer.into_serialized_writer()?;
        Ok(Self { schema, file, groups, group: 0 })
    }

    /// Adds the rows that follow.  But for the last time there are [`ROWS_OF_GROUP`] of them, or several times as many: then
    /// the file is the same however many are added at a time.  The columns of all groups are encoded side by side; the file is
    /// the same as one after the other.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let starts: Vec<usize> = (0..batch.num_rows()).step_by(ROWS_OF_GROUP).collect();
        // A column of the batch is one or more of the file.
        let columns = self.file.schema_descr();
        let columns: Vec<usize> = (0..columns.num_columns()).map(|leaf| columns.get_column_root_idx(leaf)).collect();
        let mut parts = BTreeMap::<(usize, usize), Vec<ArrowColumnWriter>>::new();
        for (group, start) in (self.group..).zip(&starts) {
            for (column, writer) in columns.iter().zip(self.groups.create_column_writers(group)?) {
                parts.entry((*start, *column)).or_default().push(writer);
            }
        }
        // The longest first, so that none is left to one processor at the end.
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_by_key(|((_, column), _)| Reverse(batch.column(*column).get_array_memory_size()));
        let encode = |((start, column), writers): ((usize, usize), Vec<ArrowColumnWriter>)| {
            let rows = batch.column(column).slice(start, ROWS_OF_GROUP.min(batch.num_rows() - start));
            let leaves = compute_leaves(self.schema.field(column), &rows)?;
            let encoded = writers.into_iter().zip(leaves).map(|(mut writer, leaf)| {
                writer.write(&leaf)?;
                writer.close()
            });
            Ok(((start, column), encoded.collect::<Result<Vec<_>, ParquetError>>()?))
        };
        let encoded = parts.into_par_iter().with_max_len(1).map(encode);
        let encoded = encoded.collect::<Result<BTreeMap<_, _>, ParquetError>>()?;
        let mut encoded = encoded.into_values().flatten();
        for _ in starts {
            let mut group = self.file.next_row_group()?;
            for column in encoded.by_ref().take(columns.len()) {
                column.append_to_row_group(&mut group)?;
            }
            group.close()?;
            self.group += 1;
        }
        Ok(())
    }

    /// The whole file, to be synced.
    pub fn finish(mut self) -> Result<File, ParquetError> {
        self.file.finish()?;
        self.file.inner().try_clone().map_err(Into::into)
    }
}

/// The notes in a file's metadata; none where it cannot be read.
pub fn notes(path: &Path) -> Option<BTreeMap<String, String>> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    let pairs = reader.metadata().file_metadata().key_value_metadata()?;
    let own = |pair: &KeyValue| Some((pair.key.strip_prefix("selvedge.")?.to_owned(), pair.value.clone()?));
    Some(pairs.iter().filter_map(own).collect())
}

/// How many rows a file holds; none where it cannot be read.
pub fn rows(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}
