//! What was served teaches the next model: lists and what came of them are sources like the export's, each counted once.

use serde_json::{Value, json};

use crate::serving::{Server, customers, look, shop};
use crate::shop::Shop;

/// An event of some kind about an article of a list, with more fields.
fn event(id: &str, kind: &str, customer: &str, list: &Value, place: usize, more: Value) -> Value {
    let mut event = look(id, customer, &list["articles"][place]);
    event["kind"] = json!(kind);
    more.as_object().unwrap().iter().for_each(|(name, value)| event[name] = value.clone());
    event
}

fn number(shop: &Shop, query: &str) -> i64 {
    shop.only(query).parse().unwrap_or_else(|_| panic!("{query}"))
}

/// Rows of the sources, of the frame, of what the monitor counts, and the visits that the ranking learns from.
fn counts(shop: &Shop) -> [i64; 5] {
    let ranked = shop.run(&["rank"]);
    let said = String::from_utf8_lossy(&ranked.stderr).into_owned();
    let visits = said.split(" visits, ").next().and_then(|text| text.split_whitespace().last()).unwrap_or_default();
    [
        number(shop, "SELECT COUNT(*) FROM sources.transactions"),
        number(shop, "SELECT COUNT(*) FROM sources.recommendations"),
        number(shop, "SELECT COUNT(*) FROM frame"),
        number(shop, "SELECT SUM(shown) FROM monitoring.daily_counts"),
        visits.replace(',', "").parse().unwrap_or_else(|_| panic!("{said}")),
    ]
}

/// How many rows of the served log were not used for a reason.
fn aside(shop: &Shop, file: &str, code: &str) -> i64 {
    let query = format!("SELECT rows FROM sources.surprises WHERE file = 'served/{file}' AND code = '{code}'");
    number(shop, &query)
}

const STAGES: [&str; 4] = ["ingest", "features", "frame", "monitor"];

#[test]
fn a_day_of_serving_is_learned_from_and_counted_once() {
    let shop = shop();
    shop.must(&["monitor"]);
    let before = counts(&shop);
    let hash = shop.must(&["release", "build"]).trim().to_owned();
    shop.must(&["release", "promote", &hash]);
    let server = Server::start(&shop, &["--from-export"]);
    let (anna, without) = customers(&shop);
    let other = shop
        .ask("SELECT customer_id FROM sources.customers WHERE personalisation_consent ORDER BY customer_id LIMIT 1 OFFSET 1")
        .remove(0);
    let (list, seen_by_nobody) = (server.list(&anna), server.list(&other));
    server.list(&without);
    let request = json!({"request": list["request"]});
    let sent = json!([
        event("s0", "shown", &anna, &list, 0, request.clone()),
        event("s1", "shown", &anna, &list, 1, request.clone()),
        event("s2", "shown", &anna, &list, 2, request.clone()),
        event("c0", "clicked", &anna, &list, 0, request.clone()),
        event("look", "browse", &anna, &list, 0, json!({"session_id": "visit"})),
        event("buy", "purchase", &anna, &list, 0, json!({"order_id": "order", "quantity": 2, "unit_price_eur": "12.30"})),
        event("back", "return", &anna, &list, 0, json!({"order_id": "order", "quantity": 1})),
        look("other", &other, &list["articles"][1]),
        look("nobody", "nobody/1", &list["articles"][1]),
        {"id": "no article", "customer_id": anna, "product_id": "no such", "kind": "browse"},
        event("lost", "clicked", &anna, &list, 0, json!({"request": "none"})),
    ]);
    assert_eq!(server.post("/events", sent).1["kept"], json!(11));
    assert_eq!(server.post("/events", look("never", &without, &list["articles"][1])).1["without_consent"], json!(1));
    // While the server runs, the log can be asked.
    assert_eq!(number(&shop, "SELECT COUNT(*) FROM served.events WHERE kind = 'shown'"), 3);
    let places = list["articles"].as_array().unwrap().len() + seen_by_nobody["articles"].as_array().unwrap().len();
    assert_eq!(
        number(&shop, "SELECT COUNT(*) FROM served.shown s JOIN served.requests USING (request)"),
        places as i64
    );
    server.stop();

    STAGES.iter().for_each(|stage| drop(shop.must(&[stage])));
    let after = counts(&shop);
    let more: Vec<i64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(more, [4, 3, 2, 3, 2], "looks, purchase and return; what was seen; the looks; what was seen; visits");
    let shown = "SELECT position, clicked_at >= recommended_at, purchased_at >= clicked_at, returned_at >= purchased_at \
                 FROM sources.recommendations WHERE line < 0 ORDER BY position";
    assert_eq!(shop.ask(shown), ["1,true,true,true", "2,,,", "3,,,"]);
    let left = ["unknown_customer", "unknown_product", "no_such_list", "in_the_export", "without_consent"];
    assert_eq!(left.map(|code| aside(&shop, "events", code)), [1, 1, 1, 0, 0]);
    assert_eq!(aside(&shop, "shown", "not_seen"), places as i64 - 3);
    let rejected = shop.ask("SELECT row FROM sources.rejected WHERE file LIKE 'served/events-%' ORDER BY row");
    assert!(rejected.len() == 3 && rejected.iter().any(|row| row.contains("nobody/1")), "{rejected:?}");
    // Nothing of who has not agreed, in any file.
    for (name, bytes) in shop.files("work/serving") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&format!("\"{without}\"")) && !text.contains("never"), "{name}");
    }
    for table in ["events", "requests"] {
        let theirs = format!("SELECT COUNT(*) FROM served.{table} WHERE customer_id = '{without}'");
        assert_eq!(number(&shop, &theirs), 0, "{table}");
    }
    let again: Vec<_> = shop.files("work/ingest");
    shop.must(&["ingest"]);
    assert!(again == shop.files("work/ingest"), "the same log gives the same bytes");
    // Proofs hold over the served rows too.
    shop.must(&["test", "customer_history", "customer_article"]);

    next_export_holds_the_same(&shop, [&anna, &other], &list, after);
    // Who does not agree any more is out of all of it.
    let agreed = shop.read("materials/customers.csv");
    let line = agreed.lines().find(|line| line.starts_with(&format!("{anna},"))).unwrap();
    shop.replace("materials/customers.csv", line, &line.replace(",true", ",false"));
    shop.must(&["ingest"]);
    let served = |table: &str| number(&shop, &format!("SELECT COUNT(*) FROM sources.{table} WHERE line < 0"));
    assert_eq!([served("transactions"), served("recommendations")], [1, 0]);
    let kept =
        "SELECT COUNT(*) FROM sources.rejected WHERE reason = 'without_consent' AND file LIKE 'served/%' AND row <> ''";
    assert_eq!((aside(&shop, "events", "without_consent"), number(&shop, kept)), (9, 0));
}

