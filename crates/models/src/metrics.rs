//! How good scores are, in five figures.

use serde::Serialize;

use super::{
    ranked::Ranked,
    reliability::{calibration_error, tally},
};

/// The metrics of one model on one set of rows; `None` where a metric is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Metrics {
    /// Area under the ROC curve: the chance that a positive outranks a negative, ties half (Mann and Whitney 1947).
    pub auc: Option<f64>,
    /// Sum over score thresholds of (recall gained) x precision, as scikit-learn's `average_precision_score`.
    pub average_precision: Option<f64>,
    /// Mean of `-ln p(label)`, with p clipped to [eps, 1 - eps], eps = 2.2e-16, as scikit-learn's `log_loss`.
    pub log_loss: Option<f64>,
    /// Mean squared distance of score and label (Brier 1950).
    pub brier: Option<f64>,
    /// Expected calibration error over [`BINS`](super::reliability::BINS) bins of equal count (Naeini et al. 2015).
    pub calibration_error: Option<f64>,
}

/// A name for each of the [`Metrics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Auc,
    AveragePrecision,
    LogLoss,
    Brier,
    CalibrationError,
}

impl Metric {
    /// All of them, in the order of a table.
    pub const ALL: [Metric; 5] =
        [Metric::Auc, Metric::AveragePrecision, Metric::LogLoss, Metric::Brier, Metric::CalibrationError];

    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Auc => "auc",
            Metric::AveragePrecision => "average_precision",
            Metric::LogLoss => "log_loss",
            Metric::Brier => "brier",
            Metric::CalibrationError => "calibration_error",
        }
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Metric::Auc | Metric::AveragePrecision)
    }

    /// Its value among `metrics`.
    pub fn of(self, metrics: &Metrics) -> Option<f64> {
        match self {
            Metric::Auc => metrics.auc,
            Metric::AveragePrecision => metrics.average_precision,
            Metric::LogLoss => metrics.log_loss,
            Metric::Brier => metrics.brier,
            Metric::CalibrationError => metrics.calibration_error,
        }
    }
}

impl Metrics {
    /// The metrics of `scores` against `labels`, one each for every row.
    ///
    /// None is defined without rows, with scores that are not finite, or when the lengths differ; AUC and average
    /// precision need both labels; the others need scores from 0 to 1.
    pub fn of(scores: &[f64], labels: &[bool]) -> Metrics {
        Ranked::new(scores, labels).map_or(Metrics::default(), |ranked| Metrics::weighted(&ranked, |_| 1))
    }

    /// The metrics when the row at `index` counts `weight(index)` times.
    pub(super) fn weighted(ranked: &Ranked, weight: impl Fn(usize) -> u32) -> Metrics {
        let (mut losses, mut squares) = (0.0, 0.0);
        let (mut positives, mut negatives) = (0.0, 0.0);
        let (mut pairs, mut precisions) = (0.0, 0.0);
        ranked.for_each_tie(&weight, |tie| {
            losses += tie.positives * tie.loss_if_true + tie.negatives * tie.loss_if_false;
            squares += tie.positives * (1.0 - tie.score).powi(2) + tie.negatives * tie.score.powi(2);
            pairs += tie.negatives * (positives + 0.5 * tie.positives);
            positives += tie.positives;
            negatives += tie.negatives;
            precisions += tie.positives * (positives / (positives + negatives));
        });
        let count = positives + negatives;
        let both = positives > 0.0 && negatives > 0.0;
        let probable = count > 0.0 && ranked.are_probabilities();
        Metrics {
            auc: both.then(|| pairs / (positives * negatives)),
            average_precision: both.then(|| precisions / positives),
            log_loss: probable.then(|| losses / count),
            brier: probable.then(|| squares / count),
            calibration_error: probable.then(|| calibration_error(&tally(ranked, weight))),
        }
    }
}
