//! Would more data help?  The models fitted again on parts of the training customers, judged on all test looks.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::{CUSTOMER, EvaluateError, Looks, Models, on_side};
use crate::engine::Table;
use crate::error::Result;
use crate::frame::{LABEL, TEST};
use crate::model::bootstrap::{Bootstrap, Interval};
use crate::model::logistic::Logistic;
use crate::model::metrics::Metric;
use crate::model::split::TrainingRows;
use crate::project::Project;
use crate::train::Kind;

/// The models whose curves tell what a description is worth when data are few.
const SHOWN: [Kind; 2] = [Kind::Tabular, Kind::Combined];

/// One part of the training customers.
struct Part {
    model: &'static str,
    share: f64,
    looks: i64,
    auc: Interval,
    /// How much more the whole has, over the same draws.
    more: Interval,
}

/// `model`, `share`, `looks` it was fitted on, AUC on test looks as `value`, `low`, `high`, and how much more the
/// largest part has as `more`, `more_low`, `more_high`.  A part that holds one outcome only, or nobody, has no row.
pub fn table(project: &Project, models: &Models, frame: &RecordBatch) -> Result<Table> {
    let test = on_side(frame, TEST)?;
    let looks = Looks::of(&test)?;
    let mut parts = Vec::new();
    for (kind, fitted) in Kind::ALL.iter().zip(models).filter(|(kind, _)| SHOWN.contains(kind)) {
        if let (Some(model), Ok(training), false) = (&fitted.model, TrainingRows::of(frame), looks.labels.is_empty()) {
            parts.extend(curve(project, *kind, model, &training, &test, &looks)?);
        }
    }
    let numbers = |of: fn(&Part) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(parts.iter().map(of))) };
    let columns: [(&str, ArrayRef); 9] = [
        ("model", Arc::new(StringArray::from_iter_values(parts.iter().map(|part| part.model)))),
        ("share", numbers(|part| part.share)),
        ("looks", Arc::new(Int64Array::from_iter_values(parts.iter().map(|part| part.looks)))),
        ("value", numbers(|part| part.auc.value)),
        ("low", numbers(|part| part.auc.low)),
        ("high", numbers(|part| part.auc.high)),
        ("more", numbers(|part| part.more.value)),
        ("more_low", numbers(|part| part.more.low)),
        ("more_high", numbers(|part| part.more.high)),
    ];
    Table::of_columns("learning_curve", &["model", "share"], columns)
}

/// One model, fitted again on each share.
fn curve(
    project: &Project,
    kind: Kind,
    model: &Logistic,
    training: &TrainingRows,
    test: &RecordBatch,
    looks: &Looks,
) -> Result<Vec<Part>> {
    let params = &project.params.evaluate;
    let mut shares = params.training_shares.clone();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let mut fitted: Vec<(f64, i64, Vec<f64>)> = Vec::new();
    for share in shares {
        let Ok(part) = training.part(CUSTOMER, share, params.seed) else { continue };
        let Ok(smaller) = model.refit(&part, LABEL) else { continue };
        let failed = |cause| EvaluateError::OtherFrame { model: kind.name(), cause };
        fitted.push((share, part.rows().num_rows() as i64, smaller.predict(test).map_err(failed)?));
    }
    let scores: Vec<&[f64]> = fitted.iter().map(|(_, _, scores)| scores.as_slice()).collect();
    let drawn = Bootstrap::run(&scores, &looks.labels, &looks.customers, params.draws, params.seed)
        .map_err(EvaluateError::Bootstrap)?;
    let largest = fitted.len().saturating_sub(1);
    let part = |(number, (share, looks, _)): (usize, &(f64, i64, Vec<f64>))| {
        let auc = drawn.interval(number, Metric::Auc)?;
        let more = drawn.difference(largest, number, Metric::Auc)?;
        Some(Part { model: kind.name(), share: *share, looks: *looks, auc, more })
    };
    Ok(fitted.iter().enumerate().filter_map(part).collect())
}
