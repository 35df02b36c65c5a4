//! Seeded random numbers of the few kinds that forecasts need; the same seed draws the same on every machine.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Standard normal, by Box and Muller.
pub fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (random.r#gen(), random.r#gen());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Beta(a, b) as a share of two gammas.
pub fn beta(random: &mut ChaCha8Rng, a: f64, b: f64) -> f64 {
    if a <= 0.0 {
        return 0.0;
    }
    if b <= 0.0 {
        return 1.0;
    }
    let (x, y) = (gamma(random, a), gamma(random, b));
    if x + y > 0.0 { x / (x + y) } else { 0.0 }
}

/// Gamma of a shape, by Marsaglia and Tsang; below 1 through the shape one higher.
pub fn gamma(random: &mut ChaCha8Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        let u: f64 = random.r#gen();
        return gamma(random, shape + 1.0) * (1.0 - u).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        let u: f64 = random.r#gen();
        if v > 0.0 && (1.0 - u).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// How many of `n` happen at chance `p`, by the gaps between them.
pub fn binomial(random: &mut ChaCha8Rng, n: u64, p: f64) -> u64 {
    if p <= 0.0 || n == 0 {
        return 0;
    }
    if p > 0.5 {
        return n - binomial(random, n, 1.0 - p);
    }
    // 1 - p would be 1 for a chance below 1e-16, and everything would happen.
    let step = (-p).ln_1p();
    let (mut place, mut count) = (0_u64, 0_u64);
    loop {
        let u: f64 = random.r#gen();
        let gap = ((1.0 - u).ln() / step).floor();
        if gap >= (n - place) as f64 {
            return count;
        }
        place += gap as u64 + 1;
        count += 1;
        if place >= n {
            return count;
        }
    }
}

/// Beyond so many expected either way, a normal number stands for a count.
const MANY: f64 = 30.0;

/// How many happen in all, of groups of `n` at chance `p` each; large groups share one normal number.
pub fn binomials(random: &mut ChaCha8Rng, groups: impl Iterator<Item = (u64, f64)>) -> f64 {
    let (mut counted, mut mean, mut variance) = (0, 0.0, 0.0);
    for (n, p) in groups {
        let expected = n as f64 * p;
        if expected > MANY && n as f64 - expected > MANY {
            mean += expected;
            variance += expected * (1.0 - p);
        } else {
            counted += binomial(random, n, p);
        }
    }
    let many = if variance > 0.0 { (mean + variance.sqrt() * normal(random)).round().max(0.0) } else { 0.0 };
    counted as f64 + many
}
