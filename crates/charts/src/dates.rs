//! Days: read from "2031-09-21", written as "21 Sep", placed along a time axis with ticks that never touch.

use super::error::ChartError;
use super::text::{NOTE, width};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Days between ticks: weeks once single days are too narrow, so that ticks fall on the same weekday.
const STEPS: [i64; 9] = [1, 2, 7, 14, 28, 56, 91, 182, 364];

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Days since 1 March of year 0.
    number: i64,
    month: usize,
    day: i64,
}

impl Day {
    /// Read an ISO date.
    pub fn parse(text: &str) -> Result<Self, ChartError> {
        let parts: Vec<Option<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
        match parts[..] {
            [Some(year @ 0..=9999), Some(month @ 1..=12), Some(day @ 1..=31)] => {
                // Years counted from March: the leap day is the last, so months have fixed starts.
                let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
                let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
                let number = years * 365 + leaps + (months * 153 + 2) / 5 + day - 1;
                Ok(Self { number, month: month as usize - 1, day })
            }
            _ => Err(ChartError::Date(text.to_owned())),
        }
    }

    /// "21 Sep"
    pub fn label(self) -> String {
        format!("{} {}", self.day, MONTHS[self.month])
    }
}

/// Days laid out from left to right, each as wide as the others.
pub struct TimeAxis {
    left: f64,
    first: i64,
    /// Width of one day in pixels.
    pub room: f64,
}

impl TimeAxis {
    /// An axis from `left` to `right` that holds all the days.
    pub fn new(days: &[Day], left: f64, right: f64) -> Self {
        let first = days.iter().map(|day| day.number).min().unwrap_or(0);
        let last = days.iter().map(|day| day.number).max().unwrap_or(0);
        Self { left, first, room: (right - left) / (last - first + 1) as f64 }
    }

    /// The middle of a day.
    pub fn x(&self, day: Day) -> f64 {
        self.start(day) + self.room / 2.0
    }

    /// Where a day begins.
    pub fn start(&self, day: Day) -> f64 {
        self.left + (day.number - self.first) as f64 * self.room
    }

    /// The days that get a tick: `anchor` is one of them, and labels as wide as the widest of `labels` do not touch.
    pub fn ticks(&self, days: &[Day], labels: &[String], anchor: Option<Day>) -> Vec<usize> {
        let widest = labels.iter().map(|label| width(label, NOTE)).fold(width("30 Sep", NOTE), f64::max) + 28.0;
        let step = STEPS.into_iter().find(|step| *step as f64 * self.room >= widest).unwrap_or(i64::MAX);
        let anchor = anchor.or(days.first().copied()).map_or(0, |day| day.number);
        (0..days.len()).filter(|index| (days[*index].number - anchor) % step == 0).collect()
    }
}
