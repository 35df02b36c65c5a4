//! `reports/alerts.json`: one entry for every metric and segment looked at, alerts first.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};
use statistics::intervals::{self, Z95};

/// One row of `monitoring.findings`.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    /// Whose segment it is, customers' or articles'; none for the whole shop.
    pub owner: Option<String>,
    pub state: State,
    /// Where it cannot be told who changed: whether it is clear that somebody did, …
    pub somebody: Option<bool>,
    /// … and who may have instead, `column=value; column=value`.
    pub rivals: Option<String>,
    pub why: Option<String>,
    pub explained_by: Option<String>,
    /// Of the whole shop: what is told is without the customers of segments that are told by themselves.
    pub is_rest: bool,
    /// First day of the new level, on the shop's clock.
    pub since: Option<String>,
    /// Last day of it, if it is over.
    pub until: Option<String>,
    /// Last day that `after` counts.
    pub counted_until: Option<String>,
    /// Recommendations shown in all.
    pub shown: u64,
    pub before_n: u64,
    pub before_x: u64,
    pub before: Option<f64>,
    pub before_lower: Option<f64>,
    pub before_upper: Option<f64>,
    pub after_n: u64,
    pub after_x: u64,
    pub after: Option<f64>,
    pub after_lower: Option<f64>,
    pub after_upper: Option<f64>,
    /// What `after_x` should have been, given how everyone else moved.
    pub expected_x: Option<f64>,
    /// How far the rate may have moved over all watched days, as a share of what it was.
    pub moved_lower: Option<f64>,
    pub moved_upper: Option<f64>,
    /// Recommendations that are old enough, and how many must be.
    pub have: Option<u64>,
    pub needed: Option<u64>,
    pub known_on: Option<String>,
    pub z: Option<f64>,
    pub first_z: Option<f64>,
    /// The same against the rest of the shop only.
    pub apart_z: Option<f64>,
    pub phi: Option<f64>,
    pub threshold: Option<f64>,
    pub possible_line: Option<f64>,
    /// Days that are compared are not there in whole.
    pub incomplete: bool,
}

/// One row of `monitoring.completeness`: days that are not there in whole.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Incomplete {
    /// `recommendations` or `transactions`.
    pub source: String,
    /// `shown`, `click`, … of the log; `event` or a kind of event.
    pub kind: String,
    pub state: Lack,
    pub first_day: String,
    pub last_day: String,
    /// What came on these days, and what is usual.
    pub rows: u64,
    pub expected: Option<u64>,
    /// Rows that are there a second time under another number.
    pub twins: Option<u64>,
}

impl Incomplete {
    /// The table of an earlier report, which is not asked for it.
    pub fn none() -> RecordBatch {
        let fields = [("source", DataType::Utf8), ("kind", DataType::Utf8), ("last_day", DataType::Date32)];
        let fields: Vec<Field> = fields.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        RecordBatch::new_empty(Arc::new(Schema::new(fields)))
    }
}

/// What is the matter with days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// Nothing came, though as many days around them have some.
    Missing,
    /// Nothing came any more.
    Ended,
    /// Much less came than on such days.
    Partial,
    /// Rows are there a second time under another number.
    Twice,
    /// Twice as much came as on such days.
    Double,
}

/// What is said of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Clear,
    Possible,
    /// The whole shop changed, and nothing sets them apart from it.
    WithShop,
    /// A change that is worth telling can be ruled out.
    Unchanged,
    /// Nothing that stands out; a change that is worth telling cannot be ruled out.
    NotKnown,
    TooEarly,
}

/// One entry of the file.
#[derive(Debug, Serialize)]
pub struct Alert<'a> {
    metric: &'a str,
    segment: Option<Segment<'a>>,
    state: State,
    /// Where it cannot be told yet who changed: whether it is clear that somebody did, and who else it may have been.
    somebody: Option<bool>,
    or: Vec<Segment<'a>>,
    since: Option<&'a str>,
    until: Option<&'a str>,
    before: Option<f64>,
    after: Option<f64>,
    truth: &'static str,
    counts: Counts,
    /// The 95 % interval of after - before.
    difference: Option<[f64; 2]>,
    explained_by: Option<&'a str>,
    why: Option<&'a str>,
    needed: Option<Needed<'a>>,
    /// Days that are compared are not there in whole.
    incomplete: bool,
}

