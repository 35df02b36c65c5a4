//! Would more data help?  The models fitted again on parts of the training customers, judged on all test looks.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::{CUSTOMER, EvaluateError, Looks, Models, on_side};
use crate::engine::Table;
use crate::error::Result;
use crate::frame::{LABEL, TEST};
use crate::model::bootstrap::{Bootstrap, Interval};
use crate::model::metrics::Metric;
use crate::model::split::TrainingRows;
use crate::project::Project;
use crate::train::Kind;

/// The models whose curves tell what a description is worth when data are few.
const SHOWN: [Kind; 2] = [Kind::Tabular, Kind::Combined];

/// `model`, `share`, `looks` it was fitted on, AUC on test looks as `value`, `low`, `high`.  A part that holds one
/// outcome only, or nobody, has no row.
pub fn table(project: &Project, models: &Models, frame: &RecordBatch) -> Result<Table> {
    let params = &project.params.evaluate;
    let test = on_side(frame, TEST)?;
    let looks = Looks::of(&test)?;
    let mut rows: Vec<(&str, f64, i64, Interval)> = Vec::new();
    for (kind, fitted) in Kind::ALL.iter().zip(models).filter(|(kind, _)| SHOWN.contains(kind)) {
        let (Some(model), Ok(training)) = (&fitted.model, TrainingRows::of(frame)) else { continue };
        if looks.labels.is_empty() {
            continue;
        }
        for &share in &params.training_shares {
            let Ok(part) = training.part(CUSTOMER, share, params.seed) else { continue };
            let Ok(smaller) = model.refit(&part, LABEL) else { continue };
            let failed = |cause| EvaluateError::OtherFrame { model: kind.name(), cause };
            let scores = smaller.predict(&test).map_err(failed)?;
            let drawn = Bootstrap::run(&[&scores], &looks.labels, &looks.customers, params.draws, params.seed)
                .map_err(EvaluateError::Bootstrap)?;
            if let Some(interval) = drawn.interval(0, Metric::Auc) {
                rows.push((kind.name(), share, part.rows().num_rows() as i64, interval));
            }
        }
    }
    let numbers = |of: fn(&(&str, f64, i64, Interval)) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(of)))
    };
    let columns: [(&str, ArrayRef); 6] = [
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("share", numbers(|row| row.1)),
        ("looks", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2)))),
        ("value", numbers(|row| row.3.value)),
        ("low", numbers(|row| row.3.low)),
        ("high", numbers(|row| row.3.high)),
    ];
    Table::of_columns("learning_curve", &["model", "share"], columns)
}
