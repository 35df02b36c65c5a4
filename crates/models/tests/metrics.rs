use models::{
    bootstrap::{Bootstrap, BootstrapError},
    metrics::{Metric, Metrics},
    reliability::reliability,
};

/// Numbers from 0 to 1 that Python makes as well: x = x * 6364136223846793005 + 1442695040888963407 mod 2^64.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut x = seed;
    let mut next = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

/// 200 scores and labels that are true more often where the score is high.
fn scored() -> (Vec<f64>, Vec<bool>) {
    let scores = numbers(200, 1);
    let labels = numbers(200, 2).iter().zip(&scores).map(|(chance, score)| chance < score).collect();
    (scores, labels)
}

/// AUC, average precision, log loss and Brier score by scikit-learn 1.9.1; calibration error by numpy.
#[test]
fn metrics_are_those_of_scikit_learn() {
    let (scores, labels) = scored();
    let rounded = scores.iter().map(|score| ((score * 5.0).floor() + 0.5) / 5.0).collect();
    let inverted = scores.iter().map(|score| 1.0 - score).collect();
    let of = |values: &[u8]| values.iter().map(|value| *value == 1).collect::<Vec<bool>>();
    let cases = [
        (
            "no ties",
            scores,
            labels.clone(),
            [0.811624649859944, 0.8245974936131353, 0.5258488364009658, 0.17618041481808, 0.06234130252280559],
        ),
        (
            "five scores",
            rounded,
            labels.clone(),
            [0.8085234093637454, 0.7727566669655012, 0.5250871059745278, 0.17519999999999997, 0.032],
        ),
        (
            "worse than chance",
            inverted,
            labels,
            [0.18837535014005602, 0.3375075769203949, 1.3868190888448597, 0.4719447233600935, 0.4721055061262736],
        ),
        (
            "certain, and wrong",
            vec![0.0, 1.0, 0.0, 1.0, 0.5],
            of(&[1, 0, 0, 1, 1]),
            [0.5, 0.5888888888888889, 14.556090791758852, 0.45, 0.5],
        ),
        (
            "fewer rows than bins",
            vec![0.1, 0.4, 0.35, 0.8],
            of(&[0, 0, 1, 1]),
            [0.75, 0.8333333333333333, 0.47228795380917615, 0.158125, 0.3375],
        ),
        ("one score", vec![0.3; 4], of(&[0, 1, 1, 0]), [0.5, 0.5, 0.7803238741323343, 0.29, 0.2]),
    ];
    for (name, scores, labels, expected) in cases {
        let metrics = Metrics::of(&scores, &labels);
        for (metric, expected) in Metric::ALL.into_iter().zip(expected) {
            let found = metric.of(&metrics).expect(name);
            assert!((found - expected).abs() < 1e-12, "{name}: {} is {found}, not {expected}", metric.name());
        }
    }
}

#[test]
fn undefined_metrics_are_none() {
    let none = Metrics::default();
    assert_eq!(Metrics::of(&[], &[]), none);
    assert_eq!(Metrics::of(&[0.5], &[]), none);
    assert_eq!(Metrics::of(&[0.5, f64::NAN], &[true, false]), none);
    let one_class = Metrics::of(&[0.5, 0.7], &[true, true]);
    assert_eq!((one_class.auc, one_class.average_precision), (None, None));
    assert!(one_class.log_loss.is_some());
    let counts = Metrics::of(&[12.0, 3.0], &[true, false]);
    assert_eq!((counts.auc, counts.average_precision), (Some(1.0), Some(1.0)));
    assert_eq!((counts.log_loss, counts.brier, counts.calibration_error), (None, None, None));
}

#[test]
fn metrics_do_not_depend_on_the_order_of_rows() {
    let (scores, labels) = scored();
    let scores: Vec<f64> = scores.iter().map(|score| (score * 20.0).round() / 20.0).collect();
    let reversed = Metrics::of(
        &scores.iter().rev().copied().collect::<Vec<_>>(),
        &labels.iter().rev().copied().collect::<Vec<_>>(),
    );
    assert_eq!(Metrics::of(&scores, &labels), reversed);
}

