//! Layer normalization (Ba et al. 2016).

use crate::panels::{Line, Panels};
use crate::processor::{Kind, Processor, Task};

/// BERT's own (Devlin et al. 2019): added to the variance.
const EPSILON: f32 = 1e-12;

/// Each token's numbers to mean 0 and variance 1, times a weight and plus a bias a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Weight and bias of each row.
    rows: Vec<(f32, f32)>,
}

impl Norm {
    /// One weight and one bias a row.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        Self { rows: weights.iter().copied().zip(bias.iter().copied()).collect() }
    }

    /// Normalizes every token of `panels` where it stands.
    pub fn apply(&self, kind: Kind, panels: &mut Panels) {
        for panel in 0..panels.count() {
            kind.run(OfPanel { rows: &self.rows, panel: panels.panel_mut(panel) });
        }
    }
}

struct OfPanel<'a> {
    rows: &'a [(f32, f32)],
    panel: &'a mut [Line],
}

impl Task for OfPanel<'_> {
    type Output = ();

    /// Mean and variance in two passes, each summed over the rows in order.
    #[inline(always)]
    fn on<P: Processor>(self, p: P) {
        let (zero, count) = (p.splat(0.0), p.splat(self.panel.len() as f32));
        let mut means = [zero; 2];
        for line in self.panel.iter() {
            for half in 0..2 {
                means[half] = p.add(means[half], p.load(&line.halves()[half]));
            }
        }
        for half in 0..2 {
            means[half] = p.div(means[half], count);
        }
        let mut scales = [zero; 2];
        for line in self.panel.iter() {
            for half in 0..2 {
                let distance = p.sub(p.load(&line.halves()[half]), means[half]);
                scales[half] = p.fused(distance, distance, scales[half]);
            }
        }
        for half in 0..2 {
            let variance = p.add(p.div(scales[half], count), p.splat(EPSILON));
            scales[half] = p.div(p.splat(1.0), p.sqrt(variance));
        }
        for (line, (weight, bias)) in self.panel.iter_mut().zip(self.rows) {
            for half in 0..2 {
                let lanes = &mut line.halves_mut()[half];
                let distance = p.mul(p.sub(p.load(lanes), means[half]), scales[half]);
                p.store(p.fused(distance, p.splat(*weight), p.splat(*bias)), lanes);
            }
        }
    }
}
