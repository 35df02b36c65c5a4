//! Symmetric matrices: Cholesky decomposition, solutions and inverse, in blocks whose products are matrixmultiply's.
//!
//! Every number is a sum over one index in rising order, so neither threads nor the width of a processor's registers show.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, linalg::general_mat_mul, s};
use rayon::prelude::*;

use crate::ModelError;

/// How a matrix is stored: its number of columns, and its numbers row by row.
pub mod stored {
    use ndarray::Array2;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Writes a matrix.
    pub fn serialize<S: Serializer>(matrix: &Array2<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        (matrix.nrows(), matrix.ncols(), matrix.iter().collect::<Vec<_>>()).serialize(serializer)
    }

    /// Reads a matrix.
    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Array2<f64>, D::Error> {
        let (rows, columns, values) = <(usize, usize, Vec<f64>)>::deserialize(deserializer)?;
        Array2::from_shape_vec((rows, columns), values).map_err(D::Error::custom)
    }
}

/// Rows and columns that are worked on together.
const BLOCK: usize = 64;

/// The sum of the products, from left to right in four lanes that are added at the end.
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (heads, tails) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = heads.remainder().iter().zip(tails.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in heads.zip(tails) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

/// Adds `factor * b` to `a`.
pub fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

/// Sums that [`dot_wide`] adds to side by side.
const LANES: usize = 16;

/// As [`dot`] in sixteen lanes, for long vectors: as fast as a processor multiplies, and the same on each.
#[inline(always)]
pub fn dot_wide(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (heads, tails) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = dot(heads.remainder(), tails.remainder());
    for (a, b) in heads.zip(tails) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0] + rest
}

/// Adds the sum of four vectors, each times its factor, to `a`; `a` is read and written once for all four.
#[inline(always)]
pub fn add_four(a: &mut [f64], factors: [f64; 4], vectors: [&[f64]; 4]) {
    let length = a.len();
    let [b, c, d, e] = vectors.map(|vector| &vector[..length]);
    for at in 0..length {
        a[at] += (factors[0] * b[at] + factors[1] * c[at]) + (factors[2] * d[at] + factors[3] * e[at]);
    }
}

/// The cosine of the angle between two vectors; 0 where one of them has no length.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// A lower triangle L with L L' = A.
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Decomposes a symmetric positive definite matrix, of which only the lower triangle is read.
    ///
    /// # Errors
    /// A matrix that is not positive definite.
    pub fn new(mut matrix: Array2<f64>) -> Result<Cholesky, ModelError> {
        let size = matrix.nrows();
        for start in (0..size).step_by(BLOCK) {
            let end = size.min(start + BLOCK);
            corner(matrix.slice_mut(s![start..end, start..end]))
                .map_err(|row| ModelError::NotDefinite { size, row: start + row })?;
            let diagonal = matrix.slice(s![start..end, start..end]).to_owned();
            let (_, mut below) = matrix.view_mut().split_at(Axis(0), end);
            let (left, right) = below.view_mut().split_at(Axis(1), end);
            let mut panel = left;
            let mut panel = panel.slice_mut(s![.., start..end]);
            rows_of(panel.view_mut()).into_par_iter().for_each(|mut rows| {
                rows.rows_mut().into_iter().for_each(|row| forward_row(&diagonal, row));
            });
            let panel = panel.to_owned();
            rows_of(right).into_par_iter().enumerate().for_each(|(block, mut rows)| {
                let from = block * BLOCK;
                let until = from + rows.nrows();
                let (a, b) = (panel.slice(s![from..until, ..]), panel.slice(s![..until, ..]));
                general_mat_mul(-1.0, &a, &b.t(), 1.0, &mut rows.slice_mut(s![.., ..until]));
            });
        }
        Ok(Cholesky(matrix))
    }

    /// x with A x = `right`, in its place.
    pub fn solve(&self, right: &mut [f64]) {
        let size = right.len();
        for row in 0..size {
            let line = self.0.row(row);
            let sum = line.iter().zip(&right[..row]).fold(0.0, |sum, (l, x)| sum + l * x);
            right[row] = (right[row] - sum) / self.0[(row, row)];
        }
        for row in (0..size).rev() {
            right[row] /= self.0[(row, row)];
            let value = right[row];
            right[..row].iter_mut().zip(self.0.row(row)).for_each(|(x, l)| *x -= l * value);
        }
    }

    /// The inverse of A; symmetric to the last bit.
    pub fn inverse(&self) -> Array2<f64> {
        let size = self.0.nrows();
        let columns: Vec<Array2<f64>> =
            (0..size.div_ceil(BLOCK)).into_par_iter().map(|block| self.inverse_columns(block * BLOCK)).collect();
        let mut inverse = Array2::zeros((size, size));
        for (block, columns) in columns.into_iter().enumerate() {
            let start = block * BLOCK;
            for ((row, column), value) in columns.indexed_iter() {
                let (row, column) = (start + row, start + column);
                if row >= column {
                    inverse[(row, column)] = *value;
                    inverse[(column, row)] = *value;
                }
            }
        }
        inverse
    }

    /// A block of columns of the inverse, from its diagonal downwards: L Y = I, then L' X = Y.
    fn inverse_columns(&self, start: usize) -> Array2<f64> {
        let (lower, size) = (&self.0, self.0.nrows());
        let width = BLOCK.min(size - start);
        let mut x = Array2::zeros((size - start, width));
        x.slice_mut(s![..width, ..]).diag_mut().fill(1.0);
        for at in (start..size).step_by(BLOCK) {
            let end = size.min(at + BLOCK);
            let (done, mut todo) = x.view_mut().split_at(Axis(0), at - start);
            let mut here = todo.slice_mut(s![..end - at, ..]);
            general_mat_mul(-1.0, &lower.slice(s![at..end, start..at]), &done, 1.0, &mut here);
            forward(lower.slice(s![at..end, at..end]), &mut here);
        }
        for at in (start..size).step_by(BLOCK).rev() {
            let end = size.min(at + BLOCK);
            let (mut todo, done) = x.view_mut().split_at(Axis(0), end - start);
            let mut here = todo.slice_mut(s![at - start.., ..]);
            general_mat_mul(-1.0, &lower.slice(s![end.., at..end]).t(), &done, 1.0, &mut here);
            backward(lower.slice(s![at..end, at..end]), &mut here);
        }
        x
    }
}

