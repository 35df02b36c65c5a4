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
            for (mean, lanes) in means.iter_mut().zip(line.halves()) {
                *mean = p.add(*mean, p.load(lanes));
            }
        }
        for mean in &mut means {
            *mean = p.div(*mean, count);
        }
        let mut scales = [zero; 2];
        for line in self.panel.iter() {
            for ((scale, mean), lanes) in scales.iter_mut().zip(means).zip(line.halves()) {
                let distance = p.sub(p.load(lanes), mean);
                *scale = p.fused(distance, distance, *scale);
            }
        }
        for scale in &mut scales {
            let variance = p.add(p.div(*scale, count), p.splat(EPSILON));
            *scale = p.div(p.splat(1.0), p.sqrt(variance));
        }
        for (line, (weight, bias)) in self.panel.iter_mut().zip(self.rows) {
            for ((mean, scale), lanes) in means.into_iter().zip(scales).zip(line.halves_mut()) {
                let distance = p.mul(p.sub(p.load(lanes), mean), scale);
                p.store(p.fused(distance, p.splat(*weight), p.splat(*bias)), lanes);
            }
        }
    }
}
