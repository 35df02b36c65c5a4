//! What the lists may and may not hold, why, and what drives the scores.

use crate::shop::Shop;

/// One shop for all that follows, because its stages take seconds; what changes its materials comes last.
#[test]
fn lists_drivers_and_consent() {
    let shop = shop();
    for stage in [
        "ingest",
        "embeddings",
        "features",
        "frame",
        "train",
        "rank",
        "evaluate",
        "drivers",
        "recommend",
        "monitor",
        "drill",
        "report",
    ] {
        shop.must(&[stage]);
    }
    the_ranking_speaks(&shop);
    lists_keep_the_rules(&shop);
    figures_have_their_protocol(&shop);
    why_an_article_is_not_there(&shop);
    fits_know_nothing_later(&shop);
    lists_of_an_earlier_day_know_nothing_later(&shop);
    drivers_share_the_whole_spread(&shop);
    without_consent_nothing_they_did_matters(&shop);
    others_also_bought(&shop);
    who_owns_everything_gets_no_list(&shop);
}

/// A shop with six brands on sale, three of its articles new, some parcels that are never sent back, and words of its own for
/// what drives a recommendation.
fn shop() -> Shop {
    let shop = Shop::new(60);
    shop.replace("params.yaml", "[price, brand, style, sustainability]", "[price, label, style, fair goods]");
    for file in std::fs::read_dir(shop.path("sql/features")).unwrap() {
        let file = format!("sql/features/{}", file.unwrap().file_name().display());
        let text = shop.read(&file).replace("driver: brand", "driver: label");
        shop.write(&file, &text.replace("driver: sustainability", "driver: fair goods"));
    }
    let products = shop.read("materials/products.csv");
    let mut n = 0;
    let lines = products.lines().map(|line| {
        if !line.contains(",WINTER-31,") {
            return line.to_owned();
        }
        n += 1;
        let mut cells: Vec<String> = line.splitn(5, ',').map(str::to_owned).collect();
        cells[3] = format!("Brand {}", n % 6);
        let line = cells.join(",");
        if n % 4 == 0 { line.replace("2031-09-01,", "2032-02-20,") } else { line }
    });
    let lines: Vec<String> = lines.collect();
    shop.write("materials/products.csv", &(lines.join("\n") + "\n"));
    shop.write("materials/transactions.csv", &with_taste(&shop.read("materials/transactions.csv")));
    shop
}

/// Four of five visits go to the customer's own kind of article, one in six: there is something to learn.
fn with_taste(transactions: &str) -> String {
    let line = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        let number = |cell: &str, before: &str| cell.strip_prefix(before).and_then(|n| n.parse::<usize>().ok());
        let (customer, article) = (number(&cells[2], "anna/"), number(&cells[3], "K-"));
        let visit = number(&cells[8], "v").or_else(|| number(&cells[5], "O-"));
        if let (Some(customer), Some(article), Some(visit)) = (customer, article, visit)
            && visit % 5 != 0
        {
            cells[3] = format!("K-{}", article / 6 * 6 + customer % 6);
        }
        cells.join(",")
    };
    transactions.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn the_ranking_speaks(shop: &Shop) {
    let figures = "SELECT value > 0.05 AND low > 0 FROM evaluation.shelf_figures WHERE protocol = 'shelf-visit' AND \
                   ranking = 'chain' AND against = 'popularity' AND figure = 'right_order'";
    assert_eq!(shop.only(figures), "true");
    assert_eq!(
        shop.only("SELECT COUNT(*) > 0 FROM evaluation.shelf_figures WHERE shown AND ranking IN ('chain', 'two-tower', 'blend', 'boosted trees')"
        ),
        "true"
    );
    let report = shop.read("reports/recommendations.md");
    assert!(report.contains("Of 100 customers who bought and kept something,"), "{report}");
    assert!(report.contains("the shop's own ranking, because"), "{report}");
    assert!(!report.contains("NaN"), "{report}");
}

