//! What the steps ask of a processor, and which instructions answer.

use std::fmt;

use crate::avx2::Avx2;
use crate::avx512::Avx512;
use crate::panels::{Line, ROWS};
use crate::portable::Portable;

/// Numbers that are worked on together: two such are the tokens of a panel.
pub const LANES: usize = 16;

/// Operations on [`LANES`] numbers at a time; each lane is rounded as IEEE 754 says, so all processors agree.
pub trait Processor: Copy {
    type Lanes: Copy;
    fn splat(self, value: f32) -> Self::Lanes;
    fn load(self, from: &[f32; LANES]) -> Self::Lanes;
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]);
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a * b + c`, rounded once.
    fn fused(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// `if a > b { a } else { b }`
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `if a < b { a } else { b }`
    fn min(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn sqrt(self, a: Self::Lanes) -> Self::Lanes;
    /// The nearest whole number, of two the even one.
    fn round(self, a: Self::Lanes) -> Self::Lanes;
    /// 2 to the power of whole numbers from -126 to 127.
    fn two_to(self, whole: Self::Lanes) -> Self::Lanes;
    /// `out[i][t] = sum over k of strip[k][i] * panel[k][t]`, for as many rows as `out` has: each a chain of [`Self::fused`]
    /// from 0 over k = 0, 1, ….
    fn tile(self, strip: &[[f32; ROWS]], panel: &[Line], out: &mut [Line]);
    /// Runs the task in code that is compiled for this processor.
    fn run<T: Task>(self, task: T) -> T::Output;
}

/// Something to be compiled for each kind of processor.  `on` and all that it calls must be `#[inline(always)]`.
pub trait Task {
    type Output;
    fn on<P: Processor>(self, processor: P) -> Self::Output;
}

/// The instructions that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For every processor, and slow where there is no FMA, because it is then worked out in many steps.
    Portable,
    Avx2(Avx2),
    Avx512(Avx512),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "plain Rust",
            Self::Avx2(_) => "AVX2 with FMA",
            Self::Avx512(_) => "AVX-512",
        })
    }
}

impl Kind {
    /// Those that this processor has, the quickest last.
    pub fn all() -> Vec<Kind> {
        let avx2 = Avx2::detect().map(Self::Avx2);
        let avx512 = Avx512::detect().map(Self::Avx512);
        [Some(Self::Portable), avx2, avx512].into_iter().flatten().collect()
    }

    /// The quickest that this processor has.
    pub fn best() -> Kind {
        Self::all().last().copied().unwrap_or(Self::Portable)
    }

    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Portable => Portable.run(task),
            Self::Avx2(processor) => processor.run(task),
            Self::Avx512(processor) => processor.run(task),
        }
    }
}
