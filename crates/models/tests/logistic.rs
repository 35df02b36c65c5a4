use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListBuilder, Float32Builder, Float64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field};
use models::{
    choice::{Grid, choose},
    logistic::{Logistic, LogisticError},
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
    let choose = |alphas: &[f64]| choose(&training, &validation, "kept", &names, Grid { alphas, dimensions: &[2, 8] });
    let choice = choose(&alphas).unwrap();
    assert_eq!(choice.tried.iter().map(|tried| tried.alpha).collect::<Vec<_>>(), alphas, "no vectors, no dimensions");
    let labels: Vec<bool> = {
        let column = validation.rows().column_by_name("kept").unwrap();
        column.as_any().downcast_ref::<BooleanArray>().unwrap().iter().flatten().collect()
    };
    for tried in &choice.tried {
        let model = Logistic::fit(&training, "kept", &names, tried.alpha).unwrap();
        assert_eq!(Metrics::of(&model.predict(validation.rows()).unwrap(), &labels).log_loss, Some(tried.log_loss));
        assert_eq!(model == choice.model, tried.alpha == choice.model.alpha());
    }
    let least = choice.tried.iter().min_by(|a, b| a.log_loss.total_cmp(&b.log_loss)).unwrap();
    assert_eq!((least.alpha, least.dimensions), (choice.model.alpha(), 0));
    assert!(matches!(choose(&[]), Err(LogisticError::NoAlpha)));
}

/// Rows with a vector of four positions; only the first two have to do with the label.
fn with_vectors(rows: usize, train: usize) -> RecordBatch {
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let mut vectors = FixedSizeListBuilder::new(Float32Builder::new(), 4).with_field(item);
    let values = numbers(rows * 4, 9);
    for row in values.chunks(4) {
        row.iter().for_each(|value| vectors.values().append_value(*value as f32));
        vectors.append(true);
    }
    let chances = numbers(rows, 10);
    let truth = |(row, chance): (&[f64], &f64)| Some(*chance < 0.1 + 0.4 * row[0] + 0.4 * row[1]);
    let labels: BooleanArray = values.chunks(4).zip(&chances).map(truth).collect();
    let customers: StringArray = (0..rows).map(|row| Some(format!("c{}", row % 40))).collect();
    let split: Vec<&str> = (0..rows).map(|row| if row < train { "train" } else { "validation" }).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("text", Arc::new(vectors.finish()) as ArrayRef, true),
        ("kept", Arc::new(labels), true),
        ("customer_id", Arc::new(customers), true),
        ("split", Arc::new(StringArray::from(split)), true),
    ])
    .unwrap()
}

#[test]
fn dimensions_are_chosen_too_and_a_short_vector_is_a_prefix() {
    let frame = with_vectors(1000, 600);
    let (training, validation) = (TrainingRows::of(&frame).unwrap(), ValidationRows::of(&frame).unwrap());
    let names = features(&["text"]);
    let choose = |dimensions: &[usize]| {
        choose(&training, &validation, "kept", &names, Grid { alphas: &[1.0, 10.0], dimensions }).unwrap()
    };
    let choice = choose(&[1, 2, 4, 99]);
    let tried: Vec<usize> = choice.tried.iter().map(|tried| tried.dimensions).collect();
    assert_eq!(tried, [1, 1, 2, 2, 4, 4], "more than the vectors have is all of them");
    let least = choice.tried.iter().min_by(|a, b| a.log_loss.total_cmp(&b.log_loss)).unwrap();
    assert_eq!((least.dimensions, least.alpha), (choice.model.dimensions(), choice.model.alpha()));
    assert!(choice.model.dimensions() >= 2, "both positions that matter are read");
    let names: Vec<String> = choose(&[2]).model.terms().iter().map(|term| term.name.clone()).collect();
    assert_eq!(names, ["text[0]", "text[1]"]);
    // Fitted again on the same rows it is the same model, dimensions included.
    assert_eq!(choose(&[2]).model.refit(&training, "kept").unwrap(), choose(&[2]).model);
    // A model keeps to its prefix wherever it reads.
    let json = serde_json::to_string(&choose(&[2]).model).unwrap();
    let again: Logistic = serde_json::from_str(&json).unwrap();
    assert_eq!(again.predict(&frame).unwrap(), choose(&[2]).model.predict(&frame).unwrap());
}

#[test]
fn parts_of_the_training_rows_are_whole_customers_and_nested() {
    let frame = with_vectors(1000, 600);
    let training = TrainingRows::of(&frame).unwrap();
    let customers = |share: f64, seed: u64| -> Vec<String> {
        let part = training.part("customer_id", share, seed).unwrap();
        let names = part.rows().column_by_name("customer_id").unwrap();
        let names = names.as_any().downcast_ref::<StringArray>().unwrap();
        names.iter().flatten().map(str::to_owned).collect()
    };
    assert_eq!(customers(1.0, 7).len(), 600, "everybody, and nobody from another side");
    let (some, more) = (customers(0.3, 7), customers(0.6, 7));
    assert!(some.iter().all(|name| more.contains(name)) && some.len() < more.len());
    assert!(some.iter().all(|name| some.iter().filter(|other| *other == name).count() == 15), "all rows of each");
    assert_eq!(some, customers(0.3, 7));
    assert_ne!(some, customers(0.3, 8));
    assert!(training.part("customer_id", 1e-9, 7).is_err() && training.part("nobody", 1.0, 7).is_err());
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

/// Moves with every change of a bit of the fit, the choice or the chances, a new solver's too: then VERSION is raised, and the
/// numbers here with it.
#[test]
fn the_version_stands_for_these_numbers() {
    let frame = kept(300, 200);
    let (training, validation) = (TrainingRows::of(&frame).unwrap(), ValidationRows::of(&frame).unwrap());
    let grid = Grid { alphas: &[0.1, 1.0, 10.0], dimensions: &[2] };
    let choice = choose(&training, &validation, "kept", &features(&["u", "w", "region"]), grid).unwrap();
    let losses = choice.tried.iter().map(|tried| tried.log_loss);
    let numbers = losses.chain(choice.model.terms().iter().map(|term| term.coefficient));
    let numbers = numbers.chain(choice.model.predict(&frame).unwrap().into_iter().take(2));
    let bits: Vec<String> = numbers.map(|number| format!("{:016x}", number.to_bits())).collect();
    assert_eq!(
        (models::VERSION, bits.join(" ").as_str()),
        (
            2,
            "3fe379f126bac0c7 3fe37f4e2822552a 3fe3b4cf808ff657 3fe61fc3fd448421 bfd414144d9af7c2 \
             bfcb506823da017a 3fd079fdf6642949 bfa68ea4462bd0b3 3fe398519aff65ce 3fe105cb347af665"
        )
    );
}
