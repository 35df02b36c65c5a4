//! Matrix products: strips times panels, and what is done with each number before it is read again.

use crate::functions::gelu;
use crate::panels::{Line, Panels, ROWS, Strips};
use crate::processor::{Kind, Processor, Task};

/// Numbers of the strips that a processor's second cache keeps while all panels pass by.
const KEPT: usize = 96 * 1024;

/// What is done with a product's numbers while they are still near.
pub trait Finish: Copy {
    /// The number of `row`, for the 16 tokens from the `half` of panel `panel` on.
    fn of<P: Processor>(self, processor: P, sum: P::Lanes, row: usize, panel: usize, half: usize) -> P::Lanes;
}

/// Nothing.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Adds each row's own number.
#[derive(Debug, Clone, Copy)]
pub struct Bias<'a>(pub &'a [f32]);

/// Adds each row's own number and takes GELU of the sum.
#[derive(Debug, Clone, Copy)]
pub struct BiasGelu<'a>(pub &'a [f32]);

/// Adds each row's own number, then what stands at the same place of other panels.
#[derive(Debug, Clone, Copy)]
pub struct BiasResidual<'a>(pub &'a [f32], pub &'a Panels);

/// Multiplies by each token's own number.
#[derive(Debug, Clone, Copy)]
pub struct Scaled<'a>(pub &'a Panels);

impl Finish for Plain {
    #[inline(always)]
    fn of<P: Processor>(self, _: P, sum: P::Lanes, _: usize, _: usize, _: usize) -> P::Lanes {
        sum
    }
}

impl Finish for Bias<'_> {
    #[inline(always)]
    fn of<P: Processor>(self, p: P, sum: P::Lanes, row: usize, _: usize, _: usize) -> P::Lanes {
        p.add(sum, p.splat(self.0[row]))
    }
}

impl Finish for BiasGelu<'_> {
    #[inline(always)]
    fn of<P: Processor>(self, p: P, sum: P::Lanes, row: usize, _: usize, _: usize) -> P::Lanes {
        gelu(p, p.add(sum, p.splat(self.0[row])))
    }
}

impl Finish for BiasResidual<'_> {
    #[inline(always)]
    fn of<P: Processor>(self, p: P, sum: P::Lanes, row: usize, panel: usize, half: usize) -> P::Lanes {
        let residual = p.load(&self.1.panel(panel)[row].halves()[half]);
        p.add(p.add(sum, p.splat(self.0[row])), residual)
    }
}

impl Finish for Scaled<'_> {
    #[inline(always)]
    fn of<P: Processor>(self, p: P, sum: P::Lanes, _: usize, panel: usize, half: usize) -> P::Lanes {
        p.mul(sum, p.load(&self.0.panel(panel)[0].halves()[half]))
    }
}

/// `out[row][token] = finish(sum over k of left[row][k] * right[k][token])`; each sum is one chain of fused steps over k in
/// order, whatever the processor.  `out` takes the shape of the product.
pub fn product<F: Finish>(kind: Kind, left: &Strips, right: &Panels, finish: F, out: &mut Panels) {
    out.shape(left.rows(), right.tokens());
    kind.run(Product { left, right, finish, out });
}

struct Product<'a, F> {
    left: &'a Strips,
    right: &'a Panels,
    finish: F,
    out: &'a mut Panels,
}

impl<F: Finish> Task for Product<'_, F> {
    type Output = ();

    /// Goes by groups of strips that stay in the second cache, so that the weights are fetched once for all tokens.
    #[inline(always)]
    fn on<P: Processor>(self, p: P) {
        let group = (KEPT / (self.left.depth().max(1) * ROWS)).max(1);
        let mut first = 0;
        while first < self.left.count() {
            let last = (first + group).min(self.left.count());
            for panel in 0..self.right.count() {
                let right = self.right.panel(panel);
                for strip in first..last {
                    let rows = strip * ROWS..(strip * ROWS + ROWS).min(self.left.rows());
                    let tile = &mut self.out.panel_mut(panel)[rows.clone()];
                    p.tile(self.left.strip(strip), right, tile);
                    for (row, line) in rows.zip(tile) {
                        for (half, lanes) in line.halves_mut().iter_mut().enumerate() {
                            let sum = p.load(lanes);
                            p.store(self.finish.of(p, sum, row, panel, half), lanes);
                        }
                    }
                }
            }
            first = last;
        }
    }
}

/// The sums of `HIGH` rows from `row` on and `WIDE` halves from `half` on, all in registers.
#[inline(always)]
pub(crate) fn chains<P: Processor, const HIGH: usize, const WIDE: usize>(
    p: P,
    strip: &[[f32; ROWS]],
    panel: &[Line],
    row: usize,
    half: usize,
    out: &mut [Line],
) {
    let mut sums = [[p.splat(0.0); WIDE]; HIGH];
    for (left, right) in strip.iter().zip(panel) {
        let mut tokens = [p.splat(0.0); WIDE];
        for (tokens, lanes) in tokens.iter_mut().zip(&right.halves()[half..]) {
            *tokens = p.load(lanes);
        }
        for (sums, weight) in sums.iter_mut().zip(&left[row..]) {
            let weight = p.splat(*weight);
            for (sum, tokens) in sums.iter_mut().zip(tokens) {
                *sum = p.fused(weight, tokens, *sum);
            }
        }
    }
    for (high, sums) in sums.into_iter().enumerate() {
        if let Some(line) = out.get_mut(row + high) {
            for (sum, lanes) in sums.into_iter().zip(&mut line.halves_mut()[half..]) {
                p.store(sum, lanes);
            }
        }
    }
}
