//! Rows sorted by score once, so that a bootstrap can weigh them again and again in one pass each.
//!
//! Rows of equal score are taken together, so no figure depends on the order in which they came.

/// Scored and labelled rows, best score first.
#[derive(Debug)]
pub(super) struct Ranked {
    /// Where each row stood before sorting, and its label.
    rows: Vec<(usize, bool)>,
    runs: Vec<Run>,
}

/// Rows of one score.
#[derive(Debug)]
struct Run {
    /// How many; they follow those of the runs before.
    rows: usize,
    score: f64,
    loss_if_true: f64,
    loss_if_false: f64,
}

/// The rows of one score, weighed. Weights are whole numbers whose sums stay below 2^53, so they are exact.
#[derive(Debug)]
pub(super) struct Tie {
    pub(super) score: f64,
    /// `-ln p` of the score, clipped to [eps, 1 - eps].
    pub(super) loss_if_true: f64,
    /// `-ln (1 - p)`.
    pub(super) loss_if_false: f64,
    pub(super) positives: f64,
    pub(super) negatives: f64,
}

impl Ranked {
    /// `None` when the lengths differ or a score is not finite.
    pub(super) fn new(scores: &[f64], labels: &[bool]) -> Option<Ranked> {
        if scores.len() != labels.len() || scores.iter().any(|score| !score.is_finite()) {
            return None;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let runs = order.chunk_by(|&a, &b| scores[a] == scores[b]);
        let run = |rows: &[usize]| {
            let score = rows.first().map_or(0.0, |&row| scores[row]);
            let p = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
            Run { rows: rows.len(), score, loss_if_true: -p.ln(), loss_if_false: -(1.0 - p).ln() }
        };
        let runs = runs.map(run).collect();
        Some(Ranked { rows: order.into_iter().map(|row| (row, labels[row])).collect(), runs })
    }

    /// Whether every score is from 0 to 1.
    pub(super) fn are_probabilities(&self) -> bool {
        let in_range = |run: Option<&Run>| run.is_none_or(|run| (0.0..=1.0).contains(&run.score));
        in_range(self.runs.first()) && in_range(self.runs.last())
    }

    /// Calls `visit` for each score that has any weight, the best first; the row at `index` counts `weight(index)` times.
    pub(super) fn for_each_tie(&self, weight: impl Fn(usize) -> u32, mut visit: impl FnMut(&Tie)) {
        let mut rest = self.rows.as_slice();
        for run in &self.runs {
            let (rows, later) = rest.split_at(run.rows);
            rest = later;
            let (mut positives, mut count) = (0_u64, 0_u64);
            for &(row, label) in rows {
                let weight = u64::from(weight(row));
                count += weight;
                positives += if label { weight } else { 0 };
            }
            if count > 0 {
                visit(&Tie {
                    score: run.score,
                    loss_if_true: run.loss_if_true,
                    loss_if_false: run.loss_if_false,
                    positives: positives as f64,
                    negatives: (count - positives) as f64,
                });
            }
        }
    }
}
