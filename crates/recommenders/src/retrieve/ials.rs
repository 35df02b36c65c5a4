//! iALS: factors of customers and things by alternating least squares (Hu, Koren and Volinsky 2008; Rendle and others 2022).
//!
//! ```text
//! sum over u, i of (1 + A x_ui) (p_ui - u.y)^2 + r (|U|^2 + |Y|^2)      p = 1 where seen, else 0
//! ```
//! A customer's factors solve (Y'Y + r I + sum A x y y') u = sum (1 + A x) y: exactly, or by some steps of conjugate
//! gradients from the last factors.  A past that the fit never saw is folded in the same way, so nothing is fitted again.

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{History, Interactions, Recency, Retriever};
use crate::{
    ModelError, blocks,
    dense::{Cholesky, add, add_four, dot, dot_wide, stored},
    error::not_negative,
    seeds,
};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 2;
/// Spread of the first factors, before it is divided by the root of their number.
const START: f64 = 0.1;

/// How a customer's or thing's equations are solved in the fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Solver {
    /// By Cholesky decomposition.
    Exact,
    /// By so many steps of conjugate gradients from the last factors (Takacs, Pilaszy and Tikk 2011); 3 do.
    Conjugate(usize),
}

/// The form of the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IalsSettings {
    /// 8 to 32 in small shops, 64 to 192 from a million events on.
    pub factors: usize,
    /// A: how much more a thing seen counts.
    pub weight: f64,
    /// r, above 0.
    pub l2: f64,
    pub sweeps: usize,
    pub solver: Solver,
    pub seed: u64,
    pub recency: Recency,
}

impl Default for IalsSettings {
    fn default() -> Self {
        let (factors, sweeps, solver) = (16, 6, Solver::Conjugate(3));
        Self { factors, weight: 5.0, l2: 10.0, sweeps, solver, seed: 0, recency: Recency::HalfLife(180.0) }
    }
}

/// Fitted factors of things; a customer's are worked out when asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ials {
    /// Y: things x factors.
    #[serde(with = "stored")]
    things: Array2<f64>,
    /// Y'Y + r I.
    #[serde(with = "stored")]
    shared: Array2<f64>,
    weight: f64,
    recency: Recency,
}

impl Ials {
    /// Fits the factors.
    ///
    /// # Errors
    /// A negative weight, or a penalty that is not above 0.
    pub fn fit(interactions: &Interactions, settings: IalsSettings) -> Result<Ials, ModelError> {
        not_negative("weight", settings.weight)?;
        if !(settings.l2.is_finite() && settings.l2 > 0.0) {
            return Err(ModelError::Setting { what: "l2", value: settings.l2, allowed: "above 0" });
        }
        let spread = START / (settings.factors.max(1) as f64).sqrt();
        let start = |thing: usize| {
            let mut random = seeds::stream(settings.seed, "ials", thing as u64);
            (0..settings.factors).map(|_| seeds::normal(&mut random, spread)).collect::<Vec<f64>>()
        };
        let mut things = matrix((0..interactions.things()).map(start).collect(), settings.factors);
        let mut customers = Array2::zeros((interactions.customers(), settings.factors));
        for _ in 0..settings.sweeps {
            customers = half(&things, interactions.seen(), customers, settings)?;
            things = half(&customers, interactions.seen_by(), things, settings)?;
        }
        let shared = shared(&things, settings.l2);
        Ok(Ials { things, shared, weight: settings.weight, recency: settings.recency })
    }

    /// The factors of a past, and their equations: (Y'Y + r I + sum A x y y'), decomposed.  `None` where the past holds
    /// nothing that the fit knows.
    fn folded(&self, past: &[(u32, f64)]) -> Option<(Vec<f64>, Cholesky)> {
        let (mut left, mut right) = (self.shared.clone(), vec![0.0; self.things.ncols()]);
        for (thing, x) in past {
            let y = self.things.row(*thing as usize).to_vec();
            add(&mut right, 1.0 + self.weight * x, &y);
            left.rows_mut().into_iter().zip(&y).for_each(|(mut line, value)| {
                line.iter_mut().zip(&y).for_each(|(cell, other)| *cell += self.weight * x * value * other);
            });
        }
        let solved = Cholesky::new(left).ok().filter(|_| !past.is_empty())?;
        solved.solve(&mut right);
        Some((right, solved))
    }

