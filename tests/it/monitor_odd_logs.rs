//! Logs that cannot answer the question: it is said plainly, and nothing breaks.

use selvedge::{ingest, monitor};

use super::monitor_log::{Log, in_state, of};

/// Nothing is claimed, and no picture or text holds a number that is none.
fn says_nothing(log: &Log) {
    let outcome = log.run();
    assert_eq!((outcome.clear, outcome.possible), (0, 0));
    let text = log.0.read("reports/dashboard.md");
    for word in ["NaN", "inf ", "-0 ", "None", "null"] {
        assert!(!text.contains(word), "{word:?} in\n{text}");
    }
    let plain = ["Nothing changed that can be told from chance", "It is too early to say whether anything changed"];
    assert!(plain.iter().any(|words| text.contains(words)), "{text}");
}

#[test]
fn one_day_only() {
    let log = Log::edited(|row| row["recommended_at"].starts_with("2026-09-05").then_some(row)).quick();
    says_nothing(&log);
    let alerts = log.alerts();
    assert_eq!(in_state(&alerts, "too_early"), alerts.len());
    assert_eq!(of(&alerts, "click", "", "")["why"], "reference_not_complete");
    let text = log.0.read("reports/dashboard.md");
    assert!(text.contains("There is only 5 September 2026: nothing to compare it with yet."), "{text}");
    assert!(!text.contains("did not change."), "{text}");
    assert!(text.contains("There are no days to compare yet, so no total has moved."), "{text}");
    assert!(text.contains("There are no looks that the model learned from"), "{text}");
}

#[test]
fn one_recommendation() {
    let log = Log::edited(|row| (row["recommendation_id"] == "R00002").then_some(row)).quick();
    says_nothing(&log);
    assert!(log.0.read("reports/dashboard.md").contains("1 recommendation was looked at"));
}

#[test]
fn no_days_to_watch() {
    let log = Log::of_client().quick();
    log.0.replace("params.yaml", "reference_days: 20", "reference_days: 45");
    says_nothing(&log);
    assert_eq!(of(&log.alerts(), "click", "region", "Berlin")["why"], "reference_not_complete");
}

#[test]
fn one_customer() {
    let log = Log::edited(|row| (row["customer_id"] == "C00997").then_some(row)).quick();
    says_nothing(&log);
}

/// Nobody in a region, and another that nobody saw in the reference days.
#[test]
fn empty_segments() {
    let customers = std::fs::read_to_string(format!("{}/materials/customers.csv", super::shop::ROOT)).unwrap();
    let of_region = |region: &str| -> Vec<String> {
        let mut reader = csv::Reader::from_reader(customers.as_bytes());
        let rows: Vec<std::collections::BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
        rows.into_iter().filter(|row| row["region"] == region).map(|row| row["customer_id"].clone()).collect()
    };
    let (east, west) = (of_region("East"), of_region("West"));
    let log = Log::edited(|row| {
        let gone = east.contains(&row["customer_id"])
            || west.contains(&row["customer_id"]) && row["recommended_at"].as_str() < "2026-09-21";
        (!gone).then_some(row)
    })
    .quick();
    log.run();
    let alerts = log.alerts();
    let (east, west) = (of(&alerts, "click", "region", "East"), of(&alerts, "click", "region", "West"));
    assert_eq!((&east["state"], &east["why"]), (&"too_early".into(), &"nothing_shown".into()));
    assert_eq!((&west["state"], &west["why"]), (&"too_early".into(), &"no_reference".into()));
    assert!(log.0.read("reports/dashboard.md").contains("Nothing was shown to them."));
}

#[test]
fn nothing_shown_at_all_and_moments_that_cannot_be() {
    let log = Log::of_client().quick();
    let project = log.project();
    ingest::run(&project).unwrap();
    let moment = |text: &str| monitor::moment(text, &project.params.shop);
    let early = monitor::run(&project, Some(moment("2026-08-01").unwrap())).unwrap_err().to_string();
    assert!(early.contains("nothing was recommended in the 60 days before 2026-08-01 00:00:00"), "{early}");
    let late = monitor::run(&project, Some(moment("2027-01-01").unwrap())).unwrap_err().to_string();
    assert!(late.contains("after the export, which was taken at 2026-10-01 00:00:00"), "{late}");
    let odd = moment("yesterday").unwrap_err().to_string();
    assert!(odd.contains("'yesterday' is no moment") && odd.contains("do: write a day such as"), "{odd}");
}

#[test]
fn a_segment_column_that_does_not_exist() {
    let log = Log::of_client().quick();
    log.0.replace("params.yaml", "segments: [age_group,", "segments: [age_grup,");
    let project = log.project();
    ingest::run(&project).unwrap();
    let words = monitor::run(&project, None).unwrap_err().to_string();
    assert!(words.contains("age_grup, which is no column") && words.contains("did you mean age_group"), "{words}");
}
