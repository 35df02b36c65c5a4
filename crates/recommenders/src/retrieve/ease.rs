//! EASE: a linear model from every thing to every other, in closed form (Steck 2019).
//!
//! P = (X'X + l I)^-1, B_ij = -P_ij/P_jj, B_jj = 0, score = x B.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{History, Interactions, Recency, Retriever};
use crate::{
    ModelError,
    dense::{Cholesky, add, stored},
    error::not_negative,
};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;
/// A full matrix of more things is too large (800 MB at this size).
pub const MOST_THINGS: usize = 10_000;

/// A fitted EASE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ease {
    /// P, symmetric: things x things.
    #[serde(with = "stored")]
    inverse: Array2<f64>,
    recency: Recency,
}

impl Ease {
    /// `l2`: l, such as one of 30, 100, 300, 1000; above 0.
    ///
    /// # Errors
    /// More than [`MOST_THINGS`] things, or a penalty that is not above 0.
    pub fn fit(interactions: &Interactions, l2: f64, recency: Recency) -> Result<Ease, ModelError> {
        let things = interactions.things();
        if things > MOST_THINGS {
            return Err(ModelError::TooMany { things, most: MOST_THINGS });
        }
        not_negative("l2", l2)?;
        let mut gram = gram(interactions);
        gram.diag_mut().iter_mut().for_each(|cell| *cell += l2);
        Ok(Ease { inverse: Cholesky::new(gram)?.inverse(), recency })
    }

    /// Takes a customer out of the fit, as if they had never been in it: P + (P x)(P x)'/(1 - x' P x).
    /// `seen`: the customer's things, each once.
    ///
    /// # Errors
    /// A thing that is not there, or a customer who cannot have been in the fit.
    pub fn erase(&mut self, seen: &[u32]) -> Result<(), ModelError> {
        let count = self.inverse.nrows();
        if let Some(thing) = seen.iter().find(|thing| **thing as usize >= count) {
            return Err(ModelError::Unknown { what: "thing", number: *thing as usize, count });
        }
        let mut product = vec![0.0; count];
        for thing in seen {
            self.inverse.row(*thing as usize).iter().zip(&mut product).for_each(|(p, sum)| *sum += p);
        }
        let left = 1.0 - seen.iter().map(|thing| product[*thing as usize]).sum::<f64>();
        if left <= 0.0 {
            return Err(ModelError::NotDefinite { size: count, row: 0 });
        }
        let scaled: Vec<f64> = product.iter().map(|value| value / left.sqrt()).collect();
        for (row, factor) in self.inverse.rows_mut().into_iter().zip(&scaled) {
            row.into_iter().zip(&scaled).for_each(|(cell, value)| *cell += factor * value);
        }
        Ok(())
    }

    fn known(&self, history: &History) -> Vec<(u32, f64)> {
        let mut past = history.weights(self.recency);
        past.retain(|(thing, _)| (*thing as usize) < self.inverse.nrows());
        past
    }
}

impl Retriever for Ease {
    fn name(&self) -> &'static str {
        "EASE"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        let mut sums = vec![0.0; self.inverse.nrows()];
        for (thing, weight) in self.known(history) {
            let (at, row) = (thing as usize, self.inverse.row(thing as usize));
            let row = row.as_slice().unwrap_or_default();
            add(&mut sums[..at], weight, &row[..at]);
            add(&mut sums[at + 1..], weight, &row[at + 1..]);
        }
        sums.iter().zip(self.inverse.diag()).map(|(sum, diagonal)| -sum / diagonal + 0.0).collect()
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        let to = thing as usize;
        let Some(diagonal) = self.inverse.get((to, to)) else { return Vec::new() };
        let part = |(from, weight): (u32, f64)| (from, -weight * self.inverse[(from as usize, to)] / diagonal);
        let others = self.known(history).into_iter().filter(|(from, _)| *from != thing);
        others.map(part).filter(|(_, part)| *part != 0.0).collect()
    }
}

/// X'X: how many customers have seen both.
pub(super) fn gram(interactions: &Interactions) -> Array2<f64> {
    let rows = interactions.together(|_| 1.0, |_, row| row);
    let mut gram = Array2::zeros((rows.len(), rows.len()));
    for (mut line, row) in gram.rows_mut().into_iter().zip(rows) {
        row.into_iter().for_each(|(thing, count)| line[thing as usize] = count);
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};

    #[test]
    fn this_version_gives_the_numbers_of_the_vectors() {
        assert_eq!(VERSION, 1);
        let fitted = Ease::fit(&example(false), 1.0, Recency::Never).unwrap();
        near(&fitted.scores(&past(&[0])), &[0.0, 0.5, 0.05, 0.409091, -0.166667, -0.156627]);
        near(&fitted.scores(&past(&[2])), &[0.047170, 0.0, 0.0, 0.363636, 0.2, 0.301205]);
        near(&fitted.scores(&past(&[0, 1])), &[0.443396, 0.5, 0.05, 0.409091, -0.166667, 0.126506]);
        let parts = fitted.contributions(&past(&[0, 2, 3]), 4);
        assert_eq!(parts.iter().map(|(thing, _)| *thing).collect::<Vec<_>>(), [0, 2, 3]);
        near(&parts.iter().map(|(_, part)| *part).collect::<Vec<_>>(), &[-0.166667, 0.2, 0.233333]);
        adds_up(&fitted, &past(&[0, 2, 3]));
        odd_shops(|interactions| Ease::fit(interactions, 1.0, Recency::Never).unwrap());
    }

    #[test]
    fn an_erased_customer_was_never_there() {
        let mut erased = Ease::fit(&example(false), 1.0, Recency::Never).unwrap();
        let without = Ease::fit(&example(true), 1.0, Recency::Never).unwrap();
        erased.erase(&[0, 1, 3]).unwrap();
        let apart = (&erased.inverse - &without.inverse).mapv(f64::abs).fold(0.0, |a: f64, b| a.max(*b));
        assert!(apart < 1e-15, "{apart}");
        let row = without.scores(&past(&[0]));
        near(&[row[1], row[3]], &[0.358491, 0.246377]);
        assert!(erased.erase(&[6]).is_err());
        // Nobody has seen all things so often.
        let mut nobody = Ease::fit(&Interactions::new(1, 2, []).unwrap(), 1.0, Recency::Never).unwrap();
        assert!(nobody.erase(&[0, 1]).is_err());
        assert!(Ease::fit(&Interactions::new(1, 2, []).unwrap(), 0.0, Recency::Never).is_err());
    }
}
