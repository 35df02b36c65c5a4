//! Ten articles for every customer: on sale at the export, shippable, not owned, each with its score and its reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

mod choose;
mod explain;
mod score;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::compute::{cast, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;
use rayon::prelude::*;

use self::choose::Pick;
use self::explain::{DRIVERS, Phrases, Why};
use crate::train::{self, Kind};
use models::logistic::LogisticError;
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};
use selvedge_project::stage::Stage;

/// Basis of what does not rest on what this customer did.
const POPULAR: &str = "popular in the region";
/// Reason of a candidate that `sql/recommend/popular.sql` leaves out.
const NOT_RANKED: &str = "on sale now";

#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    #[error("sql/recommend/{file}.sql is missing or has no key")]
    NoFile { file: &'static str },
    #[error("sql/recommend/{file}.sql does not return the column '{column}' as {wanted}")]
    NoColumn { file: &'static str, column: &'static str, wanted: &'static str },
    #[error("the model does not fit the features: {0}")]
    OtherFeatures(LogisticError),
    #[error("nothing is on sale at the export ({0}) that can be sent to anybody")]
    NothingOnSale(String),
    #[error("{file}: the reason of {column} says '{{{placeholder}}}', which is no text of a candidate")]
    NoPlaceholder { file: String, column: String, placeholder: String, known: Vec<String> },
    #[error("{file}: the reason of {column} holds when '{condition}' lies within limits, which is no feature")]
    NoCondition { file: String, column: String, condition: String, known: Vec<String> },
    #[error("the recommendations: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for RecommendError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::NoFile { file } => Some(format!("bring back sql/recommend/{file}.sql")),
            Self::NoColumn { column, .. } => Some(format!("add {column} to the SELECT")),
            Self::OtherFeatures(_) => Some("run `selvedge train` again: the features have changed since".into()),
            Self::NothingOnSale(_) => {
                Some("check shop.exported_at in params.yaml against the days of sale in products.csv".into())
            }
            Self::NoCondition { condition, known, .. } => Some(did_you_mean(
                condition,
                known.iter().map(String::as_str),
                "write the name of a feature that is a number",
            )),
            Self::NoPlaceholder { placeholder, known, .. } => {
                let fallback = "write {value}, {percent}, {brand} or the name of a feature that is a text";
                Some(did_you_mean(placeholder, known.iter().map(String::as_str), fallback))
            }
            Self::Arrow(_) => None,
        }
    }
}

/// A recommendation and why it is one.
struct Recommendation {
    pick: Pick,
    /// None where it rests on no customer's behaviour.
    why: Option<Why>,
}

/// The candidates and the stage's baselines.
pub const LAYER: Layer =
    Layer { folder: "recommend", may_read: &["sources", "recommend"], may_read_outcomes: true, section: "recommend" };

/// What the lists of recommendations show.
pub const EXPOSURE: Layer = Layer {
    folder: "exposure",
    may_read: &["recommendations", "recommend", "sources", "exposure"],
    may_read_outcomes: true,
    section: "recommend",
};

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "recommend",
    about: "Ten articles for every customer -> work/recommendations.parquet, and what they show -> work/exposure",
    layers: &[LAYER, EXPOSURE],
    sections: &["recommend", "features"],
    keeps: &[("exposure", "exposure"), ("recommendations", "recommendations.parquet")],
    makes: &["recommendations"],
    run,
};

