//! Would more data help?  The models fitted again on parts of the training customers, judged on all test looks.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::{CUSTOMER, EvaluateError, Looks, Models, on_side};
use crate::train::{self, Kind};
use models::bootstrap::{Bootstrap, Interval};
use models::logistic::Logistic;
use models::metrics::Metric;
use models::split::{TrainingRows, ValidationRows};
use selvedge_engine::Table;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::label::TEST;

/// The models whose curves tell what a description is worth when data are few.
const SHOWN: [Kind; 2] = [Kind::Tabular, Kind::Combined];

/// One part of the training customers.
struct Part {
    model: &'static str,
    share: f64,
    looks: i64,
    auc: Interval,
    /// The penalty chosen for it.
    penalty: f64,
    /// How much more the whole has, over the same draws.
    more: Interval,
    /// How much more it has than the part before, over the same draws; none for the smallest.
    step: Option<Interval>,
}

/// `model`, `share`, `looks` it was fitted on, AUC on test looks as `value`, `low`, `high`, and how much more the
/// largest part has as `more`, `more_low`, `more_high`, and how much more it has than the part before as `step`, `step_low`,
/// `step_high`.  For each part `penalty` and dimensions are chosen anew on validation looks: the loss is a sum, so one
/// penalty for all would bind small parts more and make data look more useful than they are.  A part with too few looks
/// of either outcome has no row, and nothing has where the test looks are too few.
pub fn table(project: &Project, models: &Models, frame: &RecordBatch) -> Result<Table> {
    let test = on_side(frame, TEST)?;
    let looks = Looks::of(&test)?;
    let mut parts = Vec::new();
    for (kind, fitted) in Kind::ALL.iter().zip(models).filter(|(kind, _)| SHOWN.contains(kind)) {
        let Some(whole) = fitted.model.as_ref().filter(|_| looks.are_enough(project)) else { continue };
        if let (Ok(training), Ok(validation)) = (TrainingRows::of(frame), ValidationRows::of(frame)) {
            parts.extend(curve(project, *kind, whole, (&training, &validation), &test, &looks)?);
        }
    }
    let numbers = |of: fn(&Part) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(parts.iter().map(of))) };
    let steps = |of: fn(&Interval) -> f64| -> ArrayRef {
        Arc::new(parts.iter().map(|part| part.step.as_ref().map(of)).collect::<Float64Array>())
    };
    let columns: [(&str, ArrayRef); 13] = [
        ("model", Arc::new(StringArray::from_iter_values(parts.iter().map(|part| part.model)))),
        ("share", numbers(|part| part.share)),
        ("looks", Arc::new(Int64Array::from_iter_values(parts.iter().map(|part| part.looks)))),
        ("value", numbers(|part| part.auc.value)),
        ("low", numbers(|part| part.auc.low)),
        ("high", numbers(|part| part.auc.high)),
        ("more", numbers(|part| part.more.value)),
        ("more_low", numbers(|part| part.more.low)),
        ("more_high", numbers(|part| part.more.high)),
        ("step", steps(|step| step.value)),
        ("step_low", steps(|step| step.low)),
        ("step_high", steps(|step| step.high)),
        ("penalty", numbers(|part| part.penalty)),
    ];
    Table::of_columns("learning_curve", &["model", "share"], columns)
}

/// One model, fitted again on each share; `whole` is the one that was fitted on all.
fn curve(
    project: &Project,
    kind: Kind,
    whole: &Logistic,
    (training, validation): (&TrainingRows, &ValidationRows),
    test: &RecordBatch,
    looks: &Looks,
) -> Result<Vec<Part>> {
    let params = &project.params.evaluate;
    let mut shares = params.training_shares.clone();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let features = kind.features(project);
    let mut fitted: Vec<(f64, Logistic, Vec<f64>)> = Vec::new();
    for share in shares {
        let model = if share < 1.0 {
            let Ok(part) = training.part(CUSTOMER, share, params.seed) else { continue };
            let Ok(Ok(choice)) = train::choice(project, &features, &part, validation) else { continue };
            choice.model
        } else {
            whole.clone()
        };
        let failed = |cause| EvaluateError::OtherFrame { model: kind.name(), cause };
        let scores = model.predict(test).map_err(failed)?;
        fitted.push((share, model, scores));
    }
    let scores: Vec<&[f64]> = fitted.iter().map(|(_, _, scores)| scores.as_slice()).collect();
    let drawn = Bootstrap::run(&scores, &looks.labels, &looks.customers, params.draws, params.seed)
        .map_err(EvaluateError::Bootstrap)?;
    let largest = fitted.len().saturating_sub(1);
    let part = |(number, (share, model, _)): (usize, &(f64, Logistic, Vec<f64>))| {
        let auc = drawn.interval(number, Metric::Auc)?;
        let more = drawn.difference(largest, number, Metric::Auc)?;
        let step = number.checked_sub(1).and_then(|before| drawn.difference(number, before, Metric::Auc));
        let (looks, penalty) = (model.trained_on().0 as i64, model.alpha());
        Some(Part { model: kind.name(), share: *share, looks, penalty, auc, more, step })
    };
    Ok(fitted.iter().enumerate().filter_map(part).collect())
}
