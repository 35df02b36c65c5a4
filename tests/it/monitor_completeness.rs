//! Days that are not there in whole are told before anything else is; what chance and the season explain is not.

use chrono::{DateTime, Datelike};
use datafusion::arrow::array::{ArrayRef, Date32Array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use selvedge::monitor::draws::{binomial, normal};
use serde_json::Value;
use std::sync::Arc;

use super::monitor_log::{Log, Row, of};
use super::monitor_methods::{REPORT, Room, counts, moments, texts};
use super::monitor_sentences::holds;

/// Rows of a day by how many days before the report it ends.
type Arrivals = dyn Fn(i64, u32, &mut ChaCha8Rng) -> i64;

/// What is told of so many days of one kind.
fn told(source: &str, kind: &str, days: i64, seed: u64, rows: &Arrivals) -> Vec<Value> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut ago, mut day, mut came) = (vec![], vec![], vec![]);
    for back in (0..days).rev() {
        let on = DateTime::from_timestamp(REPORT - back * 86_400 - 43_200, 0).unwrap().date_naive();
        let many = rows(back, on.weekday().num_days_from_monday(), &mut random);
        if many > 0 {
            ago.push(back * 24);
            day.push(on.num_days_from_ce() - 719_163);
            came.push(many);
        }
    }
    let (n, days) = (came.len(), Arc::new(Date32Array::from(day)) as ArrayRef);
    let none: Vec<(&str, ArrayRef)> = vec![
        ("source", texts(&[])),
        ("day", Arc::new(Date32Array::from(Vec::<i32>::new()))),
        ("rows", counts(&[])),
        ("twins", counts(&[])),
    ];
    let room = Room::new()
        .with(
            "monitoring",
            "arrivals",
            vec![
                ("source", texts(&vec![source; n])),
                ("kind", texts(&vec![kind; n])),
                ("day", days),
                ("known_by", moments(&ago)),
                ("rows", counts(&came)),
            ],
        )
        .with("monitoring", "twin_days", none);
    room.run::<Value>("arrival_days");
    room.run("completeness")
}

/// A shop of so many rows a day: days that differ by more than chance, a quiet Sunday, a year that grows and falls, a sale
/// of two weeks each year, and nothing at all in one of its weeks.
fn usual(mean: f64) -> impl Fn(i64, u32, &mut ChaCha8Rng) -> i64 {
    move |back, weekday, random| {
        let year = (back % 364) as f64 / 364.0;
        let sale = if (100..114).contains(&(back % 364)) { 2.0 } else { 1.0 };
        let week = if weekday == 6 { 0.5 } else { 1.0 };
        let closed = if (200..207).contains(&(back % 364)) { 0.0 } else { 1.0 };
        let season = 1.0 + 0.2 * (std::f64::consts::TAU * year).sin();
        let rate = mean * sale * week * season * (0.2 * normal(random)).exp() * closed;
        binomial(random, 4 * mean as u64, (rate / (4.0 * mean)).min(1.0)) as i64
    }
}

#[test]
fn what_chance_and_the_season_explain_is_not_told() {
    for mean in [2.0, 13.0, 100.0, 3000.0] {
        for seed in 0..3 {
            // The first of the years has none before it to say that its sale and its week without any are the season's.
            let rows = told("transactions", "event", 728, seed, &usual(mean));
            let late = rows.iter().filter(|row| {
                let day: chrono::NaiveDate = row["first_day"].as_str().unwrap().parse().unwrap();
                DateTime::from_timestamp(REPORT, 0).unwrap().date_naive() - day < chrono::TimeDelta::days(364)
            });
            assert_eq!(late.count(), 0, "{mean} a day, seed {seed}: {rows:?}");
        }
    }
    // Few a day, some days none; and days on which all is closed.
    let few = |_: i64, weekday: u32, random: &mut ChaCha8Rng| {
        if weekday > 4 { 0 } else { binomial(random, 30, 0.1) as i64 }
    };
    assert_eq!(told("recommendations", "shown", 60, 1, &few), Vec::<Value>::new());
}

