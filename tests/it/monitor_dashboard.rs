//! What people read: plain words, and no number that does not stand in a table.

use std::collections::BTreeSet;

use super::monitor_log::Log;

/// The dashboard's text without what is folded away.
fn unfolded(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split("<details>").enumerate() {
        out += if number == 0 { part } else { part.split_once("</details>").map_or("", |(_, after)| after) };
    }
    out
}

fn numbers(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ',');
    let words = text.split(|letter: char| !is_part(letter));
    words.map(|word| word.trim_matches(['.', ','])).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn no_word_of_statistics_outside_the_fold() {
    let log = Log::shared();
    let text = unfolded(&log.0.read("reports/dashboard.md")).to_lowercase();
    for word in ["significant", "p-value", "psi", "sigma", "drift score", " z ", "kl ", "quantile", "phi", "threshold"]
    {
        assert!(!text.contains(word), "{word:?} in the dashboard");
    }
}

#[test]
fn every_number_of_a_sentence_stands_in_a_table() {
    let log = Log::shared();
    let text = log.0.read("reports/dashboard.md");
    let days: String =
        log.0.ask("SELECT MIN(shown_on), MAX(shown_on) FROM monitoring.days GROUP BY period ORDER BY period").join(" ");
    // The first screen's answers stand in a table of their own; its figures must be found in the others.
    let is_cell = |line: &&str| line.starts_with('|') && !line.starts_with("| **");
    let cells: String = text.lines().filter(is_cell).collect::<Vec<_>>().join(" ");
    let folded = text.split("<details>").skip(1).collect::<String>();
    let known: BTreeSet<String> =
        numbers(&cells).into_iter().chain(numbers(&folded)).chain(numbers(&days.replace("-0", "-"))).collect();
    let shown =
        log.0.ask("SELECT SUM(shown), SUM(pending) FROM monitoring.maturity WHERE metric = 'purchase'").join(",");
    // "of 100 shown", the percentages of the intervals, the line of fairness and the clock of the report's moment.
    let fixed = ["100", "95", "90", "80", "3,000", "1,051", "00", "1", "20", "30"];
    assert_eq!(shown, "3000,1051");
    let sentences: Vec<&str> = text.split("<details>").next().unwrap().lines().filter(|line| !is_cell(line)).collect();
    for sentence in sentences {
        for number in numbers(sentence) {
            assert!(
                known.contains(&number) || fixed.contains(&number.as_str()),
                "{number} of {sentence:?} stands in no table"
            );
        }
    }
}

/// Sentences that a tired reader still takes in at once.
#[test]
fn sentences_are_short() {
    let log = Log::shared();
    let text = unfolded(&log.0.read("reports/dashboard.md"));
    let cells = text.lines().flat_map(|line| line.split('|')).flat_map(|cell| cell.split(". "));
    for sentence in cells.flat_map(|text| text.split("! ")) {
        let words = sentence.split_whitespace().count();
        // A list of segments is as long as the segments are many.
        assert!(
            words <= 34 || sentence.contains("ruled out") || sentence.contains("Unchanged for"),
            "{words} words: {sentence}"
        );
    }
}

#[test]
fn alerts_and_figures_are_told_as_they_were_first_published() {
    let log = Log::shared();
    let history: serde_json::Value = serde_json::from_str(&log.0.read("reports/alert-history.json")).unwrap();
    let alerts = history["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{history}");
    let (alert, moment) = (&alerts[0], |day: &str| serde_json::Value::from(format!("{day} 00:00:00")));
    assert_eq!((&alert["segment_value"], &alert["status"]), (&"25-34".into(), &"confirmed".into()));
    assert_eq!((&alert["opened_on"], &alert["confirmed_on"]), (&moment("2026-09-28"), &moment("2026-09-28")));
    assert!(alert["first_after"].as_f64().unwrap() < alert["last_after"].as_f64().unwrap());
    assert_eq!(history["reports"].as_array().unwrap().len(), 5, "four Mondays and the export");
    // A figure of an earlier report is what a report as of that day says.
    let replayed = Log::of_client().quick();
    replayed.run_as_of(Some("2026-09-28"));
    let question = "SELECT metric, week, shown, confirmed, so_far, provisional_rate FROM monitoring.vintages \
                    WHERE published_on = '2026-09-28 00:00:00' ORDER BY metric, week";
    assert_eq!(log.0.ask(question), replayed.0.ask(question));
    assert!(log.0.read("reports/dashboard.md").contains("First told on 28 September 2026"));
}

