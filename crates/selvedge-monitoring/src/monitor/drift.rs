//! What the model sees: every feature of the looks it learned from and of the latest ones, as three long tables.
//!
//! A query cannot go through columns it does not know; here they become rows of (feature, side, value), and the queries
//! of sql/monitoring/drift do the rest.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, new_empty_array};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::error::ArrowError;

use super::plan::Plan;
use super::{Snapshot, log, name};
use selvedge_engine::{Engine, Table, TableError, batch_of};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// The tables about how the descriptions of what was shown changed, as far as they have vectors.
pub fn of_texts(snapshot: &Snapshot) -> Result<Vec<(String, Table)>> {
    Plan::new(&snapshot.project).run_texts(&snapshot.engine, &snapshot.project)
}

/// The tables about how the looks changed that a model sees, as far as there is a frame; they need nothing of the log.
pub fn of_frame(project: &Project, as_of: DateTime<Utc>) -> Result<Vec<(String, Table)>> {
    let project = &log::as_of(project, as_of);
    let (engine, plan) = (Engine::new(project)?, Plan::new(project));
    if !engine.open_if_made(&TableName::bare("frame"))? {
        return Ok(Vec::new());
    }
    plan.run_frame(&engine, project)?;
    let frame = engine.read(&name("drift_rows"))?;
    let (mut numbers, mut texts, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
    for feature in project.library.feature_columns() {
        let Some(column) = frame.column_by_name(&feature.name) else { continue };
        match column.data_type() {
            DataType::FixedSizeList(..) => vectors.push((feature.name, Arc::clone(column))),
            DataType::Boolean => texts.push((feature.name, yes_or_no(column))),
            kind if kind.is_numeric() => numbers.push((feature.name, as_type(column, &DataType::Float64)?)),
            _ => texts.push((feature.name, as_type(column, &DataType::Utf8)?)),
        }
    }
    // Vectors of another length than the first have no place in one table with it.
    let short = DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Float32, true)), 1);
    let kind = vectors.first().map_or(short, |(_, column)| column.data_type().clone());
    vectors.retain(|(_, column)| *column.data_type() == kind);
    for (table, columns, kind) in [
        ("drift_numbers", numbers, DataType::Float64),
        ("drift_texts", texts, DataType::Utf8),
        ("drift_vectors", vectors, kind),
    ] {
        engine.register(&name(table), long(table, &frame, &columns, &kind)?)?;
    }
    plan.run_drift(&engine, project)
}

/// One row per row of the frame and column: the feature's name, the side, the moment of the look, the value.
fn long(table: &str, frame: &RecordBatch, columns: &[(String, ArrayRef)], kind: &DataType) -> Result<RecordBatch> {
    let side = frame.column_by_name("side").ok_or_else(|| shape(table, "no column side"))?;
    let moment = frame.column_by_name("as_of").ok_or_else(|| shape(table, "no column as_of"))?;
    let repeated = |column: &ArrayRef| stacked(&vec![Arc::clone(column); columns.len()], column.data_type());
    let names: Vec<&str> =
        columns.iter().flat_map(|(name, column)| std::iter::repeat_n(name.as_str(), column.len())).collect();
    let values: Vec<ArrayRef> = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    let value = if table == "drift_vectors" { "vector" } else { "value" };
    let failed = |e: ArrowError| shape(table, &e.to_string());
    batch_of(
        table,
        vec![
            ("feature", Arc::new(StringArray::from(names)) as ArrayRef),
            ("side", repeated(side).map_err(failed)?),
            ("as_of", repeated(moment).map_err(failed)?),
            (value, stacked(&values, kind).map_err(failed)?),
        ],
    )
}

fn stacked(arrays: &[ArrayRef], kind: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
    let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() { Ok(new_empty_array(kind)) } else { concat(&parts) }
}

fn yes_or_no(column: &ArrayRef) -> ArrayRef {
    let words = |value: bool| if value { "yes" } else { "no" };
    let values = column.as_any().downcast_ref::<BooleanArray>();
    Arc::new(values.into_iter().flatten().map(|value| value.map(words)).collect::<StringArray>())
}

fn as_type(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    Ok(cast(column, kind).map_err(|e| shape("drift_rows", &e.to_string()))?)
}

fn shape(table: &str, cause: &str) -> TableError {
    TableError::Shape { table: table.into(), cause: cause.into() }
}
