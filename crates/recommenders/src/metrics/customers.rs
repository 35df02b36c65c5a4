//! Each customer counts once, however many visits there are.

use std::collections::BTreeMap;

/// The mean of each customer's values, by customer.  Values that are not finite (no target, no list) are not counted, and a
/// customer without any is left out.  The mean over customers is that of what is returned.
pub fn by_customer<C: Ord + Copy>(values: impl IntoIterator<Item = (C, f64)>) -> BTreeMap<C, f64> {
    let mut sums: BTreeMap<C, (f64, f64)> = BTreeMap::new();
    for (customer, value) in values.into_iter().filter(|(_, value)| value.is_finite()) {
        let (sum, count) = sums.entry(customer).or_default();
        *sum += value;
        *count += 1.0;
    }
    sums.into_iter().map(|(customer, (sum, count))| (customer, sum / count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_who_comes_daily_counts_once() {
        let visits = [(1, 1.0), (1, 1.0), (1, 1.0), (1, 1.0), (1, 0.0), (2, 0.0), (3, 1.0), (4, f64::NAN)];
        let means = by_customer(visits);
        assert_eq!(means.len(), 3);
        assert!((means.values().sum::<f64>() / 3.0 - 0.6).abs() < 1e-12);
    }
}
