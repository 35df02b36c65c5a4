//! What became of one column's values: rows that differ, missing values, the largest change, both distributions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::util::display::array_value_to_string;

use selvedge_engine::Table;
use selvedge_project::error::Result;

/// Bins of a number's distribution.
const BINS: usize = 16;
/// Values of a category that are counted apart.
const VALUES: usize = 8;

/// One column on both sides.
pub struct Moved {
    /// Rows that are on both sides, and those of them whose value differs.
    pub rows: usize,
    pub changed: usize,
    /// Share of rows without a value, before and after; none without rows.
    pub missing: (Option<f64>, Option<f64>),
    /// The row whose number moved most: its key, its value before and after.
    pub largest: Option<(String, f64, f64)>,
    /// Share of rows in each bin, before and after; empty for lists.
    pub bins: Vec<(f64, f64)>,
    /// What the first and the last bin stand for.
    pub ends: (String, String),
}

/// The rows of both tables that have one key: their places before and after.
pub fn pairs(before: &Table, after: &Table, shown: &str) -> Result<Vec<(usize, usize)>> {
    let (left, right) = (before.key_rows(shown)?, after.key_rows(shown)?);
    let (mut a, mut b, mut pairs) = (0, 0, Vec::new());
    while a < before.batch.num_rows() && b < after.batch.num_rows() {
        match left.row(a).cmp(&right.row(b)) {
            Ordering::Less => a += 1,
            Ordering::Greater => b += 1,
            Ordering::Equal => {
                pairs.push((a, b));
                a += 1;
                b += 1;
            }
        }
    }
    Ok(pairs)
}

/// Compares a column; a side that lacks it has no values.
pub fn compare(column: &str, before: Option<&Table>, after: Option<&Table>, pairs: &[(usize, usize)]) -> Moved {
    let array = |table: Option<&Table>| table.and_then(|table| table.batch.column_by_name(column).cloned());
    let (was, is) = (array(before), array(after));
    let (was_texts, is_texts) = (texts(was.as_ref()), texts(is.as_ref()));
    let differs = |(a, b): &&(usize, usize)| was_texts.get(*a) != is_texts.get(*b);
    let both = was.is_some() && is.is_some();
    let changed = if both { pairs.iter().filter(differs).count() } else { 0 };
    let (was_numbers, is_numbers) = (numbers(was.as_ref()), numbers(is.as_ref()));
    let number = |numbers: &Option<Vec<Option<f64>>>, row: usize| *numbers.as_ref()?.get(row)?;
    let mut largest: Option<(usize, f64, f64)> = None;
    for (a, b) in pairs {
        if let (Some(was), Some(is)) = (number(&was_numbers, *a), number(&is_numbers, *b))
            && was != is
            && largest.is_none_or(|(_, low, high)| (is - was).abs() > (high - low).abs())
        {
            largest = Some((*b, was, is));
        }
    }
    let largest = largest.and_then(|(row, was, is)| Some((after?.show_key(row), was, is)));
    let missing = |array: Option<&ArrayRef>| {
        array.filter(|array| !array.is_empty()).map(|array| array.null_count() as f64 / array.len() as f64)
    };
    let numeric = |numbers: &Option<Vec<Option<f64>>>, array: Option<&ArrayRef>| numbers.is_some() || array.is_none();
    let (bins, ends) = if numeric(&was_numbers, was.as_ref()) && numeric(&is_numbers, is.as_ref()) {
        histogram(&was_numbers.unwrap_or_default(), &is_numbers.unwrap_or_default())
    } else if [&was, &is].iter().any(|array| array.as_ref().is_some_and(|array| array.data_type().is_nested())) {
        (Vec::new(), Default::default())
    } else {
        frequent(&was_texts, &is_texts)
    };
    Moved { rows: pairs.len(), changed, missing: (missing(was.as_ref()), missing(is.as_ref())), largest, bins, ends }
}

fn texts(array: Option<&ArrayRef>) -> Vec<Option<String>> {
    let Some(array) = array else { return Vec::new() };
    let text = |row| array.is_valid(row).then(|| array_value_to_string(array, row).unwrap_or_default());
    (0..array.len()).map(text).collect()
}

/// The values as numbers; none for what is no number.
fn numbers(array: Option<&ArrayRef>) -> Option<Vec<Option<f64>>> {
    let array = array.filter(|array| array.data_type().is_numeric())?;
    let array = cast(array, &DataType::Float64).ok()?;
    Some(array.as_primitive::<Float64Type>().iter().map(|value| value.filter(|value| value.is_finite())).collect())
}

fn histogram(was: &[Option<f64>], is: &[Option<f64>]) -> (Vec<(f64, f64)>, (String, String)) {
    let values = || was.iter().chain(is).flatten().copied();
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)));
    if low > high {
        return (Vec::new(), Default::default());
    }
    let bin = |value: f64| match high > low {
        true => (((value - low) / (high - low) * BINS as f64) as usize).min(BINS - 1),
        false => 0,
    };
    let counted = |side: &[Option<f64>]| {
        let mut counts = vec![0.0; BINS];
        for value in side.iter().flatten() {
            counts[bin(*value)] += 1.0 / side.len() as f64;
        }
        counts
    };
    (counted(was).into_iter().zip(counted(is)).collect(), (short(low), short(high)))
}

/// The most frequent values, most frequent first.
fn frequent(was: &[Option<String>], is: &[Option<String>]) -> (Vec<(f64, f64)>, (String, String)) {
    let mut counts = BTreeMap::<&str, (f64, f64)>::new();
    for text in was.iter().flatten() {
        counts.entry(text).or_default().0 += 1.0 / was.len() as f64;
    }
    for text in is.iter().flatten() {
        counts.entry(text).or_default().1 += 1.0 / is.len() as f64;
    }
    let mut counts: Vec<(&str, (f64, f64))> = counts.into_iter().collect();
    counts.sort_by(|a, b| (b.1.0 + b.1.1).total_cmp(&(a.1.0 + a.1.1)).then(a.0.cmp(b.0)));
    counts.truncate(VALUES);
    let end = |value: Option<&(&str, (f64, f64))>| value.map(|(name, _)| (*name).to_owned()).unwrap_or_default();
    let ends = (end(counts.first()), end(counts.last().filter(|_| counts.len() > 1)));
    (counts.into_iter().map(|(_, shares)| shares).collect(), ends)
}

/// A number with about four digits.
pub fn short(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 1000.0 || value == value.trunc() => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 3,
        _ => 5,
    };
    format!("{value:.places$}")
}
