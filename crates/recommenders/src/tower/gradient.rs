//! The loss of one visit and its gradient, written by hand.
//!
//! A visit's loss: for each look -ln softmax of the looked-at article against those not looked at, the log loss of the
//! purchase and 0.7 times that of the wish over looked-at articles.

use ndarray::Array2;

use super::{HEADS, Parameters};
use crate::{
    dense::{add, dot},
    maths,
};

/// How much a wish counts against a purchase.
const WISH: f64 = 0.7;

/// What a visit looks like to the parameters.
pub(super) struct Seen<'a> {
    pub customer: &'a [f64],
    /// m_b and m_l.
    pub means: &'a [Vec<f64>; 2],
    pub rows: &'a [Row],
}

/// One article of the shelf.
pub(super) struct Row {
    pub article: usize,
    pub x: Vec<f64>,
    pub r: Vec<f64>,
    pub looked: bool,
    pub bought: bool,
    pub wished: bool,
}

/// Sums of gradients.  The article side is summed by article and goes through z once for many visits.
pub(super) struct Gradient {
    pub loss: f64,
    pub looks: f64,
    pub parameters: Parameters,
    /// Articles x (factors + 1): by e and by v.z.
    pub vectors: Array2<f64>,
}

impl Gradient {
    pub fn zeros(like: &Parameters, articles: usize) -> Gradient {
        let factors = like.b.ncols();
        Gradient { loss: 0.0, looks: 0.0, parameters: like.zeros(), vectors: Array2::zeros((articles, factors + 1)) }
    }

    /// Adds those of a visit; `vectors`: e and v.z of each article.
    pub fn add_visit(&mut self, parameters: &Parameters, vectors: &Array2<f64>, seen: &Seen) {
        let person = parameters.person(seen.customer, seen.means);
        let factors = person.u.len();
        let affinity = |row: &Row| {
            let vector = vectors.row(row.article);
            let vector = vector.to_slice().unwrap_or_default();
            dot(&person.u, &vector[..factors]) + vector[factors] + dot(&parameters.t, &row.x)
        };
        let affinities: Vec<f64> = seen.rows.iter().map(affinity).collect();
        let score = |head: usize| -> Vec<f64> {
            seen.rows.iter().zip(&affinities).map(|(row, a)| parameters.head(head, *a, &row.r)).collect()
        };
        let slopes: [Vec<f64>; HEADS] = [
            self.look(seen.rows, &score(0)),
            self.deed(seen.rows, &score(1), 1.0, |row| row.bought),
            self.deed(seen.rows, &score(2), WISH, |row| row.wished),
        ];
        let mut by_u = vec![0.0; factors];
        let sums = &mut self.parameters;
        for (at, row) in seen.rows.iter().enumerate() {
            let mut by_affinity = 0.0;
            for (head, slopes) in slopes.iter().enumerate() {
                let slope = slopes[at];
                by_affinity += parameters.strengths[head] * slope;
                sums.strengths[head] += slope * affinities[at];
                add(&mut sums.records[head], slope, &row.r);
                if head > 0 {
                    sums.intercepts[head] += slope;
                }
            }
            let vector = vectors.row(row.article);
            add(&mut by_u, by_affinity, &vector.to_slice().unwrap_or_default()[..factors]);
            let mut by_vector = self.vectors.row_mut(row.article);
            by_vector.iter_mut().zip(&person.u).for_each(|(cell, u)| *cell += by_affinity * u);
            by_vector[factors] += by_affinity;
            add(&mut sums.t, by_affinity, &row.x);
        }
        outer(&mut sums.a, seen.customer, &by_u);
        for side in 0..2 {
            let by_gate = by_u.iter().zip(&person.past[side]).map(|(u, past)| u * past);
            sums.gates[side].iter_mut().zip(by_gate).for_each(|(sum, value)| *sum += value);
            let by_past: Vec<f64> = by_u.iter().zip(&parameters.gates[side]).map(|(u, gate)| u * gate).collect();
            outer(&mut sums.b, &seen.means[side], &by_past);
        }
    }