/// No figure without its protocol, its visits and its model; within a protocol all rest on the same visits.
fn figures_have_their_protocol(shop: &Shop) {
    let bare = "SELECT COUNT(*) FROM evaluation.shelf_figures WHERE protocol = '' OR data = '' OR (ranking = 'chain' AND model = '')";
    assert_eq!(shop.only(bare), "0");
    let mixed = "SELECT COUNT(*) FROM (SELECT protocol FROM evaluation.shelf_figures GROUP BY protocol HAVING COUNT(DISTINCT data) > 1)";
    assert_eq!(shop.only(mixed), "0");
    let outside =
        "SELECT COUNT(*) FROM evaluation.shelf_figures WHERE value < low - 1e-9 OR value > high + 1e-9 OR isnan(value)";
    assert_eq!(shop.only(outside), "0");
}

/// Each answer of `why-not` is one that the tables agree with.
fn why_an_article_is_not_there(shop: &Shop) {
    let first = shop
        .ask("SELECT customer_id, product_id FROM recommendations WHERE basis = 'personal' ORDER BY 1, rank LIMIT 1");
    let (customer, article) = first[0].split_once(',').unwrap();
    let answer = shop.must(&["why-not", customer, article]);
    assert!(answer.contains("it is in the list, at place 1"), "{answer}");
    assert!(answer.contains("it was on sale until"), "its earlier seasons: {answer}");
    let owned = shop.ask(
        "SELECT t.customer_id, t.product_id FROM sources.transactions t JOIN sources.customers c ON c.customer_id = t.customer_id \
         JOIN exposure.on_sale o ON o.product_id = t.product_id AND o.season = t.season WHERE c.personalisation_consent \
         AND c.country <> 'CH' GROUP BY 1, 2 HAVING SUM(CASE t.event_type WHEN 'purchase' THEN t.quantity WHEN 'return' THEN -t.quantity ELSE 0 END) > 0 ORDER BY 1, 2 LIMIT 1",
    );
    if let Some((customer, article)) = owned.first().and_then(|line| line.split_once(',')) {
        let answer = shop.must(&["why-not", customer, article]);
        assert!(answer.contains("the customer owns it"), "{answer}");
    }
    let unknown = shop.run(&["why-not", customer, "no such thing"]);
    assert_eq!(unknown.status.code(), Some(1));
}

/// Each query counts what must not be.
const NEVER: [(&str, &str); 9] = [
    (
        "what the customer owns",
        "SELECT COUNT(*) FROM recommendations r JOIN (SELECT t.customer_id, t.product_id, t.season FROM sources.transactions t WHERE t.event_type IN ('purchase', 'return') GROUP BY 1, 2, 3 HAVING SUM(CASE t.event_type WHEN 'purchase' THEN t.quantity ELSE -t.quantity END) > 0) o ON o.customer_id = r.customer_id AND o.product_id = r.product_id AND o.season = r.season WHERE r.basis = 'personal'",
    ),
    (
        "fewer new articles than promised",
        "SELECT COUNT(*) FROM (SELECT customer_id FROM exposure.lists WHERE list = 'ours' AND from_behaviour GROUP BY customer_id HAVING COUNT(*) FILTER (WHERE age = 'new') < 2)",
    ),
    (
        "a rank that is not by score",
        "SELECT COUNT(*) FROM recommendations a JOIN recommendations b ON b.customer_id = a.customer_id AND b.rank = a.rank + 1 WHERE b.score > a.score",
    ),
    (
        "a reason without a driver or a version",
        "SELECT COUNT(*) FROM recommendations WHERE reason = '' OR features = '' OR model = '' OR (because_of <> '' AND driver = '')",
    ),
    (
        "a brand that was never bought, said to be",
        "SELECT COUNT(*) FROM recommendations r WHERE r.because_of = 'brand_bought' AND NOT EXISTS (SELECT 1 FROM sources.transactions t JOIN sources.products p ON p.product_id = t.product_id AND p.season = t.season WHERE t.customer_id = r.customer_id AND t.event_type = 'purchase' AND p.brand = r.brand)",
    ),
    (
        "an article that was never looked at, said to be",
        "SELECT COUNT(*) FROM recommendations r WHERE r.because_of = 'seen_before' AND NOT EXISTS (SELECT 1 FROM sources.transactions t WHERE t.customer_id = r.customer_id AND t.event_type = 'browse' AND t.product_id = r.product_id AND t.season = r.season)",
    ),
    (
        "often said of what few have looked at",
        "SELECT COUNT(*) FROM recommendations r WHERE r.reason LIKE 'often %' AND (SELECT COUNT(*) FROM sources.transactions t WHERE t.product_id = r.product_id AND t.season = r.season AND t.event_type = 'browse') < 10",
    ),
    (
        "popular said of what nobody has bought and kept",
        "SELECT COUNT(*) FROM recommendations r WHERE r.reason LIKE 'popular %' AND (SELECT SUM(CASE t.event_type WHEN 'purchase' THEN 1 WHEN 'return' THEN -1 ELSE 0 END) FROM sources.transactions t WHERE t.product_id = r.product_id AND t.season = r.season) <= 0",
    ),
    (
        "a reason said more often than allowed",
        "SELECT COUNT(*) FROM (SELECT customer_id FROM recommendations WHERE basis = 'personal' GROUP BY customer_id, reason HAVING COUNT(*) > 3)",
    ),
];

