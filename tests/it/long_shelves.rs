//! Shelves too long to be ranked whole: what retrieval finds is ranked, the law holds, and the lists are as good.

use crate::known_truth::judged::{judged, project};
use crate::known_truth::{Size, TrueShop};

/// More than 500 articles are on sale at a time.
const LONG: Size = Size { customers: 150, articles: 620, seasons: 2, busy: 9.0 };

#[test]
fn long_shelves_are_searched_and_lists_stay_lawful_and_good() {
    let shop = TrueShop::new(107, LONG);
    let folder = project(&shop);
    let found = judged(107, &shop, &folder);
    // What is retrieved holds nearly all that ranking whole shelves would show, and is told.
    let told = folder.read("work/rank/served.json");
    let ranking: serde_json::Value = serde_json::from_str(&told).unwrap();
    let retrieval = &ranking["ranking"]["retrieval"]["found"];
    let number = |name: &str| retrieval[name].as_f64().unwrap();
    assert!(number("shelf") > 500.0 && number("ranked") < number("shelf") / 1.5, "{retrieval}");
    assert!(number("recall") > 0.95, "{retrieval}");
    let [ours, popular, _] = found.of_best;
    assert!(ours > popular + 5.0, "{found:?}");
    // Full lists of what is on sale, may be sent there and is not owned.
    let unlawful = folder.only(&format!(
        "SELECT COUNT(*) FROM recommendations r JOIN sources.customers c ON c.customer_id = r.customer_id \
         JOIN sources.products p ON p.product_id = r.product_id AND p.season = r.season \
         WHERE p.on_sale_from > DATE '{0}' OR p.on_sale_until < DATE '{0}' OR strpos(p.ships_to, c.country) = 0 \
            OR (r.basis = 'personal' AND EXISTS (SELECT 1 FROM sources.transactions t WHERE t.customer_id = r.customer_id \
                AND t.product_id = r.product_id AND t.event_type = 'purchase' AND NOT EXISTS (SELECT 1 FROM sources.transactions b \
                WHERE b.order_id = t.order_id AND b.product_id = t.product_id AND b.event_type = 'return')))",
        shop.exported
    ));
    assert_eq!(unlawful, "0");
    let lists = folder.only("SELECT concat(COUNT(DISTINCT customer_id), ' ', COUNT(*)) FROM recommendations");
    assert_eq!(lists, "150 1500");
    // The same bytes for any number of partitions.
    let bytes = std::fs::read(folder.path("work/recommendations.parquet")).unwrap();
    folder.replace("params.yaml", "partitions: 2", "partitions: 5");
    folder.must(&["recommend"]);
    assert!(bytes == std::fs::read(folder.path("work/recommendations.parquet")).unwrap());
    // Views of customers were worked out from what those customers did alone; where a view reads of others what its header does
    // not say, they are worked out from everybody's events, and come out the same.
    let lists = "SELECT customer_id, rank, product_id, season, score, reason FROM recommendations ORDER BY 1, 2";
    let narrowed = folder.ask(lists);
    folder.replace("sql/features/customer_affinity.sql", "everybody: [daily]\n", "");
    let told = String::from_utf8(folder.run(&["recommend"]).stderr).unwrap();
    assert!(told.contains("from everybody's events"), "{told}");
    assert_eq!(folder.ask(lists), narrowed);
    let customer = folder.only("SELECT MIN(customer_id) FROM recommendations WHERE basis = 'personal'");
    let out = folder.only(&format!(
        "SELECT MIN(p.product_id) FROM sources.products p WHERE p.on_sale_from <= DATE '{0}' AND p.on_sale_until >= DATE '{0}' \
         AND p.ships_to LIKE '%DE%AT%CH%' AND p.product_id NOT IN (SELECT product_id FROM recommendations WHERE customer_id = '{customer}')",
        shop.exported
    ));
    let why = folder.must(&["why-not", &customer, &out]);
    assert!(why.contains("place") || why.contains("articles of this customer's shelf that are ranked"), "{why}");
}
