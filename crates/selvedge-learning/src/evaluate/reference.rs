//! The used model taken to the rules of another tool, one rule at a time: what of a difference comes from the rules?

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};

use super::LAYER;
use super::figures::{Figure, USED};
use super::{EvaluateError, Looks, Models, on_side};
use crate::train::Kind;
use models::bootstrap::Bootstrap;
use models::logistic::Logistic;
use models::metrics::Metric;
use models::split::TrainingRows;
use selvedge_engine::{Engine, Table};
use selvedge_features::features::View;
use selvedge_features::frame;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;
use selvedge_project::sql::label::{LABEL, SPLIT, TEST};

/// The file of `sql/evaluation` that says how the tool counts each look.
const FILE: &str = "reference_looks";
const THEIR_LABEL: &str = "their_label";
const THEIR_SIDE: &str = "their_side";

/// One more rule that is the tool's.
struct Step {
    rule: &'static str,
    /// Looks it was fitted on.
    fitted_on: usize,
    looks: Looks,
}

/// `step`, `rule`, `fitted_on`, `looks`, `kept_purchases`, and AUC and average precision with their intervals.  No rows
/// where there is no such tool or no model yet.
pub fn table(project: &Project, engine: &Engine, models: &Models, frame: &RecordBatch) -> Result<Table> {
    let steps = match (theirs(project, engine, frame)?, &models[USED].model) {
        (Some(frame), Some(model)) => steps(model, &frame)?,
        _ => Vec::new(),
    };
    let mut rows = Vec::new();
    for step in &steps {
        rows.push((step, figures(project, &step.looks)?));
    }
    let count = |of: fn(&Step) -> usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(step, _)| of(step) as i64)))
    };
    let numbers: Int64Array = (1..=rows.len() as i64).map(Some).collect();
    let rules = StringArray::from_iter_values(rows.iter().map(|(step, _)| step.rule));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("step".into(), Arc::new(numbers)),
        ("rule".into(), Arc::new(rules)),
        ("fitted_on".into(), count(|step| step.fitted_on)),
        ("looks".into(), count(|step| step.looks.labels.len())),
        ("kept_purchases".into(), count(|step| step.looks.labels.iter().filter(|label| **label).count())),
    ];
    for (at, metric) in METRICS.iter().enumerate() {
        let figure = |of: fn(&Figure) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(|(_, figures)| of(&figures[at])).collect::<Float64Array>())
        };
        columns.push((metric.name().into(), figure(|figure| Some(figure.interval?.value))));
        columns.push((format!("{}_low", metric.name()), figure(|figure| Some(figure.interval?.low))));
        columns.push((format!("{}_high", metric.name()), figure(|figure| Some(figure.interval?.high))));
    }
    let columns = columns.iter().map(|(name, column)| (name.as_str(), Arc::clone(column)));
    Table::of_columns("reference_steps", &["step"], columns)
}

const METRICS: [Metric; 2] = [Metric::Auc, Metric::AveragePrecision];

/// The frame with the tool's label and side beside each look.
fn theirs(project: &Project, engine: &Engine, frame: &RecordBatch) -> Result<Option<RecordBatch>> {
    let Some(file) = project.library.layer(LAYER).find(|file| file.header.name() == FILE) else {
        return Ok(None);
    };
    let key = project.library.key(file);
    let looks = Table::new(engine.read(&TableName::new(LAYER.folder, FILE))?, key, &file.shown)?;
    let base = Table::new(frame.clone(), key, &file.shown)?;
    let view = View { name: FILE.into(), table: looks };
    Ok(Some(frame::attach(base, &[view], &file.shown)?.batch))
}

/// Judged as ever; then on all looks since testing began; then by the tool's labels; then fitted again as it fits.
fn steps(model: &Logistic, frame: &RecordBatch) -> Result<Vec<Step>> {
    let wanted = "a text";
    let sides = frame.column_by_name(THEIR_SIDE).filter(|column| column.as_string_opt::<i32>().is_some());
    let sides = sides.ok_or(EvaluateError::NoColumn { table: FILE, column: THEIR_SIDE, wanted })?;
    let mut columns = frame.columns().to_vec();
    if let Ok(at) = frame.schema().index_of(SPLIT) {
        columns[at] = Arc::clone(sides);
    }
    let as_theirs = RecordBatch::try_new(frame.schema(), columns).map_err(EvaluateError::Arrow)?;
    let (usual, theirs) = (on_side(frame, TEST)?, on_side(&as_theirs, TEST)?);
    let step = |rule, model: &Logistic, rows: &RecordBatch, label| -> Result<Step> {
        let failed = |cause| EvaluateError::OtherFrame { model: Kind::ALL[USED].name(), cause };
        let looks = Looks::labelled(rows, label, vec![model.predict(rows).map_err(failed)?])?;
        Ok(Step { rule, fitted_on: model.trained_on().0, looks })
    };
    let mut steps = vec![
        step("as everywhere above", model, &usual, LABEL)?,
        step("judged on every look since testing began, open outcomes as they stand", model, &theirs, LABEL)?,
        step("a purchase counts unless it ever came back", model, &theirs, THEIR_LABEL)?,
    ];
    let training = TrainingRows::of(&as_theirs).ok();
    if let Some(again) = training.and_then(|training| model.refit(&training, THEIR_LABEL).ok()) {
        steps.push(step("fitted on every look before testing began", &again, &theirs, THEIR_LABEL)?);
    }
    Ok(steps)
}

fn figures(project: &Project, looks: &Looks) -> Result<Vec<Figure>> {
    let params = &project.params.evaluate;
    let drawn = match looks.are_enough(project) {
        false => None,
        true => Some(
            Bootstrap::run(&[&looks.scores[0]], &looks.labels, &looks.customers, params.draws, params.seed)
                .map_err(EvaluateError::Bootstrap)?,
        ),
    };
    let figure = |metric: Metric| Figure {
        model: Kind::ALL[USED].name().into(),
        metric: metric.name(),
        interval: drawn.as_ref().and_then(|drawn| drawn.interval(0, metric)),
    };
    Ok(METRICS.map(figure).into())
}