#[test]
fn reliability_bins_hold_every_row_once() {
    let (scores, labels) = scored();
    let bins = reliability(&scores, &labels);
    assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [20; 10]);
    assert_eq!(bins.iter().map(|bin| bin.positives).sum::<u64>(), 98);
    assert!(bins.is_sorted_by(|a, b| a.score < b.score));
    assert!(bins.iter().all(|bin| bin.low <= bin.share && bin.share <= bin.high));
    // Equal scores are never cut.
    let rows =
        |scores: &[f64]| reliability(scores, &vec![true; scores.len()]).iter().map(|bin| bin.rows).collect::<Vec<_>>();
    assert_eq!(rows(&[0.5; 50]), [50]);
    assert_eq!(rows(&[0.1, 0.1, 0.1, 0.9]), [3, 1]);
    assert!(rows(&[]).is_empty());
    assert!(rows(&[1.5, 0.5]).is_empty());
}

/// 300 rows of 60 customers, a good model and one that is the same but for noise.
fn two_models() -> (Vec<f64>, Vec<f64>, Vec<bool>, Vec<u32>) {
    let good = numbers(300, 5);
    let labels = numbers(300, 6).iter().zip(&good).map(|(chance, score)| chance < score).collect();
    let noisy = numbers(300, 7).iter().zip(&good).map(|(noise, score)| 0.5 * noise + 0.5 * score).collect();
    (good, noisy, labels, (0..300).map(|row| row % 60).collect())
}

#[test]
fn bootstrap_is_the_same_twice_and_another_with_another_seed() {
    let (good, noisy, labels, customers) = two_models();
    let run = |seed| Bootstrap::run(&[&good, &noisy], &labels, &customers, 200, seed).unwrap();
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    // Row order has no part in it either.
    fn back<T: Copy>(values: &[T]) -> Vec<T> {
        values.iter().rev().copied().collect()
    }
    let models = [back(&good), back(&noisy)];
    let backward = Bootstrap::run(&[&models[0], &models[1]], &back(&labels), &back(&customers), 200, 1).unwrap();
    assert_eq!(run(1), backward);
}

#[test]
fn bootstrap_intervals_hold_the_value_and_a_pair_is_narrower_than_two() {
    let (good, noisy, labels, customers) = two_models();
    let run = Bootstrap::run(&[&good, &noisy], &labels, &customers, 500, 7).unwrap();
    for metric in Metric::ALL {
        let interval = run.interval(0, metric).unwrap();
        assert_eq!(Some(interval.value), metric.of(&Metrics::of(&good, &labels)));
        assert!(interval.low < interval.high, "{}: {interval:?}", metric.name());
        let same = run.difference(0, 0, metric).unwrap();
        assert_eq!((same.value, same.low, same.high), (0.0, 0.0, 0.0));
    }
    let (one, other) = (run.interval(0, Metric::Auc).unwrap(), run.interval(1, Metric::Auc).unwrap());
    assert!(one.low < one.value && one.value < one.high);
    let difference = run.difference(0, 1, Metric::Auc).unwrap();
    assert!((difference.value - (one.value - other.value)).abs() < 1e-15);
    assert!(0.0 < difference.low, "{difference:?}");
    assert!(difference.high - difference.low < (one.high - one.low) + (other.high - other.low));
}

/// The standard deviation of a mean over 100 independent rows is known: 0.5 / sqrt(100).
#[test]
fn bootstrap_intervals_have_the_right_width() {
    let labels: Vec<bool> = (0..100).map(|row| row % 2 == 0).collect();
    // With scores of 1 the Brier score is the share of negatives.
    let customers: Vec<u32> = (0..100).collect();
    let run = Bootstrap::run(&[&[1.0; 100]], &labels, &customers, 4000, 3).unwrap();
    let interval = run.interval(0, Metric::Brier).unwrap();
    assert!((interval.low - 0.402).abs() < 0.011 && (interval.high - 0.598).abs() < 0.011, "{interval:?}");
}

#[test]
fn bootstrap_of_odd_inputs() {
    let lengths = Bootstrap::run(&[&[0.5, 0.6]], &[true], &[1], 10, 1);
    assert!(matches!(lengths, Err(BootstrapError::Lengths { found: 2, rows: 1 })));
    assert!(matches!(Bootstrap::run::<u8>(&[], &[], &[], 10, 1), Err(BootstrapError::Clusters { count: 0 })));
    let run = Bootstrap::run(&[&[0.5, f64::NAN]], &[true, false], &["a", "b"], 10, 1).unwrap();
    assert_eq!(run.interval(0, Metric::Auc), None);
    assert_eq!(run.interval(5, Metric::Auc), None);
    let none = Bootstrap::run(&[&[0.5, 0.1]], &[true, false], &["a", "b"], 0, 1).unwrap();
    assert_eq!(none.interval(0, Metric::Auc), None);
}
