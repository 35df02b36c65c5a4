//! `selvedge compare <a> <b>`: how the lists and scores of two releases differ, for the same customers at the same moment.

use std::collections::HashMap;
use std::path::Path;
use std::sync::RwLock;

use selvedge_project::error::Result;
use selvedge_project::project::Project;

use super::journal;
use super::lists::{Article, Effort, Pace, Serving};
use super::past::Past;
use super::release::Release;
use super::who::Ask;

/// Customers who are asked for together.
const TOGETHER: usize = 64;

/// How two releases differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Customers whom both know.
    pub customers: usize,
    /// Of them, those whose lists are the same, article by article.
    pub same: usize,
    /// Those whose lists begin with the same article.
    pub same_first: usize,
    /// Those whose lists are personal in the one and not in the other.
    pub other_basis: usize,
    /// Articles of all lists of the first release, and how many of them the other shows to the same customer.
    pub articles: usize,
    pub shared: usize,
    /// The largest and the mean difference of the scores of shared articles of personal lists; none where there are none, or where
    /// rankings are on other scales.
    pub scores: Option<(f64, f64)>,
}

/// Compares two releases, for at most so many customers.
///
/// # Errors
/// Releases that cannot be loaded.
pub fn compare(
    project: &Project,
    open: fn(&Path) -> Result<Project>,
    names: [&str; 2],
    most: usize,
) -> Result<Comparison> {
    let releases = [Release::find(project, names[0])?, Release::find(project, names[1])?];
    let past = RwLock::new(Past::read(&journal::folder(project.paths.root()))?);
    let last = past.read().unwrap_or_else(std::sync::PoisonError::into_inner).last();
    let at = last.unwrap_or(project.params.shop.exported_at).max(project.params.shop.exported_at);
    let [a, b] = releases.map(|release| Serving::load(release, open, &past, at));
    let (a, b) = (a?, b?);
    let known = |id: &String| b.tables.consents(id).is_some();
    let customers: Vec<String> = a.tables.customers(most).into_iter().filter(known).collect();
    let mut comparison = Comparison::default();
    let mut differences = Vec::new();
    for part in customers.chunks(TOGETHER) {
        let asks: Vec<Ask> = part.iter().map(|id| Ask::of(id)).collect();
        let of = |serving: &Serving| serving.lists(&past, &asks, at, None, Pace::of(Effort::Full));
        for (a, b) in of(&a)?.lists.iter().zip(&of(&b)?.lists) {
            comparison.add(a, b, &mut differences);
        }
    }
    let count = differences.len();
    let largest = differences.iter().copied().fold(0.0, f64::max);
    comparison.scores = (count > 0).then(|| (largest, differences.iter().sum::<f64>() / count as f64));
    Ok(comparison)
}

impl Comparison {
    fn add(&mut self, a: &[Article], b: &[Article], differences: &mut Vec<f64>) {
        let key = |article: &Article| (article.product_id.clone(), article.season.clone());
        let personal = |list: &[Article]| list.iter().any(|article| article.basis == "personal");
        self.customers += 1;
        self.same += usize::from(a.iter().map(key).eq(b.iter().map(key)));
        self.same_first += usize::from(a.first().map(key) == b.first().map(key));
        self.other_basis += usize::from(personal(a) != personal(b));
        self.articles += a.len();
        let scores: HashMap<_, f64> = b.iter().map(|article| (key(article), article.score)).collect();
        for article in a {
            let Some(score) = scores.get(&key(article)) else { continue };
            self.shared += 1;
            if personal(a) && personal(b) {
                differences.push((article.score - score).abs());
            }
        }
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { customers, same, same_first, other_basis, articles, shared, scores } = self;
        writeln!(f, "{same} of {customers} customers are shown the same list, {same_first} the same first article")?;
        writeln!(f, "{shared} of {articles} articles stay in the lists of the same customers")?;
        if *other_basis > 0 {
            writeln!(f, "{other_basis} lists rest on the ranking in one release and on what is popular in the other")?;
        }
        match scores {
            Some((largest, mean)) => {
                writeln!(f, "scores of articles that stay differ by {mean:.4} in the mean, {largest:.4} at most")
            }
            None => writeln!(f, "no article stays in two personal lists, so that no scores can be compared"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(number: &str, score: f64) -> Article {
        Article {
            place: 1,
            product_id: number.into(),
            season: "SS31".into(),
            brand: None,
            score,
            chance: None,
            basis: "personal".into(),
            reason: "it fits".into(),
            propensity: 1.0,
        }
    }

    #[test]
    fn what_stays_and_what_moves_is_counted() {
        let (mut comparison, mut differences) = (Comparison::default(), Vec::new());
        let list = [article("1", 0.5), article("2", 0.25)];
        comparison.add(&list, &list, &mut differences);
        comparison.add(&list, &[article("2", 0.75), article("3", 0.1)], &mut differences);
        comparison.add(&[], &[], &mut differences);
        assert_eq!((comparison.customers, comparison.same, comparison.same_first), (3, 2, 2));
        assert_eq!((comparison.articles, comparison.shared, differences), (4, 3, vec![0.0, 0.0, 0.5]));
    }
}
