//! An answer's rows as plain structs.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ArrayWriter;
use serde::de::DeserializeOwned;

use super::TableError;
use selvedge_project::error::Result;

/// Every row of `batch` as a `T` whose fields are columns; a column without a value is an absent field.
pub fn read<T: DeserializeOwned>(batch: &RecordBatch, table: &str) -> Result<Vec<T>> {
    let failed = |cause: String| TableError::Shape { table: table.into(), cause };
    let mut text = Vec::new();
    let mut writer = ArrayWriter::new(&mut text);
    writer.write(batch).and_then(|()| writer.finish()).map_err(|e| failed(e.to_string()))?;
    // No rows at all are written as nothing at all.
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?)
}
