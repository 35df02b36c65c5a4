//! How personal, varied and new lists are.  A list that is merely different is no success: printed beside hits only.

use std::collections::{BTreeMap, BTreeSet};

use crate::{dense, maths};

/// Articles that two lists share on average; `None` for fewer than two lists.
pub fn in_common(lists: &[Vec<u32>]) -> Option<f64> {
    in_common_within(lists, &vec![0; lists.len()])
}

/// Articles that two lists of the same group share on average, over all such pairs: one list for each region would look
/// personal, and is not.  `groups`: one for each list.
pub fn in_common_within(lists: &[Vec<u32>], groups: &[u32]) -> Option<f64> {
    let mut shown: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
    for (list, group) in lists.iter().zip(groups) {
        *sizes.entry(*group).or_default() += 1;
        for article in list.iter().collect::<BTreeSet<_>>() {
            *shown.entry((*group, *article)).or_default() += 1;
        }
    }
    let pairs = |count: &u64| count * (count - 1);
    let total: u64 = sizes.values().map(pairs).sum();
    (total > 0).then(|| shown.values().map(pairs).sum::<u64>() as f64 / total as f64)
}

/// The share of lists whose articles no other list has together, in whatever order; `None` without lists.
pub fn distinct(lists: &[Vec<u32>]) -> Option<f64> {
    let mut sets: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
    for list in lists {
        let mut set = list.clone();
        set.sort_unstable();
        *sets.entry(set).or_default() += 1;
    }
    let alone = sets.values().filter(|times| **times == 1).count();
    (!lists.is_empty()).then(|| alone as f64 / lists.len() as f64)
}

/// How unevenly places are given over the shelf: the Gini coefficient of how often each article is shown, 0 for all alike.
/// `shown`: one for each article on sale; `None` where nothing is shown.
pub fn exposure_gini(shown: &[u64]) -> Option<f64> {
    let mut sorted = shown.to_vec();
    sorted.sort_unstable();
    let count = sorted.len() as f64;
    let total: f64 = sorted.iter().map(|times| *times as f64).sum();
    let weighted: f64 =
        (1..).zip(&sorted).map(|(place, times)| (2.0 * f64::from(place) - count - 1.0) * *times as f64).sum();
    (total > 0.0).then(|| weighted / (count * total))
}

/// Mean of -log2 of the share of customers that each article of a list is shown to, in bits; `shown`: to how many of
/// `customers` each article of the list is shown.  `None` for an empty list or an article that nobody is shown.
pub fn surprise(shown: &[u64], customers: u64) -> Option<f64> {
    if shown.is_empty() || shown.contains(&0) {
        return None;
    }
    let bits = |times: &u64| maths::log2(customers as f64 / *times as f64);
    Some(shown.iter().map(bits).sum::<f64>() / shown.len() as f64)
}

/// One minus the mean cosine of all pairs of descriptions in a list; `None` for fewer than two.
pub fn varied(descriptions: &[&[f64]]) -> Option<f64> {
    let pairs = (0..descriptions.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let (sum, count) = pairs
        .fold((0.0, 0.0), |(sum, count), (a, b)| (sum + dense::cosine(descriptions[a], descriptions[b]), count + 1.0));
    (count > 0.0).then(|| 1.0 - sum / count)
}

/// A customer's own kinds: how often each kind is among bought and wished, mixed with the shop's shares.
#[derive(Debug, Clone, PartialEq)]
pub struct KindShares(pub Vec<f64>);

impl KindShares {
    /// (count + weight x shop's share)/(total + weight) for each kind; `shop`: shares that sum to 1.  With nothing bought
    /// or wished they are the shop's.
    pub fn of(counts: &[f64], shop: &[f64], weight: f64) -> KindShares {
        let total: f64 = counts.iter().sum::<f64>() + weight;
        let share = |(count, shop): (&f64, &f64)| if total > 0.0 { (count + weight * shop) / total } else { *shop };
        KindShares(counts.iter().zip(shop).map(share).collect())
    }
}

/// How far a list's kinds `list` (shares that sum to 1) are from the customer's own: KL(own, .99 list + .01 own), 0 for the
/// same (Steck 2018).
pub fn kinds_apart(own: &KindShares, list: &[f64]) -> f64 {
    let part = |(own, list): (&f64, &f64)| {
        if *own > 0.0 { own * maths::ln(own / (0.99 * list + 0.01 * own)) } else { 0.0 }
    };
    own.0.iter().zip(list).map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() < 1e-6, "{a:?} {b}");
    }

    #[test]
    fn the_figures_are_those_of_the_vectors() {
        near(in_common(&[vec![1, 2, 3], vec![1, 2, 4], vec![5, 6, 1]]), 1.333333);
        near(exposure_gini(&[0, 6, 0, 3, 1]), 0.6);
        near(Some(kinds_apart(&KindShares(vec![0.6, 0.3, 0.1]), &[0.3, 0.3, 0.4])), 0.272042);
        near(varied(&[&[1.0, 0.0], &[0.8, 0.6], &[0.0, 1.0]]), 0.533333);
        near(surprise(&[50, 10, 1], 1000), 6.977190);
    }

    #[test]
    fn one_list_for_each_region_is_not_personal() {
        let lists = [vec![1, 2], vec![1, 2], vec![3, 4], vec![4, 3], vec![5, 6]];
        near(in_common(&lists), 0.4);
        near(in_common_within(&lists, &[0, 0, 1, 1, 2]), 2.0);
        near(distinct(&lists), 0.2);
        assert_eq!(in_common_within(&lists[1..3], &[0, 1]), None);
    }

    #[test]
    fn nothing_shown_has_no_figure() {
        assert_eq!([in_common(&[]), distinct(&[]), exposure_gini(&[]), exposure_gini(&[0, 0])], [None; 4]);
        assert_eq!([surprise(&[], 9), surprise(&[0], 9), varied(&[]), varied(&[&[1.0]])], [None; 4]);
        near(varied(&[&[0.0], &[0.0]]), 1.0);
        assert_eq!(kinds_apart(&KindShares(vec![]), &[]), 0.0);
        assert_eq!(KindShares::of(&[0.0, 0.0], &[0.3, 0.7], 5.0), KindShares(vec![0.3, 0.7]));
        assert_eq!(KindShares::of(&[0.0, 0.0], &[0.3, 0.7], 0.0), KindShares(vec![0.3, 0.7]));
        assert_eq!(KindShares::of(&[5.0, 0.0], &[0.5, 0.5], 5.0), KindShares(vec![0.75, 0.25]));
    }
}
