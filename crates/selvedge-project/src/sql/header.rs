//! What a SQL file says of itself: the YAML in its leading comment.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Layer;
use super::file::SqlFileError;
use super::fresh_for::FreshFor;
use crate::error::{Result, did_you_mean};

/// What a file says of itself; the layer decides which.
#[derive(Debug, Clone)]
pub enum Header {
    Source(SourceHeader),
    Feature(FeatureHeader),
    Audit(AuditHeader),
    Table(TableHeader),
}

/// The header of a typed source.  Its query returns exactly one row per row of the CSV, with the columns `line`,
/// `set_aside` (a code, or NULL for a row that is kept) and `surprises` (codes, separated by spaces).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceHeader {
    #[serde(default)]
    pub name: String,
    /// The CSV in `materials/`; several sources may read one.  Empty where the shop has no such file (see [`super::contract`]).
    pub file: String,
    /// Whether its rows are worked out from several rows of the CSV, such as customers from order lines: then the query
    /// returns fewer rows than the CSV has, each with the `line` of one of them.
    #[serde(default)]
    pub derived: bool,
    /// In which letters the CSV is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Whether the CSV may hold its header line alone.
    #[serde(default)]
    pub may_be_empty: bool,
    pub description: String,
    /// The columns that name one kept row.
    pub key: Vec<String>,
    /// The column of the answer that says from when a row is known; none where all rows are known from the start.
    pub known_from: Option<String>,
    /// The column of the answer that is true where the row is the behaviour of somebody who agreed to be profiled; features,
    /// lists and models must not depend on the others.
    pub consent: Option<String>,
    /// The columns the CSV must have, in any order, with their meaning; a second source of one CSV need not say them again.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// A log of what was shown and what came of it: features may not read it.
    #[serde(default)]
    pub outcomes: bool,
    /// Columns of the CSV whose values are kinds of rows, such as event_type.  A kind that loses most of its rows to one reason
    /// stops the run, however small a share of the file it is.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Why a row can be set aside, by code.
    #[serde(default)]
    pub set_aside: BTreeMap<String, Surprise>,
    /// What can be odd about a row that is kept, by code.
    #[serde(default)]
    pub surprises: BTreeMap<String, Surprise>,
}

/// In which letters a CSV is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "latin-1")]
    Latin1,
}

impl SourceHeader {
    /// Whether the shop has no such file.
    pub fn is_absent(&self) -> bool {
        self.file.is_empty()
    }

    /// What its rows come from, for people: the CSV, or what is worked out from it.
    pub fn from(&self) -> String {
        if self.derived { format!("{} (from {})", self.name, self.file) } else { self.file.clone() }
    }
}

/// A surprise in words a client can read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surprise {
    /// The column it is found in; none where it concerns the whole row.
    pub column: Option<String>,
    pub found: String,
    pub done: String,
}

/// The header of a feature view.  Its name is the file's, and its version 1, where it says none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureHeader {
    #[serde(default)]
    pub name: String,
    #[serde(default = "first")]
    pub version: u32,
    /// Reads `grain.<entity>`, one row out per row of the grain.
    pub entity: String,
    pub owner: String,
    /// What the columns have in common; may be empty.
    #[serde(default)]
    pub description: String,
    /// Of what is known of articles: how old it may be when a list is answered.  Older, its columns are missing (NULL).
    pub fresh_for: Option<FreshFor>,
    pub columns: BTreeMap<String, Column>,
    /// Columns that the ranking reads multiplied by each other.
    #[serde(default)]
    pub crosses: Vec<Cross>,
    /// `WITH` queries over what everybody did, whoever asks: the server works them out now and then, as it does what is known of
    /// articles, and reads what they are beside from who asks alone.
    #[serde(default)]
    pub everybody: Vec<String>,
}

/// A feature that the ranking reads once for each answer of a customer: a block of columns for each value of `set` or
/// `category`, which is `by` where the customer has the value and 0 elsewhere.  Exactly one of the two is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cross {
    /// A feature of several values, separated by semicolons.
    pub set: Option<String>,
    /// A feature of one value.
    pub category: Option<String>,
    /// A number or a vector.
    pub by: String,
    /// How many positions of a vector are read.
    pub dimensions: Option<usize>,
    /// 2: the number and its square; 1 where nothing is said.
    pub powers: Option<usize>,
    /// What a shop may say when the cross is why an article is recommended; `{value}` stands for the customer's value.
    pub say: Option<String>,
}

impl Cross {
    /// Whether it reads this feature column.
    pub fn names(&self, column: &str) -> bool {
        [self.set.as_deref(), self.category.as_deref(), Some(&self.by)].contains(&Some(column))
    }
}

/// The version of a view that has never changed.
fn first() -> u32 {
    1
}

/// What a header says of itself where it says nothing.
fn yes() -> bool {
    true
}

