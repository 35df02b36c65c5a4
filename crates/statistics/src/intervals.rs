//! Intervals around rates, differences and ratios; one formula each, all two-sided at 95 % unless told otherwise.

use statrs::distribution::{Beta, ContinuousCDF};

/// Two-sided 95 % of the normal distribution, in standard deviations.
pub const Z95: f64 = 1.959964;

/// A point and the range it may lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub point: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Wilson's score interval for `x` of `n` (Wilson 1927), with `p = x / n`:
/// `(p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)`; none for `n` = 0.
pub fn wilson(x: u64, n: u64, z: f64) -> Option<Range> {
    if n == 0 {
        return None;
    }
    let (x, n) = (x as f64, n as f64);
    let p = x / n;
    let middle = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some(Range { point: p, lower: ((middle - half) / scale).max(0.0), upper: ((middle + half) / scale).min(1.0) })
}

/// Jeffreys' interval: the middle `level` (such as 0.95) of Beta(x + 1/2, n - x + 1/2), with 0 as its lower end for `x` = 0
/// and 1 as its upper for `x` = `n` (Brown, Cai and DasGupta 2001).
pub fn jeffreys(x: u64, n: u64, level: f64) -> Option<Range> {
    if n == 0 || x > n {
        return None;
    }
    let beta = Beta::new(x as f64 + 0.5, (n - x) as f64 + 0.5).ok()?;
    let tail = (1.0 - level) / 2.0;
    let lower = if x == 0 { 0.0 } else { beta_quantile(&beta, tail) };
    let upper = if x == n { 1.0 } else { beta_quantile(&beta, 1.0 - tail) };
    Some(Range { point: x as f64 / n as f64, lower, upper })
}

/// By halving: slower than the library's search and exact to the last digit that matters.
fn beta_quantile(beta: &Beta, share: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if beta.cdf(middle) < share { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Newcombe's hybrid score interval for the difference `a - b` of two rates, each `(x, n)` (Newcombe 1998, method 10): from
/// Wilson's ends `l` and `u` of each, `d - sqrt((a - l_a)^2 + (u_b - b)^2)` to `d + sqrt((u_a - a)^2 + (b - l_b)^2)`.
pub fn difference(a: (u64, u64), b: (u64, u64), z: f64) -> Option<Range> {
    let (first, second) = (wilson(a.0, a.1, z)?, wilson(b.0, b.1, z)?);
    let point = first.point - second.point;
    let below = (first.point - first.lower).hypot(second.upper - second.point);
    let above = (first.upper - first.point).hypot(second.point - second.lower);
    Some(Range { point, lower: point - below, upper: point + above })
}

/// Katz's log interval for the ratio `a / b` of two rates (Katz et al. 1978):
/// `r exp(-+ z sqrt(1 / x_a - 1 / n_a + 1 / x_b - 1 / n_b))`; where a count is 0, 0.5 is added to counts and 1 to totals.
pub fn ratio(a: (u64, u64), b: (u64, u64), z: f64) -> Option<Range> {
    if a.1 == 0 || b.1 == 0 {
        return None;
    }
    let add = if a.0 == 0 || b.0 == 0 { 0.5 } else { 0.0 };
    let [xa, na, xb, nb] = [a.0 as f64 + add, a.1 as f64 + 2.0 * add, b.0 as f64 + add, b.1 as f64 + 2.0 * add];
    let point = (xa / na) / (xb / nb);
    let spread = (1.0 / xa - 1.0 / na + 1.0 / xb - 1.0 / nb).max(0.0).sqrt();
    Some(Range { point, lower: point * (-z * spread).exp(), upper: point * (z * spread).exp() })
}

/// The size of each group at which a move from rate `p0` to `p1` is seen with power 0.8 at 5 % false alarms, two-sided:
/// `(1.96 + 0.8416)^2 (p0 (1 - p0) + p1 (1 - p1)) / (p0 - p1)^2`.
pub fn needed(p0: f64, p1: f64) -> Option<u64> {
    let gap = (p0 - p1) * (p0 - p1);
    if gap <= 0.0 {
        return None;
    }
    let spread = p0 * (1.0 - p0) + p1 * (1.0 - p1);
    let n = (1.96_f64 + 0.8416).powi(2) * spread / gap;
    n.is_finite().then_some(n.ceil() as u64)
}
