//! Articles that are like another: by what their descriptions say, and by what they share.

use chrono::{DateTime, Utc};

use super::catalogue::{Key, Known};
use super::lists::Serving;

/// On what a list of like articles rests: vectors of descriptions, or what both share where there are none.
const BASES: [&str; 2] = ["descriptions", "what they share"];

/// An article that is like another.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    pub key: Key,
    pub brand: Option<String>,
    /// The cosine of both descriptions' vectors; where one has none, the share of what could be the same and is.
    pub score: f64,
    pub basis: &'static str,
    pub reason: String,
}

/// How like articles are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    pub articles: usize,
    pub offset: usize,
    pub exclude: Vec<String>,
    pub category: Vec<String>,
    pub country: Option<String>,
}

impl Serving {
    /// What can be had at a moment and is most like an article; none where there is no such article.
    pub fn similar(&self, product: &str, season: &str, wish: &Wish, at: DateTime<Utc>) -> Option<Vec<Alike>> {
        let asked = self.catalogue.article(product, season)?;
        let project = &self.tables.project;
        let is_wanted = |(key, known): &(&Key, &Known)| {
            let same = key.0 == product && known.first_season == asked.first_season;
            let kind = known.words.category.as_ref();
            !same
                && !wish.exclude.contains(&key.0)
                && (wish.category.is_empty() || kind.is_some_and(|kind| wish.category.contains(kind)))
                && known.can_be_had(project, at, wish.country.as_deref())
        };
        let mut found: Vec<Alike> = self
            .catalogue
            .articles
            .iter()
            .filter(is_wanted)
            .map(|(key, known)| {
                let (score, basis) = match (&asked.vector, &known.vector) {
                    (Some(a), Some(b)) => (cosine(a, b), BASES[0]),
                    _ => (shared(asked, known), BASES[1]),
                };
                Alike {
                    key: key.clone(),
                    brand: known.brand.clone(),
                    score,
                    basis,
                    reason: reason(asked, known, basis),
                }
            })
            .collect();
        // Descriptions say more than what is shared; equal ones stay in the order of their keys.
        let rank = |alike: &Alike| BASES.iter().position(|basis| *basis == alike.basis);
        found.sort_by(|a, b| rank(a).cmp(&rank(b)).then(b.score.total_cmp(&a.score)));
        Some(found.into_iter().skip(wish.offset).take(wish.articles).collect())
    }
}

/// Of two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    f64::from(a.iter().zip(b).fold(0.0_f32, |sum, (a, b)| sum + a * b))
}

/// What both are, of kind, brand, material and colour.
fn both<'a>(asked: &'a Known, known: &Known) -> [Option<&'a str>; 4] {
    let pairs = [
        (&asked.words.category, &known.words.category),
        (&asked.brand, &known.brand),
        (&asked.material, &known.material),
        (&asked.colour, &known.colour),
    ];
    pairs.map(|(a, b)| a.as_deref().filter(|_| a == b))
}

fn shared(asked: &Known, known: &Known) -> f64 {
    both(asked, known).iter().flatten().count() as f64 / 4.0
}

fn reason(asked: &Known, known: &Known, basis: &str) -> String {
    let [category, brand, material, colour] = both(asked, known);
    let words: Vec<String> = [
        category.map(|category| format!("also {category}")),
        brand.map(|brand| format!("also from {brand}")),
        material.map(|material| format!("also {material}")),
        colour.map(|colour| format!("also {colour}")),
    ]
    .into_iter()
    .flatten()
    .take(2)
    .collect();
    let first = if basis == BASES[0] { "described alike" } else { "" };
    let parts: Vec<&str> =
        std::iter::once(first).chain(words.iter().map(String::as_str)).filter(|w| !w.is_empty()).collect();
    if parts.is_empty() { "can be had now".into() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Words;

    #[test]
    fn what_is_shared_is_said() {
        let known = |category: &str, brand: Option<&str>| Known {
            words: Words { category: Some(category.into()), ..Words::default() },
            brand: brand.map(str::to_owned),
            ..Known::default()
        };
        let (asked, other) = (known("Shirts", Some("B")), known("Shirts", Some("B")));
        assert_eq!(reason(&asked, &other, BASES[0]), "described alike, also Shirts, also from B");
        assert_eq!(
            (reason(&asked, &known("Socks", None), BASES[1]).as_str(), shared(&asked, &other)),
            ("can be had now", 0.5)
        );
        assert_eq!(both(&known("Shirts", None), &known("Shirts", None))[1], None, "nobody shares what neither has");
        assert!((cosine(&[0.6, 0.8], &[0.8, 0.6]) - 0.96).abs() < 1e-6);
    }
}
