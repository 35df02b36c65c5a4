//! The lint and the proofs against a corpus: what leaks is caught, what does not is left in peace.
//!
//! `tests/lint/bad/*.sql` say on their first line what must be found, or `proof` where only a proof can;
//! `tests/lint/clean/*.sql` are feature views as people write them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::shop::{ROOT, Shop};

/// Bad queries that neither lint nor proof finds, and clean ones that are accused.  A name more is a rule that broke; a name
/// less, one that got better: then it leaves the list.
const MISSED: [&str; 0] = [];
const ACCUSED: [&str; 0] = [];

/// The files of one folder of the corpus: name -> what its first line says, the rest as it is.
fn corpus(folder: &str) -> BTreeMap<String, (String, String)> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join("tests/lint").join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let says = first.trim_start_matches("-- ").trim_start_matches("expect: ").to_owned();
        // An empty first line keeps the numbers of the lines.
        files.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), (says, format!("\n{rest}")));
    }
    files
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A shop with these files as feature views; nothing has run in it.
fn shop_with(files: &BTreeMap<String, (String, String)>) -> Shop {
    let shop = Shop::new(12);
    for (name, (_, text)) in files {
        shop.write(&format!("sql/features/{name}.sql"), text);
    }
    shop
}

/// View -> the rules that the lint finds in it.
fn findings(shop: &Shop, names: &[&String]) -> BTreeMap<String, Vec<String>> {
    let files: Vec<String> = names.iter().map(|name| format!("sql/features/{name}.sql")).collect();
    let mut arguments = vec!["lint"];
    arguments.extend(files.iter().map(String::as_str));
    let output = shop.run(&arguments);
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for line in words(&output).lines().filter_map(|line| line.strip_prefix("lint ")) {
        let mut parts = line.trim().split(": ");
        let (Some(place), Some(rule)) = (parts.next(), parts.next()) else { continue };
        let Some((view, line)) = place.trim_start_matches("sql/features/").split_once(".sql:") else { continue };
        assert!(
            line.parse::<u64>().is_ok_and(|line| line > 4),
            "{view}: a line of the query, not of its header: {line}"
        );
        found.entry(view.to_owned()).or_default().push(rule.to_owned());
    }
    found
}

/// View -> whether a proof finds it broken.
fn disproven(shop: &Shop, names: &[&String]) -> Vec<String> {
    let mut arguments = vec!["test"];
    arguments.extend(names.iter().map(|name| name.as_str()));
    let said = words(&shop.run(&arguments));
    assert!(!said.contains("panicked"), "{said}");
    let broken = |name: &&&String| said.contains(&format!("sql/features/{name}.sql: "));
    let unsure = names
        .iter()
        .find(|name| !said.contains(&format!("sql/features/{name}.sql: ")) && !said.contains(&format!(" {name}: ")));
    assert_eq!(unsure, None, "neither proven nor broken:\n{said}");
    names.iter().filter(broken).map(|name| (*name).clone()).collect()
}

#[test]
fn bad_queries_are_caught() {
    let files = corpus("bad");
    assert!(files.len() >= 40, "only {} bad queries", files.len());
    let shop = shop_with(&files);
    let names: Vec<&String> = files.keys().collect();
    let found = findings(&shop, &names);
    let (for_proof, for_lint): (Vec<_>, Vec<_>) = files.iter().partition(|(_, (expected, _))| expected == "proof");
    let mut missed: Vec<String> = Vec::new();
    for (name, (expected, _)) in for_lint {
        let rules = found.get(name).cloned().unwrap_or_default();
        if !rules.contains(expected) {
            missed.push(format!("{name}: expected {expected}, found {rules:?}"));
        }
    }
    shop.must(&["ingest"]);
    let names: Vec<&String> = for_proof.iter().map(|(name, _)| *name).collect();
    let broken = disproven(&shop, &names);
    missed.extend(names.iter().filter(|name| !broken.contains(name)).map(|name| format!("{name}: no proof breaks it")));
    let names: Vec<&str> = missed.iter().filter_map(|told| told.split(':').next()).collect();
    assert_eq!(names, MISSED, "{missed:#?}");
}

#[test]
fn clean_queries_are_left_in_peace() {
    let files = corpus("clean");
    assert!(files.len() >= 60, "only {} clean queries", files.len());
    let shop = shop_with(&files);
    let names: Vec<&String> = files.keys().collect();
    let found = findings(&shop, &names);
    shop.must(&["ingest"]);
    let broken = disproven(&shop, &names);
    let accused: Vec<String> = names
        .iter()
        .filter(|name| found.contains_key(**name) || broken.contains(name))
        .map(|name| format!("{name}: {:?}", found.get(*name)))
        .collect();
    let names: Vec<&str> = accused.iter().filter_map(|told| told.split(':').next()).collect();
    assert_eq!(names, ACCUSED, "{accused:#?}");
}

/// The product's own SQL breaks no rule, or says why it may.
#[test]
fn the_library_itself_is_clean() {
    Shop::new(1).must(&["lint"]);
}

/// A view that counts all looks, with a comment on the line before the one that is found.
fn counted(comment: &str) -> String {
    format!(
        "/*---\n{{name: aaa, version: 1, entity: customer, owner: me, description: X., columns: {{n: {{unit: u, meaning: m}}}}}}\n---*/\n\
         SELECT g.customer_id, g.as_of, COUNT(t.line) AS n\nFROM grain.customer g\n{comment}\n\
         LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id\nGROUP BY g.customer_id, g.as_of\n"
    )
}

/// The only way out is a comment with a reason, on the line or right above it; it is listed.
#[test]
fn a_finding_can_be_allowed_with_a_reason() {
    let cases = [
        ("", Some("aaa.sql:7: no-time-bound: ")),
        ("-- lint: allow no-time-bound because the shop never deletes looks", None),
        ("-- lint: allow no-time-bound", Some("aaa.sql:6: allow-without-reason: ")),
        ("-- lint: allow no-time-bound because", Some("aaa.sql:6: allow-without-reason: ")),
        ("-- lint: allow no-time-bond because of a typo", Some("aaa.sql:6: allow-of-no-rule: no-time-bond")),
        ("-- lint: allow open-float-sum because it is another rule", Some("aaa.sql:6: allow-without-use: ")),
    ];
    let shop = Shop::new(1);
    for (comment, expected) in cases {
        shop.write("sql/features/aaa.sql", &counted(comment));
        let output = shop.run(&["lint", "sql/features/aaa.sql"]);
        let said = words(&output);
        match expected {
            Some(expected) => {
                assert_eq!(output.status.code(), Some(1), "{comment}: {said}");
                assert!(said.contains(expected), "{comment}: {expected:?} is not in\n{said}");
            }
            None => {
                assert_eq!(output.status.code(), Some(0), "{comment}: {said}");
                let listed = "aaa.sql:7: allowed: no-time-bound: ";
                assert!(said.contains(listed) && said.contains("because the shop never deletes looks"), "{said}");
            }
        }
    }
}
