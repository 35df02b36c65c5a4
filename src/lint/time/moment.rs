//! Times in a query: which row a value's time is of, and how far it may lie from that row's own moment.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// One reading of a table in a query; a table that is read twice is two.
pub type Scan = usize;

/// A value that is a row's time, or near it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub scan: Scan,
    pub shift: Shift,
}

/// How a value lies to the moment it was made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shift {
    Exact,
    /// Cut down to a multiple of so many seconds: the start of its day.
    Down(f64),
    /// So many seconds before.
    Earlier(f64),
    Later(f64),
}

/// Whether one moment lies before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// In every row.
    Strictly,
    /// In every row but those of the very moment, or of its day.
    OrAtOnce,
    /// Not for certain.
    Unknown,
}

pub const DAY: f64 = 86_400.0;

impl Moment {
    /// The moment after `seconds` were added to it.
    pub fn plus(self, seconds: f64) -> Option<Self> {
        let shift = match (self.shift, seconds) {
            (shift, seconds) if seconds == 0.0 => shift,
            (Shift::Exact, seconds) if seconds > 0.0 => Shift::Later(seconds),
            (Shift::Exact, seconds) => Shift::Earlier(-seconds),
            (Shift::Earlier(by), seconds) if seconds < 0.0 => Shift::Earlier(by - seconds),
            (Shift::Later(by), seconds) if seconds > 0.0 => Shift::Later(by + seconds),
            // The end of the day is not before the moment; half a day after its start may be.
            (Shift::Down(unit), seconds) if seconds >= unit => Shift::Later(seconds - unit),
            (Shift::Down(_), seconds) if seconds < 0.0 => Shift::Earlier(-seconds),
            _ => return None,
        };
        Some(Self { shift, ..self })
    }

    /// The moment cut down to a multiple of `unit` seconds.
    pub fn down_to(self, unit: f64) -> Option<Self> {
        let shift = match self.shift {
            Shift::Exact => Shift::Down(unit),
            Shift::Down(finer) => Shift::Down(finer.max(unit)),
            Shift::Earlier(by) => Shift::Earlier(by),
            Shift::Later(_) => return None,
        };
        Some(Self { shift, ..self })
    }
}

/// What `early < late` (or `<=` where `strict` is false) says of the moments that the two were made from.
pub fn before(early: Shift, late: Shift, strict: bool) -> Before {
    use Before::{OrAtOnce, Strictly, Unknown};
    use Shift::{Down, Earlier, Exact, Later};
    match (early, late) {
        (Exact | Later(_), Exact | Down(_)) => match (early, strict) {
            (Later(by), _) if by > 0.0 => Strictly,
            (_, true) => Strictly,
            (_, false) => OrAtOnce,
        },
        (Exact | Later(_), Earlier(_)) => Strictly,
        (Down(fine), Down(coarse)) if strict && fine <= coarse => Strictly,
        (Down(unit), Earlier(by)) if by >= unit => Strictly,
        (Down(_), Exact | Down(_) | Earlier(_)) => OrAtOnce,
        (Earlier(early), Earlier(late)) if early < late || early == late && strict => Strictly,
        (Earlier(early), Earlier(late)) if early == late => OrAtOnce,
        (Later(early), Later(late)) if early > late || early == late && strict => Strictly,
        (Later(early), Later(late)) if early == late => OrAtOnce,
        _ => Unknown,
    }
}

/// The seconds of a unit that times are cut down to; a month has 31 days here.
pub fn unit_seconds(unit: &str) -> f64 {
    match unit.to_lowercase().as_str() {
        "second" => 1.0,
        "minute" => 60.0,
        "hour" => 3_600.0,
        "week" => 7.0 * DAY,
        "month" => 31.0 * DAY,
        "quarter" => 92.0 * DAY,
        "year" => 366.0 * DAY,
        _ => DAY,
    }
}

/// An interval or number as seconds, where the query says which; its sign is exact.
pub fn seconds(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Alias(alias) => seconds(&alias.expr),
        Expr::Cast(cast) => seconds(&cast.expr),
        Expr::Negative(inner) => seconds(inner).map(|seconds| -seconds),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) => Some(seconds(left)? * seconds(right)?),
        Expr::Literal(value, _) => match value {
            ScalarValue::IntervalMonthDayNano(Some(interval)) => Some(
                f64::from(interval.months) * 30.0 * DAY
                    + f64::from(interval.days) * DAY
                    + interval.nanoseconds as f64 / 1e9,
            ),
            ScalarValue::IntervalDayTime(Some(interval)) => {
                Some(f64::from(interval.days) * DAY + f64::from(interval.milliseconds) / 1e3)
            }
            ScalarValue::IntervalYearMonth(Some(months)) => Some(f64::from(*months) * 30.0 * DAY),
            number if number.data_type().is_numeric() => match number.cast_to(&DataType::Float64).ok()? {
                ScalarValue::Float64(number) => number,
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
