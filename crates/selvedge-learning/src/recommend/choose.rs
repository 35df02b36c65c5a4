//! The best of each customer, with at most so many of one brand.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};

use super::column;
use selvedge_project::error::Result;
use selvedge_project::params::Recommend;

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
/// brand.  So many places of a personal list go to the best of the new articles: nobody has bought those yet, so against
/// a record they would never be seen, and a catalogue that changes weekly would stand still.
pub fn choose(limits: &Recommend, candidates: &RecordBatch, picks: Vec<Pick>) -> Result<Vec<(String, Vec<Pick>)>> {
    let customers = column(candidates, "candidates", "customer_id")?.as_string::<i32>();
    let brands = column(candidates, "candidates", "brand")?.as_string::<i32>();
    let new = column(candidates, "candidates", "new")?.as_boolean();
    let mut by_customer = BTreeMap::<&str, Vec<Pick>>::new();
    picks.into_iter().for_each(|pick| by_customer.entry(customers.value(pick.row)).or_default().push(pick));
    let best = |(customer, mut picks): (&str, Vec<Pick>)| {
        // Equal scores go by article, so that the order never depends on chance.
        picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        let is_new = |pick: &Pick| pick.asked.is_some() && new.value(pick.row);
        let kept_free = limits.at_least_new.min(limits.per_customer);
        let mut list = List { limits, brands, of_brand: BTreeMap::new(), chosen: Vec::new() };
        list.fill(picks.iter().filter(|pick| is_new(pick)), kept_free, false);
        list.fill(picks.iter(), limits.per_customer, false);
        list.fill(picks.iter(), limits.per_customer, true);
        let mut chosen = list.chosen;
        chosen.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        (customer.to_owned(), chosen)
    };
    Ok(by_customer.into_iter().map(best).collect())
}

/// A customer's list while it is filled.
struct List<'a> {
    limits: &'a Recommend,
    brands: &'a StringArray,
    of_brand: BTreeMap<&'a str, usize>,
    chosen: Vec<Pick>,
}

impl List<'_> {
    /// Takes the first of `picks` until the list is `long`.
    fn fill<'p>(&mut self, picks: impl Iterator<Item = &'p Pick>, long: usize, any_brand: bool) {
        for pick in picks {
            if self.chosen.len() >= long {
                return;
            }
            let count = self.of_brand.entry(self.brands.value(pick.row)).or_default();
            let fits = any_brand || *count < self.limits.max_per_brand;
            if fits && !self.chosen.iter().any(|chosen| chosen.row == pick.row) {
                *count += 1;
                self.chosen.push(pick.clone());
            }
        }
    }
}
