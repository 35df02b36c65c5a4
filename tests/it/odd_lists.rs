//! Lists of shops that have little or odd things to tell: lawful and full where they can be, with no number that is none.

use crate::shop::Shop;

const STAGES: [&str; 8] = ["ingest", "embeddings", "features", "frame", "train", "rank", "evaluate", "recommend"];

/// Every customer gets ten articles, or all on sale that they do not own; the invented shop sends everything everywhere.
const NOT_FULL: &str = "WITH owned AS (SELECT customer_id, COUNT(*) AS n FROM (SELECT t.customer_id, t.product_id \
    FROM sources.transactions t JOIN sources.customers c ON c.customer_id = t.customer_id AND c.personalisation_consent \
    JOIN exposure.on_sale o ON o.product_id = t.product_id AND o.season = t.season WHERE t.event_type IN ('purchase', 'return') \
    GROUP BY 1, 2 HAVING SUM(CASE t.event_type WHEN 'purchase' THEN t.quantity ELSE -t.quantity END) > 0) GROUP BY 1), \
    lists AS (SELECT customer_id, COUNT(DISTINCT product_id) AS n, COUNT(*) AS places FROM recommendations GROUP BY 1) \
    SELECT COUNT(*) FROM sources.customers c LEFT JOIN owned o ON o.customer_id = c.customer_id \
    LEFT JOIN lists l ON l.customer_id = c.customer_id CROSS JOIN (SELECT COUNT(*) AS n FROM exposure.on_sale) s \
    WHERE COALESCE(l.n, 0) <> LEAST(10, s.n - COALESCE(o.n, 0)) OR l.n <> l.places";
const NO_NUMBER: &str =
    "SELECT COUNT(*) FROM recommendations WHERE score IS NULL OR isnan(score) OR score = 'inf'::DOUBLE OR reason = ''";

/// Runs everything and holds the lists to the law.
fn holds(what: &str, shop: &Shop) {
    for stage in STAGES {
        shop.must(&[stage]);
    }
    assert_eq!(shop.ask(NOT_FULL), ["0"], "{what}: a list is not full");
    assert_eq!(shop.ask(NO_NUMBER), ["0"], "{what}: a place has no score or no reason");
}

/// The same, and what is told of it.
fn tells(what: &str, shop: &Shop) {
    holds(what, shop);
    for stage in ["drivers", "monitor", "drill", "report"] {
        shop.must(&[stage]);
    }
    for page in ["recommendations", "model", "data"] {
        let report = shop.read(&format!("reports/{page}.md"));
        assert!(!report.contains("NaN") && !report.contains(" inf"), "{what}: {page}.md\n{report}");
    }
}

/// Changes cells of a CSV, by the names of its columns.
fn each(shop: &Shop, table: &str, change: impl Fn(usize, &mut dyn FnMut(&str, &str))) {
    let file = format!("materials/{table}.csv");
    let text = shop.read(&file);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut out = vec![names.join(",")];
    for (row, line) in lines.enumerate() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        change(row, &mut |name, value| {
            cells[names.iter().position(|known| *known == name).unwrap()] = value.to_owned()
        });
        out.push(cells.join(","));
    }
    shop.write(&file, &(out.join("\n") + "\n"));
}

fn append(shop: &Shop, table: &str, lines: &str) {
    let file = format!("materials/{table}.csv");
    shop.write(&file, &(shop.read(&file) + lines));
}

#[test]
fn nothing_is_said_of_articles_or_customers() {
    let shop = Shop::new(30);
    each(&shop, "products", |_, set| {
        for name in ["brand", "description", "colour", "material", "sustainability_score", "season_tags"] {
            set(name, "");
        }
    });
    each(&shop, "customers", |_, set| {
        for name in ["age_group", "region", "sustainability_preference", "style_preferences", "price_band"] {
            set(name, "");
        }
    });
    holds("nothing is said", &shop);

    // Of some articles only; what has no price is set aside, and told.
    let shop = Shop::new(30);
    each(&shop, "products", |row, set| match row % 9 {
        0 => set("price_eur", ""),
        1 | 2 => set("brand", ""),
        3 | 4 => set("description", ""),
        _ => {}
    });
    shop.write("sql/features/nothing.sql", NOTHING);
    tells("little is said, and one feature says nothing", &shop);
    assert!(shop.read("reports/data.md").contains("price"));
}

const NOTHING: &str = "/*---
{name: nothing, version: 1, entity: customer_product, owner: growth, description: Never known.,
 columns: {never_known: {unit: points, meaning: never known}, never_true: {unit: yes or no, meaning: never known}}}
