//! What a change does to the lists that customers are shown: how many change, whose, from what to what, and whether they
//! then find more of what is bought and kept.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;
use recommenders::metrics::{Range, Ranges};
use serde::Deserialize;

use super::ChangesError;
use super::sides::Side;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::params::Params;
use selvedge_project::sql::TableName;
use selvedge_reports::markdown::{details, table};

/// Lists that are shown before and after.
const EXAMPLES: usize = 3;
/// The columns of customers that groups are told by.
const GROUPS: [&str; 4] = ["age_group", "region", "price_band", "sustainability_preference"];
/// The figures that are compared, of 100: protocol, name, words.
const FIGURES: [(&str, &str, &str); 3] = [
    ("shelf-visit", "right_order", "pairs of the shelf in the right order, of 100"),
    ("shelf-delivered", "kept_ndcg", "how near the top what was kept stands (NDCG × 100)"),
    ("shelf-delivered", "kept_hits", "customers with a hit in the list, of 100"),
];

/// One row of `recommendations`.
#[derive(Deserialize)]
struct Place {
    customer_id: String,
    product_id: String,
    season: String,
}

/// One row of `sources.products`.
#[derive(Deserialize)]
struct Article {
    product_id: String,
    season: String,
    #[serde(default)]
    product_name: String,
    #[serde(default)]
    brand: String,
}

/// One row of `evaluation.shelf_customers`.
#[derive(Deserialize)]
struct Value {
    protocol: String,
    figure: String,
    customer_id: String,
    value: f64,
    data: String,
}

/// One row of `exposure.coverage`.
#[derive(Deserialize)]
struct Coverage {
    list: String,
    audience: String,
    #[serde(rename = "articles_shown")]
    shown: u64,
    #[serde(rename = "articles_in_common")]
    in_common: Option<f64>,
    #[serde(default)]
    new_share: f64,
}

type Key = (String, String);

