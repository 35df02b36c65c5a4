//! What is true of the client's log alone: its one alert, and the words for it.

use selvedge::engine::read_rows;
use serde::Deserialize;

use super::monitor_log::{ChangeWindow, Log, in_state, of};

#[derive(Debug, Deserialize)]
struct Line {
    threshold: f64,
}

#[test]
fn the_clients_log_has_exactly_one_alert() {
    let log = Log::shared();
    let alerts = log.alerts();
    assert_eq!((in_state(&alerts, "clear"), in_state(&alerts, "possible")), (1, 0));
    assert_eq!(alerts.len(), 3 * 17, "three metrics, sixteen segments and the whole shop");
    let alert = of(&alerts, "click", "age_group", "25-34");
    assert_eq!(alert["state"], "clear");
    assert_eq!(alert["since"], "2026-09-21");
    assert_eq!(alert["truth"], "confirmed");
    assert!((alert["before"].as_f64().unwrap() - 0.284).abs() < 0.001);
    assert!((alert["after"].as_f64().unwrap() - 0.124).abs() < 0.001);
    assert_eq!(of(&alerts, "click", "", "")["state"], "unchanged");
    // Only recommendations older than the window are counted, whatever is known of younger ones.
    assert_eq!(of(&alerts, "purchase", "", "")["counts"]["before"][1], 1565);
    for metric in ["purchase", "kept"] {
        let shop = of(&alerts, metric, "", "");
        assert_eq!(shop["state"], "too_early");
        assert!(shop["needed"]["of"].as_u64().unwrap() > 0);
        assert!(shop["needed"]["on"].as_str().unwrap() > "2026-10-01");
    }
}

/// Figures of an independent implementation, which holds each segment against the rest of the shop and takes the mix as it
/// comes: phi 1.19, Z -3.89, every other |Z| below 2.6, below 1.8 once explained.
#[test]
fn the_scan_agrees_with_an_independent_implementation() {
    let log = Log::shared();
    let windows: Vec<ChangeWindow> = read_rows(&log.table("rounds"), "rounds").unwrap();
    let alarmed = |s: &&ChangeWindow| s.segment_value == "25-34";
    let first = windows.iter().filter(|s| s.round == 1).find(alarmed).unwrap();
    // The same from the formulas that it does follow is `naive_scan`.
    assert!((first.apart_z + 3.89).abs() < 0.2, "{}", first.apart_z);
    assert!((first.phi - 1.19).abs() < 0.06, "{}", first.phi);
    for other in windows.iter().filter(|s| !alarmed(s) && s.segment_column != "shop") {
        let most = if other.round == 1 { 2.6 } else { 1.8 };
        assert!(other.apart_z.abs() < most, "{other:?}");
    }
    let lines: Vec<Line> = read_rows(&log.table("thresholds"), "thresholds").unwrap();
    assert!(lines.iter().all(|line| (3.0..3.6).contains(&line.threshold)), "{lines:?}");
}

/// Without the explain-away pass, the region that holds the alarmed customers would be an alert of its own.
#[test]
fn a_segment_that_holds_the_alarmed_customers_is_explained_by_them() {
    let log = Log::of_client().quick();
    // All customers of the alarmed age live in one region, beside those who lived there before.
    let customers = log.0.read("materials/customers.csv");
    let moved: Vec<String> = customers
        .lines()
        .map(|line| match line.split(',').nth(1) {
            Some("25-34") => {
                let mut cells: Vec<&str> = line.split(',').collect();
                cells[3] = "South";
                cells.join(",")
            }
            _ => line.to_owned(),
        })
        .collect();
    log.0.write("materials/customers.csv", &(moved.join("\n") + "\n"));
    // Of few shuffles the line is a rough one.
    log.0.replace("params.yaml", "permutations: 60", "permutations: 1000");
    assert_eq!(log.run().clear, 1);
    let alerts = log.alerts();
    assert_eq!(of(&alerts, "click", "age_group", "25-34")["state"], "clear");
    let south = of(&alerts, "click", "region", "South");
    assert_eq!((&south["state"], &south["explained_by"]), (&"not_known".into(), &"age_group=25-34".into()));
    assert!(
        log.0
            .read("reports/dashboard.md")
            .contains("Customers of region South moved only because it contains these customers")
    );
}

#[test]
fn the_first_screen_answers_the_questions_of_a_merchandiser() {
    let log = Log::shared();
    let text = log.0.read("reports/dashboard.md");
    let first = text.split("## ").next().unwrap();
    for words in [
        "Clicks for customers of age group 25-34 fell from 28 to 12 in 100 shown (16 fewer clicks in 100) since 21 September 2026.",
        "This is clear. The figures are final.",
        "**To whom**",
        "**How sure**",
        "**What did not change**",
        "**What to look at next**",
        "**When we will know more**",
    ] {
        assert!(first.contains(words), "{words:?} is not on the first screen:\n{first}");
    }
    for line in text.lines().filter(|line| line.starts_with("![")) {
        let words = line.trim_start_matches("![").split("](").next().unwrap();
        assert!(words.len() > 20, "a picture says too little: {line}");
        let file = line.split("](").nth(1).unwrap().trim_end_matches(')');
        assert!(log.0.path("reports").join(file).is_file(), "{file} is missing");
    }
}
