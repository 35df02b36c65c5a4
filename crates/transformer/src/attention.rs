//! Attention (Vaswani et al. 2017): what every token takes from the others of its own text.

use crate::functions::exponential;
use crate::panels::{Line, Panels, Strips};
use crate::processor::{Kind, Processor, Task};
use crate::product::{Plain, Scaled, product};

/// Where a text's tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub length: usize,
}

/// Room for one head of one text, used again and again.
#[derive(Debug, Default)]
pub struct Attention {
    queries: Panels,
    keys: Strips,
    values: Strips,
    /// A row for each token that is looked at, a column for each that looks.
    scores: Panels,
    /// What each token's weights must be multiplied by, so that they sum to 1.
    scales: Panels,
    taken: Panels,
}

impl Attention {
    /// `together` holds queries, keys and values, `heads` times `size` rows each, one head below the other.  Writes into the
    /// span's tokens of `out`, `heads` times `size` rows.
    pub fn apply(&mut self, kind: Kind, together: &Panels, heads: usize, span: Span, out: &mut Panels) {
        let size = together.rows() / (3 * heads);
        for head in 0..heads {
            self.gather(together, head, heads, size, span);
            product(kind, &self.keys, &self.queries, Plain, &mut self.scores);
            self.scales.shape(1, span.length);
            for panel in 0..self.scores.count() {
                let scale = 1.0 / (size as f32).sqrt();
                let scores = self.scores.panel_mut(panel);
                kind.run(Weigh { scores, scale, scales: &mut self.scales.panel_mut(panel)[0] });
            }
            product(kind, &self.values, &self.scores, Scaled(&self.scales), &mut self.taken);
            for row in 0..size {
                self.taken.runs(row, 0, span.length, |place, numbers| {
                    out.write(head * size + row, span.start + place, numbers);
                });
            }
        }
    }

    fn gather(&mut self, together: &Panels, head: usize, heads: usize, size: usize, span: Span) {
        let Span { start, length } = span;
        self.queries.shape(size, length);
        self.keys.shape(length, size);
        self.values.shape(size, length);
        for row in 0..size {
            let [query, key, value] = [0, 1, 2].map(|part| (part * heads + head) * size + row);
            together.runs(query, start, length, |place, numbers| self.queries.write(row, place, numbers));
            together.runs(key, start, length, |place, numbers| self.keys.write_rows(place, row, numbers));
            together.runs(value, start, length, |place, numbers| self.values.write_row(row, place, numbers));
        }
    }
}

/// The softmax of scores, but for a number a token that is left for later: e^((score - largest) * scale), and one over their
/// sum in the order of the tokens.
struct Weigh<'a> {
    scores: &'a mut [Line],
    scale: f32,
    scales: &'a mut Line,
}

impl Task for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn on<P: Processor>(self, p: P) {
        let mut largest = [p.splat(f32::MIN); 2];
        for line in self.scores.iter() {
            for (largest, lanes) in largest.iter_mut().zip(line.halves()) {
                *largest = p.max(p.load(lanes), *largest);
            }
        }
        let mut sums = [p.splat(0.0); 2];
        for line in self.scores {
            for ((sum, largest), lanes) in sums.iter_mut().zip(largest).zip(line.halves_mut()) {
                let below = p.mul(p.sub(p.load(lanes), largest), p.splat(self.scale));
                let weight = exponential(p, below);
                *sum = p.add(*sum, weight);
                p.store(weight, lanes);
            }
        }
        for (sum, lanes) in sums.into_iter().zip(self.scales.halves_mut()) {
            p.store(p.div(p.splat(1.0), sum), lanes);
        }
    }
}
