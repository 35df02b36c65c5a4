//! AVX-512: [`LANES`] numbers are one register.

use std::arch::x86_64::{
    __m512, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm512_add_epi32, _mm512_add_ps, _mm512_castsi512_ps,
    _mm512_cvtps_epi32, _mm512_div_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps,
    _mm512_roundscale_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_slli_epi32, _mm512_sqrt_ps, _mm512_storeu_ps,
    _mm512_sub_ps,
};

use crate::panels::{Line, ROWS};
use crate::processor::{LANES, Processor, Task};
use crate::product::chains;

/// Proof that this processor has AVX-512 F: every `unsafe` here stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512(());

impl Avx512 {
    /// The proof, where the processor has it.
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

/// One instruction.
macro_rules! one {
    ($instruction:ident($($lanes:ident),+)) => {
        // SAFETY: an `Avx512` exists only where the processor has AVX-512 F.
        unsafe { $instruction($($lanes),+) }
    };
}

impl Processor for Avx512 {
    type Lanes = __m512;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        one!(_mm512_set1_ps(value))
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::Lanes {
        // SAFETY: as above, and `from` holds sixteen numbers.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]) {
        // SAFETY: as above, and `to` holds sixteen numbers.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), lanes) }
    }

    #[inline(always)]
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn fused(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        one!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        one!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: Self::Lanes) -> Self::Lanes {
        one!(_mm512_sqrt_ps(a))
    }

    #[inline(always)]
    fn round(self, a: Self::Lanes) -> Self::Lanes {
        // SAFETY: an `Avx512` exists only where the processor has AVX-512 F.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn two_to(self, whole: Self::Lanes) -> Self::Lanes {
        // SAFETY: an `Avx512` exists only where the processor has AVX-512 F.
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(whole), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    fn tile(self, strip: &[[f32; ROWS]], panel: &[Line], out: &mut [Line]) {
        // 24 sums, two factors and one that is spread: 27 of 32 registers.
        chains::<_, 12, 2>(self, strip, panel, 0, 0, out);
    }

    #[inline]
    fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,fma")]
        fn compiled<T: Task>(processor: Avx512, task: T) -> T::Output {
            task.on(processor)
        }
        // SAFETY: an `Avx512` exists only where the processor has AVX-512 F.
        unsafe { compiled(self, task) }
    }
}
