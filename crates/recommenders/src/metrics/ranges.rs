//! Ranges by customer: how far a figure could be off by the chance of which customers were there.
//!
//! Customers are drawn with replacement; every figure is measured on the same draws, so the range of a difference is that
//! of a paired comparison (Efron and Tibshirani 1993).

use ndarray::{Array2, ArrayView1};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ModelError, seeds};

/// The ends of a 95 % range.
const PERCENTILES: (f64, f64) = (0.025, 0.975);

/// A figure and its 95 % percentile range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Over all customers as they are.
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Means over customers, of all of them and of every draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges {
    whole: Vec<f64>,
    draws: Vec<Vec<f64>>,
}

impl Ranges {
    /// `values`: customers x figures, each a customer's mean over visits; a cell that is not finite is a customer who has
    /// no such figure.  Draw i is stream i of ChaCha8.
    ///
    /// # Errors
    /// 2^32 customers or more.
    pub fn new(values: &Array2<f64>, draws: usize, seed: u64) -> Result<Ranges, ModelError> {
        let count = values.nrows();
        let customers = u32::try_from(count).map_err(|_| ModelError::Setting {
            what: "the number of customers",
            value: count as f64,
            allowed: "below 2^32",
        })?;
        let draw = |number: usize| {
            let mut random = seeds::stream(seed, "customers", number as u64);
            let mut times = vec![0_u32; count];
            (0..count).for_each(|_| times[random.gen_range(0..customers) as usize] += 1);
            means(values, |customer| f64::from(times[customer]))
        };
        Ok(Ranges { whole: means(values, |_| 1.0), draws: (0..draws).into_par_iter().map(draw).collect() })
    }

    /// The range of a figure; `None` where no customer has it.
    pub fn of(&self, figure: usize) -> Option<Range> {
        self.range(|means| means.get(figure).copied())
    }

    /// How much more `figure` is than `other`, over the same draws.  Only right for figures that the same customers have.
    pub fn difference(&self, figure: usize, other: usize) -> Option<Range> {
        self.range(|means| Some(means.get(figure)? - means.get(other)?))
    }

    fn range(&self, of: impl Fn(&[f64]) -> Option<f64>) -> Option<Range> {
        let finite = |means: &Vec<f64>| of(means).filter(|value| value.is_finite());
        let value = finite(&self.whole)?;
        let mut drawn: Vec<f64> = self.draws.iter().filter_map(finite).collect();
        drawn.sort_unstable_by(f64::total_cmp);
        Some(Range { value, low: percentile(&drawn, PERCENTILES.0)?, high: percentile(&drawn, PERCENTILES.1)? })
    }
}

/// The mean of each column over the customers that have it.
fn means(values: &Array2<f64>, times: impl Fn(usize) -> f64) -> Vec<f64> {
    let mean = |column: ArrayView1<f64>| {
        let finite = column.iter().enumerate().filter(|(_, value)| value.is_finite());
        let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), (customer, value)| {
            let times = times(customer);
            (sum + times * value, count + times)
        });
        sum / count
    };
    values.columns().into_iter().map(mean).collect()
}

/// Linear between the two nearest values, as numpy's default; `None` without values.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ranges_of_differences_are_paired_and_the_same_on_any_number_of_threads() {
        let mut random = seeds::stream(1, "test", 0);
        let mut values = Array2::from_shape_simple_fn((500, 3), || f64::from(u8::from(random.gen_bool(0.4))));
        for mut row in values.rows_mut() {
            row[1] = row[0] + 0.1;
        }
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Ranges::new(&values, 400, 7).unwrap())
        };
        let ranges = run(1);
        assert!(ranges == run(2) && ranges == run(8));
        let (single, paired, apart) = (ranges.of(0), ranges.difference(1, 0), ranges.difference(2, 0));
        let width = |range: Option<Range>| range.map(|range| range.high - range.low).unwrap();
        // 1.96 standard errors to both sides.
        assert!((width(single) - 3.92 * (0.4_f64 * 0.6 / 500.0).sqrt()).abs() < 0.01);
        assert!(width(paired) < 1e-9 && width(apart) > width(single));
        assert!((paired.unwrap().value - 0.1).abs() < 1e-12);
        assert_eq!(ranges.of(3), None);
    }

    #[test]
    fn a_customer_without_the_figure_is_not_counted() {
        let ranges = Ranges::new(&array![[1.0, f64::NAN], [0.0, f64::NAN], [f64::NAN, f64::NAN]], 50, 1).unwrap();
        assert_eq!(ranges.of(0).unwrap().value, 0.5);
        assert_eq!(ranges.of(1), None);
        assert_eq!(Ranges::new(&Array2::zeros((0, 1)), 5, 1).unwrap().of(0), None);
    }
}
