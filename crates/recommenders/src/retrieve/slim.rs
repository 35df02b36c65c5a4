//! SLIM: a sparse linear model between things whose coefficients are not negative (Ning and Karypis 2011).
//!
//! Each column j minimises |x_j - X w|^2/2 + l2 |w|^2/2 + l1 |w|_1 with w >= 0, w_j = 0 by coordinate descent on G = X'X:
//! w_i <- max(0, G_ij - (G w)_i + G_ii w_i - l1)/(G_ii + l2), things in order, until no coefficient moves by more than
//! 1e-7 in a sweep.

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{History, Interactions, Neighbours, Recency, Retriever, ease::gram, neighbours::largest};
use crate::{ModelError, dense::add, error::not_negative};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;
/// A full matrix of more things is too large.
pub const MOST_THINGS: usize = 10_000;
/// A sweep in which no coefficient moves by more is the last one.
const STILL: f64 = 1e-7;
/// Sweeps at most.
const SWEEPS: usize = 200;

/// The penalties.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SlimSettings {
    pub l1: f64,
    pub l2: f64,
    /// How many coefficients of a column are kept at most.
    pub most: usize,
    pub recency: Recency,
}

impl Default for SlimSettings {
    fn default() -> Self {
        Self { l1: 1.0, l2: 100.0, most: 200, recency: Recency::HalfLife(180.0) }
    }
}

/// A fitted SLIM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slim {
    coefficients: Neighbours,
    recency: Recency,
    /// How many columns still moved after the last sweep: with a larger l2 there are fewer.
    pub unfinished: usize,
}

impl Slim {
    /// Fits every column.
    ///
    /// # Errors
    /// More than [`MOST_THINGS`] things, or a negative penalty.
    pub fn fit(interactions: &Interactions, settings: SlimSettings) -> Result<Slim, ModelError> {
        let things = interactions.things();
        if things > MOST_THINGS {
            return Err(ModelError::TooMany { things, most: MOST_THINGS });
        }
        not_negative("l1", settings.l1)?;
        not_negative("l2", settings.l2)?;
        let gram = gram(interactions);
        let fitted: Vec<(Vec<(u32, f64)>, bool)> =
            (0..things).into_par_iter().map(|j| column(&gram, j, settings)).collect();
        let unfinished = fitted.iter().filter(|(_, still)| !still).count();
        let columns = fitted.into_iter().map(|(column, _)| largest(column, settings.most)).collect();
        let coefficients = Neighbours::new(columns).transposed();
        Ok(Slim { coefficients, recency: settings.recency, unfinished })
    }
}

/// One column of coefficients, and whether it came to rest.  A thing that is seen with none of the column's customers starts at 0 and stays there, for
/// G_ij = 0 and (G w)_i >= 0; so only those that are seen together are visited.
fn column(gram: &Array2<f64>, j: usize, settings: SlimSettings) -> (Vec<(u32, f64)>, bool) {
    let things = gram.nrows();
    let (mut w, mut product) = (vec![0.0; things], vec![0.0; things]);
    let together: Vec<usize> = (0..things).filter(|i| *i != j && gram[(*i, j)] > 0.0).collect();
    let mut still = false;
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for i in &together {
            let own = gram[(*i, *i)];
            let wanted = (gram[(*i, j)] - product[*i] + own * w[*i] - settings.l1).max(0.0) / (own + settings.l2);
            let step = wanted - w[*i];
            if step != 0.0 {
                w[*i] = wanted;
                let row = gram.row(*i);
                add(&mut product, step, row.as_slice().unwrap_or_default());
                moved = moved.max(step.abs());
            }
        }
        still = moved <= STILL;
        if still {
            break;
        }
    }
    ((0..).zip(w).collect(), still)
}

impl Retriever for Slim {
    fn name(&self) -> &'static str {
        "SLIM"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        self.coefficients.scores(&history.weights(self.recency))
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        self.coefficients.contributions(&history.weights(self.recency), thing)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};

    #[test]
    fn this_version_gives_the_numbers_of_the_vectors() {
        assert_eq!(VERSION, 1);
        let settings = SlimSettings { l1: 0.1, l2: 0.5, ..SlimSettings::default() };
        let fitted = Slim::fit(&example(false), settings).unwrap();
        near(&fitted.scores(&past(&[0])), &[0.0, 0.542857, 0.0, 0.457944, 0.0, 0.0]);
        near(&fitted.scores(&past(&[2])), &[0.0, 0.0, 0.0, 0.297196, 0.163636, 0.2]);
        near(&fitted.scores(&past(&[5])), &[0.0, 0.6, 0.6, 0.0, 0.0, 0.0]);
        assert_eq!(fitted.unfinished, 0);
        adds_up(&fitted, &past(&[0, 2, 3]));
        odd_shops(|interactions| Slim::fit(interactions, SlimSettings::default()).unwrap());
        assert!(Slim::fit(&example(false), SlimSettings { l1: -1.0, ..settings }).is_err());
    }
}
