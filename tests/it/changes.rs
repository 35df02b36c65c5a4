//! `selvedge diff`: what a pull request is told of a change, against a git revision of the same shop.

use std::process::Command;

use crate::shop::Shop;

fn git(shop: &Shop, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).arg("-C").arg(shop.path("")).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

const VIEW: &str = "/*---
{name: probe, version: 1, entity: customer, owner: growth, description: A view to change.,
 columns: {probe_looks: {unit: looks, meaning: looks in a while}, probe_still: {unit: looks, meaning: all looks}}}
---*/
SELECT g.customer_id, g.as_of,
       COUNT(t.line) FILTER (WHERE t.event_time >= g.as_of - INTERVAL '300' DAY) AS probe_looks,
       COUNT(t.line) AS probe_still
FROM grain.customer g
LEFT JOIN sources.transactions t ON t.customer_id = g.customer_id AND t.event_type = 'browse' AND t.event_time < g.as_of
GROUP BY g.customer_id, g.as_of
";

#[test]
fn a_pull_request_is_told_what_changes() {
    let shop = Shop::new(15);
    shop.write("sql/features/probe.sql", VIEW);
    git(&shop, &["init", "-q"]);
    git(&shop, &["add", "-A"]);
    git(&shop, &["commit", "-q", "-m", "Begin"]);

    shop.must(&["diff", "--from", "HEAD"]);
    assert!(shop.read("reports/changes.md").contains("Nothing: `sql/` and `params.yaml` are as they were in HEAD"));

    let unknown = shop.run(&["diff", "--from", "no-such-branch"]);
    let words = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(1) && words.contains("'no-such-branch'"), "{words}");

    shop.replace("sql/features/probe.sql", "INTERVAL '300' DAY", "INTERVAL '3' DAY");
    shop.replace("params.yaml", "popular_window: 60 days", "popular_window: 4 days");
    // More definitions than a pull request holds: whole sections go, and it says so.
    shop.write("sql/audits/long.sql", &format!(
        "/*---\n{{name: long, description: Nothing., severity: warn}}\n---*/\n{}SELECT line FROM sources.customers WHERE false\n",
        "-- A comment that goes on and on and on.\n".repeat(2000)
    ));
    shop.must(&["diff", "--from", "HEAD"]);
    let text = shop.read("reports/changes.md");
    assert!(
        text.chars().count() <= 60_000 && text.contains("Left out") && text.contains("(sql/audits/long.sql)"),
        "{text}"
    );
    assert!(text.contains("**1 column of feature views"), "{text}");
    // Lists are popularity's in so small a shop, and what counts as popular is another.
    for words in
        [" of 15 lists change; ", "| place | before | after |", "customers with a hit in the list", "region: Berlin"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let row = text.lines().find(|line| line.starts_with("| probe.probe_looks |")).unwrap();
    let before_after = format!("{} rows moved", row);
    assert!(row.contains(" of ") && row.contains("→") && !row.contains("| 0 of"), "{before_after}");
    assert!(!text.contains("probe_still |"), "a sibling is named");
    assert!(text.contains("-       COUNT(t.line) FILTER") && text.contains("INTERVAL '3' DAY"), "{text}");
    assert!(shop.path("reports/changes.png").metadata().unwrap().len() > 1000);
    assert!(!shop.path("work/.changes").exists(), "the scratch folder stays");
}
