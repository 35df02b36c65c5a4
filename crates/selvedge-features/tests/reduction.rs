use selvedge_features::embeddings::reduction::{Reduction, ReductionError, Side, TrainingVectors};

/// Numbers from -1 to 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut x = seed;
    let mut next = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// Vectors whose positions vary the more the further left they are.
fn vectors(count: usize, width: usize, seed: u64) -> Vec<Vec<f32>> {
    numbers(count * width, seed)
        .chunks(width)
        .map(|row| row.iter().enumerate().map(|(at, value)| 0.3 + value / (1.0 + at as f32)).collect())
        .collect()
}

fn training(rows: &[Vec<f32>]) -> TrainingVectors {
    TrainingVectors::new(rows.iter().map(|row| (Side::Training, row))).unwrap()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn directions_are_those_of_most_variance() {
    let rows = vectors(500, 12, 1);
    let reduction = Reduction::fit(&training(&rows), 12).unwrap();
    let reduced: Vec<Vec<f32>> = rows.iter().map(|row| reduction.apply(row).unwrap()).collect();
    let explained = reduction.explained();
    assert!(explained.is_sorted_by(|a, b| a >= b), "{explained:?}");
    assert!((explained.iter().sum::<f64>() - 1.0).abs() < 1e-12, "all directions carry all of the variance");
    for (a, share) in explained.iter().enumerate() {
        let column = |at: usize| reduced.iter().map(|row| row[at]).collect::<Vec<_>>();
        assert!(column(a).iter().sum::<f32>().abs() < 1e-3, "reduced training vectors have mean 0");
        for b in 0..a {
            assert!(dot(&column(a), &column(b)).abs() < 1e-3, "directions {a} and {b} are not correlated");
        }
        let total: f64 = reduced.iter().map(|row| dot(row, row)).sum();
        assert!((dot(&column(a), &column(a)) / total - share).abs() < 1e-6);
    }
    // With all directions nothing is lost: distances stay what they were.
    let apart = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
    assert!((apart(&rows[0], &rows[1]) - apart(&reduced[0], &reduced[1])).abs() < 1e-5);
}

#[test]
fn fitting_twice_gives_the_same_bits_and_so_does_json() {
    let rows = vectors(200, 40, 2);
    let fit = || Reduction::fit(&training(&rows), 8).unwrap();
    let json = serde_json::to_string(&fit()).unwrap();
    assert_eq!(json, serde_json::to_string(&fit()).unwrap());
    let again: Reduction = serde_json::from_str(&json).unwrap();
    assert_eq!(again, fit());
    assert_eq!((again.dimensions(), again.trained_on(), again.apply(&rows[0]).unwrap().len()), (8, 200, 8));
}

/// Mirrored data has mirrored directions; the sign rule brings them back.
#[test]
fn signs_do_not_depend_on_the_data_s_own() {
    let rows = vectors(100, 6, 3);
    let mirrored: Vec<Vec<f32>> = rows.iter().map(|row| row.iter().map(|value| -value).collect()).collect();
    let (one, other) = (Reduction::fit(&training(&rows), 3).unwrap(), Reduction::fit(&training(&mirrored), 3).unwrap());
    for (a, b) in one.apply(&rows[0]).unwrap().iter().zip(other.apply(&mirrored[0]).unwrap()) {
        assert!((a + b).abs() < 1e-5, "{a} {b}");
    }
}

/// Invariant 4: nothing outside the training side reaches the reduction.
#[test]
fn later_vectors_change_nothing() {
    let rows = vectors(120, 20, 4);
    let fit = |later: &[Vec<f32>]| {
        let sides = rows.iter().map(|row| (Side::Training, row)).chain(later.iter().map(|row| (Side::Later, row)));
        serde_json::to_string(&Reduction::fit(&TrainingVectors::new(sides).unwrap(), 5).unwrap()).unwrap()
    };
    let before = fit(&vectors(50, 20, 5));
    assert_eq!(before, fit(&vectors(50, 20, 6)));
    assert_eq!(before, fit(&[vec![f32::NAN; 3]]));
    assert_eq!(before, fit(&[]));
}

#[test]
fn a_later_vector_alone_cannot_be_fitted() {
    let error = TrainingVectors::new([(Side::Later, vec![1.0_f32])]).unwrap_err();
    assert!(matches!(error, ReductionError::NoRows));
    assert_eq!(TrainingVectors::new([(Side::Later, [1.0_f32]), (Side::Training, [2.0])]).unwrap().len(), 1);
}

#[test]
fn odd_vectors_are_refused_in_words() {
    let none: [(Side, Vec<f32>); 0] = [];
    assert!(matches!(TrainingVectors::new(none), Err(ReductionError::NoRows)));
    let error = TrainingVectors::new([(Side::Training, vec![1.0_f32]), (Side::Training, vec![])]).unwrap_err();
    assert_eq!(error.to_string(), "training vector 1 has 0 numbers, the first has 1");
    let error = TrainingVectors::new([(Side::Training, [f32::NAN])]).unwrap_err();
    assert!(matches!(error, ReductionError::NotFinite { row: 0 }));

    let available = |rows: &[Vec<f32>], dimensions| match Reduction::fit(&training(rows), dimensions) {
        Err(ReductionError::TooFewDirections { available, .. }) => Some(available),
        _ => None,
    };
    assert_eq!(available(&vectors(1, 8, 1), 1), Some(0), "one vector has no variance");
    assert_eq!(available(&vec![vec![0.1; 8]; 50], 1), Some(0), "equal vectors have none");
    assert_eq!(available(&vec![vec![0.0; 8]; 50], 1), Some(0));
    assert_eq!(available(&vec![vec![]; 50], 1), Some(0));
    assert_eq!(available(&vectors(5, 8, 1), 5), Some(4), "five vectors span four directions");
    assert_eq!(available(&vec![vectors(5, 8, 1); 10].concat(), 5), Some(4), "repeating them adds none");
    assert_eq!(available(&vectors(50, 8, 1), 9), Some(8), "no more directions than positions");
    assert!(matches!(Reduction::fit(&training(&vectors(5, 8, 1)), 0), Err(ReductionError::NoDimensions)));

    let reduction = Reduction::fit(&training(&vectors(5, 8, 1)), 4).unwrap();
    assert!(matches!(reduction.apply(&[1.0; 7]), Err(ReductionError::Width { found: 7, expected: 8 })));
    assert!(reduction.apply(&[1.0; 8]).unwrap().iter().all(|value| value.is_finite()));
}

/// Fewer vectors than positions leave most eigenvalues at rounding; the decomposition must still end, and soon.
#[test]
fn as_wide_as_the_encoder_s_vectors() {
    for count in [2, 3, 30, 383, 385, 714] {
        let rows = vectors(count, 384, count as u64);
        let dimensions = (count - 1).min(24);
        let reduction = Reduction::fit(&training(&rows), dimensions).unwrap();
        assert!(reduction.apply(&rows[0]).unwrap().iter().all(|value| value.is_finite()));
    }
}
