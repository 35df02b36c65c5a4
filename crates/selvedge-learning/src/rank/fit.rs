//! The heads of the chain, fitted on what was known at a moment; one for each penalty.

use ndarray::{Array2, Axis};
use recommenders::chain::{Chain, Head, Keep, KeptShares};

use super::RankError;
use super::known::Known;
use super::matrix::Columns;
use models::outcomes::Outcomes as Counts;
use selvedge_project::error::Result;
use selvedge_project::params::Rank;
use selvedge_project::sql::Cross;
use selvedge_project::sql::Feature;

/// What there is to choose from.
pub struct Heads {
    pub columns: Columns,
    /// One for each penalty, in the order given.
    pub looks: Vec<Head>,
    pub buys: Vec<Head>,
    pub keep: Keep,
}

/// What a ranking may learn from.
pub struct Learned<'a> {
    pub features: &'a [Feature],
    pub crosses: &'a [Cross],
}

impl Heads {
    /// Fits them; where fewer purchases than `enough` are known to have been kept (or looks not to have led to one), what is
    /// missing, in words.  With the matrix that they were fitted on.
    pub fn fit(
        known: &Known,
        learned: &Learned,
        params: &Rank,
        [looks, buys]: [&[f64]; 2],
        enough: usize,
    ) -> Result<std::result::Result<(Self, Array2<f64>), String>> {
        let (kept, mut not) = known.purchases();
        if known.looks_are_purchases() {
            not = not.max(enough);
        }
        if let Some(missing) = (Counts { kept, not }).missing(enough) {
            return Ok(Err(format!("{missing} are missing")));
        }
        let columns = Columns::fit(known.rows(), learned.features, learned.crosses, params.dimensions)?;
        let matrix = columns.apply(known.rows().rows())?;
        let rows =
            |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> { (0..matrix.nrows()).filter(|at| wanted(*at)).collect() };
        let part = |rows: &[usize]| -> Array2<f64> { matrix.select(Axis(0), rows) };
        let of_looks = rows(&|at| known.looked[at] && known.bought[at].is_some());
        let bought: Vec<bool> = of_looks.iter().map(|at| known.bought[*at] == Some(true)).collect();
        let of_purchases = rows(&|at| known.looked[at] && known.kept[at].is_some());
        let kept: Vec<bool> = of_purchases.iter().map(|at| known.kept[*at] == Some(true)).collect();
        let [share, difference] = columns.codes();
        let failed = RankError::Model;
        let keep = KeptShares::fit(part(&of_purchases).view(), &kept, share, Some(difference));
        let heads = Self {
            looks: Head::fit(matrix.view(), &known.looked, &columns.look, looks).map_err(failed)?,
            buys: Head::fit(part(&of_looks).view(), &bought, &columns.buy, buys).map_err(failed)?,
            keep: Keep::Shares(keep.map_err(failed)?),
            columns,
        };
        Ok(Ok((heads, matrix)))
    }

    /// The chain of one combination.
    pub fn chain(&self, look: usize, buy: usize, weight: f64) -> Option<Chain> {
        Some(Chain {
            weight,
            look: self.looks.get(look)?.clone(),
            buy: self.buys.get(buy)?.clone(),
            keep: self.keep.clone(),
        })
    }
}
