//! What is true of the client's export alone: its surprises, counted.

use std::collections::BTreeMap;

use crate::shop::Shop;

/// The counts of the client's export, as its README and a profile of the raw files give them.
#[test]
fn the_clients_surprises_are_counted() {
    let shop = Shop::of_client();
    shop.must(&["ingest"]);
    let counts: BTreeMap<String, String> = shop
        .ask("SELECT concat(replace(file, '.csv', ''), ' ', code), rows FROM sources.surprises WHERE rows > 0")
        .iter()
        .filter_map(|line| line.rsplit_once(',').map(|(code, rows)| (code.to_owned(), rows.to_owned())))
        .collect();
    for (code, rows) in [
        ("transactions late_copy", "218"),
        ("transactions robot", "217"),
        ("transactions unknown_customer", "7"),
        ("transactions return_without_order", "3"),
        ("transactions not_on_sale", "1"),
        ("transactions return_out_of_sale", "42"),
        ("products decimal_comma", "122"),
        ("products ten_point_score", "84"),
        ("products no_description", "18"),
        ("products html_entities", "35"),
        ("products no_score", "30"),
        ("customers no_consent", "119"),
        ("customers no_sustainability_preference", "162"),
        ("production-recommendations-sample shown_without_consent", "172"),
        ("production-recommendations-sample not_shippable", "3"),
        ("production-recommendations-sample purchase_too_late", "2"),
    ] {
        assert_eq!(counts.get(code).map(String::as_str), Some(rows), "{code}");
    }
    // Nothing is lost: rows in = rows kept + rows set aside, and each set-aside row is written down.
    let files = shop.only("SELECT SUM(CASE kind WHEN 'rows' THEN rows WHEN 'kept' THEN -rows WHEN 'set_aside' THEN -rows ELSE 0 END) FROM sources.surprises",
    );
    assert_eq!(files, "0");
    assert_eq!(shop.only("SELECT COUNT(*) FROM sources.rejected WHERE reason IS NOT NULL AND \"row\" <> ''"), "446");
}

/// A part of the export that did not come along is told, and by nothing else than what is missing.
#[test]
fn a_month_that_is_missing_is_told() {
    let shop = Shop::of_client();
    shop.must(&["ingest"]);
    let gaps = "SELECT kind, last_before, first_after, days FROM split.gaps ORDER BY kind";
    assert_eq!(shop.ask(gaps), [""; 0]);
    let transactions = shop.read("materials/transactions.csv");
    let without = |missing: &dyn Fn(&str) -> bool| {
        let kept: Vec<&str> = transactions.lines().filter(|line| !missing(line)).collect();
        shop.write("materials/transactions.csv", &(kept.join("\n") + "\n"));
        shop.must(&["ingest"]);
        shop.ask(gaps)
    };
    let june = |line: &str| line.contains(",2026-06-") || line.contains(".06.2026 ");
    assert_eq!(without(&june), ["event,2026-05-31,2026-07-01,30"]);
    for stage in ["embeddings", "features", "frame"] {
        shop.must(&[stage]);
    }
    let audit = shop.run(&["audit"]);
    let said = String::from_utf8_lossy(&audit.stderr).into_owned() + &String::from_utf8_lossy(&audit.stdout);
    assert!(said.contains("gaps"), "{said}");
    let looks = without(&|line: &str| june(line) && line.contains(",browse,"));
    assert_eq!(looks.len(), 1, "{looks:?}");
    assert!(looks[0].starts_with("browse,"), "{looks:?}");
}
