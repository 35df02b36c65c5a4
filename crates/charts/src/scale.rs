//! From values to pixels, and from values to words.

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share from 0 to 1, written as "15 in 100".
    In100,
    /// A share from 0 to 1, written as "15%".
    Percent,
    /// A count, written as "1,204".
    Count,
    /// Any other number, written with this many decimals.
    Number(usize),
}

impl Unit {
    /// The value in words, as it stands beside a mark.
    pub(super) fn label(self, value: f64) -> String {
        match self {
            Unit::In100 => format!("{} in 100", hundredths(value)),
            Unit::Percent => format!("{}%", hundredths(value)),
            Unit::Count => decimals(value, 0),
            Unit::Number(places) => decimals(value, places),
        }
    }

    /// The value at a tick, `step` away from the next one; the unit is said once elsewhere.
    pub(super) fn tick(self, value: f64, step: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let factor = if matches!(self, Unit::In100 | Unit::Percent) { 100.0 } else { 1.0 };
        let mut places = 0;
        let mut rest = step * factor;
        while places < 6 && (rest - rest.round()).abs() > 1e-6 {
            places += 1;
            rest *= 10.0;
        }
        let number = decimals(value * factor, places);
        if self == Unit::Percent { number + "%" } else { number }
    }
}

/// A share in hundredths: whole ones, below ten with one decimal where it says more.
pub fn hundredths(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 0.05 {
        return "<0.1".to_owned();
    }
    let text = decimals(value, usize::from(value.abs() < 9.95));
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A number with thousands separated and a real minus.
pub fn decimals(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, part)| (whole, Some(part)));
    let mut out = String::new();
    if value < 0.0 && text.chars().any(|digit| ('1'..='9').contains(&digit)) {
        out.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A value that can be drawn; a share of nothing (0 of 0) is as good as missing.
pub fn known(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// The stretches of neighbouring items for which there is something to draw, each item with that.
pub fn runs<T, V>(items: &[T], pick: impl Fn(&T) -> Option<V>) -> Vec<Vec<(&T, V)>> {
    let mut runs = vec![Vec::new()];
    for item in items {
        match (pick(item), runs.last_mut()) {
            (Some(value), Some(run)) => run.push((item, value)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// A value and the range it may truly lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The best guess.
    pub value: f64,
    /// Lower end of the range.
    pub lower: f64,
    /// Upper end of the range.
    pub upper: f64,
}

impl Interval {
    /// None where any part is not known.
    pub fn of(value: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> Option<Self> {
        Some(Self { value: value?, lower: lower?, upper: upper? })
    }
}

/// An interval that can be drawn.
pub fn known_interval(interval: Option<Interval>) -> Option<Interval> {
    interval.filter(|it| it.value.is_finite() && it.lower.is_finite() && it.upper.is_finite())
}

/// Ticks at round values.
pub struct Ticks {
    /// The values, upwards; the first is at or below the data, the last at or above.
    pub values: Vec<f64>,
    /// The distance between two.
    pub step: f64,
}

impl Ticks {
    /// About `wanted` steps that cover `low` to `high`; counts get no fractions.
    pub fn over(low: f64, high: f64, wanted: f64, unit: Unit) -> Self {
        let high = if high > low { high } else { low + if unit == Unit::Count { 1.0 } else { 0.1 } };
        let rough = (high - low) / wanted;
        let mut power = 1.0;
        while power > rough {
            power /= 10.0;
        }
        while power * 10.0 <= rough {
            power *= 10.0;
        }
        let mut step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        if unit == Unit::Count {
            step = step.map(|step| step.max(1.0));
        }
        let step = step.unwrap_or(rough);
        // A hair of tolerance, so that 0.30000000000000004 is 0.3.
        let (from, to) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
        Self { values: (from..=to).map(|index| index as f64 * step).collect(), step }
    }

    /// The lowest and highest tick.
    pub fn ends(&self) -> (f64, f64) {
        (self.values.first().copied().unwrap_or(0.0), self.values.last().copied().unwrap_or(1.0))
    }
}

/// A straight map from values to pixels. Values outside are drawn at the edge, so nothing leaves its plot.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Scale {
    /// Map the first value to the first pixel and the second to the second.
    pub fn new(values: (f64, f64), pixels: (f64, f64)) -> Self {
        Self { values, pixels }
    }

    /// The pixel of a value.
    pub fn at(&self, value: f64) -> f64 {
        let span = self.values.1 - self.values.0;
        let share = if span > 0.0 { ((value - self.values.0) / span).clamp(0.0, 1.0) } else { 0.5 };
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }
}
