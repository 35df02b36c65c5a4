//! Every column of every file as a stranger would look at it first: what it seems to be, what is missing, how far it goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};

use super::IngestError;
use crate::engine::{RawTable, Table};
use crate::error::Result;

/// Of 20 values, at least so many must be of a type before the column is said to be of it.
const MOST_OF_20: usize = 19;

/// One column of one CSV as it was written.
pub struct Profile {
    pub csv: String,
    pub column: String,
    /// whole number, number, date, time, yes or no, text, or nothing.
    pub looks_like: &'static str,
    pub rows: i64,
    pub missing: i64,
    pub distinct: i64,
    /// Values with spaces around them, and values that are not of the column's type.
    pub padded: i64,
    pub unlike: i64,
    /// By size where they are numbers, else by letters.
    pub lowest: Option<String>,
    pub highest: Option<String>,
}

/// Looks at every column of a file; `line` is the reader's own.
pub fn profiles(csv: &str, raw: &RawTable) -> Vec<Profile> {
    let schema = raw.batch.schema();
    let columns = schema.fields().iter().zip(raw.batch.columns()).filter(|(field, _)| field.name() != "line");
    columns.filter_map(|(field, column)| Some(profile(csv, field.name(), column.as_string_opt::<i32>()?))).collect()
}

fn profile(csv: &str, column: &str, values: &StringArray) -> Profile {
    let given: Vec<&str> = values.iter().flatten().filter(|value| !value.trim().is_empty()).collect();
    let types: [(&'static str, fn(&str) -> bool); 5] = [
        ("yes or no", |text| matches!(text.to_lowercase().as_str(), "true" | "false" | "yes" | "no")),
        ("whole number", |text| text.parse::<i64>().is_ok()),
        ("number", |text| number(text).is_some()),
        ("date", |text| date(text)),
        ("time", |text| text.split_once(['T', ' ']).is_some_and(|(day, time)| date(day) && time.contains(':'))),
    ];
    let of = |is: fn(&str) -> bool| given.iter().filter(|value| is(value.trim())).count();
    let found = types.into_iter().find(|(_, is)| !given.is_empty() && of(*is) * 20 >= given.len() * MOST_OF_20);
    let (looks_like, unlike) = match found {
        Some((name, is)) => (name, given.len() - of(is)),
        None if given.is_empty() => ("nothing", 0),
        None => ("text", 0),
    };
    let mut ends: Vec<&str> = given.clone();
    match looks_like {
        "whole number" | "number" => ends.sort_by(|a, b| size(a).total_cmp(&size(b)).then(a.cmp(b))),
        _ => ends.sort_unstable(),
    }
    Profile {
        csv: csv.into(),
        column: column.into(),
        looks_like,
        rows: values.len() as i64,
        missing: (values.len() - given.len()) as i64,
        distinct: given.iter().collect::<BTreeSet<_>>().len() as i64,
        padded: given.iter().filter(|value| value.trim().len() < value.len()).count() as i64,
        unlike: unlike as i64,
        lowest: ends.first().map(|value| (*value).to_owned()),
        highest: ends.last().map(|value| (*value).to_owned()),
    }
}

/// A number with a point, or with a comma as some people type it.
fn number(text: &str) -> Option<f64> {
    text.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite())
}

fn size(text: &str) -> f64 {
    number(text.trim()).unwrap_or(f64::INFINITY)
}

/// `2031-05-01` or `01.05.2031`.
fn date(text: &str) -> bool {
    ["%Y-%m-%d", "%d.%m.%Y"].iter().any(|format| chrono::NaiveDate::parse_from_str(text, format).is_ok())
}

/// The profiles as a table.
pub fn table(profiles: &[Profile]) -> Result<Table> {
    let texts =
        |of: fn(&Profile) -> Option<&str>| Arc::new(profiles.iter().map(of).collect::<StringArray>()) as ArrayRef;
    let counts = |of: fn(&Profile) -> i64| Arc::new(Int64Array::from_iter_values(profiles.iter().map(of))) as ArrayRef;
    let columns = [
        ("file", texts(|profile| Some(&profile.csv))),
        ("column", texts(|profile| Some(&profile.column))),
        ("looks_like", texts(|profile| Some(profile.looks_like))),
        ("rows", counts(|profile| profile.rows)),
        ("missing", counts(|profile| profile.missing)),
        ("distinct", counts(|profile| profile.distinct)),
        ("padded", counts(|profile| profile.padded)),
        ("unlike", counts(|profile| profile.unlike)),
        ("lowest", texts(|profile| profile.lowest.as_deref())),
        ("highest", texts(|profile| profile.highest.as_deref())),
    ];
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|cause| IngestError::Arrow { file: "profile".into(), cause })?;
    Table::new(batch, &["file".into(), "column".into()], "profile")
}
