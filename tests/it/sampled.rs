//! A shop with more looks than are learned from: whose they are is drawn by lot, told, and changes nothing of what is known.

use crate::shop::Shop;

#[test]
fn a_large_shop_learns_from_customers_drawn_by_lot_and_says_so() {
    let shop = Shop::new(40);
    for stage in ["ingest", "embeddings", "features"] {
        let told = String::from_utf8(shop.run(&[stage]).stderr).unwrap();
        assert!(!told.contains("drawn by lot"), "{told}");
    }
    let looks: usize = shop
        .only("SELECT COUNT(*) FROM sources.transactions WHERE stands_for = 'browse' AND consented")
        .parse()
        .unwrap();
    let of = |customers: &str| {
        shop.ask(&format!(
            "SELECT * FROM features.customer_history WHERE customer_id IN ({customers}) ORDER BY customer_id, as_of"
        ))
    };
    let everybodys = shop.ask("SELECT * FROM features.customer_history ORDER BY customer_id, as_of");
    let articles = shop.ask("SELECT * FROM features.article_record ORDER BY product_id, season, as_of");

    shop.replace("params.yaml", "most_looks: 300000", &format!("most_looks: {}", looks / 3));
    let told = String::from_utf8(shop.run(&["ingest"]).stderr).unwrap();
    assert!(told.contains("drawn by lot (split.most_looks in params.yaml)"), "{told}");
    shop.must(&["features"]);
    let drawn = "SELECT customer_id FROM split.sample WHERE drawn";
    let sum: usize = shop.only("SELECT SUM(looks) FROM split.sample WHERE drawn").parse().unwrap();
    assert!(sum >= looks / 3 && sum < looks / 2, "{sum} of {looks}");
    // All that a drawn customer looked at, and nothing of anybody else's.
    let in_grain = "SELECT COUNT(*) FROM (SELECT DISTINCT customer_id, event_time FROM sources.transactions \
                    WHERE stands_for = 'browse' AND consented AND customer_id IN (SELECT customer_id FROM split.sample WHERE drawn))";
    assert_eq!(shop.only("SELECT COUNT(*) FROM grain.customer"), shop.only(in_grain));
    assert_eq!(shop.only(&format!("SELECT COUNT(*) FROM grain.request WHERE customer_id NOT IN ({drawn})")), "0");
    // What is known of them, and of articles, is what it was: others count in it as before.
    let rows = of(drawn);
    assert!(!rows.is_empty() && rows.len() < everybodys.len());
    assert!(rows.iter().all(|row| everybodys.contains(row)));
    let sampled = shop.ask("SELECT * FROM features.article_record ORDER BY product_id, season, as_of");
    assert!(!sampled.is_empty() && sampled.len() < articles.len());
    assert!(sampled.iter().all(|row| articles.contains(row)));
}
