//! From ranks to a list: the best of each customer, within the rules of taste that params.yaml sets.

use std::collections::BTreeMap;

use recommenders::lists::{BrandShare, Rules, Why, choose};
use recommenders::maths::ln;
use selvedge_project::params::Recommend;

/// What a score of nothing is worth: so little that it never counts beside another.
const NOTHING: f64 = 1e-12;

/// The rules of params.yaml.
pub fn rules(params: &Recommend) -> Rules {
    Rules {
        places: params.per_customer,
        brand_share: Some(BrandShare { least: params.least_of_brand, times: params.brand_share }),
        at_least_new: params.at_least_new,
    }
}

/// The logarithm of a count, as a list's rules take scores.
pub fn worth(count: f64) -> f64 {
    ln(count.max(NOTHING))
}

/// The list of one customer's shelf: the chosen rows, best first, and what became of each row.
pub fn list<'a>(
    scores: &[f64],
    brands: impl Iterator<Item = Option<&'a str>>,
    new: &[bool],
    rules: Rules,
) -> (Vec<usize>, Vec<Why>) {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut number = |brand: &'a str| {
        let next = numbers.len() as u32;
        *numbers.entry(brand).or_insert(next)
    };
    let brands: Vec<Option<u32>> = brands.map(|brand| brand.map(&mut number)).collect();
    let answers = choose(scores, &brands, new, rules);
    let place = |(row, why): (usize, &Why)| match why {
        Why::Shown { place } => Some((*place, row)),
        _ => None,
    };
    let mut shown: Vec<(usize, usize)> = answers.iter().enumerate().filter_map(place).collect();
    shown.sort_unstable();
    (shown.into_iter().map(|(_, row)| row).collect(), answers)
}
