//! Poison: rows of the future that hold something else in every column but their key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::array::{Float64Array, Scalar};
use datafusion::arrow::compute::kernels::numeric::{add, mul};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, not, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::materials::{Material, MaterialError};
use selvedge_project::error::Result;

/// One cell in ten of the poison has no value.
const EMPTY: f64 = 0.1;

/// The table with every row that is known at `cut` or later scrambled: its cells are drawn from other rows, numbers
/// besides are large, true is false.  It stays a row of the future, under its own key, as any later row would be.
pub fn poisoned(table: &Material, cut: i64, random: &mut ChaCha8Rng) -> Result<RecordBatch> {
    let future: BooleanArray = table.known_from.iter().map(|from| Some(from.is_some_and(|from| from >= cut))).collect();
    let rows: Vec<u32> = (0..table.batch.num_rows() as u32).collect();
    scrambled_rows(table, &future, &rows, random)
}

/// The table with every row scrambled whose customer has not agreed to be profiled.  Its cells are drawn from such rows alone,
/// so it stays a row of somebody who has not: whose it is decides the consent, and no export has it otherwise.
pub fn without_consent(table: &Material, random: &mut ChaCha8Rng) -> Result<RecordBatch> {
    let agreed = table.consent.as_ref().and_then(|column| table.batch.column_by_name(column)?.as_boolean_opt());
    let Some(agreed) = agreed else { return Ok(table.batch.clone()) };
    let others: BooleanArray = agreed.iter().map(|agreed| Some(agreed != Some(true))).collect();
    let rows: Vec<u32> = (0..).zip(others.values()).filter(|(_, chosen)| *chosen).map(|(row, _)| row).collect();
    scrambled_rows(table, &others, &rows, random)
}

/// The table with the chosen rows scrambled; their cells are drawn from the rows of `pool`.
fn scrambled_rows(
    table: &Material,
    chosen: &BooleanArray,
    pool: &[u32],
    random: &mut ChaCha8Rng,
) -> Result<RecordBatch> {
    let later: Vec<u32> = (0..).zip(chosen.values()).filter(|(_, chosen)| *chosen).map(|(row, _)| row).collect();
    if later.is_empty() {
        return Ok(table.batch.clone());
    }
    let schema = table.batch.schema();
    let mut columns = Vec::new();
    for (field, column) in schema.fields().iter().zip(table.batch.columns()) {
        let time = table.time.as_ref() == Some(field.name());
        columns.push(match table.key.contains(field.name()) || table.consent.as_ref() == Some(field.name()) {
            true => Arc::clone(column),
            false => scrambled(column, chosen, if time { &later } else { pool }, time, random)
                .map_err(|cause| MaterialError::Arrow { table: table.name.to_string(), cause })?,
        });
    }
    Ok(RecordBatch::try_new(schema, columns)
        .map_err(|cause| MaterialError::Arrow { table: table.name.to_string(), cause })?)
}

fn scrambled(
    column: &ArrayRef,
    future: &BooleanArray,
    pool: &[u32],
    time: bool,
    random: &mut ChaCha8Rng,
) -> std::result::Result<ArrayRef, ArrowError> {
    let rows = column.len() as u32;
    let drawn: UInt32Array = (0..rows)
        .zip(future.values())
        .map(|(row, future)| match future {
            false => Some(row),
            // The row must not wander into the past.
            true if time => Some(pool[random.gen_range(0..pool.len())]),
            true if random.gen_bool(EMPTY) => None,
            true => Some(pool[random.gen_range(0..pool.len())]),
        })
        .collect();
    let drawn = take(column, &drawn, None)?;
    if time {
        return Ok(drawn);
    }
    let other = match column.data_type() {
        DataType::Boolean => Arc::new(not(drawn.as_boolean())?),
        kind if kind.is_numeric() => {
            let large = mul(&cast(&drawn, &DataType::Float64)?, &Scalar::new(Float64Array::from(vec![3.0])))?;
            cast(&add(&large, &Scalar::new(Float64Array::from(vec![1.0])))?, kind)?
        }
        _ => return Ok(drawn),
    };
    zip(future, &other, &drawn)
}
