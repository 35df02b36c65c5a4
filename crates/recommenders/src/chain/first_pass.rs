//! The chain as a product of two vectors, one of the article and one of the customer: what a long shelf can be searched by.
//!
//! ```text
//! w look + (1 - p) buy + ln P(keep | buy)  =  bias(a) + sum over what the customer told of t(a)
//! ```
//! Where purchases are rare, ln P(buy) is nearly the buy head's log-odds; p is the share of looks that led to one.  What
//! only customer and article together tell, such as how often this customer looked at the brand, is left out.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::Chain;
use crate::ModelError;

impl Chain {
    /// The columns of what customers told that crosses read, in order: the places of [`Chain::customer_vector`] after its first.
    pub fn told(&self) -> Vec<usize> {
        let crosses = self.look.terms.crosses.iter().chain(&self.buy.terms.crosses);
        crosses.flat_map(|cross| cross.by.iter().copied()).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// A vector for each row, articles x (1 + [`Chain::told`]); `of_article`: which columns say the same whoever asks.
    ///
    /// # Errors
    /// As [`Chain::chances`](super::Chain::chances).
    pub fn article_vectors(&self, rows: ArrayView2<f64>, of_article: &[bool]) -> Result<Array2<f64>, ModelError> {
        self.accepts(rows)?;
        let told = self.told();
        let mut vectors = Array2::zeros((rows.nrows(), 1 + told.len()));
        let bought = self.buy.positives as f64 / self.buy.rows.max(1) as f64;
        let is = |column: usize| of_article.get(column).copied().unwrap_or(false);
        let heads = [(&self.look, self.weight), (&self.buy, 1.0 - bought)];
        let heads = heads.map(|(head, slope)| (head.terms.sources(), head, slope));
        for (row, mut vector) in rows.rows().into_iter().zip(vectors.rows_mut()) {
            vector[0] = self.keep.log_chance(row);
            for (sources, head, slope) in &heads {
                let terms = sources.iter().zip(&head.coefficients);
                for (source, coefficient) in terms.filter(|(source, _)| is(source.column)) {
                    let value = slope * coefficient * row[source.column];
                    match source.by {
                        None => vector[0] += value,
                        Some(by) if is(by) => vector[0] += value * row[by],
                        Some(by) => vector[1 + told.binary_search(&by).unwrap_or_default()] += value,
                    }
                }
            }
        }
        Ok(vectors)
    }

    /// What a customer's product with [`Chain::article_vectors`] is made with: 1, and what a row of theirs has in [`Chain::told`].
    pub fn customer_vector(&self, row: ArrayView1<f64>) -> Vec<f64> {
        std::iter::once(1.0).chain(self.told().into_iter().map(|column| row[column])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Cross, Head, Keep, KeptShares, Terms};
    use ndarray::{array, s};

    /// Columns: two that the customer ticked, two of the article, one of both, one that numbers the category.
    fn chain() -> Chain {
        let terms = Terms { linear: vec![2, 4], crosses: vec![Cross { by: vec![0, 1], columns: vec![2, 3] }] };
        let head = |coefficients: [f64; 6], positives| Head {
            terms: terms.clone(),
            coefficients: coefficients.into(),
            intercept: -1.0,
            l2: 1.0,
            rows: 100,
            positives,
        };
        let keep = KeptShares::fit(array![[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]].view(), &[true], 5, None).unwrap();
        Chain {
            weight: 0.5,
            look: head([0.4, 9.0, 0.1, 0.2, 0.3, -0.4], 30),
            buy: head([0.2, 9.0, 0.0, 0.5, -0.5, 0.25], 4),
            keep: Keep::Shares(keep),
        }
    }

    #[test]
    fn the_product_is_what_the_heads_say_less_what_both_tell() {
        let chain = chain();
        let of_article = [false, false, true, true, false, true];
        let rows = array![[1.0, 0.0, 2.0, 3.0, 0.7, 1.0], [1.0, 0.0, -1.0, 0.5, 0.1, 2.0]];
        let vectors = chain.article_vectors(rows.view(), &of_article).unwrap();
        assert_eq!(vectors.dim(), (2, 3));
        let customer = chain.customer_vector(rows.row(0));
        assert_eq!(customer, [1.0, 1.0, 0.0]);
        for (row, vector) in rows.rows().into_iter().zip(vectors.rows()) {
            let mut alone = row.to_owned();
            alone[4] = 0.0;
            let expected = 0.5 * (chain.look.score(alone.view()) + 1.0)
                + 0.96 * (chain.buy.score(alone.view()) + 1.0)
                + chain.keep.log_chance(row);
            let product: f64 = vector.iter().zip(&customer).map(|(a, b)| a * b).sum();
            assert!((product - expected).abs() < 1e-12, "{product} {expected}");
        }
        assert_eq!(chain.article_vectors(rows.slice(s![..0, ..]), &of_article).unwrap().nrows(), 0);
        assert!(chain.article_vectors(rows.slice(s![.., ..3]), &of_article).is_err());
    }
}
