//! The chain: the chance of a look, of a purchase given a look, and of a purchase that is kept, one model each.
//!
//! ```text
//! score(request, a) = w ln P(look a | shelf) + ln P(buy | look a) + ln P(keep | buy a)
//! ```
//! P(look a | shelf) is the softmax of the look head's scores over the shelf, so its intercept does not matter.  All three
//! are convex, so a fit ends at the same place from wherever it begins.

mod draw;
mod first_pass;
mod head;
mod keep;
mod minimise;
mod reasons;
mod terms;

#[cfg(test)]
mod tests;

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

pub use draw::others;
pub use head::Head;
pub use keep::KeptShares;
pub use reasons::log_sigmoid_factor;
pub use terms::{Cross, Source, Terms, finite};

use crate::{
    ModelError,
    error::rows_of_shelf,
    maths,
    rank::{Contributions, Ranker},
};

/// Raised whenever the same rows would get another chain or other scores.
pub const VERSION: u32 = 1;

/// The chance that a purchase is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Keep {
    Shares(KeptShares),
    /// A model of its own, once there are some 2,000 purchases whose outcome is known.
    Logistic(Head),
}

impl Keep {
    /// ln P(keep | buy) of a row.
    pub fn log_chance(&self, row: ArrayView1<f64>) -> f64 {
        match self {
            Keep::Shares(shares) => maths::ln(shares.chance(row)),
            Keep::Logistic(head) => maths::log_sigmoid(head.score(row)),
        }
    }
}

/// The three heads.  All read the same matrix: a row for each article of a shelf.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// How much the look counts: 1, or 0.5.
    pub weight: f64,
    pub look: Head,
    pub buy: Head,
    pub keep: Keep,
}

/// The chances of an article on a shelf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    /// Of being the one that is looked at; they sum to 1 over the shelf.
    pub look: f64,
    /// Of being bought, given a look.
    pub buy: f64,
    /// Of being kept, given a purchase.
    pub keep: f64,
}

impl Chain {
    /// The chances of each row of a shelf.
    ///
    /// # Errors
    /// A shelf without a column of the heads, or with a cell that is not finite.
    pub fn chances(&self, shelf: ArrayView2<f64>) -> Result<Vec<Chances>, ModelError> {
        self.accepts(shelf)?;
        let looks = self.look.scores(shelf);
        let total = maths::log_sum_exp(looks.iter().copied());
        let of_row = |(row, look): (ArrayView1<f64>, &f64)| Chances {
            look: maths::exp(look - total),
            buy: maths::sigmoid(self.buy.score(row)),
            keep: maths::exp(self.keep.log_chance(row)),
        };
        Ok(shelf.rows().into_iter().zip(&looks).map(of_row).collect())
    }

    fn accepts(&self, shelf: ArrayView2<f64>) -> Result<(), ModelError> {
        self.look.terms.fit_into(shelf.ncols())?;
        self.buy.terms.fit_into(shelf.ncols())?;
        match &self.keep {
            Keep::Shares(shares) => shares.fit_into(shelf.ncols())?,
            Keep::Logistic(head) => head.terms.fit_into(shelf.ncols())?,
        }
        finite(shelf)
    }
}

impl Ranker for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, shelf: ArrayView2<f64>) -> Result<Vec<f64>, ModelError> {
        self.accepts(shelf)?;
        let looks = self.look.scores(shelf);
        let total = maths::log_sum_exp(looks.iter().copied());
        let score = |(row, look): (ArrayView1<f64>, &f64)| {
            self.weight * (look - total) + maths::log_sigmoid(self.buy.score(row)) + self.keep.log_chance(row)
        };
        Ok(shelf.rows().into_iter().zip(&looks).map(score).collect())
    }

    fn contributions(&self, shelf: ArrayView2<f64>, rows: &[usize]) -> Result<Contributions, ModelError> {
        self.accepts(shelf)?;
        rows_of_shelf(rows, shelf.nrows())?;
        Ok(reasons::contributions(self, shelf, rows))
    }
}