/// The lists of one side.
pub struct Lists {
    /// By customer, in the order of their places.
    lists: BTreeMap<String, Vec<Key>>,
    /// Name and brand.
    articles: BTreeMap<Key, String>,
    /// By protocol and figure: the visits it rests on, and each customer's value.
    figures: BTreeMap<(String, String), (String, BTreeMap<String, f64>)>,
    coverage: Option<Coverage>,
    /// Of each column of customers, by customer.
    groups: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Lists {
    pub fn of(side: &Side) -> Result<Self> {
        let engine = Engine::new(&side.project)?;
        let source = |name| TableName::new("sources", name);
        let mut lists: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for place in engine.rows::<Place>(&TableName::bare("recommendations"))? {
            lists.entry(place.customer_id).or_default().push((place.product_id, place.season));
        }
        let named = |article: Article| {
            let words = [article.product_name, article.brand].join(", ");
            ((article.product_id, article.season), words.trim_matches([',', ' ']).to_owned())
        };
        let articles = engine.rows::<Article>(&source("products"))?.into_iter().map(named).collect();
        let mut figures: BTreeMap<(String, String), (String, BTreeMap<String, f64>)> = BTreeMap::new();
        for row in engine.rows::<Value>(&TableName::new("evaluation", "shelf_customers"))? {
            let (_, values) = figures.entry((row.protocol, row.figure)).or_insert_with(|| (row.data, BTreeMap::new()));
            values.insert(row.customer_id, row.value);
        }
        let coverage = engine.rows::<Coverage>(&TableName::new("exposure", "coverage"))?;
        let coverage = coverage.into_iter().find(|line| line.list == "ours" && line.audience == "everybody");
        let mut groups: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        for customer in engine.rows::<BTreeMap<String, serde_json::Value>>(&source("customers"))? {
            let text = |column: &str| customer.get(column).and_then(|value| value.as_str()).map(str::to_owned);
            let Some(id) = text("customer_id") else { continue };
            for column in GROUPS {
                if let Some(value) = text(column).filter(|value| !value.is_empty()) {
                    groups.entry(column).or_default().insert(id.clone(), value);
                }
            }
        }
        Ok(Self { lists, articles, figures, coverage, groups })
    }
}

/// The section of the report.
pub fn section(before: &Lists, after: &Lists, params: &Params) -> Result<String> {
    let none: Vec<Key> = Vec::new();
    let customers: BTreeSet<&String> = before.lists.keys().chain(after.lists.keys()).collect();
    let of = |side: &'_ Lists, customer: &str| side.lists.get(customer).cloned().unwrap_or_default();
    // Of each customer how many places went to articles that were not there before, and whether anything moved.
    let mut moved: Vec<(usize, &String)> = Vec::new();
    let (mut places, mut fresh) = (0, 0);
    for customer in &customers {
        let was = before.lists.get(*customer).unwrap_or(&none);
        let is = after.lists.get(*customer).unwrap_or(&none);
        let other = is.iter().filter(|article| !was.contains(article)).count();
        places += is.len();
        fresh += other;
        if was != is {
            moved.push((other, *customer));
        }
    }
    let mut text = "## Lists\n\n".to_owned();
    if moved.is_empty() {
        return Ok(text
            + &format!(
                "No list changes: all {} hold the same articles in the same order.\n",
                count(customers.len() as u64)
            ));
    }
    text += &format!(
        "**{} of {} lists change; {:.0} of 100 places go to another article.**\n\n",
        count(moved.len() as u64),
        count(customers.len() as u64),
        100.0 * fresh as f64 / places.max(1) as f64,
    );
    text += &figures(before, after, params)?;
    text += &groups(after, &moved);
    moved.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let last = moved.len() - 1;
    let mut shown: Vec<usize> = (0..EXAMPLES).map(|at| at * last / (EXAMPLES - 1)).collect();
    shown.dedup();
    for (other, customer) in shown.into_iter().map(|at| moved[at]) {
        let (was, is) = (of(before, customer), of(after, customer));
        let name = |list: &[Key], articles: &BTreeMap<Key, String>, at: usize| {
            list.get(at).map_or("–".to_owned(), |key| articles.get(key).cloned().unwrap_or_else(|| key.0.clone()))
        };
        let row =
            |at: usize| vec![(at + 1).to_string(), name(&was, &before.articles, at), name(&is, &after.articles, at)];
        let rows: Vec<Vec<String>> = (0..was.len().max(is.len())).map(row).collect();
        let articles = counted(other as u64, "other article", "other articles");
        text += &format!(
            "\n{}",
            details(&format!("Customer {customer}: {articles}"), &table(&["place#", "before", "after"], &rows))
        );
    }
    Ok(text)
}

/// What the change does to what lists find, to how alike they are and to new articles.
fn figures(before: &Lists, after: &Lists, params: &Params) -> Result<String> {
    let mut rows = Vec::new();
    for (protocol, figure, words) in FIGURES {
        let key = (protocol.to_owned(), figure.to_owned());
        let (Some((visits, was)), Some((others, is))) = (before.figures.get(&key), after.figures.get(&key)) else {
            continue;
        };
        if visits != others {
            rows.push(vec![
                format!("{words} (`{protocol}`)"),
                "–".into(),
                "–".into(),
                "rest on other visits, so they are not compared".into(),
            ]);
            continue;
        }
        let pairs: Vec<[f64; 2]> =
            was.iter().filter_map(|(customer, was)| Some([100.0 * was, 100.0 * is.get(customer)?])).collect();
        let values = Array2::from_shape_fn((pairs.len(), 2), |(row, side)| pairs[row][side]);
        let ranges = Ranges::new(&values, params.evaluate.draws, params.evaluate.seed).map_err(ChangesError::Model)?;
        let show = |range: Option<Range>| range.map_or("–".to_owned(), |range| format!("{:.1}", range.value));
        let step = ranges.difference(1, 0).map_or("–".to_owned(), |step| {
            format!(
                "{:+.1} ({:+.1} to {:+.1}), {}",
                step.value,
                step.low,
                step.high,
                counted(pairs.len() as u64, "customer", "customers")
            )
        });
        rows.push(vec![format!("{words} (`{protocol}`)"), show(ranges.of(0)), show(ranges.of(1)), step]);
    }
    if let (Some(was), Some(is)) = (&before.coverage, &after.coverage) {
        let mut row = |words: &str, was: f64, is: f64| {
            rows.push(vec![words.into(), format!("{was:.1}"), format!("{is:.1}"), format!("{:+.1}", is - was)])
        };
        row(
            "articles that two lists have in common",
            was.in_common.unwrap_or_default(),
            is.in_common.unwrap_or_default(),
        );
        row("places that go to new articles, of 100", 100.0 * was.new_share, 100.0 * is.new_share);
        row("articles that are shown at all", was.shown as f64, is.shown as f64);
    }
    Ok(table(&["lists", "before#", "after#", "change, range of 95 %"], &rows))
}

/// How many lists change in each group of customers.
fn groups(side: &Lists, moved: &[(usize, &String)]) -> String {
    let moved: BTreeSet<&String> = moved.iter().map(|(_, customer)| *customer).collect();
    let mut rows = Vec::new();
    for (column, values) in &side.groups {
        let mut counts: BTreeMap<&String, [u64; 2]> = BTreeMap::new();
        for (customer, value) in values.iter().filter(|(customer, _)| side.lists.contains_key(*customer)) {
            let [all, changed] = counts.entry(value).or_default();
            *all += 1;
            *changed += u64::from(moved.contains(customer));
        }
        for (value, [all, changed]) in counts {
            rows.push(vec![
                format!("{column}: {value}"),
                count(all),
                format!("{:.0}", 100.0 * changed as f64 / all as f64),
            ]);
        }
    }
    if rows.is_empty() {
        String::new()
    } else {
        format!("\n{}", table(&["customers", "lists#", "change, of 100#"], &rows))
    }
}