    /// Each look against what was not looked at.
    fn look(&mut self, rows: &[Row], scores: &[f64]) -> Vec<f64> {
        let others = || rows.iter().zip(scores).filter(|(row, _)| !row.looked).map(|(_, score)| *score);
        let total = maths::log_sum_exp(others());
        let mut slopes = vec![0.0; rows.len()];
        for at in (0..rows.len()).filter(|at| rows[*at].looked) {
            let with = maths::log_sum_exp([total, scores[at]].into_iter());
            self.loss += with - scores[at];
            self.looks += 1.0;
            slopes[at] += maths::exp(scores[at] - with) - 1.0;
            for other in (0..rows.len()).filter(|other| !rows[*other].looked) {
                slopes[other] += maths::exp(scores[other] - with);
            }
        }
        slopes
    }

    /// What was done with what was looked at.
    fn deed(&mut self, rows: &[Row], scores: &[f64], weight: f64, done: impl Fn(&Row) -> bool) -> Vec<f64> {
        let mut slopes = vec![0.0; rows.len()];
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.looked) {
            let label = f64::from(u8::from(done(row)));
            self.loss += weight * (maths::softplus(scores[at]) - label * scores[at]);
            slopes[at] = weight * (maths::sigmoid(scores[at]) - label);
        }
        slopes
    }

    /// Adds another's sums.
    pub fn add(&mut self, other: &Gradient) {
        self.loss += other.loss;
        self.looks += other.looks;
        let parts = self.parameters.parts_mut().into_iter().zip(other.parameters.parts());
        parts.for_each(|(sum, part)| add(sum, 1.0, part));
        self.vectors += &other.vectors;
    }

    /// The article side through z: by B and by v.
    pub fn through_articles(&mut self, z: &Array2<f64>) {
        let factors = self.parameters.b.ncols();
        for (row, by) in z.rows().into_iter().zip(self.vectors.rows()) {
            let (row, by) = (row.to_slice().unwrap_or_default(), by.to_slice().unwrap_or_default());
            if by.iter().any(|value| *value != 0.0) {
                outer(&mut self.parameters.b, row, &by[..factors]);
                add(&mut self.parameters.v, by[factors], row);
            }
        }
    }
}

/// Adds x y' to a matrix.
fn outer(matrix: &mut Array2<f64>, x: &[f64], y: &[f64]) {
    for (mut line, value) in matrix.rows_mut().into_iter().zip(x).filter(|(_, value)| **value != 0.0) {
        line.iter_mut().zip(y).for_each(|(cell, y)| *cell += value * y);
    }
}

impl Parameters {
    pub(super) fn zeros(&self) -> Parameters {
        let mut zeros = self.clone();
        zeros.parts_mut().into_iter().for_each(|part| part.fill(0.0));
        zeros
    }

    /// All numbers, in one order: A, B, v, t, then gates, strengths, records, intercepts.
    pub(super) fn parts(&self) -> Vec<&[f64]> {
        let matrices = [self.a.as_slice().unwrap_or_default(), self.b.as_slice().unwrap_or_default()];
        let records = self.records.iter().map(Vec::as_slice);
        let gates = self.gates.iter().map(Vec::as_slice);
        matrices
            .into_iter()
            .chain([&self.v[..], &self.t[..]])
            .chain(records)
            .chain(gates)
            .chain([&self.strengths[..], &self.intercepts[..]])
            .collect()
    }

