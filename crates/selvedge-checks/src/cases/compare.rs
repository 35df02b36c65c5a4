//! What came out against what a case expects.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::util::display::array_value_to_string;
use serde_yaml::Value;

use super::CaseError;
use super::fixture::array;
use super::yaml::{Case, Row, text};
use selvedge_engine::Table;
use selvedge_project::error::Result;

/// The first value that is not as expected, in words.
///
/// # Errors
/// A case that expects a column the view does not have, or a value of another type.
pub fn first_difference(found: &Table, case: &Case, view: &str, place: &str) -> Result<Option<String>> {
    for row in &case.expect {
        let Some(at) = row_of(found, row) else {
            return Ok(Some(format!("{place}: row {}: there is none", shown_key(found, row))));
        };
        for (name, wanted) in row.iter().filter(|(name, _)| !found.key.contains(name)) {
            let unknown = || CaseError::UnknownColumn {
                place: place.into(),
                table: view.into(),
                column: name.clone(),
                known: found.batch.schema().fields().iter().map(|field| field.name().clone()).collect(),
            };
            let column = found.batch.column_by_name(name).ok_or_else(unknown)?;
            let same = same(column, at, wanted, case.tolerance).map_err(|(value, wanted)| CaseError::BadValue {
                place: place.into(),
                table: view.into(),
                column: name.clone(),
                value,
                wanted,
            })?;
            if !same {
                let expected = text(wanted).unwrap_or_else(|| "null".into());
                let row = found.show_key(at);
                return Ok(Some(format!(
                    "{place}: row {row}: column {name}: expected {expected}, got {}",
                    shown(column, at)
                )));
            }
        }
    }
    Ok(None)
}

/// The row with the key that `row` names.
fn row_of(found: &Table, row: &Row) -> Option<usize> {
    let key = |at: usize| {
        found.key.iter().all(|name| {
            let (column, wanted) = (found.batch.column_by_name(name), row.get(name));
            column.zip(wanted).is_some_and(|(column, wanted)| same(column, at, wanted, 0.0).unwrap_or(false))
        })
    };
    (0..found.batch.num_rows()).find(|at| key(*at))
}

fn shown_key(found: &Table, row: &Row) -> String {
    let part = |name: &String| format!("{name}={}", row.get(name).and_then(text).unwrap_or_default());
    found.key.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// A value as a case would write it.
pub fn shown(column: &ArrayRef, at: usize) -> String {
    match column.is_null(at) {
        true => "null".into(),
        false => array_value_to_string(column, at).unwrap_or_default(),
    }
}

fn same(column: &ArrayRef, at: usize, wanted: &Value, tolerance: f64) -> std::result::Result<bool, (String, String)> {
    if column.is_null(at) || wanted.is_null() {
        return Ok(column.is_null(at) && wanted.is_null());
    }
    let near = |found: f64, wanted: f64| (found - wanted).abs() <= tolerance * wanted.abs().max(1.0);
    if column.data_type().is_floating() {
        let number = text(wanted).and_then(|text| text.parse::<f64>().ok());
        let number = number.ok_or_else(|| (text(wanted).unwrap_or_default(), "number".to_owned()))?;
        return Ok(numbers(column).is_some_and(|found| near(found[at], number)));
    }
    if let (true, Some(list)) = (column.data_type().is_nested(), wanted.as_sequence()) {
        let found = column.as_fixed_size_list_opt().map(|lists| lists.value(at)).and_then(|list| numbers(&list));
        let wanted: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
        // Vectors are kept as 32-bit numbers, so that is how exactly they can be written.
        let close = |(found, wanted): (&f64, &f64)| (found - wanted).abs() <= tolerance.max(1e-6);
        return Ok(found.is_some_and(|found| found.len() == wanted.len() && found.iter().zip(&wanted).all(close)));
    }
    let wanted = array(&[wanted], column.data_type())?;
    Ok(shown(&wanted, 0) == shown(column, at))
}

fn numbers(column: &ArrayRef) -> Option<Vec<f64>> {
    let column = cast(column, &DataType::Float64).ok()?;
    Some(column.as_primitive::<Float64Type>().values().to_vec())
}
