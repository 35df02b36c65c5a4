//! Invariant 1: a feature at `as_of` depends on nothing at or after `as_of`.

use std::collections::BTreeMap;

use crate::shop::Shop;

/// The feature views of the library.
fn views(shop: &Shop) -> Vec<String> {
    shop.must(&["sql"])
        .lines()
        .filter(|table| table.starts_with("features."))
        .map(str::to_owned)
        .collect()
}

/// Every view's rows before the cut.
fn before(shop: &Shop, cut: &str) -> BTreeMap<String, Vec<String>> {
    let rows = |view: &String| shop.ask(&format!("SELECT * FROM {view} WHERE as_of < TIMESTAMP '{cut}'"));
    views(shop)
        .into_iter()
        .map(|view| (view.clone(), rows(&view)))
        .collect()
}

/// What happens at the cut and after it is changed; every feature before it stays as it was.
#[cfg(feature = "encoder")]
#[test]
fn features_do_not_see_the_future() {
    const CUT: &str = "2031-06-01T00:00:00";
    let shop = Shop::new(30);
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let expected = before(&shop, CUT);
    assert!(
        expected.values().all(|rows| rows.len() > 100),
        "the cut leaves rows to compare"
    );

    let written = shop.read("materials/transactions.csv");
    let future = |line: &&str| {
        line.split(',')
            .nth(1)
            .is_some_and(|time| time >= CUT && time != "event_time")
    };
    let truncated: String = written
        .lines()
        .filter(|line| !future(line))
        .map(|line| format!("{line}\n"))
        .collect();
    // Scrambled: what was a purchase is a look and the other way round, at another customer.
    let scramble = |line: &str| match future(&line) {
        true if line.contains(",browse,") => line.replace("anna/1", "anna/2").replace(",v", ",w"),
        true => line.replace(",12.30,", ",99.90,"),
        false => line.to_owned(),
    };
    let poisoned: String = written.lines().map(|line| scramble(line) + "\n").collect();
    assert_ne!(poisoned, written);
    for (what, text) in [("dropped", &truncated), ("scrambled", &poisoned)] {
        shop.write("materials/transactions.csv", text);
        for stage in ["ingest", "features"] {
            shop.must(&[stage]);
        }
        for (view, rows) in before(&shop, CUT) {
            let difference = rows.iter().zip(&expected[&view]).find(|(now, then)| now != then);
            assert_eq!(difference, None, "{view} changed when the future was {what}");
            assert_eq!(
                rows.len(),
                expected[&view].len(),
                "{view} has other rows when the future was {what}"
            );
        }
    }
}

/// The test above can fail: a view that looks at the moment itself and beyond is caught by the same comparison.
#[cfg(feature = "encoder")]
#[test]
fn a_view_that_leaks_is_seen() {
    const CUT: &str = "2031-06-01T00:00:00";
    let shop = Shop::new(30);
    shop.write(
        "sql/features/leak.sql",
        "/*---\n{name: leak, version: 1, entity: customer, owner: nobody, description: Counts too much., columns: {all_looks: {unit: looks, meaning: all of them}}}\n---*/\n\
         SELECT g.customer_id, g.as_of, COUNT(t.line) AS all_looks FROM grain.customer g\n\
         LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id GROUP BY g.customer_id, g.as_of\n",
    );
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let then = before(&shop, CUT);
    let written = shop.read("materials/transactions.csv");
    let kept: String = written
        .lines()
        .filter(|line| {
            line.split(',')
                .nth(1)
                .is_none_or(|time| time == "event_time" || time < CUT)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    shop.write("materials/transactions.csv", &kept);
    for stage in ["ingest", "features"] {
        shop.must(&[stage]);
    }
    assert_ne!(before(&shop, CUT)["features.leak"], then["features.leak"]);
}

/// Spending, counts and shares of one view, against a plain loop over the events.
#[cfg(feature = "encoder")]
#[test]
fn history_is_what_a_plain_loop_says() {
    let shop = Shop::new(12);
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let events = shop.ask(
        "SELECT t.customer_id, date_part('epoch', t.event_time), t.event_type FROM sources.transactions t \
         JOIN sources.customers c ON c.customer_id = t.customer_id WHERE c.personalisation_consent",
    );
    let events: Vec<(&str, f64, &str)> = events
        .iter()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0], cells[1].parse().unwrap(), cells[2])
        })
        .collect();
    let rows = shop.ask(
        "SELECT h.customer_id, date_part('epoch', h.as_of), h.looks_30d, h.purchases_90d, h.purchases_ever, h.spend_90d \
         FROM features.customer_history h JOIN sources.customers c ON c.customer_id = h.customer_id WHERE c.personalisation_consent",
    );
    assert!(rows.len() > 100);
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        let (customer, moment): (&str, f64) = (cells[0], cells[1].parse().unwrap());
        let count = |kind: &str, days: f64| {
            events
                .iter()
                .filter(|(who, at, what)| {
                    *who == customer && *what == kind && *at < moment && *at >= moment - days * 86_400.0
                })
                .count()
        };
        let purchases = count("purchase", 90.0);
        let expected = [
            count("browse", 30.0) as f64,
            purchases as f64,
            count("purchase", 1e6) as f64,
            12.3 * purchases as f64,
        ];
        let found: Vec<f64> = cells[2..].iter().map(|cell| cell.parse().unwrap()).collect();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{row}: {found} is not {expected}");
        }
    }
}
