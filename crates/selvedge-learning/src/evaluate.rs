//! How good the models are on looks that neither the fit nor the choice of penalty has seen.

mod cohorts;
mod figures;
mod learning_curve;
mod lists;
mod reference;
mod shelves;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::arrow::error::ArrowError;
use serde::Serialize;

use self::figures::{Figure, USED, judge, metrics_table, promise_table, reliability_table, sides_table};
use self::lists::Lists;
use crate::train::{self, Fitted, Kind};
use models::bootstrap::BootstrapError;
use models::lists::ListMetrics;
use models::logistic::LogisticError;
use models::metrics::Metrics;
use models::outcomes::Outcomes;
use selvedge_engine::{Engine, Staged, Table, batch_of};
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::label::{LABEL, SPLIT, TEST, TRAIN, VISITS};
use selvedge_project::sql::{Layer, TableName};
use selvedge_project::stage::Stage;

/// Whose rows stay together when rows are drawn: one customer's looks resemble each other.
const CUSTOMER: &str = "customer_id";

#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error("the {model} model does not fit the frame: {cause}")]
    OtherFrame { model: &'static str, cause: LogisticError },
    #[error("{table} has no column '{column}' as {wanted}")]
    NoColumn { table: &'static str, column: &'static str, wanted: &'static str },
    #[error("the bootstrap: {0}")]
    Bootstrap(#[from] BootstrapError),
    #[error("the predictions: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for EvaluateError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::OtherFrame { .. } => Some("run `selvedge train` again: the features have changed since".into()),
            Self::NoColumn { table, column, .. } => Some(format!("add {column} to what {table} returns")),
            Self::Bootstrap(_) | Self::Arrow(_) => None,
        }
    }
}

/// `reports/evaluation.json`, which DVC reads as metrics.
#[derive(Debug, Serialize)]
struct Evaluation {
    models: BTreeMap<&'static str, Judged>,
    /// By ranking: what its delivered lists found of what was kept on test visits (protocol `shelf-delivered`), of 1.
    lists: BTreeMap<String, BTreeMap<&'static str, Option<f64>>>,
}

/// One model's metrics: over single looks, and over the lists it would have shown.
#[derive(Debug, Serialize)]
struct Judged {
    #[serde(flatten)]
    looks: Metrics,
    #[serde(flatten)]
    lists: Option<ListMetrics>,
}

/// The models as they were fitted, in the order of [`Kind::ALL`].
type Models = [Fitted];

/// Metric tables over predictions.
pub const LAYER: Layer = Layer {
    folder: "evaluation",
    may_read: &["predictions", "frame", "recommendations", "sources", "split", "evaluation"],
    may_read_outcomes: true,
    section: "evaluate",
};

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "evaluate",
    about: "Judge the models on test looks, the rankings on test visits -> work/evaluation, reports/evaluation.json",
    layers: &[LAYER],
    sections: &["evaluate", "features", "train", "embeddings", "rank", "recommend"],
    keeps: &[("evaluation", "evaluation"), ("predictions", "predictions.parquet")],
    makes: &[
        "predictions",
        "evaluation.by_cohort",
        "evaluation.learning_curve",
        "evaluation.lists",
        "evaluation.metrics",
        "evaluation.promise",
        "evaluation.reference_steps",
        "evaluation.reliability",
        "evaluation.rule_prices",
        "evaluation.shelf_customers",
        "evaluation.shelf_figures",
        "evaluation.shelf_promise",
        "evaluation.sides",
    ],
    run,
};

/// Runs the stage: `work/predictions.parquet`, `work/evaluation/*.parquet` and `reports/evaluation.json`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("evaluate");
    let engine = Engine::new(project)?;
    let frame = engine.read(&TableName::bare("frame"))?;
    let models: Vec<Fitted> = Kind::ALL.iter().map(|kind| train::load(project, *kind)).collect::<Result<_>>()?;
    let predictions = predict(project, &models, &frame)?;
    engine.register(&TableName::bare("predictions"), predictions.batch.clone())?;
    let staged = Staged::new(&project.paths, "evaluate")?;
    let fingerprints = models[USED].made_from.notes();
    let notes = fingerprints.as_slice();
    staged.table(&project.paths.predictions(), None, &predictions, notes)?;
    let target = project.paths.evaluation();
    for (file, table) in engine.layer(project, LAYER)? {
        let notes = [notes, &[("made_from", file.shown.clone())]].concat();
        staged.table(&target, Some(file.header.name()), &table, &notes)?;
    }

    let test = Looks::of(&on_side(&predictions.batch, TEST)?)?;
    let mut figures: Vec<Figure> = judge(project, &test)?;
    staged.table(&target, Some("reliability"), &reliability_table(project, &test)?, notes)?;
    staged.table(&target, Some("promise"), &promise_table(project, &test)?, notes)?;
    staged.table(&target, Some("sides"), &sides_table(&frame)?, notes)?;
    staged.table(&target, Some("by_cohort"), &cohorts::judged(project, &engine, &predictions)?, notes)?;
    let curve = learning_curve::table(project, &models, &frame)?;
    staged.table(&target, Some("learning_curve"), &curve, notes)?;
    let steps = reference::table(project, &engine, &models, &frame)?;
    staged.table(&target, Some("reference_steps"), &steps, notes)?;
    progress.say(format!("{} test looks judged", test.labels.len()));
    let lists = Lists::ranked(project, &models, engine.read(&TableName::new(LAYER.folder, lists::FILE))?)?;
    figures.extend(lists.figures(project)?);
    staged.table(&target, Some("lists"), &lists.table()?, notes)?;
    staged.table(&target, Some("metrics"), &metrics_table(&figures)?, notes)?;
    let shelves = shelves::judge(project, &models[USED])?;
    for (name, table) in shelves::tables(&shelves)? {
        staged.table(&target, Some(name), &table, notes)?;
    }

    let judged = |(number, kind): (usize, &Kind)| {
        let looks = match test.are_enough(project) {
            true => Metrics::of(&test.scores[number], &test.labels),
            false => Metrics::default(),
        };
        (kind.name(), Judged { looks, lists: lists.means(project, number) })
    };
    let evaluation =
        Evaluation { models: Kind::ALL.iter().enumerate().map(judged).collect(), lists: shelves.delivered() };
    staged.json(&project.paths.evaluation_json(), None, &evaluation)?;
    staged.commit()?;
    let auc = |(kind, judged): (&&str, &Judged)| format!("{kind} {}", shown(judged.looks.auc));
    let aucs: Vec<String> = evaluation.models.iter().map(auc).collect();
    progress.done(format!("AUC: {}", aucs.join(", ")));
    Ok(())
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or("-".into(), |figure| format!("{figure:.4}"))
}

