//! Fingerprints: what counts as a change, what is recomputed for it, and that the rest keeps its bytes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::shop::{ROOT, Shop};

#[derive(Deserialize)]
struct Case {
    name: String,
    edit: [String; 3],
    says: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    #[serde(default)]
    code: i32,
}

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/tests/it/plan/{name}")).unwrap()
}

/// A small shop with a view of its own, whose features are made.
fn made() -> Shop {
    let shop = Shop::new(12);
    shop.write("sql/features/probe.sql", &file("probe.sql"));
    shop.replace("params.yaml", "\nfeatures:\n", "\nfeatures:\n  probe_weight: 1\n");
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    shop
}

fn plan(shop: &Shop) -> (String, i32) {
    let output = shop.run(&["plan"]);
    let words = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (words, output.status.code().unwrap())
}

#[test]
fn every_change_is_seen_for_what_it_is() {
    let shop = made();
    let before = shop.files("");
    let cases: Vec<Case> = serde_yaml_ng(&file("cases.yaml"));
    for case in cases {
        let [path, from, to] = &case.edit;
        let written = shop.read(path);
        shop.replace(path, from, to);
        let (words, code) = plan(&shop);
        shop.write(path, &written);
        for expected in &case.says {
            assert!(words.contains(expected), "{}: the plan lacks {expected:?}:\n{words}", case.name);
        }
        for unexpected in &case.not {
            assert!(!words.contains(unexpected), "{}: the plan names {unexpected:?}:\n{words}", case.name);
        }
        assert_eq!(code, case.code, "{}:\n{words}", case.name);
    }
    assert!(before == shop.files(""), "a plan wrote something");
}

fn serde_yaml_ng<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_yaml::from_str(text).unwrap()
}

/// The same meaning in other words, and in another place; then a change, and back.
#[test]
fn only_what_changed_is_computed() {
    let shop = made();
    let stored = |shop: &Shop| BTreeMap::from_iter(shop.files("work/features"));
    let first = stored(&shop);
    std::fs::remove_file(shop.path("sql/features/probe.sql")).unwrap();
    shop.write("sql/features/mine/probe.sql", &file("same.sql"));
    let (words, _) = plan(&shop);
    assert!(words.contains("Nothing to do"), "{words}");
    shop.must(&["features"]);
    assert!(first == stored(&shop), "other words for the same gave other bytes");

    shop.replace("sql/features/mine/probe.sql", "'30' day", "'3' day");
    let computed = |shop: &Shop| String::from_utf8(shop.run(&["features"]).stderr).unwrap();
    let words = computed(&shop);
    assert!(words.contains("computed: features.probe\n"), "{words}");
    let second = stored(&shop);
    let changed: Vec<&String> = second.keys().filter(|name| first.get(*name) != second.get(*name)).collect();
    assert_eq!(changed, ["work/features/probe.parquet"]);

    // What is kept is what a run from nothing makes.
    std::fs::remove_dir_all(shop.path("work/features")).unwrap();
    shop.must(&["features"]);
    assert!(second == stored(&shop), "a run from nothing gave other bytes");

    std::fs::remove_file(shop.path("sql/features/mine/probe.sql")).unwrap();
    shop.replace("params.yaml", "  probe_weight: 1\n", "");
    let (words, _) = plan(&shop);
    assert!(words.contains("features.probe: removed"), "{words}");
    shop.must(&["features"]);
    assert!(!shop.path("work/features/probe.parquet").exists());
}

/// Before the tables are there and after: each view is told of once, or once for each of its joins with a time.
#[test]
fn every_view_is_told_how_it_joins_its_history() {
    let told = |shop: &Shop, view: &str| -> Vec<String> {
        let words = String::from_utf8(shop.run(&["plan", "--verbose"]).stdout).unwrap();
        let own = format!("features.{view}: ");
        let said = words.lines().filter_map(|line| line.strip_prefix(&own));
        said.filter(|line| line.contains("join") || line.contains("looks up")).map(str::to_owned).collect()
    };
    let fresh = Shop::new(1);
    assert_eq!(told(&fresh, "visit"), ["how it joins its history can be said once the tables that it reads are there"]);
    let shop = made();
    assert_eq!(told(&shop, "visit"), ["looks up what fits the moment in one pass", "joins its history in one pass"]);
    assert_eq!(told(&shop, "season_calendar"), ["has no join by key and time"]);
    let [one_pass, by_category, by_brand] = &told(&shop, "customer_preferences")[..] else { panic!("three joins") };
    assert_eq!(one_pass, "joins its history in one pass");
    assert!(by_category.ends_with("because it groups by category, which is the source's"), "{by_category}");
    assert!(by_brand.ends_with("because it groups by brand, which is the source's"), "{by_brand}");
    assert_eq!(told(&shop, "customer_article"), vec!["joins its history in one pass"; 4]);
}

#[test]
fn the_graph_reaches_the_csv_with_the_kind_of_each_use() {
    let shop = Shop::new(1);
    shop.write("sql/features/probe.sql", &file("probe.sql"));
    shop.replace("params.yaml", "\nfeatures:\n", "\nfeatures:\n  probe_weight: 1\n");
    let json = shop.must(&["lineage", "probe.probe_looks", "--format", "json"]);
    let edges: Vec<BTreeMap<String, String>> = serde_json::from_str(&json).unwrap();
    let edge = |from: &str, to: &str, kind: &str| {
        edges.iter().any(|edge| edge["from"] == from && edge["to"] == to && edge["kind"] == kind)
    };
    let looks = "features.probe.probe_looks";
    assert!(edge("sources.transactions.line", looks, "value"));
    assert!(edge("sources.transactions.event_type", looks, "filter"));
    assert!(edge("sources.transactions.event_time", looks, "window"));
    assert!(edge("grain.customer.as_of", looks, "window"));
    assert!(edge("sources.transactions.customer_id", looks, "join_key"));
    assert!(edge("sources.customers.personalisation_consent", looks, "filter"));
    assert!(edge("raw.transactions.event_time", "sources.transactions.event_time", "value"));
    assert!(!edges.iter().any(|edge| edge["from"] == "sources.transactions.channel"), "a sibling's column");
    let picture = shop.must(&["lineage", "probe", "--format", "mermaid"]);
    assert!(picture.starts_with("flowchart LR\n") && picture.contains("[\"probe_channel\"]"));

    for (of, meant) in [("prob", "did you mean probe"), ("probe.probe_look", "did you mean probe_looks")] {
        let output = shop.run(&["lineage", of]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && words.contains(meant), "{words}");
    }
}
