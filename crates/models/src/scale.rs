//! One number's way into the matrix: imputed, pulled in, scaled.

use serde::{Deserialize, Serialize};

/// Skewness (the third standardised moment) above which a number is pulled in by a signed `ln(1 + |x|)`. An exponential
/// distribution has 2; counts and amounts of money mostly have more, shares and scores less.
pub const SKEWED: f64 = 2.0;

/// A deviation smaller than this share of the mean is rounding: the number is the same everywhere.
const NEGLIGIBLE: f64 = 1e-12;

/// How a number is imputed and scaled, learned from training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What stands in for a missing number: the training median, in the number's own unit.
    median: f64,
    /// Skewness in training, before anything was done about it.
    skewness: f64,
    /// Whether `sign(x) * ln(1 + |x|)` comes before scaling.
    log: bool,
    /// Of the imputed (and pulled in) training numbers.
    mean: f64,
    /// Their standard deviation (divided by n); above 0.
    deviation: f64,
}

impl Scale {
    /// Learns from training numbers (NaN: missing); `None` where they do not vary.
    ///
    /// `may_log`: whether pulling in is allowed. A position of a vector only means something beside the others.
    pub fn learn(values: &[f64], may_log: bool) -> Option<Scale> {
        let median = median(values)?;
        let imputed = || values.iter().map(move |&value| if value.is_nan() { median } else { value });
        let (_, _, skewness) = moments(imputed())?;
        let (_, _, skewness_of_log) = moments(imputed().map(signed_log)).unwrap_or((0.0, 0.0, f64::INFINITY));
        // It must help: a share that is mostly close to 1 gets worse, and what has two values stays as skewed as it is.
        let helps = skewness_of_log.abs() < 0.9 * skewness.abs();
        let log = may_log && skewness.abs() > SKEWED && helps;
        let (mean, deviation, _) = if log { moments(imputed().map(signed_log)) } else { moments(imputed()) }?;
        Some(Scale { median, skewness, log, mean, deviation })
    }

    /// The scaled number; a NaN counts as the training median.
    pub fn apply(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.median } else { value };
        ((if self.log { signed_log(value) } else { value }) - self.mean) / self.deviation
    }
}

fn signed_log(value: f64) -> f64 {
    value.signum() * value.abs().ln_1p()
}

/// The middle of the numbers that are there, or the mean of the two middle ones.
fn median(values: &[f64]) -> Option<f64> {
    let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    present.sort_by(f64::total_cmp);
    let upper = *present.get(present.len() / 2)?;
    Some(if present.len() % 2 == 1 { upper } else { present[present.len() / 2 - 1] * 0.5 + upper * 0.5 })
}

/// Mean, standard deviation and skewness, summed in order; `None` where the numbers do not vary, or vary so widely that
/// their cubes overflow.
fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64, f64)> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let central = |power: i32| values.clone().map(|value| (value - mean).powi(power)).sum::<f64>() / count;
    let deviation = central(2).sqrt();
    let skewness = central(3) / deviation.powi(3);
    let varies = deviation > mean.abs() * NEGLIGIBLE && skewness.is_finite();
    varies.then_some((mean, deviation, skewness))
}
