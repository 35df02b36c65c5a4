//! The tables of the monitor stage, read once.

use serde::Deserialize;

use super::verdicts::{self, Story};
use super::words;
use selvedge_engine::Engine;
use selvedge_monitoring::monitor::{Finding, State};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// Everything the dashboard draws on.
pub struct Facts {
    /// The report's moment, on the shop's clock.
    pub as_of: String,
    /// In the order in which they are told.
    pub findings: Vec<Finding>,
    pub days: Vec<Day>,
    pub lines: Vec<LineDay>,
    pub chart_points: Vec<ChartPoint>,
    pub periods: Vec<Period>,
    pub nowcasts: Vec<Nowcast>,
    pub places: Vec<Place>,
    pub cusum: Vec<Cusum>,
    pub paces: Vec<Pace>,
}

#[derive(Debug, Deserialize)]
struct Moment {
    as_of: String,
}

/// A row of `monitoring.days`.
#[derive(Debug, Deserialize)]
pub struct Day {
    pub shown_on: String,
    pub period: String,
}

/// A row of `monitoring.lines`.
#[derive(Debug, Deserialize)]
pub struct LineDay {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub shown_on: String,
    pub shown: u64,
    pub pending: u64,
    pub mature: u64,
    pub confirmed_rate: Option<f64>,
    pub confirmed_week: Option<f64>,
    pub confirmed_rest: Option<f64>,
    pub usual: Option<f64>,
    pub usual_lower: Option<f64>,
    pub usual_upper: Option<f64>,
}

/// A row of `monitoring.chart_points`.
#[derive(Debug, Deserialize)]
pub struct ChartPoint {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub first_day: String,
    pub last_day: String,
    pub mature: u64,
    pub confirmed_rate: Option<f64>,
}

/// A row of `monitoring.periods`.
#[derive(Debug, Deserialize)]
pub struct Period {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub period: String,
    pub pending: u64,
}

/// A row of `monitoring.nowcasts`.
#[derive(Debug, Deserialize)]
pub struct Nowcast {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub span: String,
    pub shown: u64,
    pub provisional_rate: f64,
    pub provisional_lower: f64,
    pub provisional_upper: f64,
}

/// A row of `monitoring.where_to_look`.
#[derive(Debug, Deserialize)]
pub struct Place {
    pub segment_column: String,
    pub segment_value: String,
    pub question: String,
    pub answer: String,
    /// Shown often enough, before and since, to say something.
    pub enough: bool,
    pub before_n: u64,
    pub after_n: u64,
    pub before: Option<f64>,
    pub after: Option<f64>,
}

/// A row of `monitoring.cusum`.
#[derive(Debug, Deserialize)]
pub struct Cusum {
    pub metric: String,
    pub segment_column: String,
    pub segment_value: String,
    pub shown_on: String,
    pub cusum: f64,
}

/// A row of `monitoring.pace`.
#[derive(Debug, Deserialize)]
pub struct Pace {
    pub stage: String,
    pub z: Option<f64>,
}

/// A table of the monitor stage, row by row.
pub fn table<T: serde::de::DeserializeOwned>(engine: &Engine, name: &str) -> Result<Vec<T>> {
    engine.rows(&TableName::new("monitoring", name))
}

/// The same for a table that is not always there; then no rows.
pub fn table_if_made<T: serde::de::DeserializeOwned>(engine: &Engine, name: &str) -> Result<Vec<T>> {
    if engine.open_if_made(&TableName::new("monitoring", name))? { table(engine, name) } else { Ok(Vec::new()) }
}

impl Facts {
    pub fn read(engine: &Engine) -> Result<Self> {
        let moments: Vec<Moment> = table(engine, "report")?;
        let mut findings: Vec<Finding> = table(engine, "findings")?;
        findings.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(Self {
            as_of: moments.into_iter().next().map(|moment| moment.as_of).unwrap_or_default(),
            findings,
            days: table(engine, "days")?,
            lines: table(engine, "lines")?,
            chart_points: table(engine, "chart_points")?,
            periods: table(engine, "periods")?,
            nowcasts: table(engine, "nowcasts")?,
            places: table(engine, "where_to_look")?,
            cusum: table(engine, "cusum")?,
            paces: table(engine, "pace")?,
        })
    }

    /// Findings of one metric in one state, the whole shop first.
    pub fn of<'a>(&'a self, metric: &'a str, state: State) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.metric == metric && finding.state == state)
    }

    /// Whether nothing can be said of anyone's doings.
    pub fn all_too_early(&self, metric: &str) -> bool {
        self.findings.iter().filter(|finding| finding.metric == metric).all(|finding| finding.state == State::TooEarly)
    }

    /// What is told of changes, clear ones first.
    pub fn stories(&self) -> Vec<Story<'_>> {
        verdicts::stories(&self.findings)
    }

    /// The whole shop's finding for one metric.
    pub fn shop(&self, metric: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.metric == metric && finding.is_shop())
    }

    /// What a picture says below it where days of a metric are not there in whole.
    pub fn lack(&self, metric: &str) -> &'static str {
        let lacks = self.findings.iter().any(|finding| finding.metric == metric && finding.incomplete);
        if lacks { " Not every one of these days is there in whole." } else { "" }
    }

    /// A segment's days of one metric, in order of time.
    pub fn line<'a>(&'a self, finding: &'a Finding) -> impl Iterator<Item = &'a LineDay> {
        self.lines.iter().filter(move |day| {
            day.metric == finding.metric
                && day.segment_column == finding.segment_column
                && day.segment_value == finding.segment_value
        })
    }

    /// A segment's counts over the reference days or over those watched.
    pub fn period(&self, finding: &Finding, period: &str) -> Option<&Period> {
        self.periods.iter().find(|row| {
            row.metric == finding.metric
                && row.segment_column == finding.segment_column
                && row.segment_value == finding.segment_value
                && row.period == period
        })
    }

    /// A segment's forecast for a span.
    pub fn nowcast(&self, finding: &Finding, span: &str) -> Option<&Nowcast> {
        self.nowcasts.iter().find(|row| {
            row.metric == finding.metric
                && row.segment_column == finding.segment_column
                && row.segment_value == finding.segment_value
                && row.span == span
        })
    }

    /// Whether a day belongs to a period.
    pub fn is_of(&self, shown_on: &str, period: &str) -> bool {
        self.days.iter().any(|day| day.shown_on == shown_on && day.period == period)
    }

    /// First day of a period.
    pub fn first_day(&self, period: &str) -> Option<&str> {
        self.days.iter().find(|day| day.period == period).map(|day| day.shown_on.as_str())
    }

    /// Last day of a period.
    pub fn last_day(&self, period: &str) -> Option<&str> {
        self.days.iter().rfind(|day| day.period == period).map(|day| day.shown_on.as_str())
    }

    /// "1 September 2031 to 20 September 2031".
    pub fn span(&self, period: &str) -> Option<String> {
        Some(format!("{} to {}", words::day(self.first_day(period)?), words::day(self.last_day(period)?)))
    }
}
