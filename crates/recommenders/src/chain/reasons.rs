//! A chain's scores taken apart against the middle of the shelf; the parts add up exactly.
//!
//! A head adds f of a linear score z: `w z` for the look, `ln sigmoid(z)` for the others.  On the straight way from the
//! shelf's mean to an article, term j gathers `b_j (x_j - mean x_j) (f(z) - f(mean z))/(z - mean z)`: the Aumann-Shapley
//! value of a function of one linear score (Aumann and Shapley 1974; Sundararajan, Taly and Yan 2017).

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};

use super::{Chain, Head, Keep, Source};
use crate::{
    maths,
    rank::{Contributions, Part},
};

/// Scores nearer to the mean than this have the slope at the mean instead of a quotient.
const NEAR: f64 = 1e-6;

/// Of some rows of the shelf, in their order.
pub(super) fn contributions(chain: &Chain, shelf: ArrayView2<f64>, rows: &[usize]) -> Contributions {
    let looks = chain.look.scores(shelf);
    let total = maths::log_sum_exp(looks.iter().copied());
    let mut heads = vec![
        Taken::new(&chain.look, shelf, Function::Linear { weight: chain.weight }),
        Taken::new(&chain.buy, shelf, Function::LogSigmoid),
    ];
    if let Keep::Logistic(head) = &chain.keep {
        heads.push(Taken::new(head, shelf, Function::LogSigmoid));
    }
    let kept = match &chain.keep {
        Keep::Shares(_) => shelf.rows().into_iter().map(|row| chain.keep.log_chance(row)).collect(),
        Keep::Logistic(_) => vec![0.0; shelf.nrows()],
    };
    let mean_kept = kept.iter().sum::<f64>() / shelf.nrows().max(1) as f64;
    let mut parts: BTreeMap<Part, usize> = heads.iter().flat_map(|head| head.parts()).map(|part| (part, 0)).collect();
    if matches!(chain.keep, Keep::Shares(_)) {
        parts.insert(Part::Kept, 0);
    }
    parts.values_mut().enumerate().for_each(|(at, place)| *place = at);
    let mut values = Array2::zeros((rows.len(), parts.len()));
    for head in &heads {
        let places: Vec<usize> = head.parts().map(|part| parts[&part]).collect();
        head.add_to(shelf, rows, &places, &mut values);
    }
    if let Some(place) = parts.get(&Part::Kept) {
        values.column_mut(*place).iter_mut().zip(rows).for_each(|(value, row)| *value = kept[*row] - mean_kept);
    }
    let middle: f64 = heads.iter().map(|head| head.function.at(head.mean)).sum();
    let reference = if shelf.nrows() == 0 { 0.0 } else { middle - chain.weight * total + mean_kept };
    Contributions { reference, parts: parts.into_keys().collect(), values }
}

/// What a head's linear score goes through.
#[derive(Clone, Copy)]
enum Function {
    Linear { weight: f64 },
    LogSigmoid,
}

impl Function {
    fn at(self, z: f64) -> f64 {
        match self {
            Function::Linear { weight } => weight * z,
            Function::LogSigmoid => maths::log_sigmoid(z),
        }
    }

    /// (f(z) - f(mean))/(z - mean).
    fn factor(self, z: f64, mean: f64) -> f64 {
        match self {
            Function::Linear { weight } => weight,
            Function::LogSigmoid => log_sigmoid_factor(z, mean),
        }
    }
}

/// (ln sigmoid(z) - ln sigmoid(mean))/(z - mean): what a difference of a linear score weighs in the log of its chance.
pub fn log_sigmoid_factor(z: f64, mean: f64) -> f64 {
    if (z - mean).abs() < NEAR {
        maths::sigmoid(-(z + mean) / 2.0)
    } else {
        (maths::log_sigmoid(z) - maths::log_sigmoid(mean)) / (z - mean)
    }
}

/// A head beside the mean of the shelf.
struct Taken<'a> {
    head: &'a Head,
    function: Function,
    /// Of each term.
    means: Vec<f64>,
    /// The linear score of the means.
    mean: f64,
}

impl<'a> Taken<'a> {
    fn new(head: &'a Head, shelf: ArrayView2<f64>, function: Function) -> Taken<'a> {
        let mut means = vec![0.0; head.terms.len()];
        for row in shelf.rows() {
            head.terms.visit(row, |term, value| means[term] += value);
        }
        means.iter_mut().for_each(|sum| *sum /= shelf.nrows().max(1) as f64);
        let mean = means.iter().zip(&head.coefficients).fold(head.intercept, |sum, (x, b)| sum + b * x);
        Taken { head, function, means, mean }
    }

    fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let part = |source: Source| match source.by {
            None => Part::Column(source.column),
            Some(by) => Part::Cross { column: source.column, by },
        };
        self.head.terms.sources().into_iter().map(part)
    }

    fn add_to(&self, shelf: ArrayView2<f64>, rows: &[usize], places: &[usize], values: &mut Array2<f64>) {
        for (row, mut values) in rows.iter().map(|row| shelf.row(*row)).zip(values.rows_mut()) {
            let mut differences: Vec<f64> = self.means.iter().map(|mean| -mean).collect();
            self.head.terms.visit(row, |term, value| differences[term] += value);
            let factor = self.function.factor(self.head.score(row), self.mean);
            for ((place, b), difference) in places.iter().zip(&self.head.coefficients).zip(differences) {
                values[*place] += b * difference * factor;
            }
        }
    }
}
