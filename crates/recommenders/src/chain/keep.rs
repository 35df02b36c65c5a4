//! The last head of the chain: whether what is bought is kept, by category and by who sends it.

use std::collections::BTreeMap;

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::{ModelError, error::same_length};

/// Purchases that a category's share of kept ones is mixed with.
const PRIOR: f64 = 30.0;
/// Purchases from which on the difference of a way of fulfilment is believed.
const ENOUGH: usize = 20;
/// No chance is nearer to 0 or 1 than this.
const EDGE: f64 = 0.01;

/// Shares of kept purchases: `(kept + 30 k)/(bought + 30)` of a category, k the shop's share, and the difference of the
/// fulfilment, where 20 purchases say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptShares {
    /// The column that numbers the category.
    category: usize,
    /// The column that numbers the fulfilment, where there is one.
    fulfilment: Option<usize>,
    shop: f64,
    by_category: BTreeMap<u64, f64>,
    /// What each fulfilment adds.
    by_fulfilment: BTreeMap<u64, f64>,
    /// How many purchases it rests on.
    pub purchases: usize,
}

impl KeptShares {
    /// `matrix`: a row for each purchase whose outcome is known; `kept`: one for each row.  Cells of the columns are
    /// numbers that name a category or fulfilment.  Without purchases every chance is one half.
    ///
    /// # Errors
    /// Another number of outcomes, or a column that is not there.
    pub fn fit(
        matrix: ArrayView2<f64>,
        kept: &[bool],
        category: usize,
        fulfilment: Option<usize>,
    ) -> Result<KeptShares, ModelError> {
        same_length("outcomes", kept.len(), matrix.nrows())?;
        columns_are_there([Some(category), fulfilment], matrix.ncols())?;
        let count = |column: usize| {
            let mut counts: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
            for (row, kept) in matrix.rows().into_iter().zip(kept) {
                let (bought, kept_of) = counts.entry(code(row[column])).or_default();
                *bought += 1;
                *kept_of += usize::from(*kept);
            }
            counts
        };
        let total = kept.iter().filter(|kept| **kept).count() as f64;
        let shop = if kept.is_empty() { 0.5 } else { total / kept.len() as f64 };
        let shrunk = |(code, (bought, kept)): (u64, (usize, usize))| {
            (code, (kept as f64 + PRIOR * shop) / (bought as f64 + PRIOR))
        };
        let difference = |(code, (bought, kept)): (u64, (usize, usize))| {
            (bought >= ENOUGH).then(|| (code, kept as f64 / bought as f64 - shop))
        };
        Ok(KeptShares {
            category,
            fulfilment,
            shop,
            by_category: count(category).into_iter().map(shrunk).collect(),
            by_fulfilment: fulfilment.map(count).unwrap_or_default().into_iter().filter_map(difference).collect(),
            purchases: kept.len(),
        })
    }

    /// Refuses a matrix without its columns.
    pub(super) fn fit_into(&self, columns: usize) -> Result<(), ModelError> {
        columns_are_there([Some(self.category), self.fulfilment], columns)
    }

    /// The chance that what is bought is kept; a category that no purchase was of has the shop's.
    pub fn chance(&self, row: ArrayView1<f64>) -> f64 {
        let of = |shares: &BTreeMap<u64, f64>, column: usize| shares.get(&code(row[column])).copied();
        let category = of(&self.by_category, self.category).unwrap_or(self.shop);
        let fulfilment = self.fulfilment.and_then(|column| of(&self.by_fulfilment, column)).unwrap_or(0.0);
        (category + fulfilment).clamp(EDGE, 1.0 - EDGE)
    }
}

fn columns_are_there(named: [Option<usize>; 2], columns: usize) -> Result<(), ModelError> {
    match named.into_iter().flatten().find(|column| *column >= columns) {
        Some(column) => Err(ModelError::NoColumn { column, columns }),
        None => Ok(()),
    }
}

/// A cell as a key; 0 and -0 are the same.
fn code(cell: f64) -> u64 {
    (cell + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn shares_are_shrunk_to_the_shop_and_few_purchases_of_a_fulfilment_say_nothing() {
        // Category 0: 30 of 30 kept; category 1: 0 of 30; sent by 0: half of 40, by 1: half of 20, less 1 for 19.
        let rows: Vec<[f64; 2]> =
            (0..60).map(|row| [f64::from(row / 30), f64::from(u8::from(row % 30 >= 20))]).collect();
        let matrix = Array2::from(rows);
        let kept: Vec<bool> = (0..60).map(|row| row < 30).collect();
        let shares = KeptShares::fit(matrix.view(), &kept, 0, Some(1)).unwrap();
        assert_eq!(shares.chance(array![0.0, 0.0].view()), 0.75);
        assert_eq!(shares.chance(array![1.0, 1.0].view()), 0.25);
        assert_eq!(shares.chance(array![7.0, 9.0].view()), 0.5);
        let mut all_kept_by_1 = kept.clone();
        (50..60).for_each(|row| all_kept_by_1[row] = true);
        let shares = KeptShares::fit(matrix.view(), &all_kept_by_1, 0, Some(1)).unwrap();
        let shop = 40.0 / 60.0;
        let expected = (10.0 + 30.0 * shop) / 60.0 + 1.0 - shop;
        assert!((shares.chance(array![1.0, 1.0].view()) - expected).abs() < 1e-12);
        let fewer = KeptShares::fit(matrix.slice(ndarray::s![..59, ..]), &all_kept_by_1[..59], 0, Some(1)).unwrap();
        let shop = 39.0 / 59.0;
        assert!((fewer.chance(array![1.0, 1.0].view()) - (9.0 + 30.0 * shop) / 59.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_bought_is_one_half_and_nothing_is_certain() {
        let none = KeptShares::fit(Array2::zeros((0, 1)).view(), &[], 0, None).unwrap();
        assert_eq!(none.chance(array![3.0].view()), 0.5);
        let all = KeptShares::fit(Array2::zeros((5, 1)).view(), &[true; 5], 0, None).unwrap();
        assert_eq!(all.chance(array![0.0].view()), 0.99);
        assert!(KeptShares::fit(Array2::zeros((5, 1)).view(), &[true; 5], 1, None).is_err());
    }
}
