//! Recommendations on shops that nobody has tuned them on, and whose true chances are known: the large version of
//! tests/it/unseen_shops.rs.  Writes reports/unseen-shops.md from all shops that have been measured.
//!
//!     make bench-shops
//!     cargo bench --bench shops -- 3 14     only the shops of these numbers anew; those from 10 on are for tuning, and stand in
//!                                           no report
//!     cargo bench --bench shops -- page     only the page, of what has been measured

#[path = "../tests/it/known_truth/mod.rs"]
#[allow(dead_code, reason = "the tests read more of it")]
mod known_truth;
#[path = "../tests/it/shop.rs"]
#[allow(dead_code, reason = "only a part of the tests' shop is needed")]
mod shop;

use known_truth::judged::{Judged, Lead, judged, project};
use known_truth::{Size, TrueShop};

/// The shops of the report; nothing is tuned on them.
const SHOPS: std::ops::Range<u64> = 0..10;
/// As large as the client's shop.
const CLIENT: Size = Size { customers: 2000, articles: 114, seasons: 7, busy: 1.0 };
/// Of a range of 95 %, how many standard deviations it is wide.
const WIDTH: f64 = 3.92;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted: Vec<u64> = match &arguments[..] {
        [] => SHOPS.collect(),
        numbers => numbers.iter().filter_map(|argument| argument.parse().ok()).collect(),
    };
    let folder = std::path::Path::new(shop::ROOT).join("work/benchmarks/shops");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |number: u64| folder.join(format!("{number}.json"));
    for number in wanted {
        let shop = TrueShop::new(number, CLIENT);
        let folder = project(&shop);
        folder.replace("params.yaml", "deep: false", "deep: true");
        let found = judged(number, &shop, &folder);
        println!("{}", serde_json::to_string(&found).unwrap());
        std::fs::write(file(number), serde_json::to_vec(&found).unwrap()).unwrap();
    }
    let read = |number| serde_json::from_slice(&std::fs::read(file(number)).ok()?).ok();
    let shops: Vec<Judged> = SHOPS.filter_map(read).collect();
    std::fs::write(format!("{}/reports/unseen-shops.md", shop::ROOT), page(&shops)).unwrap();
}

/// A lead over all shops together, each customer once; shops are independent of each other.
fn together(shops: &[Judged], of: fn(&Judged) -> Lead) -> Lead {
    let customers: f64 = shops.iter().map(|shop| shop.customers).sum();
    let share = |shop: &Judged| shop.customers / customers;
    let value: f64 = shops.iter().map(|shop| share(shop) * of(shop)[0]).sum();
    let variance: f64 = shops.iter().map(|shop| (share(shop) * (of(shop)[2] - of(shop)[1]) / WIDTH).powi(2)).sum();
    let half = WIDTH / 2.0 * variance.sqrt();
    [value, value - half, value + half]
}

fn told([value, low, high]: Lead) -> String {
    if low == high { "0".into() } else { format!("{value:+.1} ({low:+.1} to {high:+.1})") }
}

fn page(shops: &[Judged]) -> String {
    let mean = |of: fn(&Judged) -> f64| shops.iter().map(of).sum::<f64>() / shops.len() as f64;
    let above = shops.iter().filter(|shop| shop.of_best[0] > shop.of_best[1] - 0.05).count();
    let all: f64 = shops.iter().map(|shop| shop.customers).sum();
    let leads = |name: &str, customers: f64, leads: [Lead; 4], coldest: f64| {
        format!("| {name} | {customers:.0} | {} | {coldest:+.1} |\n", leads.map(told).join(" | "))
    };
    let of: [fn(&Judged) -> Lead; 4] =
        [|shop| shop.right_order, |shop| shop.ndcg, |shop| shop.hits, |shop| shop.hits_also];
    let mut out = format!(
        "# Recommendations on {} shops that they were not made for\n\n\
         **Lists reach {:.0} % of the best possible, popularity {:.0} %, \"others also bought\" {:.0} %; they are as good as \
         popularity or better in {above} of {} shops.**\n\n\
         Each shop is invented, with customers, brands, styles, prices and seasons of its own, as large as the client's \
         (2,000 customers, some 15,000 events); what decides purchases there is known, so lists are held to true chances: how \
         likely does a customer's next visit lead to something in the list that is bought and kept, as a share of what the best \
         list could reach. Nothing was tuned on them. Made by `make bench-shops`.\n\n\
         | what decides there | shown | lists, of the best | popularity | others also bought | in common of 10 | of the shelf seen | new, of their share |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
        shops.len(),
        mean(|shop| shop.of_best[0]),
        mean(|shop| shop.of_best[1]),
        mean(|shop| shop.of_best[2]),
        shops.len(),
    );
    for shop in shops {
        let [ours, popular, also] = shop.of_best;
        let new = shop.new.map_or("none is new".to_owned(), |new| format!("{new:.1}"));
        out += &format!(
            "| {} | {} | {ours:.0} % | {popular:.0} % | {also:.0} % | {:.1} | {:.0} % | {new} |\n",
            shop.taste, shop.shown, shop.in_common, shop.shelf_seen
        );
    }
    out += "\n## On visits of the test period\n\nWhat is shown against popularity, of 100: pairs of the shelf in the right order \
            (`shelf-visit`), NDCG and hits of delivered lists (`shelf-delivered`); and hits against \"others also bought\". Ranges \
            of 95 %, by customer. 0: popularity itself is shown. The last column: the smallest lead of the shop's own ranking in \
            right order where only the profile and the latest 0, 1, 2, 3, 5 or 10 events of a customer are known (`cold-n`).\n\n\
            | what decides there | customers who kept something | right order | NDCG | hits | hits against also bought | knowing little |\n\
            |---|---:|---:|---:|---:|---:|---:|\n";
    for shop in shops {
        out += &leads(&shop.taste, shop.customers, of.map(|of| of(shop)), shop.coldest);
    }
    let coldest = shops.iter().map(|shop| shop.coldest).fold(f64::INFINITY, f64::min);
    out += &leads("**all together**", all, of.map(|of| together(shops, of)), coldest);
    out
}
