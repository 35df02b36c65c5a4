//! What the look head learns from: what was looked at in a visit, against some of what else was on sale.

use crate::seeds;

/// Draws `count` rows of a shelf that were not looked at: those with the smallest hash of (seed, request, article), so
/// that the draw does not depend on what else is asked.  In the order of the rows; all of them where there are fewer.
///
/// `request`, `articles`: numbers that name them for good, such as hashes of their keys; `looked`: one for each article.
pub fn others(seed: u64, request: u64, articles: &[u64], looked: &[bool], count: usize) -> Vec<usize> {
    let rest = articles.iter().zip(looked).enumerate().filter(|(_, (_, looked))| !**looked);
    let mut lots: Vec<(u64, usize)> =
        rest.map(|(row, (article, _))| (seeds::mix(seed, [request, *article]), row)).collect();
    lots.sort_unstable();
    let mut rows: Vec<usize> = lots.into_iter().take(count).map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draw_is_of_those_not_looked_at_and_even() {
        let articles: Vec<u64> = (0..50).collect();
        let mut looked = [false; 50];
        looked[7] = true;
        let mut times = [0; 50];
        for request in 0..2000 {
            let rows = others(1, request, &articles, &looked, 10);
            assert!(rows.len() == 10 && rows.is_sorted());
            rows.iter().for_each(|row| times[*row] += 1);
        }
        assert_eq!(times[7], 0);
        assert!((0..50).filter(|row| *row != 7).all(|row| (330..490).contains(&times[row])), "{times:?}");
        assert_eq!(others(1, 5, &articles[..3], &looked[..3], 10), [0, 1, 2]);
        // An article that is no longer there takes nobody else's lot.
        let fewer = others(1, 5, &articles[..40], &looked[..40], 40);
        assert_eq!(fewer.len(), 39);
    }
}
