use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use selvedge::model::{
    logistic::{Logistic, LogisticError, choose_alpha},
    metrics::Metrics,
    split::{TrainingRows, ValidationRows},
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

fn features(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn frame(u: &[f64], w: &[f64], kept: Vec<Option<bool>>, split: &[&str]) -> RecordBatch {
    let region = (0..u.len()).map(|row| Some(["Berlin", "North", "AT"][row % 3])).collect::<StringArray>();
    RecordBatch::try_from_iter_with_nullable([
        ("u", Arc::new(Float64Array::from(u.to_vec())) as ArrayRef, true),
        ("w", Arc::new(Float64Array::from(w.to_vec())), true),
        ("region", Arc::new(region), true),
        ("kept", Arc::new(BooleanArray::from(kept)), true),
        ("split", Arc::new(StringArray::from(split.to_vec())), true),
    ])
    .unwrap()
}

/// `rows` rows of which the first `train` are training rows, the rest validation rows.
fn kept(rows: usize, train: usize) -> RecordBatch {
    let u = numbers(rows, 1);
    let labels = numbers(rows, 2).iter().zip(&u).map(|(chance, u)| Some(*chance < 0.2 + 0.6 * u)).collect();
    let split: Vec<&str> = (0..rows).map(|row| if row < train { "train" } else { "validation" }).collect();
    frame(&u, &numbers(rows, 3), labels, &split)
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-6, "{what} is {found}, not {expected}");
}

/// By scikit-learn 1.9.1, `LogisticRegression(C = 1 / alpha, tol = 1e-12)` on the same standardised columns.
#[test]
fn coefficients_are_those_of_scikit_learn() {
    let frame = kept(400, 400);
    for (alpha, intercept, coefficients, probabilities) in [
        (1.0, -0.07673037, [0.7830959, -0.38385505], [0.56432129, 0.55167822, 0.50792196]),
        (100.0, -0.07217659, [0.35822694, -0.1709008], [0.51866789, 0.51368998, 0.49529546]),
    ] {
        let training = TrainingRows::of(&frame).unwrap();
        let model = Logistic::fit(&training, "kept", &features(&["u", "w"]), alpha).unwrap();
        let predicted = model.predict(&frame).unwrap();
        for (term, expected) in model.terms().iter().zip(coefficients) {
            close(term.coefficient, expected, &term.name);
        }
        for (found, expected) in predicted.iter().zip(probabilities) {
            close(*found, expected, "probability");
        }
        close(model.contributions(&frame, |_| "all").unwrap().baseline, intercept, "intercept");
        assert_eq!((model.alpha(), model.trained_on()), (alpha, (400, 193)));
    }
}

#[test]
fn a_model_is_the_same_twice_and_survives_json() {
    let frame = kept(300, 200);
    let training = TrainingRows::of(&frame).unwrap();
    let fit = || Logistic::fit(&training, "kept", &features(&["u", "w", "region"]), 1.0).unwrap();
    let json = serde_json::to_string(&fit()).unwrap();
    assert_eq!(json, serde_json::to_string(&fit()).unwrap());
    let again: Logistic = serde_json::from_str(&json).unwrap();
    assert_eq!(again, fit());
    let whole = again.predict(&frame).unwrap();
    assert_eq!(again.predict(&frame.slice(41, 7)).unwrap(), whole[41..48], "a row does not look at its neighbours");
}

/// Invariant 4.
#[test]
fn rows_outside_training_do_not_reach_the_model() {
    let frame = kept(300, 200);
    let fit = |frame: &RecordBatch| {
        Logistic::fit(&TrainingRows::of(frame).unwrap(), "kept", &features(&["u", "w", "region"]), 1.0).unwrap()
    };
    assert_eq!(fit(&frame), fit(&frame.slice(0, 200)));
}

#[test]
fn contributions_add_up_to_the_log_odds() {
    let frame = kept(300, 200);
    let training = TrainingRows::of(&frame).unwrap();
    let model = Logistic::fit(&training, "kept", &features(&["u", "w", "region"]), 1.0).unwrap();
    let group = |column: &str| if column == "region" { "where" } else { "what" };
    let contributions = model.contributions(&frame, group).unwrap();
    assert_eq!(contributions.groups, ["what", "where"]);
    assert_eq!(contributions.values.dim(), (300, 2));
    for (probability, row) in model.predict(&frame).unwrap().into_iter().zip(contributions.values.rows()) {
        close(contributions.baseline + row.sum(), (probability / (1.0 - probability)).ln(), "log-odds");
    }
    // Over the training rows they are fitted on, groups add nothing on average.
    let of_training = model.contributions(training.rows(), group).unwrap();
    for group in of_training.values.columns() {
        close(group.sum() / 200.0, 0.0, "mean contribution");
    }
}

#[test]
fn alpha_is_the_one_with_least_validation_loss() {
    let frame = kept(600, 60);
    let (training, validation) = (TrainingRows::of(&frame).unwrap(), ValidationRows::of(&frame).unwrap());
    let names = features(&["u", "w", "region"]);
    let alphas = [0.01, 1.0, 10.0, 1000.0];
    let choice = choose_alpha(&training, &validation, "kept", &names, &alphas).unwrap();
    assert_eq!(choice.tried.iter().map(|(alpha, _)| *alpha).collect::<Vec<_>>(), alphas);
    let labels: Vec<bool> = {
        let column = validation.rows().column_by_name("kept").unwrap();
        column.as_any().downcast_ref::<BooleanArray>().unwrap().iter().flatten().collect()
    };
    for (alpha, loss) in &choice.tried {
        let model = Logistic::fit(&training, "kept", &names, *alpha).unwrap();
        assert_eq!(Metrics::of(&model.predict(validation.rows()).unwrap(), &labels).log_loss, Some(*loss));
        assert_eq!(model == choice.model, *alpha == choice.model.alpha());
    }
    let least = choice.tried.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
    assert!(choice.tried.contains(&(choice.model.alpha(), least)));
    let none = choose_alpha(&training, &validation, "kept", &names, &[]);
    assert!(matches!(none, Err(LogisticError::NoAlpha)));
}

#[test]
fn odd_training_data_is_refused_in_words() {
    let fit = |frame: &RecordBatch, label: &str, names: &[&str], alpha: f64| {
        let training = TrainingRows::of(frame).unwrap();
        Logistic::fit(&training, label, &features(names), alpha).unwrap_err().to_string()
    };
    let good = kept(60, 60);
    let (u, train) = (numbers(4, 1), ["train"; 4]);
    let with = |labels: [Option<bool>; 4]| frame(&u, &[1.0; 4], labels.to_vec(), &train);
    let mixed = with([Some(true), Some(false), Some(true), Some(false)]);
    let cases = [
        (fit(&with([Some(false); 4]), "kept", &["u"], 1.0), "`kept` is false in all 4 training rows"),
        (fit(&with([Some(true); 4]), "kept", &["u"], 1.0), "`kept` is true in all 4"),
        (fit(&with([Some(true), None, Some(false), None]), "kept", &["u"], 1.0), "missing in 2 of 4 rows"),
        (fit(&good, "bought", &["u"], 1.0), "no label column `bought`"),
        (fit(&good, "u", &["w"], 1.0), "`u` is Float64, not a boolean"),
        (fit(&mixed, "kept", &["w"], 1.0), "none of the 1 features varies"),
        (fit(&mixed, "kept", &[], 1.0), "none of the 0 features varies"),
        (fit(&good, "kept", &["u"], -1.0), "alpha"),
        (fit(&good, "kept", &["u"], f64::NAN), "alpha"),
        (fit(&good, "kept", &["nope"], 1.0), "`nope`"),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found:?} does not say {expected:?}");
    }
}

