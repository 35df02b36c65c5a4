//! A shop of known truth taken through the stages, and its lists held to the best possible.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::TrueShop;
use super::truth::{PLACES, Shelf, owned, popularity};
use crate::shop::Shop;

/// The stages that lists need, in their order.
const STAGES: [&str; 8] = ["ingest", "embeddings", "features", "frame", "train", "rank", "evaluate", "recommend"];

/// A figure with its range; all three 0 of what is the same ranking.
pub type Lead = [f64; 3];

/// What came of one shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    pub number: u64,
    pub taste: String,
    /// The ranking that lists are made by.
    pub shown: String,
    /// Customers with kept purchases in the test period.
    pub customers: f64,
    /// What is shown against popularity, of 100: pairs in the right order, NDCG and hits of delivered lists; and hits against
    /// "others also bought".
    pub right_order: Lead,
    pub ndcg: Lead,
    pub hits: Lead,
    pub hits_also: Lead,
    /// The chain's lead in right order, whether it is shown or not.
    pub chain: Lead,
    /// The chain's smallest lead in right order over histories that are cut short.
    pub coldest: f64,
    /// Of the best possible lists at the export, by true chances: what is shown, popularity, "others also bought".
    pub of_best: [f64; 3],
    pub in_common: f64,
    pub shelf_seen: f64,
    /// Places of new articles, as a share of their share of the shelf; none where nothing is new.
    pub new: Option<f64>,
    /// Seconds that `rank` and `recommend` took.
    pub seconds: [f64; 2],
}

/// The project of a shop, with its own day of export.
pub fn project(shop: &TrueShop) -> Shop {
    let folder = Shop::bare();
    folder.replace("params.yaml", "2026-10-01 00:00:00", &format!("{} 00:00:00", shop.exported));
    for (name, text) in shop.materials() {
        folder.write(&format!("materials/{name}"), &text);
    }
    folder
}

/// Runs the stages and judges what came of them.
pub fn judged(number: u64, shop: &TrueShop, folder: &Shop) -> Judged {
    let seconds: BTreeMap<&str, f64> = STAGES
        .iter()
        .map(|stage| {
            let begun = Instant::now();
            folder.must(&[stage]);
            (*stage, begun.elapsed().as_secs_f64())
        })
        .collect();
    let figures = Figures::of(folder);
    let shown = figures.shown.clone();
    let own = if shown == "popularity" { "chain" } else { shown.as_str() };
    let against = |protocol: &str, over: &str, figure: &str| figures.lead(protocol, &shown, over, figure);
    let of_lists = Lists::of(shop, folder);
    Judged {
        number,
        taste: shop.taste.name.into(),
        customers: figures.customers,
        right_order: against("shelf-visit", "popularity", "right_order"),
        ndcg: against("shelf-delivered", "popularity", "kept_ndcg"),
        hits: against("shelf-delivered", "popularity", "kept_hits"),
        hits_also: against("shelf-delivered", "others also bought", "kept_hits"),
        chain: figures.lead("shelf-visit", "chain", "popularity", "right_order"),
        coldest: [0, 1, 2, 3, 5, 10]
            .map(|events| figures.lead(&format!("cold-{events}"), own, "popularity", "right_order")[0])
            .into_iter()
            .fold(f64::INFINITY, f64::min),
        of_best: of_lists.of_best,
        in_common: of_lists.in_common,
        shelf_seen: of_lists.shelf_seen,
        new: of_lists.new,
        seconds: [seconds["rank"], seconds["recommend"]],
        shown,
    }
}

/// The figures of `evaluate`, of 100, by protocol, ranking, ranking it is held against, and name.
struct Figures {
    leads: BTreeMap<[String; 4], Lead>,
    shown: String,
    customers: f64,
}

