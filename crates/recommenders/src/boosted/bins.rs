//! Columns in bins, so that a tree looks for splits among some hundred values instead of all.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Bins of a column at most; a bin's number fits into a byte.
const MOST: usize = 255;

/// A column's bins: rows above the last limit are in the last bin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Bin b holds values up to `limits[b]` and above `limits[b - 1]`.
    pub limits: Vec<f64>,
    /// The bin of each row.
    pub rows: Vec<u8>,
}

/// Puts every column into bins: one for each value where there are at most 255 of them, else about equally many rows in
/// each, never one value in two.  Limits are halfway between values.
pub(super) fn columns(matrix: ArrayView2<f64>) -> Vec<Column> {
    (0..matrix.ncols()).into_par_iter().map(|column| of_column(&matrix.column(column).to_vec())).collect()
}

fn of_column(values: &[f64]) -> Column {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let groups: Vec<&[f64]> = sorted.chunk_by(|a, b| a == b).collect();
    let mut limits = Vec::new();
    // Rows that are left, for the bins that are left.
    let (mut rows, mut bins, mut filled) = (sorted.len(), MOST, 0);
    for (at, group) in groups.iter().enumerate().take(groups.len().saturating_sub(1)) {
        filled += group.len();
        if groups.len() <= MOST || filled * bins >= rows {
            limits.push(group[0] + (groups[at + 1][0] - group[0]) / 2.0);
            (rows, bins, filled) = (rows - filled, bins - 1, 0);
        }
        if bins == 1 {
            break;
        }
    }
    let rows = values.iter().map(|value| limits.partition_point(|limit| limit < value) as u8).collect();
    Column { limits, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn few_values_have_a_bin_each_and_many_share_them_evenly() {
        let few = of_column(&[3.0, 1.0, 1.0, 2.0, -0.0, 0.0]);
        assert_eq!((few.limits, few.rows), (vec![0.5, 1.5, 2.5], vec![3, 1, 1, 2, 0, 0]));
        let many = of_column(&(0..10_000).map(|row| f64::from(row * 7 % 10_000)).collect::<Vec<_>>());
        assert!((250..=254).contains(&many.limits.len()), "{}", many.limits.len());
        let mut counts = [0; 256];
        many.rows.iter().for_each(|bin| counts[usize::from(*bin)] += 1);
        assert!(counts[..=many.limits.len()].iter().all(|count| (30..60).contains(count)), "{counts:?}");
        // Half of the rows are one value.
        let uneven = of_column(&(0..10_000).map(|row| f64::from((row - 5000).max(0))).collect::<Vec<_>>());
        assert!(uneven.limits.len() > 200 && uneven.limits[0] == 0.5);
        assert_eq!(columns(Array2::zeros((0, 1)).view())[0].limits, [0.0; 0]);
    }
}
