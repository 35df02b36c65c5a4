//! Sums over rows that are the same for any number of threads.

use std::ops::Range;

use rayon::prelude::*;

/// Rows that are summed by one thread, from first to last.
pub const ROWS: usize = 1024;

/// The blocks of `rows` rows, in order.
pub fn ranges(rows: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    (0..rows.div_ceil(ROWS)).into_par_iter().map(move |block| block * ROWS..rows.min((block + 1) * ROWS))
}

/// Sums `width` figures over `rows` rows: `add` adds those of a block of rows to zeros; the blocks are added in order.
pub fn sum(rows: usize, width: usize, add: impl Fn(Range<usize>, &mut [f64]) + Sync) -> Vec<f64> {
    let of_block = |range: Range<usize>| {
        let mut sums = vec![0.0; width];
        add(range, &mut sums);
        sums
    };
    let mut total = vec![0.0; width];
    // A round of blocks at a time, so that memory does not grow with the rows.
    let round = 64 * ROWS;
    for start in (0..rows).step_by(round) {
        let parts: Vec<Vec<f64>> =
            ranges(round.min(rows - start)).map(|range| of_block(range.start + start..range.end + start)).collect();
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    total
}

/// Does something inside the pool of threads, so that each of its many short parallel parts begins without a handover.
pub fn inside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_threads_gives_the_same_sum() {
        let value = |row: usize| 1.0 / (row as f64 + 0.3);
        let total = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum(100_000, 1, |rows, sums| rows.for_each(|row| sums[0] += value(row))))
        };
        assert_eq!(total(1), total(2));
        assert_eq!(total(1), total(8));
        assert!((total(1)[0] - (0..100_000).map(value).sum::<f64>()).abs() < 1e-9);
        assert_eq!(sum(0, 2, |_, _| ()), [0.0, 0.0]);
    }
}