---*/
SELECT g.customer_id, g.product_id, g.season, g.as_of, CAST(NULL AS DOUBLE) AS never_known, CAST(NULL AS BOOLEAN) AS never_true
FROM grain.customer_product g
";

#[test]
fn there_is_one_customer_or_one_article_or_nothing_was_kept() {
    holds("one customer", &Shop::new(1));

    let shop = Shop::new(30);
    let products = shop.read("materials/products.csv");
    let kept = products.lines().filter(|line| !line.contains(",WINTER-31,") || line.starts_with("K-3,"));
    let kept: Vec<&str> = kept.collect();
    shop.write("materials/products.csv", &(kept.join("\n") + "\n"));
    let log = shop.read("materials/production-recommendations-sample.csv");
    let known: Vec<&str> =
        log.lines().filter(|line| line.starts_with("recommendation_id") || line.contains(",K-3,")).collect();
    shop.write("materials/production-recommendations-sample.csv", &(known.join("\n") + "\n"));
    shop.replace("params.yaml", "max_set_aside_share: 0.2", "max_set_aside_share: 0.9");
    shop.replace("params.yaml", "max_set_aside_share_of_kind: 0.5", "max_set_aside_share_of_kind: 0.95");
    holds("one article on sale", &shop);

    let shop = Shop::new(30);
    let transactions = shop.read("materials/transactions.csv");
    let looks: Vec<&str> =
        transactions.lines().filter(|line| !line.contains("purchase") && !line.contains(",return,")).collect();
    shop.write("materials/transactions.csv", &(looks.join("\n") + "\n"));
    tells("nothing was ever bought", &shop);
    assert!(shop.read("reports/recommendations.md").contains("are missing"), "what could not be learned is told");
}

#[test]
fn one_customer_does_everything() {
    let shop = Shop::new(30);
    let transactions = shop.read("materials/transactions.csv");
    let of_one = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if line.contains(",purchase,") || line.contains(",return,") {
            cells[2] = "anna/0";
        }
        cells.join(",")
    };
    let lines: Vec<String> = transactions.lines().map(of_one).collect();
    shop.write("materials/transactions.csv", &(lines.join("\n") + "\n"));
    holds("one customer buys everything", &shop);

    let shop = Shop::new(30);
    let start = chrono::NaiveDate::from_ymd_opt(2031, 9, 10).unwrap().and_hms_opt(6, 0, 0).unwrap();
    let look = |n: i64| {
        let at = start + chrono::Duration::minutes(n * 24);
        format!("x{n},{}Z,anna/1,K-{},browse,,,,s{},web\n", at.format("%Y-%m-%dT%H:%M:%S"), n % 12, n / 30)
    };
    append(&shop, "transactions", &(0..10_000).map(look).collect::<String>());
    holds("10,000 looks of one customer", &shop);
}

#[test]
fn the_catalogue_changes_overnight_or_says_things_twice() {
    let shop = Shop::new(30);
    let products = shop.read("materials/products.csv");
    let season = |line: &str| {
        line.replace(",WINTER-31,", ",SPRING-32,")
            .replace("K-", "N-")
            .replace("2031-09-01,2032-03-31", "2032-03-01,2032-08-31")
    };
    let fresh: String =
        products.lines().filter(|line| line.contains(",WINTER-31,")).map(|line| season(line) + "\n").collect();
    shop.write(
        "materials/products.csv",
        &(products.replace("2031-09-01,2032-03-31", "2031-09-01,2032-02-29") + &fresh),
    );
    holds("all articles are of today", &shop);
    assert_eq!(shop.ask("SELECT COUNT(*) FROM recommendations WHERE season <> 'SPRING-32'"), ["0"]);

    let shop = Shop::new(30);
    let products = shop.read("materials/products.csv");
    let twice: Vec<&str> = products.lines().skip(1).step_by(7).collect();
    let other: Vec<String> = products.lines().skip(4).step_by(11).map(|line| line.replace("red", "blue")).collect();
    append(&shop, "products", &(twice.join("\n") + "\n" + &other.join("\n") + "\n"));
    holds("articles stand there twice", &shop);
}

/// A column of customers that is not there at all is refused by name, before anything is guessed.
#[test]
fn a_column_of_customers_that_is_missing_is_named() {
    let shop = Shop::new(3);
    shop.replace("materials/customers.csv", "style_preferences,", "");
    let output = shop.run(&["ingest"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("materials/customers.csv:1") && words.contains("style_preferences"), "{words}");
}