/// Parts against the middle of the same shelf differ by exactly what the scores differ.
const EXACT: &str = "SELECT MAX(ABS(a.score - b.score \
    - (a.from_price + a.from_label + a.from_style + a.from_fair_goods + a.from_other) \
    + (b.from_price + b.from_label + b.from_style + b.from_fair_goods + b.from_other))) < 1e-9 \
    FROM recommendations a JOIN recommendations b ON b.customer_id = a.customer_id AND b.basis = 'personal' \
    WHERE a.basis = 'personal'";

fn lists_keep_the_rules(shop: &Shop) {
    assert_ne!(shop.only("SELECT COUNT(*) FROM recommendations WHERE basis = 'personal'"), "0");
    for (what, query) in NEVER {
        assert_eq!(shop.only(query), "0", "{what}");
    }
    assert_eq!(shop.only(EXACT), "true");
    let lists =
        "SELECT list, COUNT(DISTINCT customer_id), COUNT(*) > 500 FROM exposure.lists GROUP BY list ORDER BY list";
    assert_eq!(shop.ask(lists), ["old,60,true", "ours,60,true"]);
    let cards = "SELECT COUNT(DISTINCT card), COUNT(DISTINCT customer_id) FROM exposure.cards";
    assert_eq!(shop.only(cards), "10,10");
}

/// The shares of the spread add up to 1 in every group, and lie within their ranges.
fn drivers_share_the_whole_spread(shop: &Shop) {
    let groups = "SELECT COUNT(*) > 0, COUNT(*) FILTER (WHERE ABS(total - 1) > 1e-9) FROM \
                  (SELECT kind, name, SUM(share) AS total FROM drivers.shares WHERE share IS NOT NULL GROUP BY kind, name)";
    assert_eq!(shop.only(groups), "true,0");
    let outside =
        "SELECT COUNT(*) FROM drivers.shares WHERE share < share_low OR share > share_high OR push_low > push_high";
    assert_eq!(shop.only(outside), "0");
    // The shop's own words, everywhere.
    let words = "fair goods\nlabel\nother\nprice\nstyle";
    for table in ["drivers.shares", "drivers.columns", "exposure.lifts", "exposure.lifted"] {
        assert_eq!(shop.only(&format!("SELECT DISTINCT driver FROM {table} ORDER BY 1")), words, "{table}");
    }
    let page = shop.read("reports/drivers.md");
    assert!(page.contains("| fair goods |") && !page.contains("sustainability |"), "{page}");
    let lifts = "SELECT BOOL_AND(ABS(l.lift - r.lift) < 1e-6) FROM exposure.lifts l JOIN \
                 (SELECT AVG(lift) AS lift FROM (SELECT AVG(from_fair_goods) AS lift FROM recommendations \
                  WHERE basis = 'personal' GROUP BY customer_id)) r ON l.driver = 'fair goods'";
    assert_eq!(shop.only(lifts), "true");
    // Too few customers: no figure, not a narrow one.
    let few = "SELECT COUNT(*) FROM drivers.shares WHERE customers < 20 AND share IS NOT NULL";
    assert_eq!(shop.only(few), "0");
}