/// The rows of a matrix in blocks.
fn rows_of(mut matrix: ArrayViewMut2<f64>) -> Vec<ArrayViewMut2<f64>> {
    let mut blocks = Vec::new();
    while matrix.nrows() > BLOCK {
        let (first, rest) = matrix.split_at(Axis(0), BLOCK);
        blocks.push(first);
        matrix = rest;
    }
    blocks.push(matrix);
    blocks
}

/// Decomposes a small matrix in its place, or tells the row at which it is not positive definite.
fn corner(mut a: ArrayViewMut2<f64>) -> Result<(), usize> {
    for row in 0..a.nrows() {
        for column in 0..=row {
            let sum = (0..column).fold(0.0, |sum, k| sum + a[(row, k)] * a[(column, k)]);
            let value = a[(row, column)] - sum;
            a[(row, column)] = if row > column {
                value / a[(column, column)]
            } else if value > 0.0 && value.is_finite() {
                value.sqrt()
            } else {
                return Err(row);
            };
        }
    }
    Ok(())
}

/// x with L x = row, in its place.
fn forward_row(lower: &Array2<f64>, mut row: ndarray::ArrayViewMut1<f64>) {
    for at in 0..row.len() {
        let sum = (0..at).fold(0.0, |sum, k| sum + lower[(at, k)] * row[k]);
        row[at] = (row[at] - sum) / lower[(at, at)];
    }
}

/// X with L X = B, in its place.
fn forward(lower: ArrayView2<f64>, b: &mut ArrayViewMut2<f64>) {
    for row in 0..b.nrows() {
        let (above, mut here) = b.view_mut().split_at(Axis(0), row);
        let mut here = here.row_mut(0);
        above.rows().into_iter().enumerate().for_each(|(k, line)| here.scaled_add(-lower[(row, k)], &line));
        here /= lower[(row, row)];
    }
}

/// X with L' X = B, in its place.
fn backward(lower: ArrayView2<f64>, b: &mut ArrayViewMut2<f64>) {
    for row in (0..b.nrows()).rev() {
        let (mut here, below) = b.view_mut().split_at(Axis(0), row + 1);
        let mut here = here.row_mut(row);
        below.rows().into_iter().enumerate().for_each(|(k, line)| here.scaled_add(-lower[(row + 1 + k, row)], &line));
        here /= lower[(row, row)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    fn definite(size: usize) -> Array2<f64> {
        let mut random = seeds::stream(1, "matrix", size as u64);
        let half = Array2::from_shape_simple_fn((size, size), || seeds::normal(&mut random, 1.0));
        half.dot(&half.t()) + Array2::<f64>::eye(size) * size as f64
    }

    #[test]
    fn the_inverse_undoes_the_matrix_whatever_its_size() {
        for size in [1, 2, 63, 64, 65, 200] {
            let matrix = definite(size);
            let cholesky = Cholesky::new(matrix.clone()).unwrap();
            let inverse = cholesky.inverse();
            assert_eq!(inverse, inverse.t());
            let error = (matrix.dot(&inverse) - Array2::<f64>::eye(size)).mapv(f64::abs).fold(0.0, |a, b| b.max(a));
            assert!(error < 1e-12, "{size}: {error}");
            let mut solved = matrix.column(size - 1).to_vec();
            cholesky.solve(&mut solved);
            assert!(solved.iter().enumerate().all(|(at, x)| (x - f64::from(at == size - 1)).abs() < 1e-12));
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let matrix = definite(300);
        let inverse = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Cholesky::new(matrix.clone()).unwrap().inverse())
        };
        assert_eq!(inverse(1), inverse(2));
        assert_eq!(inverse(1), inverse(8));
    }

    #[test]
    fn what_is_not_definite_is_refused() {
        let mut matrix = definite(100);
        matrix[(80, 80)] = -1.0;
        assert_eq!(Cholesky::new(matrix).unwrap_err(), ModelError::NotDefinite { size: 100, row: 80 });
        assert_eq!(Cholesky::new(Array2::zeros((0, 0))).unwrap().inverse().len(), 0);
    }

    #[test]
    fn vectors() {
        assert_eq!(dot(&[1.0; 7], &[2.0; 7]), 14.0);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 0.0]), 0.0);
    }
}
