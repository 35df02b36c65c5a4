//! Between tables and plain structs: an answer's rows as structs, small tables from columns.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::json::ArrayWriter;
use serde::de::DeserializeOwned;

use super::MonitorError;
use crate::error::Result;

/// Every row of `batch` as a `T` whose fields are columns; a column without a value is an absent field.
pub fn read<T: DeserializeOwned>(batch: &RecordBatch, table: &str) -> Result<Vec<T>> {
    let failed = |cause: String| MonitorError::Shape {
        table: table.into(),
        cause,
    };
    let mut text = Vec::new();
    let mut writer = ArrayWriter::new(&mut text);
    writer
        .write(batch)
        .and_then(|()| writer.finish())
        .map_err(|e| failed(e.to_string()))?;
    // No rows at all are written as nothing at all.
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?)
}

/// A batch from named columns.
pub fn batch(table: &str, columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let failed = |cause: String| MonitorError::Shape {
        table: table.into(),
        cause,
    };
    let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    Ok(RecordBatch::try_new(schema, arrays).map_err(|e| failed(e.to_string()))?)
}
