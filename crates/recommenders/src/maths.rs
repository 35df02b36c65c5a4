//! Every function of the processor's mathematical library that a model calls, in one place.
//!
//! Addition, multiplication, division and square root are the same everywhere; exponentials and logarithms are not.

/// e to the power of `x`.
pub fn exp(x: f64) -> f64 {
    x.exp()
}

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    x.ln()
}

/// ln(1 + x), exact near 0.
pub fn ln_1p(x: f64) -> f64 {
    x.ln_1p()
}

/// The logarithm to base 2.
pub fn log2(x: f64) -> f64 {
    x.log2()
}

/// `x` to the power of `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    x.powf(y)
}

/// The cosine of an angle in radians.
pub fn cos(x: f64) -> f64 {
    x.cos()
}

/// 1/(1 + exp(-x)), without overflow for any `x`.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let odds = exp(x);
        odds / (1.0 + odds)
    }
}

/// ln(1 + exp(x)), the loss of a logistic model at score `x` where the label is 0.
pub fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + ln_1p(exp(-x)) } else { ln_1p(exp(x)) }
}

/// ln(sigmoid(x)).
pub fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// ln(sum of exp), from left to right; minus infinity for no values.
pub fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most.is_infinite() { most } else { most + ln(values.map(|value| exp(value - most)).sum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overflows() {
        assert_eq!([sigmoid(-1000.0), sigmoid(0.0), sigmoid(1000.0)], [0.0, 0.5, 1.0]);
        assert_eq!([softplus(-1000.0), softplus(1000.0)], [0.0, 1000.0]);
        assert_eq!(log_sigmoid(-1000.0), -1000.0);
        assert_eq!(log_sum_exp([1000.0, 1000.0].into_iter()), 1000.0 + 2_f64.ln());
        assert_eq!(log_sum_exp(std::iter::empty()), f64::NEG_INFINITY);
    }
}