impl Figures {
    fn of(folder: &Shop) -> Self {
        let query = "SELECT protocol, ranking, against, figure, COALESCE(value, 0), COALESCE(low, 0), COALESCE(high, 0), customers, shown \
                     FROM evaluation.shelf_figures WHERE strpos(ranking, ',') + strpos(against, ',') = 0";
        let mut found = Self { leads: BTreeMap::new(), shown: "popularity".into(), customers: 0.0 };
        for line in folder.ask(query) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |at: usize| 100.0 * cells[at].parse::<f64>().unwrap();
            found.leads.insert(
                [0, 1, 2, 3].map(|at| cells[at].trim_matches('"').to_owned()),
                [number(4), number(5), number(6)],
            );
            if cells[8] == "true" {
                found.shown = cells[1].trim_matches('"').to_owned();
            }
            if cells[0] == "shelf-delivered" {
                found.customers = cells[7].parse().unwrap();
            }
        }
        found
    }

    fn lead(&self, protocol: &str, ranking: &str, over: &str, figure: &str) -> Lead {
        self.leads.get(&[protocol, ranking, over, figure].map(str::to_owned)).copied().unwrap_or_default()
    }
}

/// What the lists of the export are like.
struct Lists {
    of_best: [f64; 3],
    in_common: f64,
    shelf_seen: f64,
    new: Option<f64>,
}

impl Lists {
    fn of(shop: &TrueShop, folder: &Shop) -> Self {
        let ours = lists(shop, folder, "SELECT customer_id, rank, product_id FROM recommendations ORDER BY 1, 2");
        let also = lists(
            shop,
            folder,
            "SELECT customer_id, rank, product_id FROM exposure.lists WHERE list = 'old' ORDER BY 1, 2",
        );
        let (owned, popular) = (owned(shop), popularity(shop));
        let (mut sums, mut best) = ([0.0; 3], 0.0);
        let mut shown: BTreeMap<usize, f64> = BTreeMap::new();
        let (mut count, mut new, mut shelf_new) = (0.0, 0.0, 0.0);
        let is_new = |article: &&usize| (shop.exported - shop.catalogue.articles[**article].from).num_days() < 28;
        let mut shelf_of_all = BTreeSet::new();
        for (number, customer) in shop.customers.iter().enumerate().filter(|(_, customer)| customer.consents) {
            let shelf = Shelf::of(shop, number, &owned[number]);
            let list =
                |lists: &BTreeMap<usize, Vec<usize>>| shelf.worth(lists.get(&number).map_or(&[][..], Vec::as_slice));
            let found = [list(&ours), shelf.worth(&shelf.best_by(|article| popular[article])), list(&also)];
            sums.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
            best += shelf.worth(&shelf.best());
            let list = ours.get(&number).unwrap_or_else(|| panic!("{} has no list", customer.name));
            assert!(list.iter().all(|article| shelf.articles.contains(article)), "{}: off the shelf", customer.name);
            assert_eq!(
                list.iter().collect::<BTreeSet<_>>().len(),
                shelf.articles.len().min(PLACES),
                "{}",
                customer.name
            );
            list.iter().for_each(|article| *shown.entry(*article).or_default() += 1.0);
            count += 1.0;
            new += list.iter().filter(is_new).count() as f64 / list.len() as f64;
            shelf_new += shelf.articles.iter().filter(is_new).count() as f64 / shelf.articles.len() as f64;
            shelf_of_all.extend(shelf.articles);
        }
        Self {
            of_best: sums.map(|sum| 100.0 * sum / best),
            in_common: shown.values().map(|n| n * (n - 1.0)).sum::<f64>() / (count * (count - 1.0)),
            shelf_seen: 100.0 * shown.len() as f64 / shelf_of_all.len() as f64,
            new: (shelf_new > 0.0).then(|| new / shelf_new),
        }
    }
}

/// Lists of articles by the customer's number.
fn lists(shop: &TrueShop, folder: &Shop, query: &str) -> BTreeMap<usize, Vec<usize>> {
    let customers: BTreeMap<&str, usize> =
        shop.customers.iter().enumerate().map(|(number, customer)| (customer.name.as_str(), number)).collect();
    let articles: BTreeMap<&str, usize> =
        shop.catalogue.articles.iter().enumerate().map(|(number, article)| (article.number.as_str(), number)).collect();
    let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for line in folder.ask(query) {
        let cells: Vec<&str> = line.split(',').collect();
        lists.entry(customers[cells[0]]).or_default().push(articles[cells[2].trim_matches('"')]);
    }
    lists
}
