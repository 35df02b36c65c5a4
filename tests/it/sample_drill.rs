//! Drops put into copies of the client's log: what is noticed there, and when.

use std::collections::BTreeMap;

use serde_json::Value;

use super::monitor_log::Log;

fn standing(log: &Log, drills: &str) {
    let text = log.0.read("params.yaml");
    let (before, _) = text.split_once("  standing:").unwrap();
    // Two days leave the most starts; the depths of all segments are not what these tests look at.
    let before = before.replace("  days: 7 # a drop", "  days: 11 # a drop");
    log.0.write("params.yaml", &format!("{before}  standing: {drills}\n"));
}

fn words(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_gate_fails_on_a_clear_change_and_leaves_the_reports() {
    let log = Log::of_client().quick();
    log.0.must(&["ingest"]);
    let gate = log.0.run(&["monitor", "--fail-on", "clear"]);
    assert_eq!(gate.status.code(), Some(1));
    assert!(words(&gate).contains("click of age_group=25-34 since 2026-09-21"), "{}", words(&gate));
    assert!(log.0.read("reports/alerts.json").contains("\"clear\""));
    let early = log.0.run(&["monitor", "--as-of", "2026-09-23", "--fail-on", "clear"]);
    assert_eq!(early.status.code(), Some(0), "{}", words(&early));
}

#[test]
fn a_drill_that_is_missed_fails_the_check() {
    let log = Log::of_client().quick();
    standing(
        &log,
        "[{segment: region=Berlin, drop: 90%, from: 2026-09-21, noticed_within: 8 days}, {segment: region=Berlin, drop: 5%, from: 2026-09-27, noticed_within: 1 day}, {segment: region=Moon, drop: 90%, from: 2026-09-21, noticed_within: 8 days}]",
    );
    log.0.must(&["ingest"]);
    let check = log.0.run(&["drill", "--fail-on", "missed"]);
    assert_eq!(check.status.code(), Some(1));
    let said = words(&check);
    assert!(said.contains("a drop is no longer noticed in time: region=Berlin by 5% from 2026-09-27"), "{said}");
    assert!(
        said.contains("not held: region=Moon by 90% from 2026-09-21: nothing was shown to a segment region=Moon"),
        "{said}"
    );
    assert!(said.contains("1 of 2 drills noticed in time, 1 could not be held"), "{said}");
    let file: Value = serde_json::from_str(&log.0.read("reports/drills.json")).unwrap();
    let drills = file["standing"].as_array().unwrap();
    assert!(drills[0]["noticed_after"].as_u64().unwrap() <= 8, "{drills:?}");
    assert_eq!(drills[0]["also_raised"], Value::Array(Vec::new()));
    assert!(drills[1]["noticed_after"].is_null() && drills[1]["not_held"].is_null());
    let why = drills[2]["not_held"].as_str().unwrap();
    assert!(why.starts_with("nothing was shown to a segment region=Moon; "), "{why}");
    assert_eq!(log.0.run(&["drill"]).status.code(), Some(0), "without the check it is a report");
}

#[test]
fn every_segment_has_a_smallest_drop_or_none() {
    let log = Log::of_client().quick();
    standing(&log, "[]");
    log.0.replace("params.yaml", "  days: 11 # a drop", "  days: 9 # a drop");
    log.0.replace("params.yaml", "repeats: 2", "repeats: 1");
    log.0.replace("params.yaml", "segments: [age_group, sustainability_preference, region]", "segments: [age_group]");
    log.0.must(&["ingest"]);
    log.0.must(&["drill"]);
    let rows = log.0.ask(
        "SELECT segment_value, drop_percent, tried, noticed FROM drill.depths ORDER BY segment_value, drop_percent",
    );
    let mut seen: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for row in &rows {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells[2], "2", "two days leave nine: {row}");
        seen.entry(cells[0].to_owned()).or_default().push(cells[3].parse().unwrap());
    }
    assert!(seen.len() > 4 && seen.values().all(|depths| depths.len() == 9));
    assert!(seen["45-54"][0] == 0 && seen["45-54"][8] == 2, "nothing without a drop, all with nine tenths: {rows:?}");
    assert_eq!(seen["25-34"][0], 2, "the real alert stands without a drill");
    let file: Value = serde_json::from_str(&log.0.read("reports/drills.json")).unwrap();
    let smallest = file["smallest"].as_array().unwrap();
    let of = |name: &str| smallest.iter().find(|row| row["segment"] == name).unwrap();
    assert_eq!(of("age_group=25-34")["alert_stands"], true);
    assert!(of("age_group=45-54")["drop_percent"].as_u64().unwrap() <= 90);
}

#[test]
fn one_drill_is_answered_day_by_day() {
    let log = Log::of_client().quick();
    log.0.must(&["ingest"]);
    let drill = log.0.run(&["drill", "--segment", "age_group=45-54", "--drop", "90%", "--from", "2026-09-20"]);
    let said = words(&drill);
    assert!(drill.status.success(), "{said}");
    assert!(said.contains("1 of the days that the others are compared with hold the drop too"), "{said}");
    assert!(said.contains("after 1 days: not noticed") && said.contains("noticed after "), "{said}");
    let bad = [
        (["--segment", "age_group=45-55", "--drop", "40%", "--from", "2026-09-21"], 1, "did you mean age_group=45-54"),
        (["--segment", "age_group=45-54", "--drop", "40%", "--from", "2026-10-21"], 1, "the log goes from 2026-09-01"),
        (["--segment", "age_group=45-54", "--drop", "140%", "--from", "2026-09-21"], 2, "up to 100%"),
        (["--segment", "45-54", "--drop", "40%", "--from", "2026-09-21"], 2, "write column=value"),
        (["--segment", "age_group=45-54", "--drop", "40%", "--from", "soon"], 2, "write a day such as"),
    ];
    for (arguments, code, answer) in bad {
        let output = log.0.run(&[&["drill"], arguments.as_slice()].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(words(&output).contains(answer), "{arguments:?}: {}", words(&output));
    }
}
