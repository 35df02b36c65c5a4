//! RP3beta: a random walk from a thing to a customer who has seen it, to another thing (Paudel and others 2017).
//!
//! W = (D_i^-1 X')^a (D_u^-1 X)^a with element-wise powers, each column j divided by d_j^b, so that what everybody has seen
//! is not where every walk ends; D_i, D_u: how many have seen a thing, how many things a customer has seen.

use serde::{Deserialize, Serialize};

use super::{History, Interactions, Neighbours, Recency, Retriever, neighbours::largest};
use crate::{ModelError, error::not_negative, maths};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;

/// How the walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rp3BetaSettings {
    /// a: the power of each step's chance.
    pub power: f64,
    /// b: how much popularity is taken out.
    pub popularity: f64,
    /// How many things one speaks for at most: 200 where there are more than 10,000 things.
    pub most: usize,
    pub recency: Recency,
}

impl Default for Rp3BetaSettings {
    fn default() -> Self {
        Self { power: 1.0, popularity: 0.3, most: 200, recency: Recency::HalfLife(180.0) }
    }
}

/// A fitted RP3beta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rp3Beta {
    walks: Neighbours,
    recency: Recency,
}

impl Rp3Beta {
    /// Works out where walks end.
    ///
    /// # Errors
    /// A negative power.
    pub fn fit(interactions: &Interactions, settings: Rp3BetaSettings) -> Result<Rp3Beta, ModelError> {
        let Rp3BetaSettings { power, popularity, most, recency } = settings;
        not_negative("power", power)?;
        not_negative("popularity", popularity)?;
        let inverse = |count: usize, power: f64| if count == 0 { 0.0 } else { maths::pow(1.0 / count as f64, power) };
        let from_customer: Vec<f64> = interactions.seen().iter().map(|things| inverse(things.len(), power)).collect();
        let counts: Vec<usize> = interactions.seen_by().iter().map(Vec::len).collect();
        let from_thing: Vec<f64> = counts.iter().map(|count| inverse(*count, power)).collect();
        let unpopular: Vec<f64> = counts.iter().map(|count| inverse(*count, popularity)).collect();
        let row = |i: usize, mut sums: Vec<(u32, f64)>| {
            sums.retain(|(j, _)| *j as usize != i);
            sums.iter_mut().for_each(|(j, sum)| *sum *= from_thing[i] * unpopular[*j as usize]);
            largest(sums, most)
        };
        let rows = interactions.together(|customer| from_customer[customer], row);
        Ok(Rp3Beta { walks: Neighbours::new(rows), recency })
    }
}

impl Retriever for Rp3Beta {
    fn name(&self) -> &'static str {
        "RP3beta"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        self.walks.scores(&history.weights(self.recency))
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        self.walks.contributions(&history.weights(self.recency), thing)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};

    #[test]
    fn this_version_gives_the_numbers_of_the_vectors() {
        assert_eq!(VERSION, 1);
        let settings = Rp3BetaSettings { popularity: 0.5, ..Rp3BetaSettings::default() };
        let fitted = Rp3Beta::fit(&example(false), settings).unwrap();
        near(&fitted.scores(&past(&[0])), &[0.0, 0.160375, 0.06415, 0.1283, 0.0, 0.0]);
        near(&fitted.scores(&past(&[0, 1])), &[0.160375, 0.160375, 0.1283, 0.19245, 0.0, 0.111111]);
        adds_up(&fitted, &past(&[0, 1, 4]));
        odd_shops(|interactions| Rp3Beta::fit(interactions, settings).unwrap());
        assert!(Rp3Beta::fit(&example(false), Rp3BetaSettings { power: f64::NAN, ..settings }).is_err());
    }
}
