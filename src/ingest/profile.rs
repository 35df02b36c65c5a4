//! Every column of every file as a stranger would look at it first: what it seems to be, what is missing, how far it goes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use rayon::prelude::*;

use super::IngestError;
use crate::engine::{RawTable, Table};
use crate::error::Result;

/// Of 20 values, at least so many must be of a type before the column is said to be of it.
const MOST_OF_20: i64 = 19;

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
    let columns = schema.fields().par_iter().zip(raw.batch.columns()).filter(|(field, _)| field.name() != "line");
    columns.map(|(field, column)| profile(csv, field.name(), column.as_string())).collect()
}

fn profile(csv: &str, name: &str, column: &StringArray) -> Profile {
    let given = counted(column);
    let rows: i64 = given.values().sum();
    let types: [(&'static str, fn(&str) -> bool); 5] = [
        ("yes or no", |text| ["true", "false", "yes", "no"].iter().any(|word| text.eq_ignore_ascii_case(word))),
        ("whole number", |text| text.parse::<i64>().is_ok()),
        ("number", |text| number(text).is_some()),
        ("date", |text| date(text)),
        ("time", |text| text.split_once(['T', ' ']).is_some_and(|(day, time)| date(day) && time.contains(':'))),
    ];
    let found = types.into_iter().find_map(|(name, is)| Some((name, unlike(&given, rows, is)?)));
    let (looks_like, unlike) = match found {
        Some(found) => found,
        None if given.is_empty() => ("nothing", 0),
        None => ("text", 0),
    };
    let by_letters = |a: &&str, b: &&str| a.cmp(b);
    let by_size = |a: &&str, b: &&str| size(a).total_cmp(&size(b)).then(a.cmp(b));
    let values = given.keys().copied();
    let (lowest, highest) = match looks_like {
        "whole number" | "number" => (values.clone().min_by(by_size), values.max_by(by_size)),
        _ => (values.clone().min_by(by_letters), values.max_by(by_letters)),
    };
    Profile {
        csv: csv.into(),
        column: name.into(),
        looks_like,
        rows: column.len() as i64,
        missing: column.len() as i64 - rows,
        distinct: given.len() as i64,
        padded: given.iter().filter(|(value, _)| value.trim().len() < value.len()).map(|(_, count)| count).sum(),
        unlike,
        lowest: lowest.map(str::to_owned),
        highest: highest.map(str::to_owned),
    }
}

/// How many of the values are not of a type; None where too many are not, or none is there.
fn unlike(given: &Texts, rows: i64, is: fn(&str) -> bool) -> Option<i64> {
    let bearable = rows * (20 - MOST_OF_20) / 20;
    let mut unlike = 0;
    for (value, count) in given {
        if !is(value.trim()) {
            unlike += count;
            if unlike > bearable {
                return None;
            }
        }
    }
    (rows > 0).then_some(unlike)
}

/// The texts of a column that are more than spaces, each with how often it stands there.
type Texts<'a> = IndexMap<&'a str, i64, RandomState>;

fn counted(column: &StringArray) -> Texts<'_> {
    let mut texts = Texts::default();
    for value in column.iter().flatten().filter(|value| !value.trim().is_empty()) {
        *texts.entry(value).or_default() += 1;
    }
    texts
}

/// A number with a point, or with a comma as some people type it.
fn number(text: &str) -> Option<f64> {
    let number = if text.contains(',') { text.replace(',', ".").parse::<f64>() } else { text.parse() };
    number.ok().filter(|number| number.is_finite())
}

fn size(text: &str) -> f64 {
    number(text.trim()).unwrap_or(f64::INFINITY)
}

/// `2031-05-01` or `01.05.2031`.
fn date(text: &str) -> bool {
    let formats: &[&str] = match text.contains('.') {
        true => &["%d.%m.%Y"],
        false if text.contains('-') => &["%Y-%m-%d"],
        false => &[],
    };
    formats.iter().any(|format| chrono::NaiveDate::parse_from_str(text, format).is_ok())
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