/// What a customer without consent did changes nothing in what they are shown.
fn without_consent_nothing_they_did_matters(shop: &Shop) {
    let lists = |shop: &Shop| {
        shop.ask(
            "SELECT r.customer_id, r.rank, r.product_id, r.season, r.score, r.reason FROM recommendations r \
             JOIN sources.customers c ON c.customer_id = r.customer_id WHERE NOT c.personalisation_consent ORDER BY 1, 2",
        )
    };
    let before = lists(shop);
    assert!(!before.is_empty());
    let silent: Vec<String> = shop.ask("SELECT customer_id FROM sources.customers WHERE NOT personalisation_consent");
    let transactions = shop.read("materials/transactions.csv");
    let kept: Vec<&str> = transactions
        .lines()
        .filter(|line| !line.split(',').nth(2).is_some_and(|customer| silent.iter().any(|one| one == customer)))
        .collect();
    assert!(kept.len() < transactions.lines().count());
    shop.write("materials/transactions.csv", &(kept.join("\n") + "\n"));
    for stage in ["ingest", "recommend"] {
        shop.must(&[stage]);
    }
    assert_eq!(lists(shop), before);
}

/// The old list, worked out by hand: two customers bought the same hat, one of them a second thing too.
fn others_also_bought(shop: &Shop) {
    let article = |n: usize| format!("K-{n}");
    let buy = |n: usize, customer: &str, article: &str| {
        format!("t{n},2032-02-2{}T12:00:00Z,{customer},{article},purchase,O-{n},1,12.30,v{n},web", 1 + n % 8)
    };
    let rows = [
        "transaction_id,event_time,customer_id,product_id,event_type,order_id,quantity,unit_price_eur,session_id,channel".into(),
        buy(1, "anna/0", &article(1)),
        buy(2, "anna/1", &article(1)),
        buy(3, "anna/1", &article(2)),
        buy(4, "anna/2", &article(1)),
        buy(5, "anna/2", &article(2)),
        buy(6, "anna/2", &article(3)),
        // Without consent, and therefore not counted.
        buy(7, "anna/3", &article(1)),
        buy(8, "anna/3", &article(5)),
        "t9,2032-02-22T13:00:00Z,anna/0,K-7,browse,,,,v9,web".into(),
        "t10,2032-02-23T13:00:00Z,anna/1,K-7,browse,,,,v10,web".into(),
    ];
    shop.write("materials/transactions.csv", &(rows.join("\n") + "\n"));
    for stage in ["ingest", "recommend"] {
        shop.must(&[stage]);
    }
    let list = "SELECT product_id FROM exposure.lists WHERE list = 'old' AND customer_id = 'anna/0' AND from_behaviour ORDER BY rank";
    assert_eq!(shop.ask(list), ["K-2", "K-3"]);
}

/// Whoever owns all there is gets nothing, and is counted.
fn who_owns_everything_gets_no_list(shop: &Shop) {
    let on_sale = "SELECT product_id FROM exposure.on_sale ORDER BY product_id";
    let bought = |(n, article): (usize, String)| {
        format!("o{n},2032-02-20T12:00:00Z,anna/1,{article},purchase,A-{n},1,12.30,v,web\n")
    };
    let purchases: String = shop.ask(on_sale).into_iter().enumerate().map(bought).collect();
    shop.write("materials/transactions.csv", &(shop.read("materials/transactions.csv") + &purchases));
    for stage in ["ingest", "recommend"] {
        shop.must(&[stage]);
    }
    assert_eq!(shop.only("SELECT COUNT(*) FROM recommendations WHERE customer_id = 'anna/1'"), "0");
    let without = "SELECT why, customers FROM exposure.audience WHERE basis = 'none'";
    assert_eq!(shop.only(without), "owns all that is on sale and can be sent there,1");
}