#[test]
fn a_gap_an_end_a_part_and_a_day_twice_are_told() {
    let is = |row: &Value, state: &str, days: i64| {
        (row["state"].as_str(), row["days"].as_i64()) == (Some(state), Some(days))
    };
    for mean in [13.0, 300.0] {
        let steady = move |random: &mut ChaCha8Rng| binomial(random, 4 * mean as u64, 0.25) as i64;
        let only = |rows: Vec<Value>, state: &str, days: i64| {
            assert!(rows.len() == 1 && is(&rows[0], state, days), "{mean} a day: {rows:?}");
        };
        let month = move |back: i64, _: u32, random: &mut ChaCha8Rng| {
            if (150..181).contains(&back) { 0 } else { steady(random) }
        };
        only(told("transactions", "event", 500, 1, &month), "missing", 31);
        // Longer than the weeks around that weekdays are read from.
        let long = move |back: i64, _: u32, random: &mut ChaCha8Rng| {
            if (150..270).contains(&back) { 0 } else { steady(random) }
        };
        only(told("transactions", "event", 500, 1, &long), "missing", 120);
        let ended = move |back: i64, _: u32, random: &mut ChaCha8Rng| if back < 9 { 0 } else { steady(random) };
        only(told("transactions", "event", 500, 1, &ended), "ended", 9);
    }
    let steady = |random: &mut ChaCha8Rng| binomial(random, 1200, 0.25) as i64;
    let part = move |back: i64, _: u32, random: &mut ChaCha8Rng| steady(random) * if back == 0 { 4 } else { 10 } / 10;
    assert!(is(&told("recommendations", "shown", 30, 1, &part)[0], "partial", 1));
    let double = move |back: i64, _: u32, random: &mut ChaCha8Rng| steady(random) * if back == 12 { 2 } else { 1 };
    assert!(is(&told("recommendations", "shown", 30, 1, &double)[0], "double", 1));
    // Ten days that are twice as busy are busy.
    let louder = move |back: i64, _: u32, random: &mut ChaCha8Rng| steady(random) * if back < 10 { 2 } else { 1 };
    assert_eq!(told("recommendations", "shown", 30, 1, &louder), Vec::<Value>::new());
}

/// The client's log with rows left out, or there a second time under other numbers.
fn edited(keep: impl Fn(&Row) -> bool, again: impl Fn(&Row) -> bool) -> Log {
    let log = Log::edited(|row| keep(&row).then_some(row)).quick();
    let path = "materials/production-recommendations-sample.csv";
    let text = log.0.read(path);
    let twice: String = text
        .lines()
        .skip(1)
        .filter(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            again(&Row::from([("recommended_at".to_owned(), cells[1].to_owned())]))
        })
        .map(|line| format!("A{line}\n"))
        .collect();
    log.0.write(path, &(text + &twice));
    log
}

fn day(row: &Row) -> &str {
    &row["recommended_at"][..10]
}

#[test]
fn a_page_tells_of_its_days_before_anything_else_and_marks_what_rests_on_them() {
    let never = |_: &Row| false;
    let cases = [
        (
            edited(|row| !["2026-09-10", "2026-09-11", "2026-09-12"].contains(&day(row)), never),
            "There are no recommendations from 10 September 2026 to 12 September 2026;",
        ),
        (
            edited(|row| day(row) < "2026-09-26", never),
            "There are no recommendations any more since 26 September 2026;",
        ),
        (edited(|_| true, |row| day(row) == "2026-09-15"), "they are counted twice."),
        (
            edited(|row| row["recommended_at"].as_str() < "2026-09-30 07:00:00", never),
            "recommendations on 30 September 2026, where",
        ),
    ];
    for (log, words) in cases {
        log.run();
        let text = log.0.read("reports/dashboard.md");
        let first = text.find("**Look at the data first").unwrap_or(usize::MAX);
        let change = text.find("| **What").unwrap();
        assert!(first < change && text[..change].contains(words), "{words}\n{}", &text[..3000]);
        assert!(text.contains("are marked **i**"), "{text}");
        assert!(!text.contains("in which every day is there"), "{text}");
        holds(&log);
        assert_eq!(of(&log.alerts(), "click", "", "")["incomplete"], true);
        let file: Value = serde_json::from_str(&log.0.read("reports/alerts.json")).unwrap();
        assert_eq!(file["incomplete"].as_array().unwrap().len(), 1, "{file}");
    }
    let whole = Log::shared();
    assert!(whole.0.read("reports/dashboard.md").contains("No day is missing"));
    assert_eq!(of(&whole.alerts(), "click", "", "")["incomplete"], false);
}
