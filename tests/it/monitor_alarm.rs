//! The alarm: what it finds, what it leaves alone, and that an earlier day replays exactly.

use super::monitor_log::{Log, in_state};

#[test]
fn an_earlier_day_replays_as_if_the_rest_had_not_happened() {
    let replayed = Log::of_client().quick();
    replayed.run_as_of(Some("2026-09-24"));
    let cut = Log::edited(|mut row| {
        let unseen = |cell: &str| cell >= "2026-09-24";
        if unseen(&row["recommended_at"]) {
            return None;
        }
        for (flag, time) in [("clicked", "clicked_at"), ("purchased", "purchased_at"), ("returned", "returned_at")] {
            if unseen(&row[time]) {
                row.insert(flag.into(), "0".into());
                row.insert(time.into(), String::new());
            }
        }
        // Who dismissed what by then is not written down.
        row.insert("ground_truth_available".into(), "false".into());
        Some(row)
    })
    .quick();
    cut.0.replace("params.yaml", "2026-10-01 00:00:00", "2026-09-24 00:00:00");
    cut.run();
    assert_eq!(replayed.0.read("reports/alerts.json"), cut.0.read("reports/alerts.json"));
    assert_eq!(replayed.0.read("reports/dashboard.md"), cut.0.read("reports/dashboard.md"));
    assert_eq!(in_state(&replayed.alerts(), "clear"), 0, "three days are too few to be sure");
}

#[test]
fn the_same_bytes_for_any_number_of_partitions() {
    let log = Log::of_client().quick();
    let mut seen = Vec::new();
    for partitions in [1, 2, 8] {
        let text = log.0.read("params.yaml");
        let line = text.lines().find(|line| line.trim_start().starts_with("partitions:")).unwrap().to_owned();
        log.0.replace("params.yaml", &line, &format!("  partitions: {partitions}"));
        log.run();
        let mut files = log.0.files("work/monitoring");
        files.extend(log.0.files("reports").into_iter().filter(|(name, _)| {
            name.contains("monitoring-") || name.ends_with("alerts.json") || name.ends_with("dashboard.md")
        }));
        seen.push(files);
    }
    for (one, other) in seen[0].iter().zip(&seen[1]).chain(seen[0].iter().zip(&seen[2])) {
        assert!(one == other, "{} differs", one.0);
    }
}

#[test]
fn any_column_and_any_two_can_be_segments() {
    let log = Log::of_client().quick();
    log.0.replace(
        "params.yaml",
        "segments: [age_group, sustainability_preference, region]",
        "segments: [age_group x gender, category]",
    );
    log.run();
    let alerts = log.alerts();
    assert!(alerts.iter().any(|alert| alert["segment"]["column"] == "age_group x gender"));
    assert!(alerts.iter().any(|alert| alert["segment"]["column"] == "category"));
}