#[test]
fn a_model_refuses_other_features() {
    let frame = kept(60, 60);
    let model = Logistic::fit(&TrainingRows::of(&frame).unwrap(), "kept", &features(&["u", "w"]), 1.0).unwrap();
    assert!(model.accepts(&frame.schema(), &features(&["u", "w"])).is_ok());
    let error = model.accepts(&frame.schema(), &features(&["u", "w", "region"])).unwrap_err();
    assert!(error.to_string().contains("`region`"), "{error}");
    let error = model.predict(&frame.project(&[0]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("`w`"), "{error}");
    let other = Logistic::fit(&TrainingRows::of(&frame).unwrap(), "kept", &features(&["u"]), 1.0).unwrap();
    assert_ne!(model.fingerprint(), other.fingerprint());
}

/// Without a penalty there is no minimum; a small one still has.
#[test]
fn perfectly_separable_rows_have_a_model_when_shrunk() {
    let u: Vec<f64> = (0..40).map(f64::from).collect();
    let frame = frame(&u, &u, u.iter().map(|u| Some(*u > 19.5)).collect(), &["train"; 40]);
    let training = TrainingRows::of(&frame).unwrap();
    let predicted = Logistic::fit(&training, "kept", &features(&["u"]), 0.01).unwrap().predict(&frame).unwrap();
    assert!(predicted.is_sorted() && predicted[0] < 0.01 && predicted[39] > 0.99);
}
