//! A stored table, read cell by cell.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::ReportError;
use crate::engine::Engine;
use crate::error::Result;
use crate::sql::TableName;

/// The rows of one table.
#[derive(Debug, Clone)]
pub struct Rows {
    table: String,
    batch: RecordBatch,
}

impl Rows {
    pub fn read(engine: &Engine, schema: &str, name: &str) -> Result<Self> {
        let table = TableName::new(schema, name);
        Ok(Self { table: table.to_string(), batch: engine.read(&table)? })
    }

    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    fn no_column(&self, column: &str, wanted: &'static str) -> ReportError {
        ReportError::NoColumn { table: self.table.clone(), column: column.into(), wanted }
    }

    /// A column of texts; a missing one is "".
    pub fn texts(&self, column: &str) -> Result<Vec<String>> {
        let found = self.batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>());
        let found = found.ok_or_else(|| self.no_column(column, "a text"))?;
        Ok(found.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    }

    /// A column of numbers.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        let found = self.batch.column_by_name(column).and_then(|array| cast(array, &DataType::Float64).ok());
        let found = found.ok_or_else(|| self.no_column(column, "a number"))?;
        Ok(found.as_primitive::<Float64Type>().iter().collect())
    }

    /// A column of true and false; a missing one is false.
    pub fn flags(&self, column: &str) -> Result<Vec<bool>> {
        let found = self.batch.column_by_name(column).and_then(|array| array.as_boolean_opt());
        let found = found.ok_or_else(|| self.no_column(column, "true or false"))?;
        Ok(found.iter().map(|flag| flag.unwrap_or(false)).collect())
    }

    /// A column of counts; a missing one is 0.
    pub fn counts(&self, column: &str) -> Result<Vec<u64>> {
        Ok(self.numbers(column)?.into_iter().map(|number| number.unwrap_or_default() as u64).collect())
    }
}
