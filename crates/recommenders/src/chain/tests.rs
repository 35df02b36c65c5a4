//! The chain held to vectors, to another way to the same minimum, and to odd shops.

use ndarray::{Array2, array};

use super::*;
use crate::{rank::Part, seeds};
use rand::Rng;

fn near(a: &[f64], b: &[f64], by: f64) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < by), "{a:?} {b:?}");
}

fn head(linear: &[usize], coefficients: &[f64]) -> Head {
    let terms = Terms { linear: linear.to_vec(), crosses: Vec::new() };
    Head { terms, coefficients: coefficients.to_vec(), intercept: 0.0, l2: 0.0, rows: 0, positives: 0 }
}

/// Columns: two of the look, one of the purchase, one of keeping.
fn small() -> (Chain, Array2<f64>) {
    let chain = Chain {
        weight: 1.0,
        look: head(&[0, 1], &[0.5, -0.2]),
        buy: head(&[2], &[1.0]),
        keep: Keep::Logistic(head(&[3], &[1.0])),
    };
    (chain, array![[1.0, 0.0, 0.0, 0.3], [0.0, 1.0, -1.0, 0.0], [1.0, 1.0, 0.4, 1.1], [0.0, 0.0, 2.0, -0.7]])
}

/// The numbers of all rows of a shelf.
fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

#[test]
fn scores_are_those_of_the_vector() {
    let (chain, shelf) = small();
    let looks: Vec<f64> = chain.chances(shelf.view()).unwrap().iter().map(|chances| chances.look).collect();
    near(&looks, &[0.342249, 0.169956, 0.280210, 0.207585], 1e-6);
    near(&chain.scores(shelf.view()).unwrap()[2..3], &[-2.072566], 1e-6);
    let factor = log_sigmoid_factor(1.2, -0.3);
    near(&[factor, 0.9 * factor, 0.4 * factor, 0.2 * factor], &[0.394049, 0.354644, 0.157619, 0.078810], 1e-6);
    let slope = log_sigmoid_factor(0.7, 0.7 - 1e-9);
    assert!((slope - log_sigmoid_factor(0.7, 0.7 - 1e-5)).abs() < 1e-5);
}

#[test]
fn parts_add_up_to_the_score() {
    let (mut chain, shelf) = small();
    let category = KeptShares::fit(array![[0.0], [1.0], [1.0]].view(), &[true, false, true], 0, None).unwrap();
    for keep in [chain.keep.clone(), Keep::Shares(category)] {
        chain.keep = keep;
        chain.weight = 0.5;
        let (scores, taken) =
            (chain.scores(shelf.view()).unwrap(), chain.contributions(shelf.view(), &all(shelf.nrows())).unwrap());
        let sums: Vec<f64> = taken.values.rows().into_iter().map(|row| taken.reference + row.sum()).collect();
        near(&sums, &scores, 1e-12);
        assert!(taken.parts.is_sorted());
    }
    assert_eq!(chain.contributions(shelf.view(), &all(shelf.nrows())).unwrap().parts.last(), Some(&Part::Kept));
}

#[test]
fn a_shelf_of_one_or_none_has_finite_scores() {
    let (chain, shelf) = small();
    let one = shelf.slice(ndarray::s![..1, ..]);
    assert_eq!(chain.chances(one).unwrap()[0].look, 1.0);
    let taken = chain.contributions(one, &[0]).unwrap();
    assert!(taken.values.iter().all(|value| *value == 0.0));
    near(&[taken.reference], &chain.scores(one).unwrap(), 1e-12);
    let none = shelf.slice(ndarray::s![..0, ..]);
    assert!(chain.scores(none).unwrap().is_empty());
    assert_eq!(chain.contributions(none, &[]).unwrap().reference, 0.0);
    assert!(chain.scores(array![[f64::NAN, 0.0, 0.0, 0.0]].view()).is_err());
    assert!(chain.scores(array![[0.0, 0.0]].view()).is_err());
}

/// Rows whose labels depend on two columns and a cross; columns: 0 and 1 ticked styles, 2 to 4 numbers, 5 always the same.
fn rows(count: usize) -> (Array2<f64>, Vec<bool>) {
    let mut random = seeds::stream(4, "rows", 0);
    let mut matrix = Array2::zeros((count, 6));
    let mut labels = Vec::new();
    for mut row in matrix.rows_mut() {
        row[usize::from(random.gen_bool(0.3))] = 1.0;
        (2..5).for_each(|column| row[column] = seeds::normal(&mut random, 1.0 + column as f64) + 10.0);
        row[5] = 3.0;
        let score = 0.4 * (row[2] - 10.0) - 0.2 * (row[3] - 10.0) + 0.5 * row[0] * (row[4] - 10.0);
        labels.push(random.gen_range(0.0..1.0) < maths::sigmoid(score));
    }
    (matrix, labels)
}

fn terms() -> Terms {
    Terms { linear: vec![0, 2, 3, 4, 5], crosses: vec![Cross { by: vec![0, 1], columns: vec![4] }] }
}

