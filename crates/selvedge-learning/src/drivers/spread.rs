//! How much of the spread of the scores each group of columns explains, and how far it usually pushes.

use std::collections::BTreeMap;

use ndarray::Array2;

use models::bootstrap::{BootstrapError, Interval, Resampled};

/// What one group of columns does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its share of the spread; can be below 0 where it works against the others.
    pub share: Interval,
    /// How far it usually pushes, up or down, in log-odds.
    pub push: Interval,
}

/// One customer's looks, added up: all that the figures need.
#[derive(Debug, Clone, Default)]
struct Sums {
    rows: f64,
    /// Of the score.
    score: f64,
    squared: f64,
    /// By group: of φ, of φ times score, of |φ|.
    groups: Vec<[f64; 3]>,
}

impl Sums {
    fn add(&mut self, other: &Self, times: f64) {
        self.rows += times * other.rows;
        self.score += times * other.score;
        self.squared += times * other.squared;
        self.groups.resize(other.groups.len(), [0.0; 3]);
        for (ours, theirs) in self.groups.iter_mut().zip(&other.groups) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += times * theirs);
        }
    }

    /// By group; none where all scores are alike.
    fn shares(&self) -> Vec<Option<f64>> {
        let mean = self.score / self.rows;
        let variance = self.squared / self.rows - mean * mean;
        let share = |[sum, product, _]: &[f64; 3]| {
            let covariance = product / self.rows - sum / self.rows * mean;
            (variance > 1e-12).then(|| covariance / variance)
        };
        self.groups.iter().map(share).collect()
    }

    fn pushes(&self) -> Vec<f64> {
        self.groups.iter().map(|[_, _, size]| size / self.rows).collect()
    }
}

/// The looks of a slice, customer by customer in the order of their ids.
pub struct Spread {
    customers: Vec<Sums>,
}

impl Spread {
    /// `contributions`: looks x groups, in log-odds; `rows`: the looks to use; `customers`: whose each look is.
    pub fn of(contributions: &Array2<f64>, rows: &[usize], customers: &[&str]) -> Self {
        let mut by_customer = BTreeMap::<&str, Sums>::new();
        for row in rows {
            let parts = contributions.row(*row);
            let score = parts.iter().sum::<f64>();
            let look = Sums {
                rows: 1.0,
                score,
                squared: score * score,
                groups: parts.iter().map(|part| [*part, part * score, part.abs()]).collect(),
            };
            by_customer.entry(customers[*row]).or_default().add(&look, 1.0);
        }
        Self { customers: by_customer.into_values().collect() }
    }

    pub fn customers(&self) -> usize {
        self.customers.len()
    }

    /// Each group's share of the spread; none where all scores are alike.
    pub fn shares(&self) -> Vec<Option<f64>> {
        self.sum(|_| 1.0).shares()
    }

    fn sum(&self, times: impl Fn(usize) -> f64) -> Sums {
        let mut sum = Sums::default();
        self.customers.iter().enumerate().for_each(|(at, customer)| sum.add(customer, times(at)));
        sum
    }

    /// Every group's figures with their intervals, over draws of whole customers.  Empty where all scores are alike.
    ///
    /// # Errors
    /// No customers.
    pub fn figures(&self, draws: usize, seed: u64) -> Result<Vec<Figure>, BootstrapError> {
        let customers: Vec<usize> = (0..self.customers.len()).collect();
        let drawn = Resampled::run(&customers, draws, seed, |times| {
            let sum = self.sum(|at| f64::from(times(at)));
            (sum.shares(), sum.pushes())
        })?;
        let figure = |group: usize| {
            let share = drawn.interval(|(shares, _)| shares.get(group).copied().flatten())?;
            Some(Figure { share, push: drawn.interval(|(_, pushes)| pushes.get(group).copied())? })
        };
        let groups = self.customers.first().map_or(0, |sums| sums.groups.len());
        Ok((0..groups).filter_map(figure).collect())
    }
}