/// The same deeds under ids of the export's own, to the second, and the same lists in the shop's own log: nothing counts twice.
fn next_export_holds_the_same(shop: &Shop, customers: [&str; 2], list: &Value, counted: [i64; 5]) {
    let files = ["materials/transactions.csv", "materials/production-recommendations-sample.csv", "params.yaml"];
    let [mut transactions, mut log, params] = files.map(|file| shop.read(file));
    let first = [transactions.clone(), log.clone(), params.clone()];
    let at = |id: &str, shift: &str| {
        let moment = format!("to_char(at + INTERVAL '{shift}', '%Y-%m-%dT%H:%M:%S')");
        shop.only(&format!("SELECT {moment} FROM served.events WHERE id = '{id}'"))
    };
    let article = |place: usize| list["articles"][place]["product_id"].as_str().unwrap();
    let [anna, other] = customers;
    for (id, what) in [
        ("look", format!("{anna},{},browse,,,,visit,web", article(0))),
        ("buy", format!("{anna},{},purchase,order,2,12.30,visit,web", article(0))),
        ("back", format!("{anna},{},return,order,-1,12.30,,web", article(0))),
        ("other", format!("{other},{},browse,,,,,web", article(1))),
    ] {
        transactions += &format!("export-{id},{}Z,{what}\n", at(id, "0 minutes"));
    }
    for place in 0..3 {
        // On the shop's clock.
        let moment = at("s0", "1 hour").replace('T', " ");
        log += &format!("own-{place},{moment},{anna},{},{},old,0,,0,,0,,false\n", article(place), place + 1);
    }
    shop.write(files[0], &transactions);
    shop.write(files[1], &log);
    shop.write(files[2], &params.replace("2032-03-01 06:30:00", "2032-03-02 06:30:00"));
    shop.must(&["ingest"]);
    let found =
        ["transactions", "recommendations"].map(|table| number(shop, &format!("SELECT COUNT(*) FROM sources.{table}")));
    assert_eq!(found, [counted[0], counted[1]]);
    assert_eq!((aside(shop, "events", "in_the_export"), aside(shop, "shown", "in_the_export")), (4, 3));
    files.iter().zip(first).for_each(|(file, text)| shop.write(file, &text));
}

/// Sixty looks in a minute are no person's, whatever their ids: the visit is set aside and counted, the customer's others count.
#[test]
fn what_a_robot_did_is_set_aside_and_told() {
    let shop = shop();
    shop.must(&["ingest"]);
    let looks = "SELECT COUNT(*) FROM sources.transactions";
    let before = number(&shop, looks);
    let hash = shop.must(&["release", "build"]).trim().to_owned();
    shop.must(&["release", "promote", &hash]);
    let server = Server::start(&shop, &["--from-export"]);
    let (anna, _) = customers(&shop);
    let list = server.list(&anna);
    let now: chrono::DateTime<chrono::Utc> = list["as_of"].as_str().unwrap().parse().unwrap();
    let at = |seconds: i64| json!((now - chrono::Duration::seconds(seconds)).to_rfc3339());
    let mut sent: Vec<Value> = (0..60)
        .map(|n| {
            event(
                &format!("fast {n}"),
                "browse",
                &anna,
                &list,
                n % 5,
                json!({"session_id": "robot", "at": at(600 - n as i64)}),
            )
        })
        .collect();
    // In the same visit nothing counts, beside it all.
    sent.push(event("wish", "wishlist", &anna, &list, 0, json!({"session_id": "robot", "at": at(400)})));
    sent.push(event("calm", "browse", &anna, &list, 1, json!({"session_id": "person", "at": at(200)})));
    assert_eq!(server.post("/events", json!(sent)).1["kept"], json!(62));
    server.stop();
    let said = shop.run(&["ingest"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("61 not: more looks, and faster, than a person can make"));
    assert_eq!((aside(&shop, "events", "robot"), number(&shop, looks)), (61, before + 1));
    let rejected = "SELECT COUNT(*) FROM sources.rejected WHERE reason = 'robot' AND file LIKE 'served/%'";
    assert_eq!(number(&shop, rejected), 61);
}
