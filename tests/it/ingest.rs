//! Invariants 3, 6 and 7: identity, consent, nothing lost.

use crate::shop::Shop;

/// A long CSV is read in blocks, whose ends are looked for with care from a quote on: the rows and their lines are the same, and so
/// they are where memory has no room for them.
#[test]
fn a_long_csv_is_read_as_a_short_one() {
    let shop = Shop::new(25);
    // The copies of a customer's looks come at once.
    shop.replace("params.yaml", "  robot_looks: 60", "  robot_looks: 1000000");
    let text = shop.read("materials/transactions.csv");
    let (header, rows) = text.split_once('\n').expect("a header");
    let (mut long, mut broken) = (format!("{header}\n"), Vec::new());
    let mut line = 1;
    for copy in 0.. {
        for row in rows.lines() {
            line += 1;
            let cells: Vec<&str> = row.split(',').collect();
            let own = |place: usize| match cells[place] {
                "" => String::new(),
                cell => format!("{cell}-{copy}"),
            };
            match line % 1000 {
                0 => {
                    broken.push(line.to_string());
                    long += "two,cells\n";
                }
                _ => {
                    let between = cells[1..5].join(",");
                    let (pieces, price, channel) = (cells[6], cells[7], cells[9]);
                    long += &format!("{},{between},{},{pieces},{price},{},{channel}\n", own(0), own(5), own(8));
                }
            }
        }
        if long.len() > 18 << 20 {
            break;
        }
    }
    shop.write("materials/transactions.csv", &long);
    shop.must(&["ingest"]);
    let lines = "SELECT line FROM sources.rejected WHERE reason LIKE '% 2 cells %' ORDER BY line";
    assert_eq!(shop.ask(lines), broken);
    let tables = || {
        shop.must(&["ingest"]);
        ["transactions", "rejected", "surprises", "profile"]
            .map(|table| shop.ask(&format!("SELECT * FROM sources.{table}")))
    };
    let in_blocks = tables();
    let stored = |shop: &Shop| [shop.files("work/ingest"), shop.files("work/split")].concat();
    let in_memory = stored(&shop);
    shop.replace("params.yaml", "\nengine:\n", "\nengine:\n  memory_limit: 64MiB\n");
    assert!(tables() == in_blocks && stored(&shop) == in_memory, "other tables with a limit of memory");
    shop.replace("params.yaml", "  memory_limit: 64MiB\n", "");
    for place in [long.find("browse"), long[10 << 20..].find("browse").map(|place| place + (10 << 20))] {
        let mut quoted = long.clone();
        let place = place.unwrap();
        quoted.replace_range(place..place + "browse".len(), "\"browse\"");
        shop.write("materials/transactions.csv", &quoted);
        assert!(tables() == in_blocks, "a quote at {place}");
    }
}

/// Every kept event names exactly one article that exists; a return names its order's.
#[test]
fn every_event_has_one_article() {
    for shop in [Shop::of_client(), Shop::new(25)] {
        shop.must(&["ingest"]);
        let unresolved = "SELECT COUNT(*) FROM sources.{} t LEFT JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season WHERE p.product_id IS NULL";
        for table in ["transactions", "recommendations"] {
            assert_eq!(shop.only(&unresolved.replace("{}", table)), "0", "{table}");
        }
        let strayed = "SELECT COUNT(*) FROM sources.transactions r JOIN sources.transactions o ON o.order_id = r.order_id AND o.event_type = 'purchase' \
                       WHERE r.event_type = 'return' AND (r.season <> o.season OR r.product_id <> o.product_id)";
        assert_eq!(shop.only(strayed), "0");
        assert_ne!(shop.only("SELECT COUNT(*) FROM sources.transactions WHERE event_type = 'return'"), "0");
    }
}