    fn known(&self, history: &History) -> Vec<(u32, f64)> {
        let mut past = history.weights(self.recency);
        past.retain(|(thing, _)| (*thing as usize) < self.things.nrows());
        past
    }
}

/// One half of a sweep: new factors for each row, from those of the columns.
fn half(
    fixed: &Array2<f64>,
    seen: &[Vec<u32>],
    last: Array2<f64>,
    settings: IalsSettings,
) -> Result<Array2<f64>, ModelError> {
    let shared = shared(fixed, settings.l2);
    let solve = |(row, seen): (usize, &Vec<u32>)| match settings.solver {
        Solver::Exact => exact(fixed, &shared, seen, settings.weight),
        Solver::Conjugate(steps) => {
            let equations = Equations { fixed, shared: &shared, seen, weight: settings.weight };
            Ok(conjugate(equations, last.row(row).to_vec(), steps))
        }
    };
    let rows: Result<Vec<Vec<f64>>, ModelError> = seen.par_iter().enumerate().map(solve).collect();
    Ok(matrix(rows?, settings.factors))
}

fn exact(fixed: &Array2<f64>, shared: &Array2<f64>, seen: &[u32], weight: f64) -> Result<Vec<f64>, ModelError> {
    let (mut left, mut right) = (shared.clone(), vec![0.0; fixed.ncols()]);
    for y in seen.iter().map(|other| slice(fixed.row(*other as usize))) {
        add(&mut right, 1.0 + weight, y);
        left.rows_mut().into_iter().zip(y).for_each(|(mut line, value)| {
            line.iter_mut().zip(y).for_each(|(cell, other)| *cell += weight * value * other);
        });
    }
    Cholesky::new(left)?.solve(&mut right);
    Ok(right)
}

/// The equations of one customer's factors, or one thing's.
#[derive(Clone, Copy)]
struct Equations<'a> {
    /// The factors of the other side.
    fixed: &'a Array2<f64>,
    /// Y'Y + r I.
    shared: &'a Array2<f64>,
    seen: &'a [u32],
    /// A.
    weight: f64,
}

impl Equations<'_> {
    /// What they make of a vector: (Y'Y + r I) v + sum A y (y.v).
    #[inline(always)]
    fn times(self, vector: &[f64]) -> Vec<f64> {
        let Self { fixed, shared, seen, weight } = self;
        let mut product = vec![0.0; vector.len()];
        // Y'Y is symmetric: its rows are its columns.
        let line = |at: usize| slice(shared.row(at));
        let fours = vector.len() - vector.len() % 4;
        for at in (0..fours).step_by(4) {
            let factors = [vector[at], vector[at + 1], vector[at + 2], vector[at + 3]];
            add_four(&mut product, factors, [line(at), line(at + 1), line(at + 2), line(at + 3)]);
        }
        for at in fours..vector.len() {
            add(&mut product, vector[at], line(at));
        }
        let thing = |other: &u32| slice(fixed.row(*other as usize));
        let (fours, rest) = seen.as_chunks::<4>();
        for [a, b, c, d] in fours {
            let [a, b, c, d] = [thing(a), thing(b), thing(c), thing(d)];
            let products = [dot_wide(a, vector), dot_wide(b, vector), dot_wide(c, vector), dot_wide(d, vector)];
            add_four(&mut product, products.map(|product| weight * product), [a, b, c, d]);
        }
        for other in rest {
            let y = thing(other);
            add(&mut product, weight * dot_wide(y, vector), y);
        }
        product
    }
}

