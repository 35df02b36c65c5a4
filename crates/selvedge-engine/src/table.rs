//! Answers as one batch in one order, so that the same inputs give the same bytes for any number of partitions.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, concat, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{Row, RowConverter, Rows, SortField};
use datafusion::arrow::util::display::array_value_to_string;
use rayon::prelude::*;

use selvedge_project::error::{Advice, Result};

/// A batch whose rows are named by `key`, sorted by it, no two alike.
#[derive(Debug, Clone)]
pub struct Table {
    pub batch: RecordBatch,
    pub key: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{file}: the query does not return the key column '{column}'")]
    NoKeyColumn { file: String, column: String },
    #[error("{file}: {count} rows stand for one key ({row})")]
    RowTwice { file: String, count: usize, row: String },
    #[error("{file}: a row has no value in its key ({row})")]
    NoValueInKey { file: String, row: String },
    #[error("{table} is not what was expected: {cause}")]
    Shape { table: String, cause: String },
    #[error("{file}: {cause}")]
    Arrow { file: String, cause: ArrowError },
}

impl Advice for TableError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoKeyColumn { column, .. } => Some(format!("add {column} to the SELECT, or take it out of key")),
            Self::RowTwice { .. } => {
                Some("aggregate or SELECT DISTINCT, or join to a table that has at most one row for each key".into())
            }
            Self::NoValueInKey { .. } => Some(
                "leave such rows out with WHERE … IS NOT NULL; where nothing is to be read, MIN and MAX give such a row: does the export hold what the query looks for?".into(),
            ),
            Self::Shape { .. } => Some("give the query the columns it had, or change the stage with it".into()),
            Self::Arrow { .. } => None,
        }
    }
}

/// A batch of named columns of one length, each of which may miss values; `name` is named in errors.
pub fn batch_of<'a>(name: &str, columns: impl IntoIterator<Item = (&'a str, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns.into_iter().map(|(column, values)| (column, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|cause| TableError::Arrow { file: name.into(), cause })?)
}

impl Table {
    /// Sorts `batch` by `key` and refuses missing and repeated keys; `file` is named in errors.
    pub fn new(batch: RecordBatch, key: &[String], file: &str) -> Result<Self> {
        Self::of_rows(batch, None, key, file)
    }

    /// The same with some of the rows of `batch`, or all.
    pub fn of_rows(batch: RecordBatch, chosen: Option<Vec<u32>>, key: &[String], file: &str) -> Result<Self> {
        let arrow = |cause| TableError::Arrow { file: file.into(), cause };
        let chosen = chosen.map(UInt32Array::from);
        let keys = key_columns(&batch, key, file)?;
        let rows = KeyRows::of(&keys, chosen.as_ref()).map_err(arrow)?;
        let at = |row: usize| chosen.as_ref().map_or(row, |chosen| chosen.value(row) as usize);
        let in_order = (1..rows.count).into_par_iter().all(|place| rows.row(place - 1) < rows.row(place));
        let order = if in_order { None } else { Some(sorted(&rows)) };
        let alike = |a: &Place, b: &Place| rows.alike(a, b);
        let places = order.as_deref().unwrap_or_default();
        if let Some(pair) = places.windows(2).find(|pair| alike(&pair[0], &pair[1])) {
            let count = places.iter().filter(|place| alike(place, &pair[0])).count();
            let row = show_row(&batch, key, at(pair[0].row()));
            return Err(TableError::RowTwice { file: file.into(), count, row }.into());
        }
        for column in &keys {
            let missing = |nulls: &NullBuffer| (0..rows.count).find(|row| nulls.is_null(at(*row)));
            if let Some(row) = column.nulls().and_then(missing) {
                return Err(TableError::NoValueInKey { file: file.into(), row: show_row(&batch, key, at(row)) }.into());
            }
        }
        let order = match (order, &chosen) {
            (Some(order), _) => Some(order.par_iter().map(|place| at(place.row()) as u32).collect::<Vec<_>>().into()),
            (None, chosen) => chosen.clone(),
        };
        let batch = match order {
            Some(order) => picked(batch, &order).map_err(arrow)?,
            None => batch,
        };
        Ok(Self { batch, key: key.to_vec() })
    }