/// A row that cannot be used is set aside with its line and its reason, and the run goes on.
#[test]
fn one_bad_row_never_stops_a_run() {
    let shop = Shop::new(10);
    let cases = [
        ("transactions", "x1,yesterday,anna/1,K-1,browse,,,,v,web", "bad_time"),
        ("transactions", "x9,14.13.2031 10:00:00,anna/1,K-1,browse,,,,v,web", "bad_time"),
        ("transactions", "x2,2031-05-01T10:00:00Z,nobody,K-1,browse,,,,v,web", "unknown_customer"),
        ("transactions", "x3,2031-05-01T10:00:00Z,anna/1,K-1,stared,,,,v,web", "unknown_event"),
        ("transactions", "x4,2031-05-01T10:00:00Z,anna/1,Q,browse,,,,v,web", "unknown_product"),
        ("transactions", "x5,2031-05-01T10:00:00Z,anna/1,K-1,purchase,O-x,one,2.50,v,web", "bad_quantity"),
        ("transactions", "x6,2031-05-01T10:00:00Z,anna/1,K-1,return,O-?,-1,2.50,v,web", "return_without_order"),
        ("transactions", "x7,2033-05-01T10:00:00Z,anna/1,K-1,browse,,,,v,web", "after_export"),
        ("transactions", "x8,too,few", "the row has 3 cells instead of 10"),
        ("products", "K-99,LATER,a,b,c,d,cheap,e,f,,50,g,brand,DE,2031-01-01,2031-02-01", "bad_price"),
        ("products", "K-98,LATER,a,b,c,d,12,e,f,,50,g,brand,DE,2031-03-01,2031-02-01", "bad_sale_window"),
        ("products", "K-1,SUMMER-31,a,b,c,d,12,e,f,,50,g,brand,DE,2031-03-01,2031-05-01", "article_twice"),
        ("customers", ",young,,Berlin,2030-01-01,high,,mid,true", "no_customer_id"),
        ("production-recommendations-sample", "y1,2032-02-30 10:00:00,anna/1,K-1,1,m,0,,0,,0,,false", "bad_time"),
        (
            "production-recommendations-sample",
            "y2,2032-02-03 10:00:00,anna/1,K-1,1,m,1,2032-02-03 09:00:00,0,,0,,false",
            "outcome_before_cause",
        ),
        (
            "production-recommendations-sample",
            "y3,2032-02-03 10:00:00,anna/1,K-1,1,m,0,,0,,1,2032-02-05 09:00:00,false",
            "return_without_purchase",
        ),
        (
            "production-recommendations-sample",
            "y4,2032-02-03 10:00:00,anna/1,K-1,none,m,0,,0,,0,,false",
            "bad_position",
        ),
    ];
    let mut expected = Vec::new();
    for (file, row, reason) in cases {
        let path = format!("materials/{file}.csv");
        let text = shop.read(&path);
        expected.push(format!("{file}.csv,{},{reason}", text.lines().count() + 1));
        shop.write(&path, &format!("{text}{row}\n"));
    }
    shop.must(&["ingest"]);
    let mut found = shop.ask("SELECT file, line, reason FROM sources.rejected");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// Customers without consent have nothing in any column that follows from behaviour, and get nothing personal.
#[cfg(feature = "encoder")]
#[test]
fn without_consent_there_is_no_profile() {
    let shop = Shop::new(60);
    for stage in ["ingest", "embeddings", "features", "frame", "train", "rank", "recommend"] {
        shop.must(&[stage]);
    }
    let known = [
        (
            "customer_history",
            "COALESCE(looks_30d, looks_1y, wishes_90d, purchases_90d, purchases_ever, spend_90d, return_share, days_since_look) IS NOT NULL",
        ),
        ("visit", "COALESCE(looks_before_in_hour, wishes_before_in_hour) IS NOT NULL"),
        (
            "customer_article",
            "COALESCE(seen_before, bought_before, brand_looks, category_look_share, price_gap, score_gap) IS NOT NULL",
        ),
        ("customer_taste", "COALESCE(taste_match, taste_match_bought) IS NOT NULL"),
    ];
    for (view, profiled) in known {
        let count = |consent: &str| {
            shop.only(&format!(
                    "SELECT COUNT(*) FROM features.{view} f JOIN sources.customers c ON c.customer_id = f.customer_id WHERE {consent} c.personalisation_consent AND {profiled}"
                ),
            )
        };
        assert_eq!(count("NOT"), "0", "{view}");
        assert_ne!(count(""), "0", "{view}");
    }
    let personal = "SELECT COUNT(*) FROM recommendations r JOIN sources.customers c ON c.customer_id = r.customer_id WHERE NOT c.personalisation_consent AND r.basis = 'personal'";
    assert_eq!(shop.only(personal), "0");
    what_they_do_moves_nothing(&shop);
}

/// Their looks become wishes, their purchases others': no feature, frame, model or list moves.
#[cfg(feature = "encoder")]
fn what_they_do_moves_nothing(shop: &Shop) {
    let answers = |shop: &Shop| {
        let views =
            ["customer_history", "article_record", "brand_record", "visit", "customer_article", "customer_taste"];
        let mut answers: Vec<Vec<String>> =
            views.map(|view| shop.ask(&format!("SELECT * FROM features.{view}"))).into_iter().collect();
        answers.extend(["frame", "recommendations"].map(|table| shop.ask(&format!("SELECT * FROM {table}"))));
        answers.push(shop.ask("SELECT * FROM split.periods"));
        answers
    };
    let before = answers(shop);
    let silent = shop.ask("SELECT customer_id FROM sources.customers WHERE NOT personalisation_consent");
    let mut changed = 0;
    let poisoned = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        if !silent.iter().any(|one| *one == cells[2]) {
            return line.to_owned();
        }
        changed += 1;
        let line = line.replace(",browse,", ",wishlist,").replace(",K-1,", ",K-5,").replace(",1,12.30,", ",9,99.90,");
        line.replace("T12:", "T23:")
    };
    let lines: Vec<String> = shop.read("materials/transactions.csv").lines().map(poisoned).collect();
    assert!(changed > 100);
    shop.write("materials/transactions.csv", &(lines.join("\n") + "\n"));
    for stage in ["ingest", "embeddings", "features", "frame", "train", "rank", "recommend"] {
        shop.must(&[stage]);
    }
    assert!(answers(shop) == before);
}

/// Recommendations are on sale at the export and can be sent to the customer; everybody gets as many as there are.
#[cfg(feature = "encoder")]
#[test]
fn recommendations_can_be_bought() {
    let shop = Shop::new(60);
    for stage in ["ingest", "embeddings", "features", "frame", "train", "rank", "recommend"] {
        shop.must(&[stage]);
    }
    let wrong = "SELECT COUNT(*) FROM recommendations r JOIN sources.customers c ON c.customer_id = r.customer_id \
                 JOIN sources.products p ON p.product_id = r.product_id AND p.season = r.season \
                 WHERE p.on_sale_from > DATE '2032-03-01' OR p.on_sale_until < DATE '2032-03-01' OR position(c.country IN p.ships_to) = 0";
    assert_eq!(shop.only(wrong), "0");
    assert_eq!(
        shop.only("SELECT COUNT(DISTINCT customer_id), COUNT(*) FROM recommendations r WHERE rank <= 5"),
        "60,300"
    );
}
