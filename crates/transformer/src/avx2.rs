//! AVX2 with FMA: [`LANES`] numbers are two registers.

use std::arch::x86_64::{
    __m256, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm256_add_epi32, _mm256_add_ps, _mm256_castsi256_ps,
    _mm256_cvtps_epi32, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps,
    _mm256_round_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32, _mm256_sqrt_ps, _mm256_storeu_ps,
    _mm256_sub_ps,
};

use crate::panels::{Line, ROWS};
use crate::processor::{LANES, Processor, Task};
use crate::product::chains;

/// Proof that this processor has AVX2 and FMA: every `unsafe` here stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// The proof, where the processor has both.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// The same instruction on both registers of each argument.
macro_rules! both {
    ($instruction:ident($($lanes:ident),+)) => {
        // SAFETY: an `Avx2` exists only where the processor has AVX2 and FMA.
        unsafe { [$instruction($($lanes[0]),+), $instruction($($lanes[1]),+)] }
    };
}

impl Processor for Avx2 {
    type Lanes = [__m256; 2];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        // SAFETY: an `Avx2` exists only where the processor has AVX2 and FMA.
        let register = unsafe { _mm256_set1_ps(value) };
        [register, register]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::Lanes {
        // SAFETY: as above, and `from` holds two times eight numbers.
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]) {
        // SAFETY: as above, and `to` holds two times eight numbers.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), lanes[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), lanes[1]);
        }
    }

    #[inline(always)]
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_div_ps(a, b))
    }

    #[inline(always)]
    fn fused(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        both!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        both!(_mm256_min_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: Self::Lanes) -> Self::Lanes {
        both!(_mm256_sqrt_ps(a))
    }

    #[inline(always)]
    fn round(self, a: Self::Lanes) -> Self::Lanes {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        // SAFETY: an `Avx2` exists only where the processor has AVX2 and FMA.
        unsafe { [_mm256_round_ps::<NEAREST>(a[0]), _mm256_round_ps::<NEAREST>(a[1])] }
    }

    #[inline(always)]
    fn two_to(self, whole: Self::Lanes) -> Self::Lanes {
        // SAFETY: an `Avx2` exists only where the processor has AVX2 and FMA.
        unsafe {
            let [a, b] = [_mm256_cvtps_epi32(whole[0]), _mm256_cvtps_epi32(whole[1])];
            let bias = _mm256_set1_epi32(127);
            let [a, b] = [_mm256_add_epi32(a, bias), _mm256_add_epi32(b, bias)];
            [_mm256_castsi256_ps(_mm256_slli_epi32::<23>(a)), _mm256_castsi256_ps(_mm256_slli_epi32::<23>(b))]
        }
    }

    #[inline(always)]
    fn tile(self, strip: &[[f32; ROWS]], panel: &[Line], out: &mut [Line]) {
        // 12 sums, two factors and one that is spread: 15 of 16 registers.
        chains::<_, 6, 1>(self, strip, panel, 0, 0, out);
        chains::<_, 6, 1>(self, strip, panel, 6, 0, out);
        chains::<_, 6, 1>(self, strip, panel, 0, 1, out);
        chains::<_, 6, 1>(self, strip, panel, 6, 1, out);
    }

    #[inline]
    fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<T: Task>(processor: Avx2, task: T) -> T::Output {
            task.on(processor)
        }
        // SAFETY: an `Avx2` exists only where the processor has AVX2 and FMA.
        unsafe { compiled(self, task) }
    }
}