    /// The different values of `key` in `batch`, as a table of these columns alone; `file` is named in errors.
    pub fn distinct(batch: &RecordBatch, key: &[String], file: &str) -> Result<Self> {
        let arrow = |cause| TableError::Arrow { file: file.into(), cause };
        let columns = key_columns(batch, key, file)?;
        let rows = KeyRows::of(&columns, None).map_err(arrow)?;
        let mut places = sorted(&rows);
        places.dedup_by(|a, b| rows.alike(a, b));
        let columns = key.iter().map(String::as_str).zip(columns);
        Self::of_rows(batch_of(file, columns)?, Some(places.iter().map(|place| place.row).collect()), key, file)
    }

    /// A table of named columns; `name` is named in errors.
    pub fn of_columns<'a>(
        name: &str,
        key: &[&str],
        columns: impl IntoIterator<Item = (&'a str, ArrayRef)>,
    ) -> Result<Self> {
        let key: Vec<String> = key.iter().map(|column| (*column).to_owned()).collect();
        Self::new(batch_of(name, columns)?, &key, name)
    }

    /// The keys in a form that compares as the sort does.
    pub fn key_rows(&self, file: &str) -> Result<Rows> {
        key_rows(&self.batch, &self.key, file)
    }

    /// The same of other columns: comparable with the [`Table::key_rows`] of a table whose key they are.
    pub fn rows_of(&self, columns: &[String], file: &str) -> Result<Rows> {
        key_rows(&self.batch, columns, file)
    }

    /// Row `row`'s key as `name=value, …`.
    pub fn show_key(&self, row: usize) -> String {
        show_row(&self.batch, &self.key, row)
    }
}

/// A row to sort.  Most are told apart by their first bytes, which compare quickly as a number.
struct Place {
    /// Two halves: whole, the number would have to stand at every 16th byte.
    beginning: (u64, u64),
    row: u32,
}

impl Place {
    fn beginning(&self) -> u128 {
        u128::from(self.beginning.0) << 64 | u128::from(self.beginning.1)
    }

    fn row(&self) -> usize {
        self.row as usize
    }
}

/// The keys of all rows, or of those that are chosen, in a form that compares as the sort does.
struct KeyRows {
    parts: Vec<Rows>,
    /// Rows of each part but the last.
    size: usize,
    count: usize,
}

impl KeyRows {
    fn of(keys: &[ArrayRef], chosen: Option<&UInt32Array>) -> std::result::Result<Self, ArrowError> {
        let count = chosen.map_or_else(|| keys.first().map_or(0, |key| key.len()), Array::len);
        let size = count.div_ceil(rayon::current_num_threads()).max(1);
        let converter = row_converter(keys)?;
        let part = |start: usize| {
            let rows = size.min(count - start);
            let own = |key: &ArrayRef| match chosen {
                Some(chosen) => take(key, &chosen.slice(start, rows), None),
                None => Ok(key.slice(start, rows)),
            };
            converter.convert_columns(&keys.iter().map(own).collect::<std::result::Result<Vec<_>, _>>()?)
        };
        let starts: Vec<usize> = (0..count).step_by(size).collect();
        let parts = starts.into_par_iter().map(part).collect::<std::result::Result<_, _>>()?;
        Ok(Self { parts, size, count })
    }

    fn row(&self, row: usize) -> Row<'_> {
        self.parts[row / self.size].row(row % self.size)
    }

    fn alike(&self, a: &Place, b: &Place) -> bool {
        a.beginning == b.beginning && self.row(a.row()) == self.row(b.row())
    }
}

/// The rows in their order, those that are alike as they came.
fn sorted(rows: &KeyRows) -> Vec<Place> {
    let beginning = |row: usize| {
        let mut bytes = [0; 16];
        let row = rows.row(row);
        let row = row.as_ref();
        let length = row.len().min(bytes.len());
        bytes[..length].copy_from_slice(&row[..length]);
        let bytes = u128::from_be_bytes(bytes);
        ((bytes >> 64) as u64, bytes as u64)
    };
    let place = |row: u32| Place { beginning: beginning(row as usize), row };
    let mut order: Vec<Place> = (0..rows.count as u32).into_par_iter().map(place).collect();
    order.par_sort_unstable_by_key(Place::beginning);
    let full = |place: &Place| (rows.row(place.row()), place.row);
    let alike = order.par_chunk_by_mut(|a, b| a.beginning == b.beginning).filter(|alike| alike.len() > 1);
    alike.for_each(|alike| alike.par_sort_unstable_by(|a, b| full(a).cmp(&full(b))));
    order
}

