use models::lists::{ListMetric, ListMetrics};

const LOTS: [u64; 5] = [4, 3, 2, 1, 0];

fn of(scores: &[f64], relevant: &[u8], length: usize) -> Option<ListMetrics> {
    let relevant: Vec<bool> = relevant.iter().map(|value| *value == 1).collect();
    ListMetrics::of_list(scores, &LOTS[..scores.len()], &relevant, length)
}

/// By hand: the gain at place p is 1 / log2(p + 1).
#[test]
fn figures_of_a_list() {
    let third = 1.0 / 4.0_f64.log2();
    let second = 1.0 / 3.0_f64.log2();
    let scores = [0.9, 0.8, 0.7, 0.6, 0.5];
    let cases = [
        ("first of five", [1, 0, 0, 0, 0], 3, [1.0, 1.0, 1.0]),
        ("third of five", [0, 0, 1, 0, 0], 3, [1.0, 1.0, third]),
        ("behind the cut", [0, 0, 0, 1, 0], 3, [0.0, 0.0, 0.0]),
        ("one of two", [1, 0, 0, 0, 1], 3, [1.0, 0.5, 1.0 / (1.0 + second)]),
        ("more wanted than places", [1, 1, 1, 1, 1], 2, [1.0, 0.4, 1.0]),
        ("cut behind the end", [0, 1, 0, 0, 0], 99, [1.0, 1.0, second]),
    ];
    for (name, relevant, length, expected) in cases {
        let found = of(&scores, &relevant, length).expect(name);
        for (metric, expected) in ListMetric::ALL.into_iter().zip(expected) {
            assert!((metric.of(&found) - expected).abs() < 1e-12, "{name}: {} of {found:?}", metric.name());
        }
    }
}

#[test]
fn equal_scores_are_ordered_by_lot_and_nothing_wanted_is_no_list() {
    // The last row has the lowest lot.
    assert_eq!(of(&[0.5; 5], &[0, 0, 0, 0, 1], 1).unwrap().hit_rate, 1.0);
    assert_eq!(of(&[0.5; 5], &[1, 0, 0, 0, 0], 1).unwrap().hit_rate, 0.0);
    assert_eq!(of(&[0.5, 0.4], &[0, 0], 2), None);
    assert_eq!(of(&[0.5, 0.4], &[0, 1], 0), None);
    assert_eq!(of(&[], &[], 10), None);
}

#[test]
fn means_count_a_list_as_often_as_told() {
    let lists = [of(&[0.9, 0.1], &[1, 0], 1).unwrap(), of(&[0.9, 0.1], &[0, 1], 1).unwrap()];
    assert_eq!(ListMetrics::mean(&lists, |_| 1).unwrap().hit_rate, 0.5);
    assert_eq!(ListMetrics::mean(&lists, |index| [3, 1][index]).unwrap().hit_rate, 0.75);
    assert_eq!(ListMetrics::mean(&lists, |_| 0), None);
    assert_eq!(ListMetrics::mean(&[], |_| 1), None);
}
