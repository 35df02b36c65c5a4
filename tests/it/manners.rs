//! What people who know dbt and datafusion-cli expect of a command line: `--select`, files as tables, completions.

use crate::shop::Shop;

fn told(shop: &Shop, arguments: &[&str], code: i32) -> String {
    let output = shop.run(arguments);
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
    words
}

/// A CSV is as it stands, each cell a text; what is left out of it is told; Parquet has its types.
#[test]
fn any_file_is_a_table_of_a_question() {
    let shop = Shop::new(1);
    let csv = shop.path("prices.csv");
    shop.write("prices.csv", "sku,price\n007,1.50\n008\n009,2.50\n");
    let query = format!("SELECT line, sku FROM '{}' ORDER BY line", csv.display());
    let words = told(&shop, &["sql", &query, "--format", "csv"], 0);
    assert!(words.starts_with("line,sku\n2,007\n4,009\n"), "{words}");
    assert!(words.contains("1 row is left out") && words.contains("prices.csv:3"), "{words}");

    let sum = format!("SELECT SUM(CAST(price AS DOUBLE)) AS total FROM \"{}\"", csv.display());
    let parquet = shop.run(&["sql", &sum, "--format", "parquet"]);
    assert!(parquet.status.success());
    std::fs::write(shop.path("total.parquet"), parquet.stdout).unwrap();
    let query = format!("SELECT total + 1 FROM '{}'", shop.path("total.parquet").display());
    assert_eq!(shop.ask(&query), ["5.0"]);

    let words = told(&shop, &["sql", "SELECT * FROM 'not-there.csv'"], 1);
    assert!(words.contains("not-there.csv cannot be read"), "{words}");
}

/// Only what is selected is computed; the rest is left as it is, and that is said.
#[test]
fn a_selection_is_a_table_and_what_hangs_on_it() {
    let shop = Shop::new(3);
    shop.must(&["ingest"]);
    let plan = told(&shop, &["plan", "--select", "grain.customer+"], 0);
    assert!(plan.contains("grain.customer: new") && plan.contains("features.customer_history: new"), "{plan}");
    assert!(!plan.contains("features.brand_record") && !plan.contains("grain.product"), "{plan}");
    let plan = told(&shop, &["plan", "--select", "+customer_history"], 0);
    assert!(plan.contains("grain.customer: new") && !plan.contains("features.customer_kept"), "{plan}");

    let words = told(&shop, &["features", "--select", "+customer_history"], 0);
    assert!(words.contains("not selected:") && words.contains("features.customer_kept"), "{words}");
    let made: Vec<String> = shop.files("work/features").into_iter().map(|(name, _)| name).collect();
    assert_eq!(made, ["work/features/customer_history.parquet"]);
    let before = shop.files("work/features");
    shop.replace("sql/features/customer_history.sql", "version: ", "version: 9");
    let words = told(&shop, &["features", "--select", "customer_kept"], 0);
    assert!(words.contains("not selected: ") && words.contains("features.customer_history"), "{words}");
    let after = shop.files("work/features");
    assert_eq!(after.len(), 2);
    assert_eq!(before[0], after[0], "what is out of date and not selected is left as it was");

    let words = told(&shop, &["plan", "--select", "customer_histry+"], 1);
    assert!(words.contains("'customer_histry+'") && words.contains("did you mean customer_history"), "{words}");
    let words = told(&shop, &["test", "--select", "sources.products"], 1);
    assert!(words.contains("there is no feature view in it"), "{words}");
}

#[test]
fn a_shell_can_complete_every_stage() {
    let shop = Shop::new(1);
    for shell in ["bash", "zsh", "fish"] {
        let script = shop.must(&["completions", shell]);
        for stage in ["ingest", "features", "recommend", "monitor"] {
            assert!(script.contains(stage), "{shell}: no {stage}");
        }
    }
}