/// By conjugate gradients, with as wide registers as the processor has.  They hold more numbers, and the same: nothing is fused.
fn conjugate(equations: Equations, u: Vec<f64>, steps: usize) -> Vec<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it has AVX2.
        return unsafe { conjugate_by_avx2(equations, u, steps) };
    }
    conjugate_plain(equations, u, steps)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn conjugate_by_avx2(equations: Equations, u: Vec<f64>, steps: usize) -> Vec<f64> {
    conjugate_plain(equations, u, steps)
}

#[inline(always)]
fn conjugate_plain(equations: Equations, mut u: Vec<f64>, steps: usize) -> Vec<f64> {
    let mut rest: Vec<f64> = equations.times(&u).into_iter().map(|value| -value).collect();
    let Equations { fixed, seen, weight, .. } = equations;
    seen.iter().for_each(|other| add(&mut rest, 1.0 + weight, slice(fixed.row(*other as usize))));
    let mut direction = rest.clone();
    let mut length = dot(&rest, &rest);
    for _ in 0..steps {
        if length < 1e-20 {
            break;
        }
        let product = equations.times(&direction);
        let step = length / dot(&direction, &product);
        add(&mut u, step, &direction);
        add(&mut rest, -step, &product);
        let shorter = dot(&rest, &rest);
        direction.iter_mut().zip(&rest).for_each(|(d, r)| *d = r + shorter / length * *d);
        length = shorter;
    }
    u
}

/// Y'Y + r I.
fn shared(fixed: &Array2<f64>, l2: f64) -> Array2<f64> {
    let width = fixed.ncols();
    let sums = blocks::sum(fixed.nrows(), width * width, |rows, sums| {
        for y in rows.map(|row| slice(fixed.row(row))) {
            sums.chunks_exact_mut(width.max(1)).zip(y).for_each(|(line, value)| add(line, *value, y));
        }
    });
    let mut shared = matrix(sums.chunks(width.max(1)).map(<[f64]>::to_vec).collect(), width);
    shared.diag_mut().iter_mut().for_each(|cell| *cell += l2);
    shared
}

/// Rows as they lie in memory.
fn slice<'a>(row: ArrayView1<'a, f64>) -> &'a [f64] {
    row.to_slice().unwrap_or_default()
}

fn matrix(rows: Vec<Vec<f64>>, width: usize) -> Array2<f64> {
    let mut matrix = Array2::zeros((rows.len(), width));
    matrix
        .rows_mut()
        .into_iter()
        .zip(rows)
        .for_each(|(mut line, row)| line.iter_mut().zip(row).for_each(|(a, b)| *a = b));
    matrix
}