#[test]
fn without_replays_the_history_begins_with_this_report() {
    let log = Log::of_client().quick();
    log.run();
    let history: serde_json::Value = serde_json::from_str(&log.0.read("reports/alert-history.json")).unwrap();
    assert_eq!(history["reports"].as_array().unwrap().len(), 1);
    assert!(log.0.read("reports/dashboard.md").contains("In this report for the first time."));
}

/// Everyone clicks more, and the total falls, because those who click little are shown more.
#[test]
fn a_total_that_hides_what_people_did_is_told_in_words() {
    let customers = std::fs::read_to_string(format!("{}/materials/customers.csv", super::shop::ROOT)).unwrap();
    let mut reader = csv::Reader::from_reader(customers.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let old: BTreeSet<String> =
        rows.into_iter().filter(|row| row["age_group"] == "55+").map(|row| row["customer_id"].clone()).collect();
    let log = Log::edited(|mut row| {
        let (is_old, late) = (old.contains(&row["customer_id"]), row["recommended_at"].as_str() >= "2026-09-21");
        let number: u64 = row["recommendation_id"][1..].parse().unwrap();
        let of_ten = number * 7 % 10;
        if late && !is_old && !(number / 10).is_multiple_of(10) {
            return None;
        }
        let clicks = of_ten < if is_old { 0 } else { 3 } + u64::from(late);
        row.insert("clicked".into(), u8::from(clicks).to_string());
        let at = if clicks { row["recommended_at"].clone() } else { String::new() };
        row.insert("clicked_at".into(), at);
        for (flag, time) in [("purchased", "purchased_at"), ("returned", "returned_at")] {
            row.insert(flag.into(), "0".into());
            row.insert(time.into(), String::new());
        }
        Some(row)
    })
    .quick();
    log.run();
    let text = log.0.read("reports/dashboard.md");
    assert!(text.contains("The total fell although within the groups, taken together, clicks rose"), "{text}");
}

#[test]
fn confirmed_and_provisional_never_share_a_column() {
    let log = Log::shared();
    for (name, _) in log.0.files("work/monitoring") {
        let table = name.trim_end_matches(".parquet").rsplit('/').next().unwrap().to_owned();
        for field in log.table(&table).schema().fields() {
            let both = field.name().contains("confirmed") && field.name().contains("provisional");
            assert!(!both, "{table}.{}", field.name());
        }
    }
    let text = log.0.read("reports/dashboard.md");
    assert!(text.contains("## Purchases, confirmed") && text.contains("## Purchases, provisional"));
}

/// Those who have not agreed to personalisation are counted in groups, and nothing is kept or told of anybody alone.
#[test]
fn no_figure_is_of_one_customer() {
    let log = Log::shared();
    for (name, _) in log.0.files("work/monitoring") {
        let table = name.trim_end_matches(".parquet").rsplit('/').next().unwrap().to_owned();
        let columns = log.table(&table).schema();
        assert!(columns.fields().iter().all(|field| field.name() != "customer_id"), "{table}: {columns:?}");
    }
    let customers = log.0.read("materials/customers.csv");
    let numbers: BTreeSet<&str> = customers.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    for file in ["reports/dashboard.md", "reports/alerts.json", "reports/alert-history.json"] {
        let text = log.0.read(file);
        let told = text.split(|letter: char| !letter.is_ascii_alphanumeric()).find(|word| numbers.contains(word));
        assert_eq!(told, None, "{file}");
    }
    let agreed = "Customers who have not agreed to personalisation are counted in their groups";
    assert!(log.0.read("reports/dashboard.md").contains(agreed));
}
