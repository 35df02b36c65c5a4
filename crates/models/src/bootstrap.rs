//! How far a metric could be off by the chance of which customers were there: the cluster bootstrap.
//!
//! Whole customers are drawn with replacement, because one customer's rows resemble each other (Field and Welsh 2007).
//! All models see the same draws, so the interval of their difference is that of a paired comparison.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::{
    metrics::{Metric, Metrics},
    ranked::Ranked,
};

/// The ends of a 95 % interval.
const PERCENTILES: (f64, f64) = (0.025, 0.975);

/// A figure and its 95 % percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// On all rows as they are.
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Any figures, measured on all rows and on every draw of customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled<F> {
    whole: F,
    draws: Vec<F>,
}

impl<F: Send> Resampled<F> {
    /// Draws as many clusters as there are, `draws` times, and measures each draw: `measure(times)` is told how often
    /// the row at an index counts. `clusters`: whose each row is.
    ///
    /// The result depends on the rows, `draws` and `seed` alone: draw i is stream i of ChaCha8, whichever thread makes
    /// it.
    ///
    /// # Errors
    /// No rows.
    pub fn run<C: Ord>(
        clusters: &[C],
        draws: usize,
        seed: u64,
        measure: impl Fn(&dyn Fn(usize) -> u32) -> F + Sync,
    ) -> Result<Resampled<F>, BootstrapError> {
        let (cluster_of, count) = numbered(clusters);
        let count = u32::try_from(count).ok().filter(|count| *count > 0).ok_or(BootstrapError::Clusters { count })?;
        let whole = measure(&|_| 1);
        let draw = |number: usize| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number as u64);
            let mut times = vec![0_u32; count as usize];
            for _ in 0..count {
                times[random.gen_range(0..count) as usize] += 1;
            }
            measure(&|row| times[cluster_of[row]])
        };
        Ok(Resampled { whole, draws: (0..draws).into_par_iter().map(draw).collect() })
    }

    /// The interval of a figure, over those draws in which it is defined (a draw may hold one label only).
    pub fn interval(&self, figure: impl Fn(&F) -> Option<f64>) -> Option<Interval> {
        let value = figure(&self.whole)?;
        let mut drawn: Vec<f64> = self.draws.iter().filter_map(figure).collect();
        drawn.sort_by(f64::total_cmp);
        Some(Interval { value, low: percentile(&drawn, PERCENTILES.0)?, high: percentile(&drawn, PERCENTILES.1)? })
    }
}

/// The metrics of several models over the same draws of customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap(Resampled<Vec<Metrics>>);

impl Bootstrap {
    /// Measures every model's scores on each draw.
    ///
    /// `models`: the scores of each model, one for every row; `clusters`: whose each row is.
    ///
    /// # Errors
    /// Slices of different length, or no rows.
    pub fn run<C: Ord>(
        models: &[&[f64]],
        labels: &[bool],
        clusters: &[C],
        draws: usize,
        seed: u64,
    ) -> Result<Bootstrap, BootstrapError> {
        let rows = labels.len();
        let lengths = models.iter().map(|scores| scores.len()).chain([clusters.len()]);
        if let Some(found) = lengths.into_iter().find(|found| *found != rows) {
            return Err(BootstrapError::Lengths { found, rows });
        }
        // Scores that are not finite have no metrics, in any draw.
        let ranked: Vec<Option<Ranked>> = models.iter().map(|scores| Ranked::new(scores, labels)).collect();
        let measure = |times: &dyn Fn(usize) -> u32| -> Vec<Metrics> {
            let weigh = |ranked: &Ranked| Metrics::weighted(ranked, times);
            ranked.iter().map(|ranked| ranked.as_ref().map_or(Metrics::default(), weigh)).collect()
        };
        Resampled::run(clusters, draws, seed, measure).map(Bootstrap)
    }

    /// One model's metric; `None` where it is not defined or there are no such model or draws.
    pub fn interval(&self, model: usize, metric: Metric) -> Option<Interval> {
        self.0.interval(|metrics| metric.of(metrics.get(model)?))
    }

    /// How much more of the metric `model` has than `other`.
    pub fn difference(&self, model: usize, other: usize, metric: Metric) -> Option<Interval> {
        self.0.interval(|metrics| Some(metric.of(metrics.get(model)?)? - metric.of(metrics.get(other)?)?))
    }
}

/// Numbers the clusters in their own order, so that the order of the rows does not matter.
fn numbered<C: Ord>(clusters: &[C]) -> (Vec<usize>, usize) {
    let mut numbers: BTreeMap<&C, usize> = clusters.iter().map(|cluster| (cluster, 0)).collect();
    numbers.values_mut().enumerate().for_each(|(at, number)| *number = at);
    (clusters.iter().map(|cluster| numbers[cluster]).collect(), numbers.len())
}

/// Linear between the two nearest values, as numpy's default; `None` without values.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

/// Why there is no bootstrap.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    #[error("{found} values for {rows} labels; each row needs a label, a cluster and a score of every model")]
    Lengths { found: usize, rows: usize },
    #[error("{count} clusters to draw from; there must be one or more, and fewer than 2^32")]
    Clusters { count: usize },
}
