//! The best of each customer, with at most so many of one brand.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch};

use super::column;
use crate::error::Result;
use crate::params::Recommend;

/// A recommendation before it has a rank.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// Row in the candidates.
    pub row: usize,
    pub score: f64,
    /// Row among those that the model was asked for; none where it rests on no customer's behaviour.
    pub asked: Option<usize>,
}

/// By customer, best first, with at most so many of one brand; where that leaves too few, the next best whatever the
/// brand.
pub fn choose(limits: &Recommend, candidates: &RecordBatch, picks: Vec<Pick>) -> Result<Vec<(String, Vec<Pick>)>> {
    let customers = column(candidates, "candidates", "customer_id")?.as_string::<i32>();
    let brands = column(candidates, "candidates", "brand")?.as_string::<i32>();
    let mut by_customer = BTreeMap::<&str, Vec<Pick>>::new();
    picks.into_iter().for_each(|pick| by_customer.entry(customers.value(pick.row)).or_default().push(pick));
    let best = |(customer, mut picks): (&str, Vec<Pick>)| {
        // Equal scores go by article, so that the order never depends on chance.
        picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        let mut of_brand = BTreeMap::<&str, usize>::new();
        let (mut chosen, mut passed) = (Vec::new(), Vec::new());
        for pick in picks {
            let count = of_brand.entry(brands.value(pick.row)).or_default();
            *count += 1;
            if *count <= limits.max_per_brand { chosen.push(pick) } else { passed.push(pick) }
        }
        chosen.truncate(limits.per_customer);
        chosen.extend(passed.into_iter().take(limits.per_customer - chosen.len()));
        (customer.to_owned(), chosen)
    };
    Ok(by_customer.into_iter().map(best).collect())
}
