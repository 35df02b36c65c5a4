//! How good the models are on looks that neither the fit nor the choice of penalty has seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::arrow::error::ArrowError;
use serde::Serialize;

use crate::engine::{Engine, Staged, Table, batch_of};
use crate::error::{Advice, Result};
use crate::frame::{LABEL, TEST};
use crate::model::bootstrap::{Bootstrap, BootstrapError, Interval};
use crate::model::logistic::LogisticError;
use crate::model::metrics::{Metric, Metrics};
use crate::model::reliability::{Bin, reliability};
use crate::model::split::{SPLIT, VALIDATION};
use crate::progress::Progress;
use crate::project::Project;
use crate::sql::{Header, Layer, TableName};
use crate::train::{self, Kind};

/// Whose rows stay together when rows are drawn: one customer's looks resemble each other.
const CUSTOMER: &str = "customer_id";

#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error("the {model} model does not fit the frame: {cause}")]
    OtherFrame { model: &'static str, cause: LogisticError },
    #[error("the frame has no column '{column}' as {wanted}")]
    NoColumn { column: &'static str, wanted: &'static str },
    #[error("the bootstrap: {0}")]
    Bootstrap(BootstrapError),
    #[error("the predictions: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for EvaluateError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::OtherFrame { .. } => Some("run `selvedge train` again: the features have changed since".into()),
            Self::NoColumn { .. } => Some("run `selvedge frame` again".into()),
            Self::Bootstrap(_) | Self::Arrow(_) => None,
        }
    }
}

/// `reports/evaluation.json`, which DVC reads as metrics.
#[derive(Debug, Serialize)]
struct Evaluation {
    models: BTreeMap<&'static str, Metrics>,
}

/// Runs the stage: `work/predictions.parquet`, `work/evaluation/*.parquet` and `reports/evaluation.json`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("evaluate");
    let engine = Engine::new(project)?;
    let frame = engine.read(&TableName::bare("frame"))?;
    let predictions = predict(project, &frame)?;
    engine.register(&TableName::bare("predictions"), predictions.batch.clone())?;
    let test = side(&predictions.batch, TEST)?;
    let labels: Vec<bool> = boolean(&test, LABEL)?.iter().map(|label| label.unwrap_or(false)).collect();
    let scores = Kind::ALL.map(|kind| numbers(&test, kind.name()));
    let customers = text(&test, CUSTOMER)?;
    let customers: Vec<&str> = customers.iter().map(Option::unwrap_or_default).collect();
    let slices: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
    let params = &project.params.evaluate;
    let bootstrap = match labels.is_empty() {
        true => None,
        false => Some(
            Bootstrap::run(&slices, &labels, &customers, params.draws, params.seed)
                .map_err(EvaluateError::Bootstrap)?,
        ),
    };

    let mut staged = Staged::new(&project.paths, "evaluate")?;
    staged.table(&project.paths.predictions(), None, &predictions, &[])?;
    let target = project.paths.evaluation();
    staged.table(&target, Some("metrics"), &metrics_table(bootstrap.as_ref())?, &[])?;
    staged.table(&target, Some("reliability"), &reliability_table(&scores, &labels)?, &[])?;
    staged.table(&target, Some("sides"), &sides_table(&frame)?, &[])?;
    for (file, table) in engine.layer(project, Layer::Evaluation)? {
        staged.table(&target, Some(file.header.name()), &table, &[("made_from", file.shown.clone())])?;
    }
    let models = Kind::ALL.iter().zip(&scores).map(|(kind, scores)| (kind.name(), Metrics::of(scores, &labels)));
    let evaluation = Evaluation { models: models.collect() };
    staged.json(&project.paths.evaluation_json(), None, &evaluation)?;
    staged.commit()?;
    let auc = |kind| {
        evaluation
            .models
            .get(kind)
            .and_then(|metrics: &Metrics| metrics.auc)
            .map_or("-".into(), |auc| format!("{auc:.4}"))
    };
    progress.done(format!("{} test looks; AUC tabular {}, combined {}", labels.len(), auc("tabular"), auc("combined")));
    Ok(())
}

/// The label's key, label and split of validation and test looks, and each model's probability.
fn predict(project: &Project, frame: &RecordBatch) -> Result<Table> {
    let split = text(frame, SPLIT)?;
    let judged: BooleanArray = split.iter().map(|side| Some(matches!(side, Some(VALIDATION | TEST)))).collect();
    let rows = filter_record_batch(frame, &judged).map_err(EvaluateError::Arrow)?;
    let key = label_key(project);
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for name in key.iter().map(String::as_str).chain([LABEL, SPLIT]) {
        let column = rows.column_by_name(name).ok_or(EvaluateError::NoColumn { column: LABEL, wanted: "a column" })?;
        columns.push((name, Arc::clone(column)));
    }
    for kind in Kind::ALL {
        let scores = match train::load(project, kind)?.model {
            None => vec![None; rows.num_rows()],
            Some(model) => {
                let failed = |cause| EvaluateError::OtherFrame { model: kind.name(), cause };
                model.accepts(&rows.schema(), &kind.features(project)).map_err(failed)?;
                model.predict(&rows).map_err(failed)?.into_iter().map(Some).collect()
            }
        };
        columns.push((kind.name(), Arc::new(Float64Array::from(scores))));
    }
    Table::new(batch_of("predictions", columns)?, &key, "predictions")
}