    pub(super) fn parts_mut(&mut self) -> Vec<&mut [f64]> {
        let matrices = [self.a.as_slice_mut().unwrap_or_default(), self.b.as_slice_mut().unwrap_or_default()];
        let records = self.records.iter_mut().map(Vec::as_mut_slice);
        let gates = self.gates.iter_mut().map(Vec::as_mut_slice);
        matrices
            .into_iter()
            .chain([&mut self.v[..], &mut self.t[..]])
            .chain(records)
            .chain(gates)
            .chain([&mut self.strengths[..], &mut self.intercepts[..]])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;
    use ndarray::array;

    fn near(a: &[f64], b: &[f64], by: f64) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < by), "{a:?} {b:?}");
    }

    fn row(article: usize, looked: bool) -> Row {
        Row { article, x: vec![], r: vec![], looked, bought: false, wished: false }
    }

    fn vectors(parameters: &Parameters, z: &Array2<f64>) -> Array2<f64> {
        let e = z.dot(&parameters.b);
        let vz = z.dot(&ndarray::Array1::from(parameters.v.clone()));
        ndarray::concatenate![ndarray::Axis(1), e, vz.insert_axis(ndarray::Axis(1))].as_standard_layout().to_owned()
    }

    #[test]
    fn the_gradient_is_that_of_the_vector() {
        let parameters = Parameters {
            a: array![[0.1, 0.2], [0.3, -0.1]],
            b: array![[0.2, 0.1], [-0.1, 0.4], [0.3, 0.2]],
            gates: [vec![1.0; 2], vec![1.0; 2]],
            v: vec![0.0; 3],
            t: vec![],
            strengths: [1.0, 0.0, 0.0],
            records: [vec![], vec![], vec![]],
            intercepts: [0.0; 3],
        };
        let z = array![[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]];
        let means = [vec![0.0; 3], vec![0.0; 3]];
        let person = parameters.person(&[1.0, 2.0], &means);
        near(&person.u, &[0.7, 0.0], 1e-12);
        let rows = [row(0, true), row(1, false), row(2, false)];
        let mut gradient = Gradient::zeros(&parameters, 3);
        let seen = Seen { customer: &[1.0, 2.0], means: &means, rows: &rows };
        gradient.add_visit(&parameters, &vectors(&parameters, &z), &seen);
        // Nothing was bought or wished, with chances of one half.
        near(&[gradient.loss - 1.7 * 2.0_f64.ln()], &[0.880801], 1e-6);
        gradient.through_articles(&z);
        near(gradient.parameters.a.as_slice().unwrap(), &[-0.288682, 0.089878, -0.577365, 0.179757], 1e-6);
        near(gradient.parameters.b.as_slice().unwrap(), &[-0.190620, 0.0, 0.409884, 0.0, -0.409884, 0.0], 1e-6);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss_in_every_number() {
        let mut random = seeds::stream(3, "gradient", 0);
        let mut draw = |count: usize| -> Vec<f64> { (0..count).map(|_| seeds::normal(&mut random, 0.7)).collect() };
        let matrix =
            |rows: usize, columns: usize, values: Vec<f64>| Array2::from_shape_vec((rows, columns), values).unwrap();
        let parameters = Parameters {
            a: matrix(2, 2, draw(4)),
            b: matrix(3, 2, draw(6)),
            gates: [draw(2), draw(2)],
            v: draw(3),
            t: draw(2),
            strengths: [1.1, 0.7, -0.4],
            records: [draw(1), draw(1), draw(1)],
            intercepts: [0.0, 0.3, -0.6],
        };
        let z = matrix(4, 3, draw(12));
        let means = [draw(3), draw(3)];
        let mut rows: Vec<Row> = [0, 3, 1, 2].map(|article| row(article, article % 3 == 0)).into();
        rows.iter_mut().for_each(|row| (row.x, row.r) = (draw(2), draw(1)));
        (rows[0].bought, rows[1].wished) = (true, true);
        let customer = draw(2);
        let at = |parameters: &Parameters| {
            let mut gradient = Gradient::zeros(parameters, 4);
            let seen = Seen { customer: &customer, means: &means, rows: &rows };
            gradient.add_visit(parameters, &vectors(parameters, &z), &seen);
            gradient.through_articles(&z);
            gradient
        };
        let slopes: Vec<f64> = at(&parameters).parameters.parts().concat();
        let count = slopes.len();
        // The intercept of looks decides nothing, and is left alone.
        for number in (0..count).filter(|number| *number != count - 3) {
            let moved = |by: f64| {
                let mut parameters = parameters.clone();
                let mut all = parameters.parts_mut().into_iter().flatten();
                *all.nth(number).unwrap() += by;
                drop(all);
                at(&parameters).loss
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - slopes[number]).abs() < 1e-7, "{number}: {slope} {}", slopes[number]);
        }
    }
}
