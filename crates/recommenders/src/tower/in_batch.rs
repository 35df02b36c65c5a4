//! The softmax over a batch, where a shelf is too long to be looked through: each request's article against those of the
//! other requests, corrected for how often an article is in a batch (Yi and others 2019).
//!
//! L_i = -ln( exp(s_ii - ln q_i) / sum_j exp(s_ij - ln q_j) ); scores are served without the correction.

use ndarray::Array2;

use crate::{ModelError, error::same_length, maths};

/// The loss of each request, and the gradient of their mean by each score.  `scores`: requests x their articles; `shares`:
/// q, each article's share of the training positives; `also`: whether article j is a positive of request i too, and left out.
///
/// # Errors
/// Shares of another number, a matrix that is not square, or a share that is not above 0.
pub fn in_batch(
    scores: &Array2<f64>,
    shares: &[f64],
    also: impl Fn(usize, usize) -> bool,
) -> Result<(Vec<f64>, Array2<f64>), ModelError> {
    let count = scores.nrows();
    same_length("columns", scores.ncols(), count)?;
    same_length("shares", shares.len(), count)?;
    if let Some(share) = shares.iter().find(|share| !(share.is_finite() && **share > 0.0)) {
        return Err(ModelError::Setting { what: "share", value: *share, allowed: "above 0" });
    }
    let mut gradient = Array2::zeros((count, count));
    let mut losses = Vec::with_capacity(count);
    for request in 0..count {
        let taken: Vec<usize> = (0..count).filter(|article| *article == request || !also(request, *article)).collect();
        let corrected = |article: usize| scores[(request, article)] - maths::ln(shares[article]);
        let total = maths::log_sum_exp(taken.iter().map(|article| corrected(*article)));
        losses.push(total - corrected(request));
        for article in taken {
            let own = f64::from(u8::from(article == request));
            gradient[(request, article)] = (maths::exp(corrected(article) - total) - own) / count as f64;
        }
    }
    Ok((losses, gradient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn near(a: &[f64], b: &[f64]) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }

    #[test]
    fn losses_and_gradient_are_those_of_the_vector() {
        let scores = array![[2.0, 1.0, 0.0], [0.5, 1.5, 0.2], [0.1, 0.3, 0.9]];
        let (losses, gradient) = in_batch(&scores, &[0.5, 0.3, 0.2], |_, _| false).unwrap();
        near(&losses, &[0.668583, 0.488289, 0.435416]);
        near(&[losses.iter().sum::<f64>() / 3.0], &[0.530763]);
        near(gradient.row(0).as_slice().unwrap(), &[-0.162522, 0.104730, 0.057792]);
        let (even, _) = in_batch(&scores, &[1.0; 3], |_, _| false).unwrap();
        near(&[even.iter().sum::<f64>() / 3.0], &[0.531590]);
        // Article 1 is a positive of request 0 too: as if it were not there.
        let (left_out, gradient) = in_batch(&scores, &[0.5, 0.3, 0.2], |i, j| (i, j) == (0, 1)).unwrap();
        near(&left_out[..1], &[(1.0 + (-2.0_f64).exp() * 0.5 / 0.2).ln()]);
        assert_eq!(gradient[(0, 1)], 0.0);
        assert!(in_batch(&scores, &[0.5, 0.0, 0.2], |_, _| false).is_err());
        assert!(in_batch(&Array2::zeros((0, 0)), &[], |_, _| false).unwrap().0.is_empty());
    }
}
