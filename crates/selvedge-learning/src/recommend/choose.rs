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

/// The first `wanted` of one customer's shelf, and what became of each row in the first list: one list after the other, each by
/// the rules over what those before it left, so that asking for more never changes what comes first.  Only rows that `may`
/// stand there are chosen.
pub fn lists(
    scores: &[f64],
    brands: &[Option<&str>],
    new: &[bool],
    rules: Rules,
    wanted: usize,
    may: impl Fn(usize) -> bool,
) -> (Vec<usize>, Vec<Why>) {
    let mut left: Vec<usize> = (0..scores.len()).filter(|row| may(*row)).collect();
    let (mut chosen, mut became) = (Vec::new(), Vec::new());
    while chosen.is_empty() || chosen.len() < wanted {
        let of_left: Vec<f64> = left.iter().map(|row| scores[*row]).collect();
        let new: Vec<bool> = left.iter().map(|row| new[*row]).collect();
        let (rows, answers) = list(&of_left, left.iter().map(|row| brands[*row]), &new, rules);
        if became.is_empty() {
            became = vec![Why::Rank { rank: 0 }; scores.len()];
            left.iter().zip(answers).for_each(|(row, why)| became[*row] = why);
        }
        if rows.is_empty() {
            break;
        }
        chosen.extend(rows.iter().map(|row| left[*row]));
        let mut gone = vec![false; left.len()];
        rows.into_iter().for_each(|row| gone[row] = true);
        let mut gone = gone.into_iter();
        left.retain(|_| !gone.next().unwrap_or_default());
    }
    (chosen, became)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_for_more_changes_nothing_that_comes_first() {
        let scores: Vec<f64> = (0..40).map(|row| 3.0 - 0.01 * f64::from(row)).collect();
        let brands: Vec<Option<&str>> = (0..40).map(|row| Some(["a", "b", "c", "d"][row % 4])).collect();
        let new: Vec<bool> = (0..40).map(|row| row > 30).collect();
        let rules = Rules { places: 10, ..Rules::default() };
        let of = |wanted| lists(&scores, &brands, &new, rules, wanted, |_| true).0;
        let first = list(&scores, brands.iter().copied(), &new, rules).0;
        assert_eq!((of(1), of(10)), (first.clone(), first.clone()));
        let all = of(100);
        assert_eq!((all.len(), &all[..10], &all[..20]), (40, &first[..], &of(11)[..]));
        let mut sorted = all.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..40).collect::<Vec<_>>(), "each once");
        let even = lists(&scores, &brands, &new, rules, 15, |row| row % 2 == 0).0;
        assert!(even.len() == 20 && even.iter().all(|row| row % 2 == 0));
        assert_eq!(lists(&scores, &brands, &new, rules, 15, |_| false).0, Vec::<usize>::new());
    }
}
