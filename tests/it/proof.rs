//! Invariant 1 and its neighbours, as `selvedge test` proves them: no feature depends on what comes at its moment or
//! after it, on the order of rows, on copies or on partitions.

use crate::shop::Shop;

/// A view of the grain customer with the columns `n` (and whatever else the query returns).
fn view(shop: &Shop, query: &str) {
    shop.write(
        "sql/features/aaa.sql",
        &format!(
            "/*---\n{{name: aaa, version: 1, entity: customer, owner: me, description: X., columns: {{n: {{unit: u, meaning: m}}}}}}\n---*/\n{query}\n"
        ),
    );
}

/// What `selvedge test` says, and its exit code.
fn test(shop: &Shop, views: &[&str]) -> (Option<i32>, String) {
    let output = shop.run(&[&["test"], views].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// All views of the product, vectors included, on a shop that is not the client's.
#[cfg(feature = "encoder")]
#[test]
fn every_view_of_the_product_holds() {
    let shop = Shop::new(30);
    for stage in ["ingest", "embeddings"] {
        shop.must(&[stage]);
    }
    let before = shop.files("");
    let (code, said) = test(&shop, &[]);
    assert_eq!(code, Some(0), "{said}");
    let views = shop.files("sql/features").len();
    assert!(said.contains(&format!("{views} views hold: ")), "{said}");
    assert!(shop.files("") == before, "the test writes nothing");
}

/// Each proof sees the leak that it is there for; the message names view, column, row and both values.
#[test]
fn each_proof_can_fail() {
    let shop = Shop::new(12);
    shop.must(&["ingest"]);
    let join = "FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id";
    let group = "GROUP BY g.customer_id, g.as_of";
    let cases = [
        ("(truncation)", format!("SELECT g.customer_id, g.as_of, COUNT(t.line) AS n {join} {group}")),
        // The number of later rows stays, what they hold does not.
        (
            "(future poison)",
            format!("SELECT g.customer_id, g.as_of, COUNT(t.line) FILTER (WHERE t.event_type = 'return') AS n {join} AND t.event_time >= g.as_of {group}"),
        ),
        ("(truncation)", format!("SELECT g.customer_id, g.as_of, COUNT(t.line) AS n {join} AND t.event_time <= g.as_of {group}")),
        (
            "(shuffle)",
            "SELECT customer_id, as_of, row_number() OVER (PARTITION BY customer_id) AS n FROM grain.customer".into(),
        ),
        ("(truncation)", "SELECT customer_id, as_of, LEAD(as_of) OVER (PARTITION BY customer_id ORDER BY as_of) AS n FROM grain.customer".into()),
    ];
    for (proof, query) in cases {
        view(&shop, &query);
        let (code, said) = test(&shop, &["aaa"]);
        assert_eq!(code, Some(1), "{query}: {said}");
        let found =
            said.lines().find(|line| line.contains(proof)).unwrap_or_else(|| panic!("{query}: no {proof} in\n{said}"));
        for part in ["sql/features/aaa.sql: column n at customer_id=anna/", ", as_of=20", " became ", " when "] {
            assert!(found.contains(part), "{part:?} is not in {found}");
        }
        assert!(said.contains("\nerror: 1 of 1 feature views depend") && said.contains("\n  do: "), "{said}");
    }
}

/// A source that keeps repeated rows is seen, and named.
#[test]
fn a_source_that_keeps_copies_is_seen() {
    let shop = Shop::new(12);
    shop.replace("sql/sources/transactions.sql", "WHEN o.copied THEN 'late_copy'", "WHEN false THEN 'late_copy'");
    shop.replace(
        "sql/sources/transactions.sql",
        "WHEN o.again THEN 'transaction_twice'",
        "WHEN o.again AND false THEN 'transaction_twice'",
    );
    shop.must(&["ingest"]);
    let (code, said) = test(&shop, &["visit"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: sql/sources/transactions.sql: 2 rows stand for one key"), "{said}");
}

/// A source that looks ahead inside its own CSV is seen, although every view bounds its time.
#[test]
fn a_source_that_looks_ahead_is_seen() {
    let shop = Shop::new(12);
    shop.replace(
        "sql/sources/transactions.sql",
        "COALESCE(lower(given(channel)), 'not given') AS channel",
        "CASE WHEN COUNT(*) OVER (PARTITION BY customer_id) > 20 THEN 'heavy' ELSE 'light' END AS channel",
    );
    shop.must(&["ingest"]);
    let join = "FROM grain.customer g LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_time < g.as_of";
    view(&shop, &format!("SELECT g.customer_id, g.as_of, MAX(t.channel) AS n {join} GROUP BY g.customer_id, g.as_of"));
    let (code, said) = test(&shop, &["aaa"]);
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "column n at customer_id=anna/",
        "heavy became light when the CSVs were delivered without",
        "(earlier export)",
        "do: take out of the source's query",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
}

/// Shops that have little: one customer, nobody who agreed, no look at all.
#[test]
fn small_shops_hold_too() {
    let views = ["visit", "customer_history", "article_record", "customer_article"];
    let one = Shop::new(1);
    one.must(&["ingest"]);
    let (code, said) = test(&one, &views);
    assert_eq!(code, Some(0), "one customer: {said}");

    let nobody = Shop::new(5);
    nobody.write("materials/customers.csv", &nobody.read("materials/customers.csv").replace(",true", ",false"));
    nobody.must(&["ingest"]);
    let (code, said) = test(&nobody, &views);
    assert_eq!(code, Some(0), "no consent: {said}");

    let quiet = Shop::new(5);
    quiet.must(&["ingest"]);
    quiet.replace("sql/grain/customer.sql", "= 'browse'", "= 'nothing'");
    let (code, said) = test(&quiet, &["visit", "customer_history"]);
    assert_eq!(code, Some(0), "no moments: {said}");
}

#[test]
fn a_view_that_is_not_there_is_named() {
    let shop = Shop::new(1);
    let (code, said) = test(&shop, &["vist"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("error: there is no feature view 'vist'\n  do: did you mean visit?"), "{said}");
}