/// The lists of a day, and the ranking fitted for them, are the same when all that came later had not happened.
fn lists_of_an_earlier_day_know_nothing_later(shop: &Shop) {
    let lists = |shop: &Shop| {
        shop.must(&["recommend", "--as-of", "2032-02-01"]);
        shop.ask(
            "SELECT customer_id, rank, product_id, season, score, basis, reason FROM recommendations ORDER BY 1, 2",
        )
    };
    let latest = shop.ask("SELECT customer_id, rank, product_id FROM recommendations ORDER BY 1, 2");
    let before = lists(shop);
    assert!(before.iter().any(|line| line.contains(",personal,")), "the ranking of that day speaks");
    // And `why-not` speaks of that day's lists.
    let first = before.iter().find(|line| line.contains(",personal,")).unwrap();
    let cells: Vec<&str> = first.splitn(4, ',').collect();
    let said = shop.must(&["why-not", cells[0], cells[2], "--as-of", "2032-02-01"]);
    assert!(said.contains(&format!("it is in the list, at place {}", cells[1])), "{said}");
    let whole = shop.read("materials/transactions.csv");
    // The day begins on the shop's clock, an hour before midnight UTC.
    let known =
        |line: &&str| line.starts_with("transaction_id") || line.split(',').nth(1) < Some("2032-01-31T23:00:00Z");
    let earlier: Vec<&str> = whole.lines().filter(known).collect();
    assert!(earlier.len() < whole.lines().count());
    shop.write("materials/transactions.csv", &(earlier.join("\n") + "\n"));
    for stage in ["ingest", "features"] {
        shop.must(&[stage]);
    }
    assert_eq!(lists(shop), before);
    shop.write("materials/transactions.csv", &whole);
    for stage in ["ingest", "features", "recommend"] {
        shop.must(&[stage]);
    }
    assert_eq!(shop.ask("SELECT customer_id, rank, product_id FROM recommendations ORDER BY 1, 2"), latest);
}

/// A ranking fitted for a moment gives the same scores whatever came later; one that looks ahead is found out.
fn fits_know_nothing_later(shop: &Shop) {
    let holds = || selvedge::fits::run(&selvedge::open(Some(&shop.path(""))).unwrap());
    if let Err(error) = holds() {
        panic!("{error}");
    }
    let (bound, label) = (" AND p.event_time <= r.as_of + $purchase_window", "sql/labels/visits.sql");
    // Scrambled rows may name no article.
    shop.replace(label, bound, " AND p.product_id IS NOT NULL AND p.season IS NOT NULL");
    let Err(error) = holds() else { panic!("a ranking that knows what was bought later was not found out") };
    assert!(error.to_string().contains("the ranking fitted for 20"), "{error}");
    shop.replace(label, " AND p.product_id IS NOT NULL AND p.season IS NOT NULL", bound);
}

#[test]
fn a_phrase_that_can_never_be_said_is_an_error() {
    let cases = [
        ("customer_article", "you often look at {category}", "you often look at {catgory}", "did you mean category"),
        (
            "article_record",
            "when: {article_looks: {above: 9}}",
            "when: {article_lokks: {above: 9}}",
            "did you mean article_looks",
        ),
        ("article_facts", "driver: sustainability", "driver: sustainabilty", "did you mean sustainability"),
    ];
    for (view, from, to, advice) in cases {
        let shop = Shop::new(5);
        let file = format!("sql/features/{view}.sql");
        shop.replace(&file, from, to);
        let output = shop.run(&["recommend"]);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{words}");
        for part in [&file, advice] {
            assert!(words.contains(part), "{part} is not in: {words}");
        }
    }
}
