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
    // "of 100 shown", the percentages of the intervals and the clock of the report's moment.
    let fixed = ["100", "95", "90", "3,000", "1,051", "00", "1", "20", "30"];
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

#[test]
fn the_first_screen_answers_the_questions_of_a_merchandiser() {
    let log = Log::shared();
    let text = log.0.read("reports/dashboard.md");
    let first = text.split("## ").next().unwrap();
    for words in [
        "Clicks for customers of age group 25-34 fell from 28 to 12 in 100 shown (16 fewer clicks in 100) since 21 September 2026.",
        "Clear. Confirmed.",
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
