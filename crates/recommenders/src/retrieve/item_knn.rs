//! Item-kNN: things that the same customers have seen (Sarwar and others 2001; Deshpande and Karypis 2004).
//!
//! s_ij = G_ij/(d_i^a d_j^(1 - a) + h), G = X'X, d its diagonal; a = 1/2 is the cosine, h shrinks what few have seen.

use serde::{Deserialize, Serialize};

use super::{History, Interactions, Neighbours, Recency, Retriever, neighbours::largest};
use crate::{ModelError, error::not_negative, maths};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;

/// How alike things are is measured so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ItemKnnSettings {
    /// a: 1 divides by the past thing's customers only, 0 by the other's.
    pub asymmetry: f64,
    /// h, in customers.
    pub shrinkage: f64,
    /// How many things speak for one at most: 200 where there are more than 10,000 things.
    pub most: usize,
    pub recency: Recency,
}

impl Default for ItemKnnSettings {
    fn default() -> Self {
        Self { asymmetry: 0.5, shrinkage: 100.0, most: 200, recency: Recency::HalfLife(180.0) }
    }
}

/// A fitted item-kNN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemKnn {
    likeness: Neighbours,
    recency: Recency,
}

impl ItemKnn {
    /// Works out how alike things are.
    ///
    /// # Errors
    /// A negative shrinkage, or an asymmetry beyond 0 and 1.
    pub fn fit(interactions: &Interactions, settings: ItemKnnSettings) -> Result<ItemKnn, ModelError> {
        let ItemKnnSettings { asymmetry, shrinkage, most, recency } = settings;
        not_negative("shrinkage", shrinkage)?;
        if !(0.0..=1.0).contains(&asymmetry) {
            return Err(ModelError::Setting { what: "asymmetry", value: asymmetry, allowed: "between 0 and 1" });
        }
        let powers = |exponent: f64| -> Vec<f64> {
            interactions.seen_by().iter().map(|customers| maths::pow(customers.len() as f64, exponent)).collect()
        };
        let (from, to) = (powers(asymmetry), powers(1.0 - asymmetry));
        // By column: G is symmetric, so row j of G holds what speaks for j.
        let column = |j: usize, mut counts: Vec<(u32, f64)>| {
            counts.retain(|(i, _)| *i as usize != j);
            counts.iter_mut().for_each(|(i, count)| *count /= from[*i as usize] * to[j] + shrinkage);
            largest(counts, most)
        };
        let columns = Neighbours::new(interactions.together(|_| 1.0, column));
        Ok(ItemKnn { likeness: columns.transposed(), recency })
    }
}

impl Retriever for ItemKnn {
    fn name(&self) -> &'static str {
        match self.recency {
            Recency::Steps(_) => "session kNN",
            Recency::Never | Recency::HalfLife(_) => "item-kNN",
        }
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        self.likeness.scores(&history.weights(self.recency))
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        self.likeness.contributions(&history.weights(self.recency), thing)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};

    #[test]
    fn this_version_gives_the_numbers_of_the_vectors() {
        assert_eq!(VERSION, 1);
        let settings = ItemKnnSettings { shrinkage: 1.0, most: usize::MAX, ..ItemKnnSettings::default() };
        let fit = |asymmetry| ItemKnn::fit(&example(false), ItemKnnSettings { asymmetry, ..settings }).unwrap();
        let (even, uneven) = (fit(0.5), fit(0.3));
        near(&even.scores(&past(&[0])), &[0.0, 0.5, 0.25, 0.5, 0.0, 0.0]);
        near(&even.scores(&past(&[0, 1])), &[0.5, 0.5, 0.5, 0.75, 0.0, 0.366025]);
        near(&uneven.scores(&past(&[1])), &[0.5, 0.0, 0.25, 0.25, 0.0, 0.418342]);
        adds_up(&even, &past(&[0, 1, 4]));
    }

    #[test]
    fn only_the_nearest_of_each_column_speak() {
        let settings = ItemKnnSettings { shrinkage: 1.0, most: 1, ..ItemKnnSettings::default() };
        let fitted = ItemKnn::fit(&example(false), settings).unwrap();
        // Things 1 and 3 are as near to 0: the smaller number is kept.
        near(&fitted.scores(&past(&[3]))[..1], &[0.0]);
        near(&fitted.scores(&past(&[1]))[..1], &[0.5]);
        assert!(ItemKnn::fit(&example(false), ItemKnnSettings { asymmetry: 1.5, ..settings }).is_err());
        odd_shops(|interactions| ItemKnn::fit(interactions, settings).unwrap());
    }
}