/// Rows of columns, columns side by side; each gives its memory back as soon as its rows are picked.
fn picked_columns(columns: Vec<ArrayRef>, rows: &UInt32Array) -> std::result::Result<Vec<ArrayRef>, ArrowError> {
    columns.into_par_iter().with_max_len(1).map(|column| take(&column, rows, None)).collect()
}

/// Rows of a batch, columns side by side.
pub fn picked(batch: RecordBatch, rows: &UInt32Array) -> std::result::Result<RecordBatch, ArrowError> {
    let (schema, columns, _) = batch.into_parts();
    RecordBatch::try_new(schema, picked_columns(columns, rows)?)
}

pub(super) fn key_columns(batch: &RecordBatch, key: &[String], file: &str) -> Result<Vec<ArrayRef>> {
    let column = |name: &String| {
        let missing = || TableError::NoKeyColumn { file: file.into(), column: name.clone() };
        Ok(Arc::clone(batch.column_by_name(name).ok_or_else(missing)?))
    };
    key.iter().map(column).collect()
}

fn key_rows(batch: &RecordBatch, key: &[String], file: &str) -> Result<Rows> {
    rows(&key_columns(batch, key, file)?, file)
}

fn rows(columns: &[ArrayRef], file: &str) -> Result<Rows> {
    let rows = row_converter(columns).and_then(|converter| converter.convert_columns(columns));
    Ok(rows.map_err(|cause| TableError::Arrow { file: file.into(), cause })?)
}

pub(super) fn row_converter(columns: &[ArrayRef]) -> std::result::Result<RowConverter, ArrowError> {
    RowConverter::new(columns.iter().map(|column| SortField::new(column.data_type().clone())).collect())
}

pub(super) fn show_row(batch: &RecordBatch, key: &[String], row: usize) -> String {
    let show = |name: &String| {
        let value = batch.column_by_name(name).and_then(|column| match column.is_null(row) {
            true => Some("no value".to_owned()),
            false => array_value_to_string(column, row).ok(),
        });
        format!("{name}={}", value.unwrap_or_default())
    };
    key.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// One batch with plain field names, nullable fields, no view types and no metadata:
/// what depends on the plan and not on the data does not reach a file.
///
/// From asynchronous code too: a thread that waits for others' columns may be given work that waits for the engine itself.
pub fn one_batch(schema: &SchemaRef, batches: Vec<RecordBatch>) -> std::result::Result<RecordBatch, ArrowError> {
    let whole = tokio::task::block_in_place(|| concatenated(schema, batches))?;
    let mut columns = Vec::new();
    for column in whole.columns() {
        let plain = plain_type(column.data_type());
        columns.push(if plain == *column.data_type() { Arc::clone(column) } else { cast(column, &plain)? });
    }
    RecordBatch::try_new_with_options(
        Arc::new(plain_schema(schema)),
        columns,
        &RecordBatchOptions::new().with_row_count(Some(whole.num_rows())),
    )
}

/// Batches of one schema as one, columns side by side: of millions of rows they are long.  The parts of a column give
/// their memory back as soon as they are put together.
pub fn concatenated(schema: &SchemaRef, batches: Vec<RecordBatch>) -> std::result::Result<RecordBatch, ArrowError> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut columns = vec![Vec::with_capacity(batches.len()); schema.fields().len()];
    for batch in batches {
        for (parts, part) in columns.iter_mut().zip(batch.into_parts().1) {
            parts.push(part);
        }
    }
    let whole = |(field, parts): (&FieldRef, Vec<ArrayRef>)| match &parts[..] {
        [] => Ok(new_empty_array(field.data_type())),
        parts => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>()),
    };
    let columns = schema.fields().par_iter().zip(columns).with_max_len(1).map(whole);
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// A schema as [`one_batch`] leaves it.
pub fn plain_schema(schema: &Schema) -> Schema {
    let plain = |field: &Arc<Field>| Field::new(field.name(), plain_type(field.data_type()), true);
    Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>())
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::Null => DataType::Utf8,
        other => other.clone(),
    }
}
