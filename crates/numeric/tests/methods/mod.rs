//! `f64`'s and `f32`'s methods, each over the same numbers.

use std::hint::black_box;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A method of `f64` that a C function stands behind.
pub type Of64 = (&'static str, fn(f64) -> f64, fn(f64) -> f64);

/// Each method with the function that is meant to stand behind it; of two arguments, the second is made from the first.
pub const OF_64: [Of64; 21] = [
    ("exp", f64::exp, libm::exp),
    ("exp2", f64::exp2, libm::exp2),
    ("exp_m1", f64::exp_m1, libm::expm1),
    ("ln", f64::ln, libm::log),
    ("log2", f64::log2, libm::log2),
    ("log10", f64::log10, libm::log10),
    ("ln_1p", f64::ln_1p, libm::log1p),
    ("powf", |x| x.abs().powf(other(x)), |x| libm::pow(x.abs(), other(x))),
    ("cbrt", f64::cbrt, libm::cbrt),
    ("hypot", |x| x.hypot(other(x)), |x| libm::hypot(x, other(x))),
    ("sin", f64::sin, libm::sin),
    ("cos", f64::cos, libm::cos),
    ("tan", f64::tan, libm::tan),
    ("asin", f64::asin, libm::asin),
    ("acos", f64::acos, libm::acos),
    ("atan", f64::atan, libm::atan),
    ("atan2", |x| x.atan2(other(x)), |x| libm::atan2(x, other(x))),
    ("sinh", f64::sinh, libm::sinh),
    ("cosh", f64::cosh, libm::cosh),
    ("tanh", f64::tanh, libm::tanh),
    ("sin_cos", |x| x.sin_cos().0 + x.sin_cos().1, |x| libm::sincos(x).0 + libm::sincos(x).1),
];

/// A second argument, as far from the first as can be.
fn other(x: f64) -> f64 {
    1.7 - 0.3 * x
}

/// Numbers of all sizes that matter: shares, odds, logarithms, whole numbers.
pub fn numbers() -> Vec<f64> {
    let random = &mut ChaCha8Rng::seed_from_u64(1);
    let mut numbers = vec![0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, 1e300, f64::INFINITY, f64::NEG_INFINITY];
    numbers.extend((0..2000).map(f64::from));
    for size in [1.0, 10.0, 700.0] {
        numbers.extend((0..4000).map(|_| random.gen_range(-size..size)));
    }
    numbers
}

/// What each method gives, as the first half of the SHA-256 of all its bits; what is not a number counts as one.
pub fn hashes() -> Vec<(&'static str, String)> {
    let numbers = numbers();
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let of = |method: fn(f64) -> f64| {
        let mut hash = Sha256::new();
        numbers.iter().for_each(|x| hash.update(bits(method(black_box(*x))).to_le_bytes()));
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    OF_64.iter().map(|(name, method, _)| (*name, of(*method))).collect()
}
