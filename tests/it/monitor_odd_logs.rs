//! Logs that cannot answer the question: it is said plainly, and nothing breaks.

use selvedge::{ingest, monitor};

use super::monitor_log::{Log, in_state, of};
use super::monitor_sentences::holds;

/// Nothing is claimed, and no picture or text holds a number that is none.
fn says_nothing(log: &Log) {
    let outcome = log.run();
    assert_eq!((outcome.clear, outcome.possible), (0, 0));
    holds(log);
    let text = log.0.read("reports/dashboard.md");
    for word in ["NaN", "inf ", "-0 ", "None", "null"] {
        assert!(!text.contains(word), "{word:?} in\n{text}");
    }
    let plain = ["No change stands out", "It is too early to say whether anything changed"];
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

/// `run` looks at the log while the frame is made: where that fails, its error is told and the monitor changes nothing.
#[test]
fn a_frame_that_cannot_be_made_beside_the_log() {
    let log = Log::of_client().quick();
    log.0.must(&["ingest"]);
    log.0
        .write("sql/labels/second.sql", &log.0.read("sql/labels/kept_purchase.sql").replace("kept_purchase", "second"));
    let failed = log.0.run(&["run", "frame", "monitor", "report"]);
    let words = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{words}");
    assert!(words.contains("sql/labels holds 2 files") && words.matches("error: ").count() == 1, "{words}");
    assert!(!log.0.path("reports").exists() && !log.0.path("work/monitoring").exists(), "{words}");
    log.0.must(&["run", "monitor"]);
}

/// One row of each kind that cannot be: each is set aside with its reason, counted, and moves no figure.
#[test]
fn rows_that_cannot_be_are_set_aside_and_counted() {
    let odd = [
        ("R00001", "customer_id", "nobody", "unknown_customer"),
        ("R00002", "clicked_at", "2026-08-01 00:00:00", "outcome_before_cause"),
        ("R00004", "returned", "1", "return_without_purchase"),
        ("R00005", "recommended_at", "2027-05-01 00:00:00", "after_export"),
        ("R00006", "recommended_at", "soon", "bad_time"),
        ("R00007", "product_id", "no such thing", "unknown_product"),
    ];
    let is_odd = |row: &super::monitor_log::Row| odd.iter().any(|(id, ..)| row["recommendation_id"] == *id);
    let without = Log::edited(|row| (!is_odd(&row)).then_some(row)).quick();
    let with = Log::edited(|mut row| {
        for (id, column, value, _) in odd {
            if row["recommendation_id"] == id {
                row.insert(column.into(), value.into());
            }
        }
        Some(row)
    })
    .quick();
    without.run();
    with.run();
    assert_eq!(with.0.read("reports/alerts.json"), without.0.read("reports/alerts.json"));
    let reasons = with.0.ask("SELECT reason FROM sources.rejected WHERE file LIKE 'production%' ORDER BY line");
    let expected: Vec<&str> = odd.iter().map(|(.., reason)| *reason).collect();
    assert_eq!(reasons, expected);
}

#[test]
fn a_log_without_rows() {
    let log = Log::edited(|_| None).quick();
    log.0.must(&["ingest"]);
    log.0.must(&["monitor"]);
    let alerts = log.0.read("reports/alerts.json");
    assert!(alerts.contains("\"alerts\": []"), "{alerts}");
    // The same where the log ended long ago, which is no failure either.
    let over = Log::of_client().quick();
    over.0.replace("params.yaml", "2026-10-01 00:00:00", "2027-03-01 00:00:00");
    over.0.must(&["ingest"]);
    let output = over.0.run(&["monitor"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.contains("nothing was recommended in the 60 days before 2027-03-01 00:00:00"), "{words}");
}

/// The customers' file has lost the column that segments are made of.
#[test]
fn a_missing_segment_column() {
    let log = Log::of_client().quick();
    log.0.replace("materials/customers.csv", "region", "regiom");
    let output = log.0.run(&["ingest"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("customers.csv") && words.contains("region"), "{words}");
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

/// Values of a segment that would break markdown, HTML or a picture if they were taken for more than names.
const ODD_NAMES: [&str; 12] = [
    "a|b",
    "line\nbreak",
    "\"quoted\"",
    "**bold**",
    "<b>tag</b>",
    "[link](http://x)",
    "`code`",
    "</details>",
    "| --- |",
    "![picture](y)",
    "Ünï 🎉",
    "  ",
];

/// Customers of the client with another value in a column, worked out from their number and the value they have.
fn with_customers(log: &Log, column: &str, value: impl Fn(usize, &str) -> String) {
    let text = log.0.read("materials/customers.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let place = headers.iter().position(|name| name == column).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headers).unwrap();
    for (number, record) in reader.records().map(Result::unwrap).enumerate() {
        let cell = |(at, cell): (usize, &str)| if at == place { value(number, cell) } else { cell.to_owned() };
        writer.write_record(record.iter().enumerate().map(cell)).unwrap();
    }
    log.0.write("materials/customers.csv", std::str::from_utf8(&writer.into_inner().unwrap()).unwrap());
}

/// Every table keeps its columns, every fold is closed, and nothing of a client's is left that markdown or HTML would read.
fn is_whole(text: &str) {
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let mut columns = None;
    for line in text.lines() {
        let bars = line.replace("\\|", "").matches('|').count();
        let own = line.starts_with('|').then_some(bars);
        assert!(columns.is_none() || own.is_none() || columns == own, "a row of another width: {line}");
        columns = own;
        for sign in ["<b>", "[link](", " **bold**", "![picture]", " `code`"] {
            assert!(!line.contains(sign), "{sign} in {line}");
        }
        for word in ["NaN", "inf ", "null"] {
            assert!(!line.contains(word), "{word} in {line}");
        }
    }
}

#[test]
fn names_that_are_markdown_stay_names() {
    let quiet = Log::of_client().quick();
    with_customers(&quiet, "age_group", |number, _| ODD_NAMES[number % ODD_NAMES.len()].into());
    quiet.run();
    let text = quiet.0.read("reports/dashboard.md");
    is_whole(&text);
    assert!(text.contains("| Age group not given |") && text.contains("| Age group line break |"), "{text}");
    for odd in ["</details>[link](x)`|", "<b>|\"x\"\n*_25_*</b>"] {
        let log = Log::of_client().quick();
        with_customers(&log, "age_group", |_, own| if own == "25-34" { odd.into() } else { own.into() });
        let outcome = log.run();
        assert_eq!(outcome.clear, 1);
        is_whole(&log.0.read("reports/dashboard.md"));
    }
}

/// Three hundred segments: the first screen and the pictures keep their size.
#[test]
fn many_segments() {
    let log = Log::of_client().quick();
    with_customers(&log, "region", |number, _| format!("place {}", number % 300));
    log.run();
    let text = log.0.read("reports/dashboard.md");
    is_whole(&text);
    assert!(text.contains(" others"), "{text}");
    assert!(text.lines().take(20).all(|line| line.len() < 1500), "{text}");
    for (name, png) in log.0.files("reports/charts") {
        let height = u32::from_be_bytes(png[20..24].try_into().unwrap());
        assert!(height < 4500, "{name} is {height} pixels high");
    }
}

#[test]
fn a_log_without_any_click_and_one_of_nothing_else() {
    for (flag, words) in [("0", "Nothing that was shown was clicked."), ("1", "Everything that was shown was clicked.")]
    {
        let log = Log::edited(|mut row| {
            for (column, time) in
                [("clicked", "clicked_at"), ("purchased", "purchased_at"), ("returned", "returned_at")]
            {
                let flag = if column == "clicked" { flag } else { "0" };
                let at = if flag == "1" { row["recommended_at"].clone() } else { String::new() };
                row.insert(column.into(), flag.into());
                row.insert(time.into(), at);
            }
            Some(row)
        })
        .quick();
        let outcome = log.run();
        assert_eq!((outcome.clear, outcome.possible), (0, 0));
        let text = log.0.read("reports/dashboard.md");
        is_whole(&text);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_day_against_a_day() {
    let two = ["2026-09-05", "2026-09-06"];
    let log = Log::edited(|row| two.contains(&&row["recommended_at"][..10]).then_some(row)).quick();
    log.0.replace("params.yaml", "reference_days: 20", "reference_days: 1");
    let outcome = log.run();
    assert_eq!((outcome.clear, outcome.possible), (0, 0));
    holds(&log);
    let text = log.0.read("reports/dashboard.md");
    is_whole(&text);
    assert!(text.contains("6 September 2026 is compared with 5 September 2026."), "{text}");
    assert!(text.contains("List price: too early to say. 1 of 5 days needed."), "{text}");
}

/// A few copies are set aside and counted; a log that is all copies is not taken for data.
#[test]
fn copies_of_rows() {
    let (few, all) = (Log::of_client().quick(), Log::of_client().quick());
    let path = "materials/production-recommendations-sample.csv";
    let text = few.0.read(path);
    let copies: Vec<&str> = text.lines().skip(1).collect();
    few.0.write(path, &format!("{text}{}\n", copies[..100].join("\n")));
    all.0.write(path, &format!("{text}{}\n", copies.join("\n")));
    let plain = Log::of_client().quick();
    (plain.run(), few.run());
    assert_eq!(few.0.read("reports/alerts.json"), plain.0.read("reports/alerts.json"));
    assert_eq!(few.0.ask("SELECT COUNT(*) FROM sources.rejected WHERE reason = 'late_copy'"), ["100"]);
    let output = all.0.run(&["ingest"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words.contains("3000 of 6000 rows would be set aside") && words.contains("the whole row is repeated"),
        "{words}"
    );
}