/// One column of a feature view.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub unit: String,
    pub meaning: String,
    /// What a shop would call it: one of `shop.drivers`.
    pub driver: Option<String>,
    /// What a shop may say when this column is why an article is recommended; the first that is true is said.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Whether it alone says how popular the article is: what the popularity baseline ranks by.
    #[serde(default)]
    pub popularity: bool,
    /// Whether what is bought is kept is learned from its values: the `share` of each value, or the `difference` it makes.
    pub keeps: Option<Keeps>,
}

/// How a feature tells whether what is bought is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    /// Each value has a share of its own, drawn towards the shop's.
    Share,
    /// Each value moves that share.
    Difference,
}

/// A phrase that a shop could print beside an article, and when it is true of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// `{value}` stands for the column's value as a whole number, `{percent}` for its size in hundredths, `{category}`
    /// (or any feature that is a text, or `{brand}`) for that text.
    pub say: String,
    /// True only where the value is above this …
    pub above: Option<f64>,
    /// … and below this.
    pub below: Option<f64>,
    /// True only where the value is higher or lower than the mean of what else the customer could get.
    pub than_others: Option<Side>,
    /// True only where these features lie within these limits, too: a share of two says nothing.
    #[serde(default)]
    pub when: BTreeMap<String, Limits>,
}

/// Between what a feature must lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub above: Option<f64>,
    pub below: Option<f64>,
}

impl Limits {
    /// Whether a value lies between them; one that is missing (NaN) does not.
    pub fn hold(&self, value: f64) -> bool {
        !value.is_nan() && self.above.is_none_or(|limit| value > limit) && self.below.is_none_or(|limit| value < limit)
    }
}

/// On which side of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Higher,
    Lower,
}

/// The header of a query that must return no rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHeader {
    #[serde(default)]
    pub name: String,
    pub description: String,
    pub severity: Severity,
}

/// What a row of an audit means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warn,
}

/// The header of every other table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHeader {
    #[serde(default)]
    pub name: String,
    pub description: String,
    /// The columns that name one row; the table is sorted by them.
    pub key: Vec<String>,
    /// Whether it is stored.  A table of many rows that are added up at once need not be; only the monitor has such.
    #[serde(default = "yes")]
    pub kept: bool,
}

impl Header {
    /// The table's name, which is also the file's.
    pub fn name(&self) -> &str {
        match self {
            Self::Source(header) => &header.name,
            Self::Feature(header) => &header.name,
            Self::Audit(header) => &header.name,
            Self::Table(header) => &header.name,
        }
    }

    /// What it is, for people.
    pub fn description(&self) -> &str {
        match self {
            Self::Source(header) => &header.description,
            Self::Feature(header) => &header.description,
            Self::Audit(header) => &header.description,
            Self::Table(header) => &header.description,
        }
    }

    /// Whether the table is stored.
    pub fn is_kept(&self) -> bool {
        !matches!(self, Self::Table(header) if !header.kept)
    }

    /// The same header; one that says no name is called as its file.
    pub fn named(mut self, stem: &str) -> Self {
        let name = match &mut self {
            Self::Source(header) => &mut header.name,
            Self::Feature(header) => &mut header.name,
            Self::Audit(header) => &mut header.name,
            Self::Table(header) => &mut header.name,
        };
        if name.is_empty() {
            stem.clone_into(name);
        }
        self
    }

    /// Parses the comment that `text` begins with.
    pub fn parse(text: &str, file: &str, layer: Layer) -> Result<Self> {
        Ok(match layer {
            Layer::SOURCES => Self::Source(read_header(text, file)?),
            Layer::FEATURES => Self::Feature(read_header(text, file)?),
            Layer::AUDITS | Layer::GATES | Layer::SLO => Self::Audit(read_header(text, file)?),
            _ => Self::Table(read_header(text, file)?),
        })
    }
}

/// The YAML in the comment that `text` begins with.
pub(super) fn read_header<T: DeserializeOwned>(text: &str, file: &str) -> Result<T> {
    let no_header = || SqlFileError::NoHeader { file: file.into() };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let body = start.strip_prefix("/*---").ok_or_else(no_header)?;
    let (yaml, _) = body.split_once("---*/").ok_or_else(no_header)?;
    let lines_before = text[..text.len() - body.len()].matches('\n').count();
    let bad = |e: serde_yaml::Error| {
        let line = lines_before + e.location().map_or(1, |at| at.line());
        let cause = e.to_string();
        let cause = in_words(cause.split(" at line ").next().unwrap_or_default());
        SqlFileError::BadHeader { file: file.into(), line, cause }
    };
    Ok(serde_yaml::from_str(yaml).map_err(bad)?)
}

/// A parser's words for a person: no Rust types, and the key that was meant.
fn in_words(cause: &str) -> String {
    let cause = cause
        .replace("expected u32", "expected a whole number")
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key");
    let mut quoted = cause.split('`').skip(1).step_by(2);
    match (cause.contains("unknown "), quoted.next()) {
        (true, Some(wanted)) => match did_you_mean(wanted, quoted, "").as_str() {
            "" => cause,
            near => format!("{cause}; {near}"),
        },
        _ => cause,
    }
}