impl Retriever for Ials {
    fn name(&self) -> &'static str {
        "iALS"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        match self.folded(&self.known(history)) {
            Some((u, _)) => self.things.rows().into_iter().map(|y| dot(&u, slice(y))).collect(),
            None => vec![0.0; self.things.nrows()],
        }
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        let past = self.known(history);
        let Some((_, solved)) = self.folded(&past).filter(|_| (thing as usize) < self.things.nrows()) else {
            return Vec::new();
        };
        // (1 + A x_i) y_a' W y_i, W the inverse of the past's equations.
        let mut towards = self.things.row(thing as usize).to_vec();
        solved.solve(&mut towards);
        let part = |(past, x): (u32, f64)| {
            (past, (1.0 + self.weight * x) * dot(&towards, slice(self.things.row(past as usize))))
        };
        past.into_iter().map(part).filter(|(_, part)| *part != 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use ndarray::array;

    fn settings() -> IalsSettings {
        let recency = Recency::Never;
        IalsSettings { factors: 2, weight: 2.0, l2: 0.1, sweeps: 1, solver: Solver::Exact, seed: 0, recency }
    }

    fn loss(interactions: &Interactions, u: &Array2<f64>, y: &Array2<f64>) -> f64 {
        let mut loss = 0.1 * (u.mapv(|value| value * value).sum() + y.mapv(|value| value * value).sum());
        for (customer, seen) in interactions.seen().iter().enumerate() {
            for thing in 0..6 {
                let (score, seen) = (u.row(customer).dot(&y.row(thing)), seen.contains(&(thing as u32)));
                loss += if seen { 3.0 * (1.0 - score).powi(2) } else { score * score };
            }
        }
        loss
    }

    #[test]
    fn a_sweep_gives_the_numbers_of_the_vectors() {
        let start = array![[0.1, 0.2], [0.2, 0.1], [0.3, -0.1], [-0.1, 0.3], [0.05, 0.05], [0.2, 0.2]];
        let example = example(false);
        let none = Array2::zeros((5, 2));
        let u = half(&start, example.seen(), none.clone(), settings()).unwrap();
        let expected =
            [1.818182, 1.818182, 2.013961, 2.298345, 3.214286, 0.811688, 1.851852, 1.851852, 1.139322, 3.059526];
        near(&u.iter().copied().collect::<Vec<_>>(), &expected);
        let y = half(&u, example.seen_by(), start.clone(), settings()).unwrap();
        let expected = [
            -0.002932, 0.372989, 0.229141, 0.179545, 0.333350, 0.047801, -0.002687, 0.372982, 0.099755, 0.107939,
            0.342835, -0.227643,
        ];
        near(&y.iter().copied().collect::<Vec<_>>(), &expected);
        near(&[loss(&example, &u, &y)], &[11.428246]);
        let conjugate = |steps| {
            let settings = IalsSettings { solver: Solver::Conjugate(steps), ..settings() };
            half(&start, example.seen(), none.clone(), settings).unwrap()
        };
        near(&conjugate(1).row(1).to_vec(), &[1.815614, 2.420819]);
        near(&conjugate(2).row(1).to_vec(), &u.row(1).to_vec());
        let fitted = Ials { shared: shared(&y, 0.1), things: y, weight: 2.0, recency: Recency::Never };
        near(&fitted.folded(&[(0, 1.0), (1, 1.0)]).unwrap().0, &[1.103665, 1.932704]);
        let parts = fitted.contributions(&past(&[0, 1]), 3);
        near(&parts.iter().map(|(_, part)| *part).collect::<Vec<_>>(), &[0.516566, 0.201332]);
        adds_up(&fitted, &past(&[0, 1]));
    }

    #[test]
    fn every_sweep_lowers_the_loss_and_few_conjugate_steps_do() {
        let example = example(false);
        let after = |sweeps, solver| {
            let fitted = Ials::fit(&example, IalsSettings { sweeps, solver, ..settings() }).unwrap();
            let u = half(&fitted.things, example.seen(), Array2::zeros((5, 2)), settings()).unwrap();
            loss(&example, &u, &fitted.things)
        };
        let losses: Vec<f64> = [1, 3, 10, 30].map(|sweeps| after(sweeps, Solver::Exact)).to_vec();
        assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
        assert!((after(30, Solver::Conjugate(3)) - losses[3]).abs() < 1e-3 * losses[3]);
    }

    /// Moves with every change of the fit: then VERSION is raised, and the numbers here with it.
    #[test]
    fn this_version_gives_these_numbers_also_in_odd_shops() {
        assert_eq!(VERSION, 2);
        let fitted = Ials::fit(&example(false), IalsSettings { l2: 1.0, ..IalsSettings::default() }).unwrap();
        near(&fitted.scores(&past(&[0, 4])), &[0.707170, 0.297387, 0.499382, 1.043040, 0.586215, -0.229592]);
        odd_shops(|interactions| Ials::fit(interactions, IalsSettings::default()).unwrap());
        odd_shops(|interactions| Ials::fit(interactions, settings()).unwrap());
        assert!(Ials::fit(&example(false), IalsSettings { l2: 0.0, ..settings() }).is_err());
    }
}
