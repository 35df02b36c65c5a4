//! Every column of every file as a stranger would look at it first: what it seems to be, what is missing, how far it goes.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use rayon::prelude::*;

mod spooled;

pub use self::spooled::profiles_of;
use super::IngestError;
use selvedge_engine::{RawTable, Table};
use selvedge_project::error::Result;

/// Of 20 values, at least so many must be of a type before the column is said to be of it.
const MOST_OF_20: i64 = 19;

/// So many values are looked at to see whether most are different.
const SAMPLE: usize = 1 << 16;

const LOTS: usize = 64;

/// Bytes that make one number.
const SHORT: usize = size_of::<u128>();

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
    let mut seen = Seen::of(column.len());
    counted(column).into_iter().for_each(|(text, count)| seen.add(text, count));
    seen.profile(csv, name)
}

/// What a column can be said to be.
const KINDS: [(&str, fn(&str) -> bool); 5] = [
    ("yes or no", |text| ["true", "false", "yes", "no"].iter().any(|word| text.eq_ignore_ascii_case(word))),
    ("whole number", |text| text.parse::<i64>().is_ok()),
    ("number", |text| number(text).is_some()),
    ("date", date),
    ("time", |text| text.split_once(['T', ' ']).is_some_and(|(day, time)| date(day) && time.contains(':'))),
];

/// What the texts of a column come to, each of which is added once.
#[derive(Default)]
struct Seen {
    /// Of the column, and of those of them that say something.
    rows: i64,
    given: i64,
    distinct: i64,
    padded: i64,
    /// Rows that are not of each kind, until these are too many.
    unlike: [i64; KINDS.len()],
    /// The least and the most, by letters and by size.
    letters: Option<[String; 2]>,
    sizes: Option<[String; 2]>,
}

impl Seen {
    fn of(rows: usize) -> Self {
        Self { rows: rows as i64, ..Self::default() }
    }

    fn add(&mut self, text: &str, count: i64) {
        self.given += count;
        self.distinct += 1;
        let trimmed = text.trim();
        if trimmed.len() < text.len() {
            self.padded += count;
        }
        for ((_, is), unlike) in KINDS.iter().zip(&mut self.unlike) {
            if *unlike <= bearable(self.rows) && !is(trimmed) {
                *unlike += count;
            }
        }
        widen(&mut self.letters, text, |a, b| a.cmp(b));
        // Where most are no numbers, nobody asks for the largest.
        if self.unlike[1].min(self.unlike[2]) <= bearable(self.rows) {
            widen(&mut self.sizes, text, |a, b| size(a).total_cmp(&size(b)).then(a.cmp(b)));
        }
    }

    fn profile(self, csv: &str, name: &str) -> Profile {
        let found = KINDS.iter().zip(self.unlike).find(|(_, unlike)| *unlike <= bearable(self.given));
        let (looks_like, unlike) = match found {
            _ if self.given == 0 => ("nothing", 0),
            Some(((name, _), unlike)) => (*name, unlike),
            None => ("text", 0),
        };
        let ends = match looks_like {
            "whole number" | "number" => self.sizes,
            _ => self.letters,
        };
        let (lowest, highest) = ends.map_or((None, None), |[lowest, highest]| (Some(lowest), Some(highest)));
        Profile {
            csv: csv.into(),
            column: name.into(),
            looks_like,
            rows: self.rows,
            missing: self.rows - self.given,
            distinct: self.distinct,
            padded: self.padded,
            unlike,
            lowest,
            highest,
        }
    }
}

/// How many of so many rows may be of another kind than their column.
fn bearable(rows: i64) -> i64 {
    rows * (20 - MOST_OF_20) / 20
}

/// Moves the ends so far that `text` lies between them.
fn widen(ends: &mut Option<[String; 2]>, text: &str, order: impl Fn(&str, &str) -> Ordering) {
    match ends {
        None => *ends = Some([text.to_owned(), text.to_owned()]),
        Some([lowest, _]) if order(text, lowest) == Ordering::Less => text.clone_into(lowest),
        Some([_, highest]) if order(text, highest) == Ordering::Greater => text.clone_into(highest),
        Some(_) => {}
    }
}

/// The texts of a column that are more than spaces, each with how often it stands there.
fn counted(column: &StringArray) -> Vec<(&str, i64)> {
    let hasher = FixedState::default();
    let given = || column.iter().zip(0..).filter_map(|(text, row)| Some((text.filter(is_given)?, row)));
    let mut counts = Counts { column, of: vec![0; column.len()] };
    let sample = || given().take(SAMPLE).map(|(text, _)| text).collect::<HashSet<_, FixedState>>();
    if column.len() > SAMPLE && sample().len() > SAMPLE / 2 {
        // A table of millions outgrows every cache, so it is filled a lot of the hashes at a time.
        let mut lots = vec![Vec::new(); LOTS];
        for (text, row) in given() {
            let hash = hasher.hash_one(text);
            lots[(hash >> u32::BITS) as usize % LOTS].push((hash, row));
        }
        lots.into_iter().for_each(|lot| counts.add(lot));
    } else if column.offsets().windows(2).all(|ends| ends[1] - ends[0] < SHORT as i32) {
        counts.add_few(given().map(|(_, row)| (short(column, row), row)));
    } else {
        counts.add_few(given());
    }
    let texts = (0..).zip(&counts.of).filter(|(_, count)| **count > 0);
    texts.map(|(row, count)| (column.value(row), i64::from(*count))).collect()
}

/// Whether a text is more than spaces; most begin with a letter or a digit.
fn is_given(text: &&str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_graphic) || !text.trim().is_empty()
}

/// A text of fewer bytes than [`SHORT`] as a number, which compares quicker: its bytes, and behind them their count.
fn short(column: &StringArray, row: u32) -> u128 {
    let text = column.value(row as usize);
    let start = column.value_offsets()[row as usize] as usize;
    let bytes = match column.value_data()[start..].first_chunk::<SHORT>() {
        Some(bytes) => u128::from_le_bytes(*bytes) & ((1 << (8 * text.len())) - 1),
        None => text.bytes().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(byte)),
    };
    bytes | (text.len() as u128) << (8 * (SHORT - 1))
}

/// How often the text of a row stands in its column, at the first of its rows.
struct Counts<'a> {
    column: &'a StringArray,
    of: Vec<u32>,
}

impl Counts<'_> {
    /// Adds rows, with the hashes of their texts; no text may be among those of another call.
    fn add(&mut self, rows: Vec<(u64, u32)>) {
        let text = |row: u32| self.column.value(row as usize);
        let mut firsts = HashTable::<(u64, u32)>::with_capacity(rows.len());
        for (hash, row) in rows {
            let alike = |first: &(u64, u32)| first.0 == hash && text(first.1) == text(row);
            let first = firsts.entry(hash, alike, |first| first.0).or_insert((hash, row)).get().1;
            self.of[first as usize] += 1;
        }
    }

    /// Adds all rows, with their texts or what stands for these, of which there are not many.
    fn add_few<T: Hash + Eq>(&mut self, rows: impl Iterator<Item = (T, u32)>) {
        let mut firsts = HashMap::<T, u32, FixedState>::default();
        for (text, row) in rows {
            self.of[*firsts.entry(text).or_insert(row) as usize] += 1;
        }
    }
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