#[derive(Debug, Serialize)]
struct Segment<'a> {
    column: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
struct Counts {
    before: [u64; 2],
    after: [u64; 2],
}

/// How many outcomes it takes to say something, and when they will be known.
#[derive(Debug, Serialize)]
struct Needed<'a> {
    known: u64,
    of: Option<u64>,
    on: Option<&'a str>,
}

/// `reports/alerts.json`.
#[derive(Debug, Serialize)]
pub struct File<'a> {
    as_of: &'a str,
    /// What is not there in whole, before anything is said of changes.
    incomplete: &'a [Incomplete],
    alerts: Vec<Alert<'a>>,
}

/// The file's content; `as_of` on the shop's clock.
pub fn file<'a>(findings: &'a [Finding], incomplete: &'a [Incomplete], as_of: &'a str) -> File<'a> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.order());
    File { as_of, incomplete, alerts: sorted.into_iter().map(Alert::new).collect() }
}

impl Finding {
    pub fn is_shop(&self) -> bool {
        self.segment_column == "shop"
    }

    /// A change, or what may be one.
    pub fn is_change(&self) -> bool {
        matches!(self.state, State::Clear | State::Possible)
    }

    /// `click of age_group=25-34 since 2031-09-21`.
    pub fn in_short(&self) -> String {
        let who = match self.is_shop() {
            true if self.is_rest => "everyone else".to_owned(),
            true => "the whole shop".to_owned(),
            false => format!("{}={}", self.segment_column, self.segment_value),
        };
        format!("{} of {who} since {}", self.metric, self.since.as_deref().unwrap_or("an unknown day"))
    }

    /// Who may have changed instead: column and value.
    pub fn rivals(&self) -> Vec<(&str, &str)> {
        self.rivals.iter().flat_map(|all| all.split("; ")).filter_map(|one| one.split_once('=')).collect()
    }

    /// The 95 % interval of after - before.
    pub fn difference(&self) -> Option<intervals::Range> {
        intervals::difference((self.after_x, self.after_n), (self.before_x, self.before_n), Z95)
    }

    /// By metric in the order of the flow, the most urgent first, the whole shop before its segments.
    pub fn order(&self) -> (usize, State, bool, &str, &str) {
        let metric = ["click", "purchase", "kept"].iter().position(|metric| *metric == self.metric).unwrap_or(3);
        (metric, self.state, !self.is_shop(), &self.segment_column, &self.segment_value)
    }
}

impl<'a> Alert<'a> {
    fn new(finding: &'a Finding) -> Self {
        let segment = Segment { column: &finding.segment_column, value: &finding.segment_value };
        let waits = finding.state == State::TooEarly || finding.state == State::Possible && finding.known_on.is_some();
        Self {
            metric: &finding.metric,
            segment: (!finding.is_shop()).then_some(segment),
            state: finding.state,
            somebody: finding.somebody,
            or: finding.rivals().into_iter().map(|(column, value)| Segment { column, value }).collect(),
            since: finding.since.as_deref(),
            until: finding.until.as_deref(),
            before: finding.before,
            after: finding.after,
            truth: "confirmed",
            counts: Counts { before: [finding.before_x, finding.before_n], after: [finding.after_x, finding.after_n] },
            difference: finding.difference().map(|range| [range.lower, range.upper]),
            explained_by: finding.explained_by.as_deref(),
            why: finding.why.as_deref(),
            needed: waits.then(|| Needed {
                known: finding.have.unwrap_or_default(),
                of: finding.needed,
                on: finding.known_on.as_deref(),
            }),
            incomplete: finding.incomplete,
        }
    }
}