/// Runs the stage: `work/recommendations.parquet`, and what the lists show: `work/exposure/*.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("recommend");
    let engine = Engine::new(project)?;
    let phrases = Phrases::of(project)?;
    let fitted = train::load(project, Kind::Combined)?;
    let version = fitted.version();
    let model = fitted.model;
    let loaded = Instant::now();
    for file in needed(project) {
        register(project, &engine, file)?;
    }
    let candidates = engine.read(&TableName::new("recommend", "candidates"))?;
    if candidates.num_rows() == 0 {
        return Err(RecommendError::NothingOnSale(project.params.shop.exported_at.to_string()).into());
    }
    let candidates = table(candidates, "candidates")?;
    let personal = column(&candidates, "candidates", "personal")?.as_boolean();
    let (mut picks, because) = popular(&engine, &candidates)?;
    let mut scored = None;
    if let Some(model) = model.as_ref().filter(|_| personal.true_count() > 0) {
        let asked = filter_record_batch(&candidates, personal).map_err(RecommendError::Arrow)?;
        let rows = (0..candidates.num_rows()).filter(|row| personal.value(*row));
        let found = score::score(project, &engine, model, asked)?;
        for (at, row) in rows.enumerate() {
            picks[row] = Pick { row, score: found.scores[at], asked: Some(at) };
        }
        scored = Some(found);
    }
    let chosen = choose::choose(&project.params.recommend, &candidates, picks)?;
    let chosen = explained(scored.as_ref(), &phrases, chosen)?;
    let model = model.map_or("none yet".to_owned(), |_| version);
    let recommendations = written(project, &candidates, &because, [&model, &phrases.versions], &chosen)?;
    progress.say(format!(
        "{} recommendations in {:.1} s once the model was loaded",
        recommendations.batch.num_rows(),
        loaded.elapsed().as_secs_f64()
    ));

    let staged = Staged::new(&project.paths, "recommend")?;
    let notes = [("model", model), ("features", phrases.versions.clone())];
    staged.table(&project.paths.recommendations(), None, &recommendations, &notes)?;
    engine.register(&TableName::bare("recommendations"), recommendations.batch)?;
    for file in project.library.layer(LAYER) {
        register(project, &engine, file)?;
    }
    for file in project.library.layer(EXPOSURE) {
        let table = register(project, &engine, file)?;
        staged.table(
            &project.paths.exposure(),
            Some(file.header.name()),
            &table,
            &[("made_from", file.shown.clone())],
        )?;
    }
    staged.commit()?;
    progress.done("work/recommendations.parquet, and what the lists show: work/exposure");
    Ok(())
}

/// The files that the recommendations are made from; the others of their layer, such as the old list, wait.
fn needed(project: &Project) -> Vec<&SqlFile> {
    let mut wanted: Vec<TableName> = ["candidates", "popular"].map(|name| TableName::new("recommend", name)).to_vec();
    let mut files = Vec::new();
    // Each file stands after those it reads, so backwards everything that is wanted is known in time.
    for file in project.library.layer(LAYER).collect::<Vec<_>>().into_iter().rev() {
        if wanted.contains(&file.table()) {
            wanted.extend(file.reads.iter().cloned());
            files.push(file);
        }
    }
    files.reverse();
    files
}

/// Runs a file, unless it has been, and gives its answer its name.
fn register(project: &Project, engine: &Engine, file: &SqlFile) -> Result<Table> {
    if engine.has(&file.table()) {
        return Table::new(engine.read(&file.table())?, project.library.key(file), &file.shown);
    }
    let table = engine.table(project, file)?;
    engine.register(&file.table(), table.batch.clone())?;
    Ok(table)
}

/// Every recommendation with its reason, customer by customer.
fn explained(
    scored: Option<&score::Scored>,
    phrases: &Phrases,
    chosen: Vec<(String, Vec<Pick>)>,
) -> Result<Vec<(String, Vec<Recommendation>)>> {
    let of_customer = |(customer, picks): (String, Vec<Pick>)| {
        let asked: Option<Vec<usize>> = picks.iter().map(|pick| pick.asked).collect();
        let why: Vec<Option<Why>> = match (scored, asked) {
            (Some(scored), Some(rows)) => phrases.explain(scored, &customer, &rows)?.into_iter().map(Some).collect(),
            _ => picks.iter().map(|_| None).collect(),
        };
        let recommendations = picks.into_iter().zip(why).map(|(pick, why)| Recommendation { pick, why }).collect();
        Ok((customer, recommendations))
    };
    let explained: Vec<Result<_>> = chosen.into_par_iter().map(of_customer).collect();
    explained.into_iter().collect()
}

fn table(batch: RecordBatch, file: &'static str) -> Result<RecordBatch> {
    for (name, data_type, wanted) in [
        ("customer_id", DataType::Utf8, "a text"),
        ("brand", DataType::Utf8, "a text"),
        ("region", DataType::Utf8, "a text"),
        ("personal", DataType::Boolean, "true or false"),
        ("new", DataType::Boolean, "true or false"),
    ] {
        if *column(&batch, file, name)?.data_type() != data_type {
            return Err(RecommendError::NoColumn { file, column: name, wanted }.into());
        }
    }
    Ok(Table::new(batch, &["customer_id".into(), "product_id".into(), "season".into()], file)?.batch)
}

fn column<'a>(batch: &'a RecordBatch, file: &'static str, name: &'static str) -> Result<&'a ArrayRef> {
    Ok(batch.column_by_name(name).ok_or(RecommendError::NoColumn { file, column: name, wanted: "a column" })?)
}