/// The label's key, label, split and each model's probability for every look that no model was fitted on.
fn predict(project: &Project, models: &Models, frame: &RecordBatch) -> Result<Table> {
    let sides = frame.column_by_name(SPLIT).and_then(|column| column.as_string_opt::<i32>());
    let sides = sides.ok_or(EvaluateError::NoColumn { table: "sql/labels", column: SPLIT, wanted: "a text" })?;
    let judged: BooleanArray = sides.iter().map(|side| Some(side != Some(TRAIN))).collect();
    let rows = filter_record_batch(frame, &judged).map_err(EvaluateError::Arrow)?;
    let key: Vec<String> = project
        .library
        .layer(Layer::LABELS)
        .filter(|file| file.header.name() != VISITS)
        .flat_map(|file| project.library.key(file))
        .cloned()
        .collect();
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for name in key.iter().map(String::as_str).chain([LABEL, SPLIT]) {
        let missing = EvaluateError::NoColumn { table: "sql/labels", column: LABEL, wanted: "a column" };
        columns.push((name, Arc::clone(rows.column_by_name(name).ok_or(missing)?)));
    }
    for (kind, scores) in Kind::ALL.iter().zip(scores(project, models, &rows)?) {
        columns.push((kind.name(), Arc::new(Float64Array::from(scores))));
    }
    Table::new(batch_of("predictions", columns)?, &key, "predictions")
}

/// Each model's probability for each row; none from a model that could not be fitted yet.
fn scores(project: &Project, models: &Models, rows: &RecordBatch) -> Result<Vec<Vec<Option<f64>>>> {
    let of = |(kind, fitted): (&Kind, &Fitted)| -> Result<Vec<Option<f64>>> {
        let Some(model) = &fitted.model else { return Ok(vec![None; rows.num_rows()]) };
        let failed = |cause| EvaluateError::OtherFrame { model: kind.name(), cause };
        model.accepts(&rows.schema(), &kind.features(project)).map_err(failed)?;
        Ok(model.predict(rows).map_err(failed)?.into_iter().map(Some).collect())
    };
    Kind::ALL.iter().zip(models).map(of).collect()
}

/// Looks with what came of them and what each model said.
struct Looks {
    labels: Vec<bool>,
    customers: Vec<String>,
    /// One list for each of [`Kind::ALL`]; not a number where the model could not be fitted.
    scores: Vec<Vec<f64>>,
}

impl Looks {
    fn of(predictions: &RecordBatch) -> Result<Self> {
        let column = |name| predictions.column_by_name(name);
        let scores =
            Kind::ALL.iter().map(|kind| match column(kind.name()).and_then(|c| c.as_primitive_opt::<Float64Type>()) {
                Some(scores) => scores.iter().map(|score| score.unwrap_or(f64::NAN)).collect(),
                None => vec![f64::NAN; predictions.num_rows()],
            });
        Self::labelled(predictions, LABEL, scores.collect())
    }

    /// Rows whose outcomes stand in the column `label`, with what each model said.
    fn labelled(rows: &RecordBatch, label: &'static str, scores: Vec<Vec<f64>>) -> Result<Self> {
        let missing = |column, wanted| EvaluateError::NoColumn { table: "sql/labels", column, wanted };
        let labels = rows.column_by_name(label).and_then(|column| column.as_boolean_opt());
        let labels = labels.ok_or(missing(label, "true or false"))?;
        let customers = rows.column_by_name(CUSTOMER).and_then(|column| column.as_string_opt::<i32>());
        let customers = customers.ok_or(missing(CUSTOMER, "a text"))?;
        Ok(Self {
            labels: labels.iter().map(|label| label.unwrap_or(false)).collect(),
            customers: customers.iter().map(|name| name.unwrap_or_default().to_owned()).collect(),
            scores,
        })
    }

    /// Whether there are enough of both outcomes to judge a model by.
    fn are_enough(&self, project: &Project) -> bool {
        Outcomes::of(&self.labels).missing(project.params.evaluate.enough).is_none()
    }
}

fn on_side(predictions: &RecordBatch, side: &str) -> Result<RecordBatch> {
    let sides = predictions.column_by_name(SPLIT).and_then(|column| column.as_string_opt::<i32>());
    let sides = sides.ok_or(EvaluateError::NoColumn { table: "sql/labels", column: SPLIT, wanted: "a text" })?;
    let wanted: BooleanArray = sides.iter().map(|found| Some(found == Some(side))).collect();
    Ok(filter_record_batch(predictions, &wanted).map_err(EvaluateError::Arrow)?)
}
