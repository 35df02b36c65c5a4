//! Trees held to LightGBM's (4.7, on rows that both can make), reasons to scores, and odd shops to finite answers.

use ndarray::{Array2, Axis, array, s};

use super::*;

/// 60 queries of 20 rows with few values, from a generator that any language can repeat.
fn rows() -> (Array2<f64>, Vec<u8>, Vec<usize>) {
    let mut state: u64 = 12345;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below) as f64
    };
    let (mut matrix, mut labels) = (Array2::zeros((1200, 4)), Vec::new());
    for mut row in matrix.rows_mut() {
        row.assign(&array![draw(5), draw(17), draw(40), draw(3)]);
        let score = row[0] * 3.0 + row[2] * 0.25 + draw(8);
        labels.push([12.0, 17.0, 21.0].iter().filter(|limit| score >= **limit).count() as u8);
    }
    (matrix, labels, vec![20; 60])
}

fn settings(trees: usize) -> BoostedSettings {
    BoostedSettings { trees, rows_a_leaf: 1, columns: 1.0, ..BoostedSettings::default() }
}

/// The numbers of all rows of a shelf.
fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

#[test]
fn trees_are_those_of_lightgbm() {
    let (matrix, labels, queries) = rows();
    // objective lambdarank, num_leaves 7, learning_rate .05, min_data_in_leaf 1, lambda_l2 10, truncation 15, norm.
    let lightgbm = [
        (1, [-0.004928527607812257, -0.05510467994978477, 0.05719887201272757, -0.004928527607812257], 1e-8),
        (20, [-0.1554505493705565, -0.8888651900202983, 0.805550350990946, -0.34619203457463277], 1e-4),
        (150, [-0.7120621173719348, -2.7671935682273268, 2.2686009039865023, -1.3380955106343415], 1e-2),
    ];
    for (trees, expected, by) in lightgbm {
        let fitted = Boosted::fit(matrix.view(), &labels, &queries, settings(trees)).unwrap();
        let scores = fitted.scores(matrix.slice(s![..4, ..])).unwrap();
        assert!(scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < by), "{trees}: {scores:?} {expected:?}");
    }
}

#[test]
fn parts_add_up_to_the_score() {
    let (matrix, labels, queries) = rows();
    let fitted = Boosted::fit(matrix.view(), &labels, &queries, settings(30)).unwrap();
    for shelf in [matrix.slice(s![..20, ..]), matrix.slice(s![..1, ..]), matrix.slice(s![..0, ..])] {
        let (scores, taken) =
            (fitted.scores(shelf).unwrap(), fitted.contributions(shelf, &all(shelf.nrows())).unwrap());
        for (row, score) in scores.iter().enumerate() {
            assert!((taken.reference + taken.values.row(row).sum() - score).abs() < 1e-12);
        }
        let some: Vec<usize> = all(shelf.nrows()).into_iter().rev().step_by(3).collect();
        let apart = fitted.contributions(shelf, &some).unwrap();
        assert_eq!((apart.values, apart.reference), (taken.values.select(Axis(0), &some), taken.reference));
        assert!(fitted.contributions(shelf, &[shelf.nrows()]).is_err());
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        assert!((taken.reference - mean).abs() < 1e-12);
    }
}

#[test]
fn a_leaf_has_its_rows_and_a_tree_its_columns() {
    let (matrix, labels, queries) = rows();
    let few = BoostedSettings { rows_a_leaf: 300, trees: 5, columns: 0.25, ..settings(5) };
    let fitted = Boosted::fit(matrix.view(), &labels, &queries, few).unwrap();
    for tree in &fitted.trees {
        let mut counts = vec![0; tree.nodes.len()];
        for row in matrix.rows() {
            counts[tree.path(|column| row[column]).last().unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| *count == 0 || *count >= 300), "{counts:?}");
        let columns: std::collections::BTreeSet<usize> = tree
            .nodes
            .iter()
            .filter_map(|node| if let tree::Node::Split { column, .. } = node { Some(*column) } else { None })
            .collect();
        assert!(columns.len() <= 1);
    }
}

#[test]
fn nothing_to_learn_gives_zeros_and_what_does_not_fit_is_refused() {
    let fit = |rows: usize, labels: &[u8], queries: &[usize]| {
        Boosted::fit(Array2::ones((rows, 2)).view(), labels, queries, BoostedSettings::default())
    };
    let shelf = array![[1.0, 2.0], [3.0, 4.0]];
    for (rows, labels, queries) in [(0, vec![], vec![]), (1, vec![4], vec![0, 1]), (3, vec![0, 1, 1], vec![3])] {
        let scores = fit(rows, &labels, &queries).unwrap().scores(shelf.view()).unwrap();
        assert!(scores.iter().all(|score| *score == 0.0), "{scores:?}");
    }
    assert!(fit(2, &[0], &[2]).is_err());
    assert!(fit(2, &[0, 31], &[2]).is_err());
    assert!(fit(2, &[0, 1], &[1]).is_err());
    let settings = BoostedSettings { columns: 1.5, ..BoostedSettings::default() };
    assert!(Boosted::fit(shelf.view(), &[0, 1], &[2], settings).is_err());
    assert!(fit(1, &[0], &[1]).unwrap().scores(array![[1.0]].view()).is_err());
}

/// Moves with every change of the fit or the scores: then VERSION is raised, and the numbers here with it.
#[test]
fn this_version_gives_these_numbers_on_any_number_of_threads() {
    let (matrix, labels, queries) = rows();
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Boosted::fit(matrix.view(), &labels, &queries, BoostedSettings::default()).unwrap())
    };
    let fitted = fit(1);
    assert!(fitted == fit(2) && fitted == fit(8));
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<Boosted>(&text).unwrap(), fitted);
    assert_eq!((fitted.name(), fitted.version()), ("boosted", 1));
    let scores = fitted.scores(matrix.slice(s![..2, ..])).unwrap();
    assert!(scores.iter().zip([-0.03622763019, -2.42853049532]).all(|(a, b)| (a - b).abs() < 1e-9), "{scores:?}");
}
