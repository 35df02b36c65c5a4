//! `f64`'s and `f32`'s methods give the bits that they give everywhere.

use std::hint::black_box;

use numeric as _;

mod methods;

/// As on every machine; who moves to another version of `libm` and finds others here says so in the outputs' versions.
const EXPECTED: &str = include_str!("bits.sha256");

#[test]
fn methods_give_the_same_bits_everywhere() {
    let found: String = methods::hashes().iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
    assert!(found == EXPECTED, "other bits here:\n{found}");
}

#[test]
fn what_stands_behind_the_methods_is_not_the_machines() {
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    for (name, method, meant) in methods::OF_64 {
        for x in methods::numbers() {
            let (found, expected) = (method(black_box(x)), meant(x));
            assert!(same(found, expected), "{name}({x}): {found:e}, not {expected:e}");
        }
    }
    type Of32 = (&'static str, fn(f32) -> f32, fn(f32) -> f32);
    let of_32: [Of32; 6] = [
        ("exp", f32::exp, libm::expf),
        ("ln", f32::ln, libm::logf),
        ("log10", f32::log10, libm::log10f),
        ("sin", f32::sin, libm::sinf),
        ("cos", f32::cos, libm::cosf),
        ("atan", f32::atan, libm::atanf),
    ];
    for (name, method, meant) in of_32 {
        for x in methods::numbers().into_iter().map(|x| x as f32) {
            let (found, expected) = (method(black_box(x)), meant(x));
            assert!(same(found.into(), expected.into()), "{name}({x}): {found:e}, not {expected:e}");
        }
    }
}

/// Off from what mathematics says by less than a unit in the last place, where it is known.
#[test]
fn methods_are_right() {
    let close =
        |found: f64, truth: f64| assert!((found - truth).abs() <= f64::EPSILON * truth.abs(), "{found} {truth}");
    close(black_box(1.0_f64).exp(), std::f64::consts::E);
    close(black_box(10.0_f64).ln(), std::f64::consts::LN_10);
    close(black_box(2.0_f64).powf(0.5), std::f64::consts::SQRT_2);
    close(black_box(-1.0_f64).acos(), std::f64::consts::PI);
    close(black_box(1e-10_f64).ln_1p(), 9.999_999_999_5e-11);
    close(black_box(1024.0_f64).log2(), 10.0);
}
