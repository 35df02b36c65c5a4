//! Invariant 2: the same inputs give the same bytes, for any number of partitions and any run.  Named so that the longest
//! test begins among the first.

#![cfg(feature = "encoder")]

use crate::shop::Shop;

fn everything(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    let mut files = shop.files("work");
    files.extend(shop.files("reports"));
    files
}

fn assert_same(expected: &[(String, Vec<u8>)], found: &[(String, Vec<u8>)], what: &str) {
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "other files with {what}");
    for ((name, expected), (_, found)) in expected.iter().zip(found) {
        assert!(expected == found, "{name} has other bytes with {what}");
    }
}

/// Every stage does all it does, only less often: the same bytes do not take a thousand shuffles.
fn client_in_a_hurry() -> Shop {
    let shop = Shop::of_client();
    let params = shop.read("params.yaml");
    let less = [
        ("  dimensions: [", "  dimensions: [16]"),
        ("  penalties: [", "  penalties: [1000]"),
        ("  negatives: ", "  negatives: 10"),
        ("  look_penalties: [", "  look_penalties: [100, 300]"),
        ("  buy_penalties: [", "  buy_penalties: [100]"),
        ("  look_weights: [", "  look_weights: [1.0]"),
        ("  training_shares: [", "  training_shares: [0.4, 1.0]"),
        ("  draws: ", "  draws: 40"),
        ("  permutations: ", "  permutations: 100"),
        ("  replays: ", "  replays: 1"),
        ("  repeats: ", "  repeats: 1"),
    ];
    let quick = |line: &str| match less.iter().find(|(key, _)| line.starts_with(key)) {
        Some((_, instead)) => format!("{instead}\n"),
        None => format!("{line}\n"),
    };
    let (kept, _) = params.split_once("  standing:").unwrap();
    let standing = "  standing: [{segment: age_group=45-54, drop: 70%, from: 2026-09-21, noticed_within: 7 days}]\n";
    shop.write("params.yaml", &(kept.lines().map(quick).collect::<String>() + standing));
    shop
}

/// A small shop with everything that there is, the deep models too.
fn small() -> Shop {
    let shop = Shop::new(40);
    shop.replace("params.yaml", "deep: false", "deep: true");
    shop
}

/// On the client's own materials 2 and 8 partitions with remembered vectors; on a small shop 1 and 2, with none.
#[test]
fn every_file_has_the_same_bytes() {
    let shop = client_in_a_hurry();
    shop.must(&["run", "--partitions", "2"]);
    let expected = everything(&shop);
    assert!(expected.len() > 20 && expected.iter().all(|(_, bytes)| !bytes.is_empty()));
    // What would come out the same is kept, so it has to go first.
    for made in ["grain", "features"] {
        std::fs::remove_dir_all(shop.path("work").join(made)).unwrap();
    }
    shop.must(&["run", "--partitions", "8"]);
    assert_same(&expected, &everything(&shop), "8 partitions");
    let (two, one) = (small(), small());
    two.must(&["run", "--partitions", "2"]);
    one.must(&["run", "--partitions", "1"]);
    assert_same(&everything(&two), &everything(&one), "1 partition and no remembered vectors");
}

/// The order of a CSV's rows is not information: only line numbers may follow it.
#[test]
fn the_order_of_rows_does_not_matter() {
    let shop = Shop::new(20);
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    // The files themselves say which CSVs they were made from, so their rows are compared.
    let views = |shop: &Shop| -> Vec<(String, Vec<u8>)> {
        let tables = shop.must(&["sql"]);
        let views = tables.lines().filter(|table| table.starts_with("features."));
        views
            .map(|view| (view.to_owned(), shop.ask(&format!("SELECT * FROM {view}")).join("\n").into_bytes()))
            .collect()
    };
    let expected = views(&shop);
    assert!(expected.len() > 5);
    for file in ["transactions", "customers", "products"] {
        let path = format!("materials/{file}.csv");
        let text = shop.read(&path);
        let (header, rows) = text.split_once('\n').unwrap();
        let mut rows: Vec<&str> = rows.lines().collect();
        rows.reverse();
        shop.write(&path, &format!("{header}\n{}\n", rows.join("\n")));
    }
    for stage in ["ingest", "features"] {
        shop.must(&[stage]);
    }
    assert_same(&expected, &views(&shop), "rows in another order");
}
