//! Drops put into copies of the log, and the gate for pull requests.

use std::collections::BTreeMap;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::util::display::array_value_to_string;
use selvedge::drill::injection::inject;
use selvedge::ingest;
use selvedge::monitor::Shared;
use selvedge::params::{Shift, written};
use serde_json::Value;

use super::monitor_log::Log;
use super::shop::Shop;

#[test]
fn another_shops_drills_are_not_held_and_nothing_breaks() {
    let shop = Shop::new(40);
    shop.must(&["ingest"]);
    shop.must(&["drill"]);
    let file: Value = serde_json::from_str(&shop.read("reports/drills.json")).unwrap();
    let drills = file["standing"].as_array().unwrap();
    assert!(drills.iter().all(|drill| drill["not_held"].as_str().is_some_and(|why| !why.is_empty())));
}

/// How many recommendations there are of each kind of customer, day and outcome.
fn counts(table: &RecordBatch) -> BTreeMap<Vec<String>, i64> {
    let names = ["profile", "shown_on", "shown_by", "clicked_by", "purchased_by", "returned_by"];
    let columns: Vec<&ArrayRef> = names.iter().map(|name| table.column_by_name(name).unwrap()).collect();
    let shown = table.column_by_name("shown").unwrap().as_primitive::<Int64Type>();
    let mut alike = BTreeMap::new();
    for row in 0..table.num_rows() {
        let kind = columns.iter().map(|column| array_value_to_string(column, row).unwrap()).collect();
        *alike.entry(kind).or_default() += shown.value(row);
    }
    alike
}

#[test]
fn what_is_lost_takes_all_that_came_of_it_along() {
    let log = Log::of_client().quick();
    let project = log.project();
    ingest::run(&project).unwrap();
    let as_of = project.params.shop.exported_at;
    let log = Shared::new(as_of).log(&project, as_of).unwrap();
    let members = log.table("daily_counts").unwrap().column_by_name("profile").unwrap().as_string::<i32>();
    let members: Vec<&str> = members.iter().flatten().filter(|profile| profile.contains("Berlin")).collect();
    let injected = |drop: f64| {
        let (segment, from) = (written::segment("region=Berlin").unwrap(), written::day("2026-09-10").unwrap());
        inject(log.table("daily_counts").unwrap(), &members, &Shift { segment, drop, from }, 7).unwrap()
    };
    let (none, some, more) = (injected(1e-9), injected(0.4), injected(0.8));
    assert_eq!((none.lost, some.lost), (0, (0.4 * some.of as f64).round() as usize));
    let [none, some, more] = [&none, &some, &more].map(|injected| counts(&injected.counts));
    let came = |kind: &[String]| kind[3..].iter().any(|moment| !moment.is_empty());
    let of = |counts: &BTreeMap<Vec<String>, i64>, kind: &Vec<String>| counts.get(kind).copied().unwrap_or_default();
    for kind in none.keys().chain(more.keys()).filter(|kind| came(kind)) {
        assert!(of(&some, kind) <= of(&none, kind), "nothing is made up: {kind:?}");
        assert!(of(&more, kind) <= of(&some, kind), "a deeper drop loses what a shallower one loses: {kind:?}");
        assert!(of(&more, kind) == of(&none, kind) || kind[0].contains("Berlin"), "others lose nothing: {kind:?}");
    }
    let shown = |counts: &BTreeMap<Vec<String>, i64>| counts.values().sum::<i64>();
    assert_eq!((shown(&some), shown(&more)), (shown(&none), shown(&none)), "it was shown all the same");
}