#[test]
fn crosses_are_products_and_the_fit_is_at_its_minimum() {
    let (matrix, labels) = rows(3000);
    let crossed = &Head::fit(matrix.view(), &labels, &terms(), &[30.0]).unwrap()[0];
    // The same products, written out.
    let mut wide = Array2::zeros((3000, 7));
    for (row, mut line) in matrix.rows().into_iter().zip(wide.rows_mut()) {
        [row[0], row[2], row[3], row[4], row[5], row[0] * row[4], row[1] * row[4]]
            .into_iter()
            .enumerate()
            .for_each(|(at, value)| line[at] = value);
    }
    let plain = &Head::fit(wide.view(), &labels, &Terms::all(7), &[30.0]).unwrap()[0];
    near(&crossed.coefficients, &plain.coefficients, 1e-6);
    near(&crossed.scores(matrix.view()), &plain.scores(wide.view()), 1e-6);
    assert_eq!(crossed.coefficients[4], 0.0);
    // At the minimum, the gradient of the loss is minus that of the penalty, on the scale of the standardised term.
    let errors: Vec<f64> = plain
        .scores(wide.view())
        .into_iter()
        .zip(&labels)
        .map(|(score, label)| maths::sigmoid(score) - f64::from(u8::from(*label)))
        .collect();
    assert!(errors.iter().sum::<f64>().abs() < 3e-5);
    for term in [0, 1, 2, 3, 5, 6] {
        let column = wide.column(term);
        let spread = column.std(0.0);
        let mean = column.mean().unwrap();
        let gradient: f64 = column.iter().zip(&errors).map(|(x, error)| (x - mean) / spread * error).sum();
        assert!((gradient + 30.0 * plain.coefficients[term] * spread).abs() < 3e-5);
    }
}

#[test]
fn a_path_of_penalties_ends_where_single_fits_end() {
    let (matrix, labels) = rows(2000);
    let path = Head::fit(matrix.view(), &labels, &terms(), &[30.0, 1000.0, 0.0, 100.0]).unwrap();
    assert_eq!(path.iter().map(|head| head.l2).collect::<Vec<_>>(), [30.0, 1000.0, 0.0, 100.0]);
    for head in &path {
        let alone = &Head::fit(matrix.view(), &labels, &terms(), &[head.l2]).unwrap()[0];
        near(&alone.scores(matrix.view()), &head.scores(matrix.view()), 1e-5);
    }
    let size = |head: &Head| head.coefficients.iter().map(|b| b * b).sum::<f64>();
    assert!(size(&path[1]) < size(&path[3]) && size(&path[3]) < size(&path[0]) && size(&path[0]) < size(&path[2]));
}

#[test]
fn nothing_to_learn_gives_the_share() {
    let none = &Head::fit(Array2::zeros((0, 6)).view(), &[], &terms(), &[1.0]).unwrap()[0];
    assert_eq!((none.learned(), none.score(array![1.0, 0.0, 2.0, 3.0, 4.0, 5.0].view())), (false, 0.0));
    let (matrix, _) = rows(9);
    for (label, chance) in [(true, 0.95), (false, 0.05)] {
        let one = &Head::fit(matrix.view(), &[label; 9], &terms(), &[1.0]).unwrap()[0];
        assert!(!one.learned() && (maths::sigmoid(one.score(matrix.row(0))) - chance).abs() < 1e-12);
    }
    let still = &Head::fit(Array2::ones((4, 6)).view(), &[true, false, true, true], &terms(), &[1.0]).unwrap()[0];
    assert!(!still.learned() && (maths::sigmoid(still.intercept) - 0.7).abs() < 1e-12);
    let mut broken = matrix.clone();
    broken[(3, 2)] = f64::NAN;
    let error = Head::fit(broken.view(), &[true; 9], &terms(), &[1.0]).unwrap_err();
    assert_eq!(error, ModelError::NotFinite { row: 3, column: 2 });
    assert!(Head::fit(matrix.view(), &[true; 8], &terms(), &[1.0]).is_err());
    assert!(Head::fit(matrix.view(), &[true; 9], &terms(), &[-1.0]).is_err());
}

/// Moves with every change of the fit or the scores: then VERSION is raised, and the numbers here with it.
#[test]
fn this_version_gives_these_numbers_on_any_number_of_threads() {
    let (matrix, labels) = rows(5000);
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Head::fit(matrix.view(), &labels, &terms(), &[100.0]).unwrap().remove(0))
    };
    let fitted = fit(1);
    assert_eq!(fitted, fit(2));
    assert_eq!(fitted, fit(8));
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), fitted);
    let category = KeptShares::fit(matrix.view(), &labels, 0, None).unwrap();
    let chain = Chain { weight: 1.0, look: fitted.clone(), buy: fitted, keep: Keep::Shares(category) };
    let scores = chain.scores(matrix.slice(ndarray::s![..4, ..])).unwrap();
    assert_eq!((chain.name(), chain.version()), ("chain", 1));
    near(&scores, &[-2.8849526131, -1.3244272550, -4.1574843449, -3.7394824991], 1e-9);
}
