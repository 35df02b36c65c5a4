//! Features that were served and features of the flow: the same, bit for bit, whatever happens in between.

use std::sync::RwLock;

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selvedge_serving::event::{Arrived, Event};
use selvedge_serving::lists::Serving;
use selvedge_serving::past::Past;
use selvedge_serving::release::Release;
use selvedge_serving::skew::{Made, compared, together};

use crate::serving::{Server, customers, look, shop};

/// Requests, and how many are answered together.
const REQUESTS: usize = 2_000;
const TOGETHER: usize = 50;

fn event(number: usize, customer: &str, kind: &str, more: &str, arrived: DateTime<Utc>) -> Arrived {
    let json = format!(
        r#"{{"id":"e{number}","customer_id":"{customer}","product_id":"K-{}","kind":"{kind}"{more}}}"#,
        number % 12
    );
    Arrived { event: serde_json::from_str::<Event>(&json).unwrap(), arrived }
}

#[test]
fn served_features_are_the_flows() {
    let shop = shop();
    let hash = shop.must(&["release", "build"]).trim().to_owned();
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let mut now = project.params.shop.exported_at;
    let past = RwLock::new(Past::default());
    let release = Release::find(&project, &hash).unwrap();
    let serving = Serving::load(release, |root| selvedge::open(Some(root)), &past, now).unwrap();
    assert!(serving.is_narrowed(), "requests read what who asks did alone");
    let everybody = serving.tables.customers(usize::MAX);
    let agreed: Vec<&String> = everybody.iter().filter(|id| serving.tables.consents(id) == Some(true)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (mut number, mut compared_rows, mut moved) = (0, 0, 0);
    let mut made = Vec::new();
    for round in 0..REQUESTS / TOGETHER {
        // As the server does before what is known of articles is older than it may be.
        if round % 10 == 0 || serving.known().is_stale(now) {
            finish(&serving, &past, &mut made, &mut compared_rows);
            serving.refresh(&past, now, None).unwrap();
        }
        let mut asking: Vec<String> = everybody.choose_multiple(&mut random, TOGETHER).cloned().collect();
        asking.sort();
        let seen = past.read().unwrap().count();
        made.push(serving.shelf_features(&past, &asking, now, seen).unwrap());
        for _ in 0..random.gen_range(5..15) {
            now += TimeDelta::milliseconds(random.gen_range(1..90_000));
            let customer = agreed.choose(&mut random).unwrap();
            let order = format!(r#","order_id":"o{number}","unit_price_eur":"9.9{}""#, number % 10);
            let (kind, more) = match random.gen_range(0..10) {
                0..6 => ("browse", String::from(r#","session_id":"s""#)),
                6 => ("wishlist", String::new()),
                _ => ("purchase", order),
            };
            past.write().unwrap().take(Some(event(number, customer, kind, &more, now)));
            if kind == "purchase" && random.gen_bool(0.5) {
                let mut back = event(number, customer, "return", &format!(r#","order_id":"o{number}""#), now);
                back.event.id = format!("r{number}");
                past.write().unwrap().take(Some(back));
            }
            (number, moved) = (number + 1, moved + 1);
        }
        now += TimeDelta::milliseconds(1);
    }
    finish(&serving, &past, &mut made, &mut compared_rows);
    assert!(moved > 200 && compared_rows >= REQUESTS * 10, "{moved} events, {compared_rows} rows");
}

/// Holds what was served against the flow, over everything that was done by then and later.
fn finish(
    serving: &Serving,
    past: &RwLock<Past>,
    made: &mut Vec<datafusion::arrow::array::RecordBatch>,
    rows: &mut usize,
) {
    let Some(all) = together(made).unwrap() else { return };
    made.clear();
    *rows += all.num_rows();
    let (articles_at, articles_seen) = serving.articles_known();
    let columns = compared(serving, past, &Made { rows: all, articles_at, articles_seen }).unwrap();
    assert!(columns.len() > 60, "{}", columns.len());
    let differ: Vec<_> = columns.iter().filter(|column| column.differ > 0).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

/// The same of what a server wrote down, by the command.
#[test]
fn a_day_is_had_again() {
    let shop = shop();
    shop.must(&["release", "promote", shop.must(&["release", "build"]).trim()]);
    let server = Server::start(&shop, &["--from-export"]);
    let (anna, without) = customers(&shop);
    let first = server.list(&anna);
    assert_eq!(server.post("/events", look("e", &anna, &first["articles"][0])).1["kept"], serde_json::json!(1));
    let second = server.list(&anna);
    server.list(&without);
    server.stop();
    let sealed = shop.run(&["replay", second["request"].as_str().unwrap()]);
    assert!(String::from_utf8_lossy(&sealed.stderr).contains("the same, bit for bit"));
    let day = shop.only("SELECT CAST(MIN(answered_at) + INTERVAL '1 hour' AS DATE) FROM served.requests");
    let output = shop.run(&["replay", "--day", &day]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("2 answers") && said.contains("the same, bit for bit"), "{said}");
}
