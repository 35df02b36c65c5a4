//! A copy of the log's counts in which a share of one segment's clicks, and all that came of them, never happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{Date32Type, Int64Type};
use datafusion::arrow::error::ArrowError;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::DrillError;
use selvedge_project::error::Result;
use selvedge_project::params::Shift;

/// What an outcome leaves in `monitoring.daily_counts`.
const OUTCOMES: [&str; 5] = ["clicked_by", "purchased_by", "purchase_delay", "returned_by", "return_delay"];

/// A log with a drop in it.
#[derive(Debug)]
pub struct Injected {
    /// In the place of `monitoring.daily_counts`.
    pub counts: RecordBatch,
    /// Recommendations that lost what came of them, out of those of the segment that anything came of.
    pub lost: usize,
    pub of: usize,
}

/// Takes the share `shift.drop` of what came of the recommendations to these profiles out of the counts, drawn by `seed`.
pub fn inject(counts: &RecordBatch, members: &[&str], shift: &Shift, seed: u64) -> Result<Injected> {
    let column = |name: &str| counts.column_by_name(name).ok_or_else(|| shape(format!("no column {name}")));
    let wrong = || shape("a column is of another type".into());
    let profile = column("profile")?.as_string_opt::<i32>().ok_or_else(wrong)?;
    let day = column("shown_on")?.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?;
    let shown = column("shown")?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
    let (clicked, bought) = (column("clicked_by")?, column("purchased_by")?);
    let members: BTreeSet<&str> = members.iter().copied().collect();
    let from = shift.from.signed_duration_since(NaiveDate::default()).num_days();
    let came = |row: &usize| clicked.is_valid(*row) || bought.is_valid(*row);
    // One place for every recommendation that anything came of.
    let mut places: Vec<usize> = (0..counts.num_rows())
        .filter(|row| came(row) && i64::from(day.value(*row)) >= from && members.contains(profile.value(*row)))
        .flat_map(|row| std::iter::repeat_n(row, shown.value(row) as usize))
        .collect();
    places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let of = places.len();
    places.truncate((shift.drop * of as f64).round() as usize);
    let mut lost = vec![0_i64; counts.num_rows()];
    for row in &places {
        lost[*row] += 1;
    }
    let counts = moved(counts, shown, &lost).map_err(|e| shape(e.to_string()))?;
    Ok(Injected { counts, lost: places.len(), of })
}

/// The counts less what is lost, and what is lost as recommendations that nothing came of.
fn moved(counts: &RecordBatch, shown: &Int64Array, lost: &[i64]) -> std::result::Result<RecordBatch, ArrowError> {
    let left: Int64Array = shown.values().iter().zip(lost).map(|(shown, lost)| shown - lost).collect();
    let some: BooleanArray = left.iter().map(|left| left.map(|left| left > 0)).collect();
    let left = filter_record_batch(
        &with(counts, |name| (name == "shown").then(|| Arc::new(left.clone()) as ArrayRef))?,
        &some,
    )?;
    let rows: Vec<u32> = (0..lost.len()).filter(|row| lost[*row] > 0).map(|row| row as u32).collect();
    let taken = take_record_batch(counts, &UInt32Array::from(rows))?;
    let moved: ArrayRef = Arc::new(lost.iter().copied().filter(|lost| *lost > 0).collect::<Int64Array>());
    let next = counts.num_rows() as i64;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(next + 1..=next + taken.num_rows() as i64));
    let schema = counts.schema();
    let nothing = |name: &str| {
        let field = schema.field_with_name(name).ok()?;
        Some(new_null_array(field.data_type(), taken.num_rows()))
    };
    let taken = with(&taken, |name| match name {
        "shown" => Some(Arc::clone(&moved)),
        "number" => Some(Arc::clone(&numbers)),
        name if OUTCOMES.contains(&name) => nothing(name),
        _ => None,
    })?;
    concat_batches(&schema, [&left, &taken])
}

/// The batch with other values in some columns.
fn with(batch: &RecordBatch, other: impl Fn(&str) -> Option<ArrayRef>) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    let columns = fields.map(|(field, column)| other(field.name()).unwrap_or_else(|| Arc::clone(column)));
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
}

fn shape(cause: String) -> DrillError {
    DrillError::Shape { table: "the log's counts", cause }
}
