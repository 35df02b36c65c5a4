//! The queries of mix and rate, fairness, alert lives, collections and drift, each on tables of a few rows.

use std::sync::{Arc, OnceLock};

use chrono::DateTime;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampNanosecondArray,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, batch_of, read_rows};
use selvedge::monitor::draws::{binomial, normal};
use selvedge::monitor::likelihood::Rules;
use selvedge::monitor::permutation_test;
use selvedge::project::Project;
use selvedge::sql::TableName;
use serde::de::DeserializeOwned;
use serde_json::Value;
use statistics::intervals;

use super::shop::Shop;

/// The moment of the report, in seconds.
pub const REPORT: i64 = 1_950_000_000;

/// A project whose queries run over tables that a test registers.
pub struct Room {
    project: Project,
    engine: Engine,
}

impl Room {
    pub fn new() -> Self {
        static SHOP: OnceLock<Shop> = OnceLock::new();
        let shop = SHOP.get_or_init(|| Shop::new(3));
        let project = selvedge::open(Some(&shop.path(""))).unwrap();
        let project = project.with_sql_param(
            "monitor",
            "as_of",
            selvedge::params::Shop::sql_time(DateTime::from_timestamp(REPORT, 0).unwrap()),
        );
        Self { engine: Engine::new(&project).unwrap(), project }
    }

    pub fn with(self, schema: &str, name: &str, columns: Vec<(&str, ArrayRef)>) -> Self {
        let batch = batch_of(name, columns).unwrap();
        self.engine.register(&TableName::new(schema, name), batch).unwrap();
        self
    }

    /// Runs a file of sql/monitoring; its answer stays registered.
    pub fn run<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let table = TableName::new("monitoring", name);
        let batch = self.engine.run(&self.project, self.project.library.file(&table).unwrap()).unwrap();
        self.engine.register(&table, batch.clone()).unwrap();
        read_rows(&batch, name).unwrap()
    }
}

