//! What was shown: dearer articles are told in euros, against the days before, a year earlier and spring, and beside what
//! was on sale; quiet shops say nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use datafusion::arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, StringArray};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, Table, batch_of, read_rows};
use selvedge::sql::TableName;
use serde::Deserialize;

use super::monitor_log::Log;
use super::monitor_sentences::holds;
use super::shop::Shop;

/// Articles of ten prices from 20 to 200 euros.
const PRICES: u64 = 10;
/// The shop's parameters hold the first twenty days of these against the others.
const FIRST: (i32, u32, u32) = (2032, 1, 5);
const WATCHED: (i32, u32, u32) = (2032, 1, 25);
const DAYS: u64 = 55;

fn day((year, month, day): (i32, u32, u32)) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn price(rank: u64) -> u64 {
    20 * (rank + 1)
}

/// A shop that shows forty articles a day, and what it showed: (day, price).  `watched` gives the price's rank on the
/// days watched by a number below 1; all else is chosen evenly.  A catalogue that `renews` has only cheap articles before.
fn shop(days: &[NaiveDate], renews: bool, watched: impl Fn(f64) -> u64) -> (Log, Vec<(NaiveDate, u64)>) {
    let shop = Shop::new(2);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let heading = |file: &str| shop.read(file).lines().next().unwrap().to_owned() + "\n";
    let (mut products, mut log) =
        (heading("materials/products.csv"), heading("materials/production-recommendations-sample.csv"));
    for rank in 0..PRICES {
        let (from, until) = match (renews, rank < PRICES / 2) {
            (false, _) => ("2030-01-01", "2033-01-01"),
            (true, true) => ("2030-01-01", "2032-01-24"),
            (true, false) => ("2032-01-25", "2033-01-01"),
        };
        let _ = writeln!(
            products,
            "K-{rank},ONE,Thing,Birch,Hats,Text,{}.00,red,wool,,50,winter,warehouse,DE;AT,{from},{until}",
            price(rank)
        );
    }
    let mut shown = Vec::new();
    for (number, date) in days.iter().flat_map(|date| std::iter::repeat_n(date, 40)).enumerate() {
        let rank = match (*date >= day(WATCHED), renews) {
            (true, _) => watched(random.r#gen()),
            (false, true) => random.gen_range(0..PRICES / 2),
            (false, false) => random.gen_range(0..PRICES),
        };
        shown.push((*date, price(rank)));
        let _ = writeln!(log, "r{number},{date} 12:00:00,anna/{},K-{rank},1,old,0,,0,,0,,false", number % 2);
    }
    shop.write("materials/products.csv", &products);
    shop.write("materials/production-recommendations-sample.csv", &log);
    let look = "t0,2032-02-01T12:00:00Z,anna/0,K-9,browse,,,,v0,web\n";
    shop.write("materials/transactions.csv", &(heading("materials/transactions.csv") + look));
    (Log(shop), shown)
}

fn recent(days: u64) -> Vec<NaiveDate> {
    (0..days).map(|n| day(FIRST) + Days::new(n)).collect()
}

/// The mean price between two days, as the report prints it.
fn mean(shown: &[(NaiveDate, u64)], from: (i32, u32, u32), until: (i32, u32, u32)) -> String {
    let own: Vec<u64> =
        shown.iter().filter(|(date, _)| *date >= day(from) && *date < day(until)).map(|(_, price)| *price).collect();
    format!("{:.0}", own.iter().sum::<u64>() as f64 / own.len() as f64)
}

#[test]
fn dearer_articles_are_told_against_every_season_that_the_log_holds() {
    let year_earlier = (0..60).map(|n| day((2031, 1, 20)) + Days::new(n));
    let spring = (0..60).map(|n| day((2031, 3, 25)) + Days::new(n));
    let days: Vec<NaiveDate> = year_earlier.chain(spring).chain(recent(DAYS)).collect();
    let (log, shown) = shop(&days, false, |x| if x < 0.8 { 9 } else { (x * 10.0) as u64 });
    log.run();
    holds(&log);
    let text = log.0.read("reports/dashboard.md");
    let after = mean(&shown, WATCHED, (2032, 3, 1));
    for (than, from, until) in [
        ("than before", FIRST, WATCHED),
        ("than a year earlier", (2031, 1, 25), (2031, 2, 29 - 1)),
        ("than in spring 2031", (2031, 3, 1), (2031, 6, 1)),
        ("than in winter 2030/2031", (2031, 1, 1), (2031, 3, 1)),
    ] {
        let before = mean(&shown, from, until);
        let dearer = after.parse::<u64>().unwrap() - before.parse::<u64>().unwrap();
        let told = format!(
            "The articles shown are {dearer} euros dearer {than}: {after} instead of {before} euros. Those on sale are as before (110 euros): the choice among them changed."
        );
        assert!(text.contains(&told), "{told}\n{text}");
    }
    assert!(text.contains("| **What was shown** | The articles shown are "), "{text}");
}

#[test]
fn a_dearer_catalogue_is_not_a_choice() {
    let (log, shown) = shop(&recent(DAYS), true, |x| 5 + (x * 5.0) as u64);
    log.run();
    holds(&log);
    let text = log.0.read("reports/dashboard.md");
    let (before, after) = (mean(&shown, FIRST, WATCHED), mean(&shown, WATCHED, (2032, 3, 1)));
    let told = format!(
        "than before: {after} instead of {before} euros. Those on sale went from 60 to 160 euros: the catalogue changed, not the choice."
    );
    assert!(text.contains(&told), "{told}\n{text}");
    assert!(text.contains("The log begins on 5 January 2032, so there is no earlier season"), "{text}");
}

#[test]
fn few_days_are_too_early_and_say_how_many_are_missing() {
    let (log, _) = shop(&recent(23), false, |x| (x * 10.0) as u64);
    log.run();
    holds(&log);
    let text = log.0.read("reports/dashboard.md");
    assert!(text.contains("List price: too early to say. 3 of 5 days needed."), "{text}");
    assert!(!text.contains("| **What was shown**"), "{text}");
}

#[derive(Deserialize)]
struct Change {
    state: String,
    choice_moved: bool,
}

/// Shops in which nothing changes, with days that differ from each other: what is said of them is a false word.
#[test]
fn quiet_shops_are_told_of_in_at_most_one_report_of_twenty() {
    let shop = Shop::new(2);
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let numbers: Vec<String> = (0..60).map(|n| format!("k{n}")).collect();
    let texts = |of: &dyn Fn(usize) -> Option<String>| Arc::new((0..60).map(of).collect::<StringArray>()) as ArrayRef;
    let decimals = |of: &dyn Fn(i128) -> i128| {
        let values = (0..60).map(of).collect::<Decimal128Array>();
        Arc::new(values.with_precision_and_scale(12, 2).unwrap()) as ArrayRef
    };
    let same = |text: &'static str| texts(&move |_| Some(text.into()));
    let whole = |value: i32| Arc::new(Date32Array::from(vec![value; 60])) as ArrayRef;
    let products = || {
        vec![
            ("product_id", Arc::new(StringArray::from(numbers.clone())) as ArrayRef),
            ("season", same("s")),
            ("category", texts(&|n| Some(format!("c{}", n % 6)))),
            ("brand", texts(&|n| Some(format!("b{}", n % 9)))),
            ("colour", texts(&|n| Some(format!("f{}", n % 5)))),
            ("material", texts(&|n| (n % 4 != 0).then(|| format!("m{}", n % 4)))),
            ("fulfilment", texts(&|n| Some(format!("w{}", n % 2)))),
            ("season_tags", same("winter;summer")),
            ("certificates", texts(&|n| (n % 2 == 0).then(|| "GOTS".into()))),
            ("price_eur", decimals(&|n| 1000 + n * n * 10)),
            ("sustainability_score", decimals(&|n| n * 100)),
            ("on_sale_from", whole(20_000)),
            ("on_sale_until", whole(30_000)),
        ]
    };
    let name = |table: &str| TableName::new("monitoring", table);
    let mut told = 0;
    for _ in 0..40 {
        let engine = Engine::new(&project).unwrap();
        engine.register(&TableName::new("sources", "products"), batch_of("products", products()).unwrap()).unwrap();
        let (mut product, mut date, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for day in 0..30 {
            // Some days dear articles are shown more, some days less.
            let lean = random.gen_range(-0.4..0.4);
            for n in 0..60_u32 {
                let mean = 4.0 * (1.0 + lean * (f64::from(n) / 30.0 - 1.0));
                let count = (0..20).filter(|_| random.r#gen::<f64>() < mean / 20.0).count() as i64;
                if count > 0 {
                    product.push(numbers[n as usize].clone());
                    date.push(25_000 + day);
                    shown.push(count);
                }
            }
        }
        let rows = product.len();
        let article_days = vec![
            ("product_id", Arc::new(StringArray::from(product)) as ArrayRef),
            ("season", Arc::new(StringArray::from(vec!["s"; rows]))),
            ("shown_on", Arc::new(Date32Array::from(date))),
            ("shown", Arc::new(Int64Array::from(shown))),
        ];
        engine.register(&name("article_days"), batch_of("article_days", article_days).unwrap()).unwrap();
        let periods: Vec<&str> = (0..30).map(|day| if day < 20 { "reference" } else { "watched" }).collect();
        let days: Vec<(&str, ArrayRef)> = vec![
            ("shown_on", Arc::new(Date32Array::from_iter_values(25_000..25_030))),
            ("period", Arc::new(StringArray::from(periods))),
        ];
        engine.register(&name("days"), batch_of("days", days).unwrap()).unwrap();
        for table in ["article_attributes", "shown_spans", "shown_days", "shown_means", "shown_changes"] {
            let file = project.library.file(&name(table)).unwrap();
            engine.register(&name(table), engine.run(&project, file).unwrap()).unwrap();
        }
        let changes = Table::new(
            engine.read(&name("shown_changes")).unwrap(),
            &["attribute", "value", "against"].map(str::to_owned),
            "shown_changes",
        );
        let changes: Vec<Change> = read_rows(&changes.unwrap().batch, "shown_changes").unwrap();
        let judged = changes.iter().filter(|row| row.state != "too_early").count();
        assert!(judged > 25, "{judged}");
        told +=
            u32::from(changes.iter().any(|row| row.choice_moved || matches!(row.state.as_str(), "moved" | "slight")));
    }
    assert!(told <= 2, "{told} of 40 quiet shops");
}
