//! Plain Rust: what every processor understands, and what the others are held against.

use crate::panels::{Line, ROWS};
use crate::processor::{LANES, Processor, Task};
use crate::product::chains;

/// No more than the language promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portable;

macro_rules! lane_by_lane {
    ($a:ident, $b:ident, $value:expr) => {{
        let mut lanes = $a;
        for ($a, $b) in lanes.iter_mut().zip($b) {
            *$a = $value;
        }
        lanes
    }};
}

impl Processor for Portable {
    type Lanes = [f32; LANES];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::Lanes {
        *from
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes, to: &mut [f32; LANES]) {
        *to = lanes;
    }

    #[inline(always)]
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, *a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, *a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, *a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, *a / b)
    }

    #[inline(always)]
    fn fused(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        let mut lanes = c;
        for (c, (a, b)) in lanes.iter_mut().zip(a.into_iter().zip(b)) {
            *c = a.mul_add(b, *c);
        }
        lanes
    }

    #[inline(always)]
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, if *a > b { *a } else { b })
    }

    #[inline(always)]
    fn min(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        lane_by_lane!(a, b, if *a < b { *a } else { b })
    }

    #[inline(always)]
    fn sqrt(self, a: Self::Lanes) -> Self::Lanes {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    fn round(self, a: Self::Lanes) -> Self::Lanes {
        a.map(f32::round_ties_even)
    }

    #[inline(always)]
    fn two_to(self, whole: Self::Lanes) -> Self::Lanes {
        whole.map(|whole| f32::from_bits(((whole as i32).wrapping_add(127) as u32) << 23))
    }

    #[inline(always)]
    fn tile(self, strip: &[[f32; ROWS]], panel: &[Line], out: &mut [Line]) {
        chains::<_, 4, 1>(self, strip, panel, 0, 0, out);
        chains::<_, 4, 1>(self, strip, panel, 4, 0, out);
        chains::<_, 4, 1>(self, strip, panel, 8, 0, out);
        chains::<_, 4, 1>(self, strip, panel, 0, 1, out);
        chains::<_, 4, 1>(self, strip, panel, 4, 1, out);
        chains::<_, 4, 1>(self, strip, panel, 8, 1, out);
    }

    fn run<T: Task>(self, task: T) -> T::Output {
        task.on(self)
    }
}