fn label_key(project: &Project) -> Vec<String> {
    let headers = project.library.layer(Layer::Labels).filter_map(|file| match &file.header {
        Header::Table(header) => Some(header.key.clone()),
        _ => None,
    });
    headers.flatten().collect()
}

/// Every metric of every model on test looks with its interval, and the difference of combined and tabular.
fn metrics_table(bootstrap: Option<&Bootstrap>) -> Result<Table> {
    let mut rows: Vec<(&str, &str, Option<Interval>)> = Vec::new();
    for metric in Metric::ALL {
        for (number, kind) in Kind::ALL.iter().enumerate() {
            rows.push((kind.name(), metric.name(), bootstrap.and_then(|drawn| drawn.interval(number, metric))));
        }
        rows.push(("combined - tabular", metric.name(), bootstrap.and_then(|drawn| drawn.difference(1, 0, metric))));
    }
    let column = |of: fn(&Interval) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, _, interval)| interval.as_ref().map(of)).collect::<Float64Array>())
    };
    let columns: [(&str, ArrayRef); 5] = [
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("metric", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)))),
        ("value", column(|interval| interval.value)),
        ("low", column(|interval| interval.low)),
        ("high", column(|interval| interval.high)),
    ];
    Table::of_columns("metrics", &["metric", "model"], columns)
}

/// Each model's bins of equal count on test looks, lowest scores first.
fn reliability_table(scores: &[Vec<f64>], labels: &[bool]) -> Result<Table> {
    let mut rows: Vec<(&str, i64, Bin)> = Vec::new();
    for (kind, scores) in Kind::ALL.iter().zip(scores) {
        rows.extend(reliability(scores, labels).into_iter().zip(1..).map(|(bin, number)| (kind.name(), number, bin)));
    }
    let counts = |of: fn(&Bin) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(&row.2) as i64)))
    };
    let shares = |of: fn(&Bin) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| of(&row.2))))
    };
    let columns: [(&str, ArrayRef); 8] = [
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("bin", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("looks", counts(|bin| bin.rows)),
        ("kept_purchases", counts(|bin| bin.positives)),
        ("predicted", shares(|bin| bin.score)),
        ("happened", shares(|bin| bin.share)),
        ("low", shares(|bin| bin.low)),
        ("high", shares(|bin| bin.high)),
    ];
    Table::of_columns("reliability", &["model", "bin"], columns)
}

/// How many looks are on each side of the split, and how many of them led to a kept purchase.
fn sides_table(frame: &RecordBatch) -> Result<Table> {
    let (split, label) = (text(frame, SPLIT)?, boolean(frame, LABEL)?);
    let mut sides = BTreeMap::<&str, (i64, i64)>::new();
    for (side, label) in split.iter().zip(label) {
        let side = sides.entry(side.unwrap_or_default()).or_default();
        side.0 += 1;
        side.1 += i64::from(label.unwrap_or(false));
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("side", Arc::new(StringArray::from_iter_values(sides.keys()))),
        ("looks", Arc::new(Int64Array::from_iter_values(sides.values().map(|side| side.0)))),
        ("kept_purchases", Arc::new(Int64Array::from_iter_values(sides.values().map(|side| side.1)))),
    ];
    Table::of_columns("sides", &["side"], columns)
}

fn side(predictions: &RecordBatch, side: &str) -> Result<RecordBatch> {
    let keep: BooleanArray = text(predictions, SPLIT)?.iter().map(|found| Some(found == Some(side))).collect();
    Ok(filter_record_batch(predictions, &keep).map_err(EvaluateError::Arrow)?)
}

fn text<'a>(batch: &'a RecordBatch, column: &'static str) -> Result<&'a StringArray> {
    let found = batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>());
    Ok(found.ok_or(EvaluateError::NoColumn { column, wanted: "a text" })?)
}

fn boolean<'a>(batch: &'a RecordBatch, column: &'static str) -> Result<&'a BooleanArray> {
    let found = batch.column_by_name(column).and_then(|array| array.as_boolean_opt());
    Ok(found.ok_or(EvaluateError::NoColumn { column, wanted: "true or false" })?)
}

/// A column of scores; a missing one is not a number, and no metric is defined with it.
fn numbers(batch: &RecordBatch, column: &str) -> Vec<f64> {
    let found = batch.column_by_name(column).and_then(|array| array.as_primitive_opt::<Float64Type>());
    found.map(|array| array.iter().map(|score| score.unwrap_or(f64::NAN)).collect()).unwrap_or_default()
}
