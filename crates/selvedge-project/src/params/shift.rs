//! A drop to put into a copy of the log: whose, how deep, from when.  As params.yaml and the command line write it.

use chrono::NaiveDate;

/// One drop.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    pub segment: Segment,
    /// The share of clicks (and all that came of them) that is lost, above 0 and at most 1.
    pub drop: f64,
    /// The first day with the drop, on the shop's clock.
    pub from: NaiveDate,
}

/// A segment by its column and value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    pub column: String,
    pub value: String,
}

/// A shift of the standing set.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub shift: Shift,
    /// So many days of it were enough when this was written; more mean that the monitor has become worse.
    pub noticed_within: u32,
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.column, self.value)
    }
}

/// `age_group=45-54`.
pub fn segment(text: &str) -> Result<Segment, String> {
    match text.split_once('=') {
        Some((column, value)) if !column.trim().is_empty() && !value.trim().is_empty() => {
            Ok(Segment { column: column.trim().into(), value: value.trim().into() })
        }
        _ => Err("write column=value, such as age_group=45-54".into()),
    }
}

/// `40%` as 0.4.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let share = number.map(|number| number / 100.0).filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "write a share above 0% and up to 100%, such as 40%".into())
}

/// `2031-09-18`.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map_err(|_| "write a day such as 2031-09-18".into())
}
