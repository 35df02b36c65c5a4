//! The exponential and GELU.
//!
//! All coefficients are minimax polynomials found by Remez's exchange in 50 digits; each was rounded to f32 before the next
//! ones were fitted again.

use crate::processor::{Kind, LANES, Processor, Task};

/// Below it the exponential counts as that of this: 1.6e-38, nothing beside 1.
const LEAST: f32 = -87.0;
/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; the first has ten bits, so that its multiples are exact (Cody and Waite 1980).
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -0.000_212_194_44;
/// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2, the highest power first; e^r is then off by at most 0.8e-8 of itself.
const EXPONENTIAL: [f32; 5] = [0.001_373_271_3, 0.008_363_947, 0.041_668_724, 0.166_665_73, 0.499_999_97];
/// -ln Q(t) for 0 <= t <= 6, where Q(t) = erfc(t / sqrt 2) / 2 is the normal distribution beyond t, the highest power first;
/// Q is then off by at most 0.8e-8.
const TAIL: [f32; 9] = [
    1.986_818e-6,
    -2.745_152_2e-5,
    0.000_129_422,
    9.459_2e-5,
    -0.004_895_93,
    0.036_387_566,
    0.318_298_94,
    0.797_885_3,
    std::f32::consts::LN_2,
];
/// Beyond it, Q is less than 1e-9.
const FARTHEST: f32 = 6.0;

/// e^x for x <= 0, at most 1.1 ulp off from -87 on (1.06 is the most over every third number).
#[inline(always)]
pub(crate) fn exponential<P: Processor>(p: P, x: P::Lanes) -> P::Lanes {
    let x = p.max(x, p.splat(LEAST));
    let whole = p.round(p.mul(x, p.splat(std::f32::consts::LOG2_E)));
    let rest = p.fused(whole, p.splat(-LN_2_HIGH), x);
    let rest = p.fused(whole, p.splat(-LN_2_LOW), rest);
    let square = p.mul(rest, rest);
    let curve = p.fused(square, polynomial(p, rest, EXPONENTIAL), rest);
    p.mul(p.add(curve, p.splat(1.0)), p.two_to(whole))
}

/// GELU in its exact form, x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016), written as max(x, 0) - |x| Q(|x|), in
/// which nothing cancels.  At most 9e-8 |x| off (8.3e-8 is the most over every third number up to 1000).
#[inline(always)]
pub(crate) fn gelu<P: Processor>(p: P, x: P::Lanes) -> P::Lanes {
    let zero = p.splat(0.0);
    let size = p.max(x, p.sub(zero, x));
    let tail = polynomial(p, p.min(size, p.splat(FARTHEST)), TAIL);
    let beyond = exponential(p, p.sub(zero, tail));
    p.fused(p.sub(zero, size), beyond, p.max(x, zero))
}

/// Horner's scheme.
#[inline(always)]
fn polynomial<P: Processor, const N: usize>(p: P, x: P::Lanes, coefficients: [f32; N]) -> P::Lanes {
    let mut value = p.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        value = p.fused(value, x, p.splat(*coefficient));
    }
    value
}

/// The exponential of each number, for numbers up to 0.
pub fn exponentials(kind: Kind, numbers: &mut [[f32; LANES]]) {
    kind.run(Each { numbers, gelu: false });
}

/// GELU of each number.
pub fn gelus(kind: Kind, numbers: &mut [[f32; LANES]]) {
    kind.run(Each { numbers, gelu: true });
}

struct Each<'a> {
    numbers: &'a mut [[f32; LANES]],
    gelu: bool,
}

impl Task for Each<'_> {
    type Output = ();

    #[inline(always)]
    fn on<P: Processor>(self, p: P) {
        for lanes in self.numbers {
            let x = p.load(lanes);
            p.store(if self.gelu { gelu(p, x) } else { exponential(p, x) }, lanes);
        }
    }
}