pub fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub fn counts(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn numbers(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// Days counted from an arbitrary first one.
fn days(values: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(values.iter().map(|day| 22_000 + day).collect::<Vec<_>>()))
}

/// Hours before the report.
pub fn moments(values: &[i64]) -> ArrayRef {
    let nanos = |hours: &i64| (REPORT - hours * 3600) * 1_000_000_000;
    Arc::new(TimestampNanosecondArray::from_iter_values(values.iter().map(nanos)))
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

/// Segments of one column over both periods: name, (known, yes) before, (known, yes) since.
fn totals(segments: &[(&str, (i64, i64), (i64, i64))]) -> Value {
    let both = |of: fn(&(&str, (i64, i64), (i64, i64))) -> [i64; 2]| segments.iter().flat_map(of).collect::<Vec<_>>();
    let names: Vec<&str> = segments.iter().flat_map(|segment| [segment.0, segment.0]).collect();
    let rows = names.len();
    let room = Room::new().with(
        "monitoring",
        "periods",
        vec![
            ("metric", texts(&vec!["click"; rows])),
            ("segment_column", texts(&vec!["kind"; rows])),
            ("segment_value", texts(&names)),
            ("period", texts(&["reference", "watched"].repeat(segments.len()))),
            ("mature", counts(&both(|segment| [segment.1.0, segment.2.0]))),
            ("mature_yes", counts(&both(|segment| [segment.1.1, segment.2.1]))),
        ],
    );
    room.run::<Value>("mix_rate");
    let mut totals = room.run::<Value>("mix_rate_totals");
    assert!(totals.len() <= 1);
    totals.pop().unwrap_or_default()
}

#[test]
fn mix_and_rate_as_kitagawa_has_them() {
    let total = totals(&[("a", (3000, 300), (6000, 660)), ("b", (7000, 2100), (4000, 1280))]);
    for (column, expected) in [("before", 0.24), ("after", 0.194), ("mix", -0.0615), ("rate", 0.0155)] {
        near(&total[column], expected);
    }
    assert_eq!(total["reversed"], true, "everyone did more, and the total fell");
}

#[test]
fn a_group_that_comes_or_goes_is_mix_and_nothing_else() {
    let total = totals(&[("stays", (100, 20), (100, 20)), ("comes", (0, 0), (100, 80)), ("goes", (100, 50), (0, 0))]);
    near(&total["rate"], 0.0);
    near(&total["mix"], 0.15);
    assert_eq!(totals(&[("a", (100, 20), (0, 0))]), Value::Null, "nothing to compare with");
}

/// One day's clicks of segments that make up the shop: (name, known, yes).
fn fairness(segments: &[(&str, i64, i64)]) -> Vec<Value> {
    let sum = |of: fn(&(&str, i64, i64)) -> i64| segments.iter().map(of).sum::<i64>();
    let all = ("all", sum(|segment| segment.1), sum(|segment| segment.2));
    let rows: Vec<_> = segments.iter().copied().chain([all]).collect();
    let columns: Vec<&str> = rows.iter().map(|row| if row.0 == "all" { "shop" } else { "age" }).collect();
    let room = Room::new()
        .with(
            "monitoring",
            "daily",
            vec![
                ("metric", texts(&vec!["click"; rows.len()])),
                ("segment_column", texts(&columns)),
                ("segment_value", texts(&rows.iter().map(|row| row.0).collect::<Vec<_>>())),
                ("shown_on", days(&vec![0; rows.len()])),
                ("mature", counts(&rows.iter().map(|row| row.1).collect::<Vec<_>>())),
                ("mature_yes", counts(&rows.iter().map(|row| row.2).collect::<Vec<_>>())),
            ],
        )
        .with(
            "monitoring",
            "segment_columns",
            vec![("segment_column", texts(&["age"])), ("owner", texts(&["customers"]))],
        );
    room.run("fairness")
}

#[test]
fn a_gap_is_confirmed_only_when_all_of_its_range_lies_below_the_line() {
    let expected = intervals::ratio((150, 1000), (560, 2000), 3.3).unwrap();
    let rows = fairness(&[("low", 1000, 150), ("others", 2000, 560)]);
    let of = |name: &str| rows.iter().find(|row| row["segment_value"] == name).unwrap();
    near(&of("low")["ratio"], expected.point);
    near(&of("low")["ratio_lower"], expected.lower);
    near(&of("low")["ratio_upper"], expected.upper);
    assert_eq!((&of("low")["state"], &of("others")["state"]), (&"confirmed_gap".into(), &"no_evidence".into()));
    let small = fairness(&[("low", 100, 15), ("others", 200, 56)]);
    assert_eq!(small[0]["state"], "watch", "the same ratio on a tenth of the counts");
    let none = fairness(&[("low", 100, 0), ("others", 200, 0)]);
    assert!(none.iter().all(|row| row["ratio"].as_f64().is_some_and(f64::is_finite)));
    let alone = fairness(&[("only", 100, 20)]);
    assert_eq!(alone[0]["state"], "nothing_to_compare");
}

#[test]
fn exposure_counts_the_place_and_the_articles_on_sale() {
    let room = Room::new()
        .with(
            "sources",
            "recommendations",
            vec![
                ("product_id", texts(&["p", "q", "p", "q"])),
                ("season", texts(&["s"; 4])),
                ("shown_on", days(&[0; 4])),
                ("recommended_at", moments(&[1; 4])),
                ("position", counts(&[1, 2, 3, 4])),
            ],
        )
        .with(
            "monitoring",
            "supply",
            vec![
                ("product_id", texts(&["p", "q", "r"])),
                ("season", texts(&["s"; 3])),
                ("supply_column", texts(&["tier"; 3])),
                ("supply_value", texts(&["A", "B", "never shown"])),
            ],
        )
        .with("monitoring", "days", vec![("shown_on", days(&[0]))])
        .with(
            "sources",
            "products",
            vec![
                ("product_id", texts(&["p", "q", "r"])),
                ("season", texts(&["s"; 3])),
                ("on_sale_from", days(&[-5, 0, 1])),
                ("on_sale_until", days(&[9; 3])),
            ],
        );
    room.run::<Value>("article_days");
    let rows: Vec<Value> = room.run("exposure");
    let of = |name: &str| rows.iter().find(|row| row["supply_value"] == name);
    near(&of("A").unwrap()["exposure"], 1.5);
    let b = of("B").unwrap();
    assert!((b["exposure"].as_f64().unwrap() - 1.06161).abs() < 1e-5);
    assert!((b["ratio"].as_f64().unwrap() - 0.70774).abs() < 1e-5);
    assert_eq!(b["state"], "watch", "four places are no evidence");
    assert!(of("never shown").is_none(), "it goes on sale tomorrow");
}

#[test]
fn an_alert_is_opened_confirmed_and_withdrawn_with_a_word_why() {
    let states = ["none", "possible", "clear", "none", "clear"];
    let room = Room::new().with(
        "monitoring",
        "published",
        vec![
            ("published_on", texts(&["d1", "d2", "d3", "d4", "d5"])),
            ("metric", texts(&["click"; 5])),
            ("segment_column", texts(&["age"; 5])),
            ("segment_value", texts(&["old"; 5])),
            ("owner", texts(&["customers"; 5])),
            ("state", texts(&states)),
            ("explained_by", Arc::new(StringArray::from(vec![None, None, None, Some("region=North"), None]))),
            ("since", texts(&["x"; 5])),
            ("before", numbers(&[0.3; 5])),
            ("after", numbers(&[0.3, 0.2, 0.1, 0.3, 0.15])),
        ],
    );
    let lives: Vec<Value> = room.run("alert_lives");
    assert_eq!(lives.len(), 2, "{lives:?}");
    let (first, second) = (&lives[0], &lives[1]);
    let (first, second) = if first["opened_on"] == "d2" { (first, second) } else { (second, first) };
    assert_eq!(
        (&first["status"], &first["confirmed_on"], &first["withdrawn_on"]),
        (&"withdrawn".into(), &"d3".into(), &"d4".into())
    );
    assert!(first["why"].as_str().unwrap().contains("contains the customers of another alert"));
    near(&first["first_after"], 0.2);
    near(&first["last_after"], 0.1);
    assert_eq!((&second["status"], &second["opened_on"]), (&"confirmed".into(), &"d5".into()));
    assert!(second.get("why").is_none());
}

#[test]
fn a_collection_goes_from_no_data_to_confirmed() {
    let names = ["first", "known", "young", "early", "other"];
    let room = Room::new()
        .with(
            "monitoring",
            "collections",
            vec![
                ("season", texts(&names)),
                ("articles", counts(&[9; 5])),
                ("launched_on", days(&[0, 365, 365, 365, 365])),
                ("ends_on", days(&[180, 545, 545, 545, 545])),
                (
                    "previous",
                    Arc::new(StringArray::from(vec![None, Some("first"), Some("first"), Some("first"), None])),
                ),
                ("launched_in_between", Arc::new(BooleanArray::from(vec![false; 5]))),
            ],
        )
        .with(
            "monitoring",
            "collection_looks",
            vec![
                ("season", texts(&["first", "first", "known", "young", "early"])),
                ("age_days", counts(&[3, 40, 3, 3, 3])),
                ("looked_on", days(&[3, 40, 368, 368, 368])),
                ("known_until", days(&[380; 5])),
                ("looks", counts(&[100, 100, 200, 20, 20])),
                ("mature", counts(&[100, 100, 200, 20, 0])),
                ("mature_yes", counts(&[30, 90, 70, 8, 0])),
            ],
        );
    let rows: Vec<Value> = room.run("collection_states");
    let of = |name: &str| rows.iter().find(|row| row["season"] == name).unwrap();
    let states: Vec<&str> = names.iter().map(|name| of(name)["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["confirmed", "confirmed", "provisional", "prior_only", "no_data"]);
    near(&of("known")["prior_rate"], 0.3);
    near(&of("early")["prior_rate"], 0.6);
    assert!(of("young")["enough_known_on"].as_str().is_some() && of("known").get("enough_known_on").is_none());
}

#[test]
fn drift_tells_apart_what_moved_and_what_did_not() {
    let sides = |n: usize| [vec!["training"; n], vec!["latest"; n]].concat();
    let values: Vec<f64> = (0..200).map(f64::from).chain((0..200).map(|n| f64::from(n) + 100.0)).collect();
    let same: Vec<f64> = (0..400).map(|n| f64::from(n % 200)).collect();
    let kinds = [vec!["hat"; 150], vec!["sock"; 50], vec!["hat"; 50], vec!["sock"; 150]].concat();
    let room = Room::new()
        .with(
            "monitoring",
            "drift_numbers",
            vec![
                ("feature", texts(&[vec!["price"; 400], vec!["size"; 400]].concat())),
                ("side", texts(&sides(200).repeat(2))),
                ("as_of", moments(&[0; 800])),
                ("value", numbers(&[values, same].concat())),
            ],
        )
        .with(
            "monitoring",
            "drift_texts",
            vec![("feature", texts(&["kind"; 400])), ("side", texts(&sides(200))), ("value", texts(&kinds))],
        );
    let rows: Vec<Value> = room.run("drift_means");
    let of = |name: &str| rows.iter().find(|row| row["feature"] == name).unwrap();
    near(&of("price")["ks"], 0.5);
    near(&of("price")["latest"], 199.5);
    near(&of("size")["ks"], 0.0);
    near(&of("size")["psi"], 0.0);
    assert!(of("price")["psi"].as_f64().unwrap() > 0.25);
    assert_eq!((&of("price")["moved"], &of("size")["moved"]), (&true.into(), &false.into()));
    let rows: Vec<Value> = room.run("drift_shares");
    near(&rows[0]["distance"], 0.5);
    assert!(rows.iter().all(|row| row["moved"] == true));
}

/// Twenty-four months of training and the latest looks half a year later: a total that grows with time, a jump, and 40
/// instead of 39 of 100.
#[test]
fn what_goes_on_as_before_and_what_reads_the_same_is_no_news() {
    const LATEST: i64 = 30;
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut feature, mut side, mut hours, mut value) = (vec![], vec![], vec![], vec![]);
    let rates: [(&str, fn(i64) -> f64); 3] = [
        ("total", |month| 10.0 * month as f64),
        ("jump", |month| if month == LATEST { 9.0 } else { 5.0 }),
        ("share", |month| if month == LATEST { 0.4 } else { 0.39 }),
    ];
    for (name, rate) in rates {
        for month in (0..24).chain([LATEST]) {
            for _ in 0..60 {
                feature.push(name);
                side.push(if month == LATEST { "latest" } else { "training" });
                hours.push((LATEST - month) * 730);
                value.push(rate(month) + if name == "share" { 0.001 } else { 1.0 } * normal(&mut random));
            }
        }
    }
    let columns = vec![
        ("feature", texts(&feature)),
        ("side", texts(&side)),
        ("as_of", moments(&hours)),
        ("value", numbers(&value)),
    ];
    let rows: Vec<Value> = Room::new().with("monitoring", "drift_numbers", columns).run("drift_means");
    let said = |name: &str| {
        let row = rows.iter().find(|row| row["feature"] == name).unwrap();
        ["apart", "goes_on", "moved"].map(|column| row[column].as_bool().unwrap())
    };
    assert_eq!(said("total"), [true, true, false], "{rows:?}");
    assert_eq!(said("jump"), [true, false, true], "{rows:?}");
    assert_eq!(said("share"), [true, false, false], "{rows:?}");
}

/// Shown, clicked and usually clicked.
type Counts = (i64, i64, f64);

/// How far each two of three segments go together.
const OVERLAPS: [(i64, i64, f64); 3] = [(1, 2, -0.6), (1, 3, -0.4), (2, 3, 0.2)];

/// Counts of three segments and the whole shop on thirty days in this order, as the scan has them; the mix moves, weeks have
/// a rhythm, and on the last days the first segment clicks less.
fn scanned(order: &[usize]) -> Room {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let days: Vec<[Counts; 3]> = (0..order.len())
        .map(|day| {
            let shock = 0.1 * normal(&mut random) + if day % 7 > 4 { 0.3 } else { 0.0 };
            let fell = if day > 23 { 0.6 } else { 1.0 };
            [(90, 0.28, fell), (60 + 9 * (day as u64 % 8), 0.1, 1.0), (30, 0.3, 1.0)]
                .map(|(n, p, fell)| (n as i64, binomial(&mut random, n, (p + shock * p) * fell) as i64, n as f64 * p))
        })
        .collect();
    let (mut series, mut is_shop, mut day, mut weekday, mut is_reference) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut n, mut x, mut usual) = (vec![], vec![], vec![]);
    for (number, place) in order.iter().enumerate() {
        let counts = days[*place];
        let all = counts.iter().fold((0, 0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2));
        for (of, part) in counts.iter().chain([&all]).enumerate() {
            series.push(of as i64 + 1);
            is_shop.push(of == 3);
            day.push(number as i64 + 1);
            weekday.push((place % 7) as i64);
            is_reference.push(number < 20);
            n.push(part.0);
            x.push(part.1);
            usual.push(part.2);
        }
    }
    let flags = |flags: Vec<bool>| -> ArrayRef { Arc::new(BooleanArray::from(flags)) };
    let columns = vec![
        ("series", counts(&series)),
        ("shop", counts(&vec![4; series.len()])),
        ("is_shop", flags(is_shop)),
        ("day", counts(&day)),
        ("weekday", counts(&weekday)),
        ("is_reference", flags(is_reference)),
        ("n", counts(&n)),
        ("x", counts(&x)),
        ("usual", numbers(&usual)),
    ];
    let names = vec![
        ("series", counts(&[1, 2, 3, 4])),
        ("metric", texts(&["click"; 4])),
        ("segment_column", texts(&["age", "age", "age", "shop"])),
        ("segment_value", texts(&["young", "grown", "old", "all"])),
        ("is_shop", flags(vec![false, false, false, true])),
    ];
    let overlaps = vec![
        ("first", counts(&OVERLAPS.map(|row| row.0))),
        ("second", counts(&OVERLAPS.map(|row| row.1))),
        ("correlation", numbers(&OVERLAPS.map(|row| row.2))),
    ];
    let tables = [
        ("scan_counts", columns),
        ("series", names),
        ("suspected", vec![("metric", texts(&["click"]))]),
        ("overlaps", overlaps),
    ];
    tables.into_iter().fold(Room::new(), |room, (name, columns)| room.with("monitoring", name, columns))
}

/// Shuffled histories are added up in Rust; whatever the order, that says what the queries of the scan say, of one change
/// and of two together.
#[test]
fn shuffled_histories_are_judged_as_the_queries_judge_the_log() {
    let log: Vec<usize> = (0..30).collect();
    let backwards: Vec<usize> = log.iter().rev().copied().collect();
    let mixed: Vec<usize> = log.iter().map(|day| day * 7 % 30).collect();
    let known = &permutation_test::histories(&scanned(&log).engine).unwrap()["click"];
    let rules = Rules { enough: 25.0, ended_counts: 0.8 };
    let overlap = |one: usize, other: usize| {
        OVERLAPS.iter().find(|row| row.0 == one as i64 + 1 && row.1 == other as i64 + 1).unwrap().2
    };
    // The whole shop comes first in Rust, and is the fourth here.
    let number = |place: usize| if place == 0 { 4 } else { place as i64 };
    for order in [log, backwards, mixed] {
        let room = scanned(&order);
        for name in ["scan_usual", "scan_expected", "scan_outside", "scan_phi", "scan_windows"] {
            room.run::<Value>(name);
        }
        let fit = known.fit(&order).unwrap();
        let scan: Vec<Value> = room.run("scan");
        let mut judged = 0;
        let far: Vec<f64> = fit.singles(rules).iter().map(|best| best.map_or(0.0, |best| best.z.abs())).collect();
        let (shop, segments) = fit.furthest(rules);
        assert!((shop - far[0]).abs() < 1e-9, "{shop} against {far:?}");
        assert!((segments - far[1..].iter().copied().fold(0.0, f64::max)).abs() < 1e-9, "{segments} against {far:?}");
        for (place, best) in fit.singles(rules).into_iter().enumerate() {
            let row = scan.iter().find(|row| row["series"] == number(place));
            assert_eq!(row.is_some(), best.is_some(), "{place}");
            let (Some(row), Some(best)) = (row, best) else { continue };
            assert!((row["z"].as_f64().unwrap() - best.z).abs() < 1e-9, "{best:?} in Rust, {row} by the queries");
            judged += 1;
        }
        assert!(judged >= 3);
        let weighed: Vec<Value> = room.run("explanations");
        let pairs = fit.pairs(rules, overlap);
        assert!(pairs.len() >= 3 && weighed.len() == judged + pairs.len(), "{weighed:?}");
        for pair in pairs {
            let mut who = [number(pair.first), number(pair.second)];
            who.sort_unstable();
            let row = weighed.iter().find(|row| row["first"] == who[0] && row["second"] == who[1]).unwrap();
            assert!((row["gain"].as_f64().unwrap() - pair.gain).abs() < 1e-6, "{pair:?} in Rust, {row} by the queries");
        }
    }
}
