//! A copy of the log in which a share of one segment's clicks, and all that came of them, never happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::Date32Type;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::DrillError;
use crate::engine::Engine;
use crate::error::Result;
use crate::params::{Segment, Shift};
use crate::sql::TableName;

/// What an outcome leaves in `sources.recommendations`.
const OUTCOMES: [&str; 3] = ["clicked_at", "purchased_at", "returned_at"];

/// A log with a drop in it.
pub struct Injected {
    pub log: RecordBatch,
    /// Recommendations that lost what came of them, out of those of the segment that anything came of.
    pub lost: usize,
    pub of: usize,
}

/// The profiles of a segment.
pub fn profiles(engine: &Engine, segment: &Segment) -> Result<BTreeSet<String>> {
    let table = engine.read(&TableName::new("monitoring", "segments"))?;
    let [profile, column, value] = ["profile", "segment_column", "segment_value"].map(|name| texts(&table, name));
    let (profile, column, value) = (profile?, column?, value?);
    let is_member = |row: &usize| column[*row] == segment.column && value[*row] == segment.value;
    Ok((0..table.num_rows()).filter(is_member).map(|row| profile[row].clone()).collect())
}

/// Takes the share `shift.drop` of what came of the segment's recommendations out of the log, drawn by `seed`.
pub fn inject(engine: &Engine, shift: &Shift, seed: u64) -> Result<Injected> {
    let members = profiles(engine, &shift.segment)?;
    let outcomes = engine.read(&TableName::new("monitoring", "outcomes"))?;
    let (id, profile) = (texts(&outcomes, "recommendation_id")?, texts(&outcomes, "profile")?);
    let days = outcomes.column_by_name("shown_on").and_then(|column| column.as_primitive_opt::<Date32Type>());
    let days = days.ok_or_else(|| missing("shown_on"))?;
    let (clicked, bought) = (flags(&outcomes, "clicked")?, flags(&outcomes, "purchased")?);
    let from = shift.from.signed_duration_since(NaiveDate::default()).num_days();
    let mut came: Vec<&String> = (0..outcomes.num_rows())
        .filter(|row| clicked.value(*row) || bought.value(*row))
        .filter(|row| i64::from(days.value(*row)) >= from && members.contains(&profile[*row]))
        .map(|row| &id[row])
        .collect();
    came.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let of = came.len();
    let lost: BTreeSet<&String> = came.into_iter().take((shift.drop * of as f64).round() as usize).collect();
    let log = engine.read(&TableName::new("sources", "recommendations"))?;
    let is_lost: BooleanArray = texts(&log, "recommendation_id")?.iter().map(|id| Some(lost.contains(id))).collect();
    let mut columns = log.columns().to_vec();
    for (field, column) in log.schema().fields().iter().zip(&mut columns) {
        if OUTCOMES.contains(&field.name().as_str()) {
            *column = nullif(column, &is_lost).map_err(|e| shape(e.to_string()))?;
        }
    }
    let log = RecordBatch::try_new(Arc::clone(&log.schema()), columns).map_err(|e| shape(e.to_string()))?;
    Ok(Injected { log, lost: lost.len(), of })
}

fn shape(cause: String) -> DrillError {
    DrillError::Shape { table: "the production log", cause }
}

fn missing(column: &str) -> DrillError {
    shape(format!("no column {column}"))
}

fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<String>> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let column = column.ok_or_else(|| missing(name))?;
    Ok(column.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}

fn flags<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray> {
    let column = batch.column_by_name(name).and_then(|column| column.as_boolean_opt());
    Ok(column.ok_or_else(|| missing(name))?)
}
