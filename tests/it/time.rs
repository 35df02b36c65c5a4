//! Features hold what their headers say of the time before the moment; that they hold nothing else is in `proof.rs`.

#![cfg(feature = "encoder")]

use crate::shop::Shop;

/// Spending, counts and shares of one view, against a plain loop over the events.
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
        let expected =
            [count("browse", 30.0) as f64, purchases as f64, count("purchase", 1e6) as f64, 12.3 * purchases as f64];
        let found: Vec<f64> = cells[2..].iter().map(|cell| cell.parse().unwrap()).collect();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{row}: {found} is not {expected}");
        }
    }
}
