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
    /// The start of the period that the moment lies in, or of the one so many periods before.
    Start { unit: Unit, back: i32 },
    /// Between so many seconds after the moment and so many; `open` leaves the lower end out.
    Near { low: f64, open: bool, high: f64 },
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// So many seconds from the epoch on; a day and what divides it.
    Seconds(f64),
    /// Seven days from Monday on.
    Week,
    Months(i32),
}

/// Whether one moment lies before another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Before {
    /// In every row.
    Strictly,
    /// In every row but those of the very moment, or of its day.
    OrAtOnce,
    /// At most so many seconds after it.
    Within(f64),
    /// Not for certain.
    Unknown,
}

/// How far an interval goes.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    Seconds(f64),
    Months(i32),
}

pub const DAY: f64 = 86_400.0;

impl Shift {
    pub const EXACT: Self = Self::Near { low: 0.0, open: false, high: 0.0 };

    /// The seconds after the moment between which the value lies, and whether the lower end is left out.
    fn range(self) -> (f64, bool, f64) {
        match self {
            Self::Near { low, open, high } => (low, open, high),
            Self::Start { unit, back } => {
                let (shortest, longest) = unit.lengths(back.abs());
                let (low, high) = if back >= 0 { (-longest, -shortest) } else { (shortest, longest) };
                (low - unit.lengths(1).1, true, high)
            }
        }
    }

    fn plus(self, seconds: f64) -> Self {
        let (low, open, high) = self.range();
        Self::Near { low: low + seconds, open, high: high + seconds }
    }
}

impl Unit {
    /// The shortest and the longest time that so many periods take, in seconds.
    fn lengths(self, periods: i32) -> (f64, f64) {
        let periods = f64::from(periods);
        match self {
            Self::Seconds(seconds) => (periods * seconds, periods * seconds),
            Self::Week => (periods * 7.0 * DAY, periods * 7.0 * DAY),
            _ if periods == 0.0 => (0.0, 0.0),
            // A month has 30.4 days in the mean, and February 28.
            Self::Months(months) => {
                let days = periods * f64::from(months) * 30.4375;
                ((days.floor() - 3.0) * DAY, (days.ceil() + 2.0) * DAY)
            }
        }
    }

    /// Whether each period of `coarse` begins with one of these.
    fn divides(self, coarse: Self) -> bool {
        let fits = |fine: f64, coarse: f64| fine > 0.0 && coarse % fine == 0.0;
        match (self, coarse) {
            (Self::Seconds(fine), Self::Seconds(coarse)) => fits(fine, coarse),
            (Self::Seconds(fine), _) => fits(fine, DAY),
            (Self::Months(fine), Self::Months(coarse)) => fits(fine.into(), coarse.into()),
            (fine, coarse) => fine == coarse,
        }
    }

    /// How many periods an interval is, where it is whole ones.
    fn periods(self, span: Span) -> Option<i32> {
        let (by, one) = match (self, span) {
            (Self::Seconds(one), Span::Seconds(by)) => (by, one),
            (Self::Week, Span::Seconds(by)) => (by, 7.0 * DAY),
            (Self::Months(one), Span::Months(by)) => (f64::from(by), f64::from(one)),
            _ => return None,
        };
        (by % one == 0.0).then_some((by / one) as i32)
    }
}

impl Moment {
    /// The moment after an interval was added to it.
    pub fn plus(self, span: Span) -> Self {
        let shift = match (self.shift, span) {
            (Shift::Start { unit, back }, span) if unit.periods(span).is_some() => {
                Shift::Start { unit, back: back - unit.periods(span).unwrap_or_default() }
            }
            (shift, Span::Seconds(by)) => shift.plus(by),
            // The sign is exact, and the same months are as long on both sides.
            (shift, Span::Months(by)) => shift.plus(f64::from(by) * 30.0 * DAY),
        };
        Self { shift, ..self }
    }

    /// The moment cut down to the start of its period.
    pub fn down_to(self, unit: Unit) -> Self {
        let shift = match self.shift {
            Shift::EXACT => Shift::Start { unit, back: 0 },
            Shift::Start { unit: fine, back: 0 } if fine.divides(unit) => Shift::Start { unit, back: 0 },
            Shift::Start { unit: coarse, back } if unit.divides(coarse) => Shift::Start { unit: coarse, back },
            shift => {
                let (low, _, high) = shift.range();
                Shift::Near { low: low - unit.lengths(1).1, open: true, high }
            }
        };
        Self { shift, ..self }
    }

    /// The moment that the least (or greatest) of it and of something else is: not after it (or not before it).
    pub fn limit(self, least: bool) -> Self {
        let (low, open, high) = self.shift.range();
        let shift = match least {
            true => Shift::Near { low: f64::NEG_INFINITY, open: true, high },
            false => Shift::Near { low, open, high: f64::INFINITY },
        };
        Self { shift, ..self }
    }

    /// The moment as one that lies so many seconds later sees it.
    pub fn seen_after(self, seconds: f64) -> Self {
        Self { shift: self.shift.plus(-seconds), ..self }
    }
}

/// What `early < late` (or `<=` where `strict` is false) says of the moments that the two were made from.
pub fn before(early: Shift, late: Shift, strict: bool) -> Before {
    use Before::{OrAtOnce, Strictly, Unknown, Within};
    if let (Shift::Start { unit, back }, Shift::Start { unit: other, back: other_back }) = (early, late) {
        // Periods are whole: one that is not the same is at least the one before.
        let ahead = back - other_back - i32::from(strict);
        if unit == other && ahead <= 0 {
            return if ahead < 0 { Strictly } else { OrAtOnce };
        }
        if unit.divides(other) && back <= 0 && other_back >= 0 && strict {
            return Strictly;
        }
    }
    let ((low, open, _), (_, _, high)) = (early.range(), late.range());
    let after = high - low;
    let own_period = if let Shift::Start { unit, .. } = early { unit.lengths(1).1 } else { 0.0 };
    match after {
        _ if after < 0.0 || after == 0.0 && (strict || open) => Strictly,
        _ if after <= own_period => OrAtOnce,
        _ if after.is_finite() => Within(after),
        _ => Unknown,
    }
}

/// The period that a time is cut down to.
pub fn unit(name: &str) -> Unit {
    match name.to_lowercase().as_str() {
        "second" => Unit::Seconds(1.0),
        "minute" => Unit::Seconds(60.0),
        "hour" => Unit::Seconds(3_600.0),
        "week" => Unit::Week,
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        _ => Unit::Seconds(DAY),
    }
}

/// An interval or number, where the query says how far it goes.
pub fn span(expr: &Expr) -> Option<Span> {
    match expr {
        Expr::Alias(alias) => span(&alias.expr),
        Expr::Negative(inner) => match span(inner)? {
            Span::Seconds(by) => Some(Span::Seconds(-by)),
            Span::Months(by) => Some(Span::Months(-by)),
        },
        Expr::Literal(ScalarValue::IntervalYearMonth(Some(months)), _) => Some(Span::Months(*months)),
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _)
            if interval.months != 0 && interval.days == 0 && interval.nanoseconds == 0 =>
        {
            Some(Span::Months(interval.months))
        }
        other => seconds(other).map(Span::Seconds),
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