/// What is popular in the customer's region: no use of the customer's own behaviour.  With each candidate's reason.
fn popular(engine: &Engine, candidates: &RecordBatch) -> Result<(Vec<Pick>, StringArray)> {
    let popular = engine.read(&TableName::new("recommend", "popular"))?;
    let score = cast(column(&popular, "popular", "score")?, &DataType::Float64).map_err(RecommendError::Arrow)?;
    let score = score.as_primitive::<Float64Type>();
    let reason = column(&popular, "popular", "reason")?.as_string_opt::<i32>();
    let reason = reason.ok_or(RecommendError::NoColumn { file: "popular", column: "reason", wanted: "a text" })?;
    let by_name: HashMap<[&str; 3], usize> = names(&popular, "popular")?.into_iter().zip(0..).collect();
    let known: Vec<Option<usize>> =
        names(candidates, "candidates")?.into_iter().map(|name| by_name.get(&name).copied()).collect();
    let pick = |(row, known): (usize, &Option<usize>)| Pick {
        row,
        score: known.map_or(0.0, |at| score.value(at)),
        asked: None,
    };
    let picks = known.iter().enumerate().map(pick).collect();
    let because = known.iter().map(|at| Some(at.map_or(NOT_RANKED, |at| reason.value(at)))).collect();
    Ok((picks, because))
}

/// Region, article and season of each row.
fn names<'a>(batch: &'a RecordBatch, file: &'static str) -> Result<Vec<[&'a str; 3]>> {
    let of = |name| -> Result<&'a StringArray> { Ok(column(batch, file, name)?.as_string::<i32>()) };
    let arrays = [of("region")?, of("product_id")?, of("season")?];
    Ok((0..batch.num_rows()).map(|row| arrays.map(|array| array.value(row))).collect())
}

/// One row per customer and rank.
fn written(
    project: &Project,
    candidates: &RecordBatch,
    because: &StringArray,
    [model, features]: [&str; 2],
    chosen: &[(String, Vec<Recommendation>)],
) -> Result<Table> {
    let rows: Vec<(&str, i64, &Recommendation)> = chosen
        .iter()
        .flat_map(|(customer, list)| list.iter().zip(1..).map(move |(one, rank)| (customer.as_str(), rank, one)))
        .collect();
    let of_candidate = |name| -> Result<ArrayRef> {
        let values = column(candidates, "candidates", name)?.as_string::<i32>();
        Ok(Arc::new(StringArray::from_iter_values(rows.iter().map(|row| values.value(row.2.pick.row)))))
    };
    let text = |of: fn(&Why) -> &str, without: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2.why.as_ref().map_or(without, of))))
    };
    let reason = |row: &(&str, i64, &'_ Recommendation)| match &row.2.why {
        Some(why) => why.say.clone(),
        None => because.value(row.2.pick.row).to_owned(),
    };
    let same = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(|_| value))) };
    let moment = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or_default();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("customer_id".into(), Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("rank".into(), Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("product_id".into(), of_candidate("product_id")?),
        ("season".into(), of_candidate("season")?),
        ("brand".into(), of_candidate("brand")?),
        ("score".into(), Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.pick.score)))),
        ("basis".into(), text(|_| "personal", POPULAR)),
        ("reason".into(), Arc::new(StringArray::from_iter_values(rows.iter().map(reason)))),
        ("driver".into(), text(|why| why.driver, "")),
        ("because_of".into(), text(|why| &why.feature, "")),
    ];
    let strongest = rows.iter().map(|row| row.2.why.as_ref().map(|why| why.strongest));
    columns.push(("strongest".into(), Arc::new(strongest.collect::<BooleanArray>())));
    for (at, driver) in DRIVERS.iter().enumerate() {
        let above: Float64Array = rows.iter().map(|row| row.2.why.as_ref().map(|why| why.above[at])).collect();
        columns.push((format!("from_{driver}"), Arc::new(above)));
    }
    columns.push(("model".into(), same(model)));
    columns.push(("features".into(), same(features)));
    columns.push(("as_of".into(), Arc::new(TimestampNanosecondArray::from_value(moment, rows.len()))));
    let columns = columns.iter().map(|(name, column)| (name.as_str(), Arc::clone(column)));
    Table::of_columns("recommendations", &["customer_id", "rank"], columns)
}
