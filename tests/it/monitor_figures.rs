//! Intervals, delays and draws against the vectors of the specification.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Date32Array, Float64Array, StringArray};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use selvedge::engine::{Engine, Table, batch_of, read_rows};
use selvedge::monitor::draws;
use selvedge::monitor::survival::{Curve, Delay};
use selvedge::sql::TableName;
use statistics::intervals::{Range, Z95, difference, jeffreys, needed, ratio, wilson};

use super::shop::Shop;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

fn ends(range: Option<Range>, lower: f64, upper: f64) {
    let range = range.unwrap();
    near(range.lower, lower);
    near(range.upper, upper);
}

#[test]
fn wilson_intervals() {
    ends(wilson(28, 100, Z95), 0.201397, 0.374880);
    ends(wilson(15, 100, Z95), 0.093060, 0.232836);
    ends(wilson(0, 20, Z95), 0.0, 0.161125);
    ends(wilson(7, 20, Z95), 0.181192, 0.567146);
    assert_eq!(wilson(0, 0, Z95), None);
}

#[test]
fn jeffreys_intervals() {
    ends(jeffreys(28, 100, 0.95), 0.199177, 0.373348);
    ends(jeffreys(15, 100, 0.95), 0.090370, 0.229531);
}

/// The specification prints these to five places, one of them computed with 1.96 for Z95.
fn about(range: Option<Range>, point: f64, lower: f64, upper: f64) {
    let range = range.unwrap();
    for (found, expected) in [(range.point, point), (range.lower, lower), (range.upper, upper)] {
        assert!((found - expected).abs() < 2e-5, "{found} is not {expected}");
    }
}

#[test]
fn differences_and_ratios() {
    about(difference((56, 70), (48, 80), Z95), 0.2, 0.05243, 0.33387);
    about(difference((150, 1000), (560, 2000), Z95), -0.13, -0.15891, -0.09965);
    about(ratio((150, 1000), (560, 2000), Z95), 0.535714, 0.45495, 0.63082);
    about(ratio((21, 100), (28, 100), Z95), 0.75, 0.45798, 1.22823);
    let none = ratio((0, 100), (28, 100), Z95).unwrap();
    assert!(none.point > 0.0 && none.upper.is_finite());
}

#[test]
fn sizes_needed() {
    assert_eq!(needed(0.28, 0.28 * 0.93), Some(8054));
    assert_eq!(needed(0.04, 0.04 * 0.93), Some(74302));
    assert_eq!(needed(0.04, 0.04 * 0.8), Some(8509));
    assert_eq!(needed(0.28, 0.28), None);
}

#[test]
fn kaplan_meier_and_greenwood() {
    let day = |day, at_risk, events| Delay { day, bucket: day, at_risk, events };
    let curve = Curve::new(&[day(0, 10, 0), day(1, 10, 1), day(2, 9, 1), day(3, 7, 0), day(4, 6, 1)], 0.0);
    for (days, share, error) in [(2, 0.1, 0.094868), (3, 0.2, 0.126491), (5, 1.0 / 3.0, 0.161015)] {
        let (found, spread) = curve.come_within(days);
        near(found, share);
        near(spread, error);
    }
}

#[test]
fn days_of_one_bucket_share_a_rate() {
    let day = |day, bucket, at_risk, events| Delay { day, bucket, at_risk, events };
    let curve = Curve::new(&[day(0, 0, 100, 10), day(1, 1, 80, 3), day(2, 1, 70, 0)], 0.0);
    let rates = curve.rates();
    near(rates[1], 3.0 / 150.0);
    near(curve.never(&rates, 1), 0.98 * 0.98);
    near(curve.never(&rates, 3), 1.0);
    near(curve.greenwood(1), 4.0 * 0.02 / (150.0 * 0.98));
}

#[derive(serde::Deserialize)]
struct Glance {
    cusum: f64,
}

/// Through sql/monitoring/cusum.sql itself: usual rate 28 in 100, a fall by a quarter to 21.
#[test]
fn the_daily_glance_adds_up_evidence() {
    let shop = Shop::new(1);
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let engine = Engine::new(&project).unwrap();
    let name = |table: &str| TableName::new("monitoring", table);
    let texts = |text: &str, n: usize| Arc::new(StringArray::from(vec![text; n])) as ArrayRef;
    let counts = |numbers: Vec<f64>| Arc::new(Float64Array::from(numbers)) as ArrayRef;
    let days = || Arc::new(Date32Array::from_iter_values(22_000..22_005)) as ArrayRef;
    let who = |n: usize| {
        vec![("metric", texts("click", n)), ("segment_column", texts("shop", n)), ("segment_value", texts("all", n))]
    };
    let tables = [
        (
            "periods",
            [
                who(1),
                vec![
                    ("period", texts("reference", 1)),
                    ("mature", counts(vec![49.0])),
                    ("mature_yes", counts(vec![13.5])),
                ],
            ]
            .concat(),
        ),
        ("days", vec![("shown_on", days()), ("period", texts("watched", 5))]),
        (
            "daily",
            [
                who(5),
                vec![
                    ("shown_on", days()),
                    ("mature", counts(vec![100.0; 5])),
                    ("mature_yes", counts(vec![28.0, 27.0, 14.0, 16.0, 15.0])),
                ],
            ]
            .concat(),
        ),
    ];
    for (table, columns) in tables {
        engine.register(&name(table), batch_of(table, columns).unwrap()).unwrap();
    }
    let answer = engine.run(&project, project.library.file(&name("cusum")).unwrap()).unwrap();
    let answer = Table::new(answer, &["shown_on".to_owned()], "cusum").unwrap().batch;
    let found: Vec<Glance> = read_rows(&answer, "cusum").unwrap();
    for (found, expected) in found.iter().zip([0.0, 0.0, 3.9517, 7.1424, 10.7136]) {
        // The specification prints four places.
        assert!((found.cusum - expected).abs() < 5e-5, "{} is not {expected}", found.cusum);
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn beta_binomial_draws() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut drawn: Vec<u64> = (0..20_000)
        .map(|_| {
            let chance = draws::beta(&mut random, 52.5, 2448.5);
            draws::binomial(&mut random, 520, chance)
        })
        .collect();
    drawn.sort_unstable();
    let mean = drawn.iter().sum::<u64>() as f64 / 20_000.0;
    assert!((mean - 10.916).abs() < 0.1, "{mean}");
    assert_eq!((drawn[1000], drawn[19_000]), (5, 17));
}

#[test]
fn binomial_draws_at_the_edges() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    assert_eq!(draws::binomial(&mut random, 50, 0.0), 0);
    // A chance so small that 1 - p is 1 is none, and not certainty.
    for chance in [1e-15, 1e-17, 1e-300, f64::MIN_POSITIVE] {
        assert_eq!(draws::binomial(&mut random, 71, chance), 0, "{chance}");
    }
    assert_eq!(draws::binomial(&mut random, 50, 1.0), 50);
    assert_eq!(draws::binomial(&mut random, 0, 0.3), 0);
}
