//! Ten articles for every customer: on sale at the export, shippable, not owned, each with its score and its reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::compute::{cast, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;

use crate::engine::{Engine, Staged, Table};
use crate::error::{Advice, Result};
use crate::features;
use crate::frame;
use crate::model::logistic::{Logistic, LogisticError};
use crate::progress::Progress;
use crate::project::Project;
use crate::sql::{Driver, Layer, TableName};
use crate::train::{self, Kind};

/// Rows scored at a time: enough to be quick, few enough to stay small.
const CHUNK: usize = 16_384;

/// Basis and reason of what rests on no customer's behaviour.
const POPULAR: &str = "popular in the region";

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
            Self::Arrow(_) => None,
        }
    }
}

/// A recommendation before it has a rank.
#[derive(Debug, Clone, PartialEq)]
struct Pick {
    /// Row in the candidates.
    row: usize,
    score: f64,
    reason: &'static str,
    /// By the model, from what the customer did; not by what is popular.
    personal: bool,
}

/// Runs the stage: `work/recommendations.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("recommend");
    let engine = Engine::new(project)?;
    engine.layer(project, Layer::Recommend)?;
    let candidates = engine.read(&TableName::new("recommend", "candidates"))?;
    if candidates.num_rows() == 0 {
        return Err(RecommendError::NothingOnSale(project.params.shop.exported_at.to_string()).into());
    }
    let candidates = table(candidates, "candidates")?;
    let personal: BooleanArray = column(&candidates, "candidates", "personal")?.as_boolean().clone();
    let model = train::load(project, Kind::Combined)?.model;
    let mut picks = popular(&engine, &candidates)?;
    if let Some(model) = model.as_ref().filter(|_| personal.true_count() > 0) {
        let rows: Vec<usize> = (0..candidates.num_rows()).filter(|row| personal.value(*row)).collect();
        let asked = filter_record_batch(&candidates, &personal).map_err(RecommendError::Arrow)?;
        for (row, (score, reason)) in rows.into_iter().zip(score(project, &engine, model, asked)?) {
            picks[row] = Pick { row, score, reason, personal: true };
        }
    }
    let chosen = choose(project, &candidates, picks)?;
    let version = model.map_or("none yet".to_owned(), |model| model.fingerprint().to_owned());
    let recommendations = written(project, &candidates, &version, &chosen)?;
    let mut staged = Staged::new(&project.paths, "recommend")?;
    staged.table(&project.paths.recommendations(), None, &recommendations, &[("model", version.clone())])?;
    staged.commit()?;
    progress.done(format!(
        "{} recommendations for {} customers",
        chosen.iter().map(|(_, picks)| picks.len()).sum::<usize>(),
        chosen.len()
    ));
    Ok(())
}

fn table(batch: RecordBatch, file: &'static str) -> Result<RecordBatch> {
    for (name, data_type, wanted) in [
        ("customer_id", DataType::Utf8, "a text"),
        ("brand", DataType::Utf8, "a text"),
        ("region", DataType::Utf8, "a text"),
        ("personal", DataType::Boolean, "true or false"),
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

/// What is popular in the customer's region: no use of the customer's own behaviour.
fn popular(engine: &Engine, candidates: &RecordBatch) -> Result<Vec<Pick>> {
    let popular = engine.read(&TableName::new("recommend", "popular"))?;
    let score = cast(column(&popular, "popular", "score")?, &DataType::Float64).map_err(RecommendError::Arrow)?;
    let score = score.as_primitive::<Float64Type>();
    let names = |batch: &RecordBatch, file| -> Result<Vec<[String; 3]>> {
        let of = |name| -> Result<StringArray> { Ok(column(batch, file, name)?.as_string::<i32>().clone()) };
        let (region, product, season) = (of("region")?, of("product_id")?, of("season")?);
        Ok((0..batch.num_rows())
            .map(|row| [&region, &product, &season].map(|array| array.value(row).to_owned()))
            .collect())
    };
    let by_name: BTreeMap<[String; 3], f64> =
        names(&popular, "popular")?.into_iter().zip(score.values().iter().copied()).collect();
    let picks = names(candidates, "candidates")?.into_iter().enumerate();
    Ok(picks
        .map(|(row, name)| Pick {
            row,
            score: by_name.get(&name).copied().unwrap_or_default(),
            reason: POPULAR,
            personal: false,
        })
        .collect())
}

/// Runs the features of the request and the model: a probability and a reason for each row of `asked`, in its order.
fn score(project: &Project, engine: &Engine, model: &Logistic, asked: RecordBatch) -> Result<Vec<(f64, &'static str)>> {
    let moment = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or_default();
    let as_of: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(moment, asked.num_rows()));
    let mut columns = vec![("as_of", as_of, true)];
    for name in ["customer_id", "product_id", "season"] {
        columns.push((name, Arc::clone(column(&asked, "candidates", name)?), true));
    }
    let request = RecordBatch::try_from_iter_with_nullable(columns).map_err(RecommendError::Arrow)?;
    // The request's rows under the grain's names: the same SQL that made the training features runs over them.
    for file in project.library.layer(Layer::Grain) {
        let rows = engine.distinct(&request, project.library.key(file), &file.shown)?;
        engine.register(&file.table(), rows)?;
    }
    let views = features::compute(project, engine)?;
    let key = ["customer_id", "product_id", "season", "as_of"].map(str::to_owned);
    let whole = frame::attach(engine, Table::new(request, &key, "the request")?, &views, "the request")?.batch;
    let failed = RecommendError::OtherFeatures;
    model.accepts(&whole.schema(), &Kind::Combined.features(project)).map_err(failed)?;
    let drivers = drivers(project);
    let group = |name: &str| drivers.get(name).map_or("other", |driver| driver_name(*driver));
    let (mut scores, mut contributions) = (Vec::new(), Vec::new());
    for start in (0..whole.num_rows()).step_by(CHUNK) {
        let rows = whole.slice(start, CHUNK.min(whole.num_rows() - start));
        scores.extend(model.predict(&rows).map_err(failed)?);
        let parts = model.contributions(&rows, group).map_err(failed)?;
        for row in parts.values.rows() {
            contributions
                .push(parts.groups.iter().map(String::as_str).map(phrase).zip(row.iter().copied()).collect::<Vec<_>>());
        }
    }
    let customers = whole["customer_id"].as_string::<i32>();
    let reasons = reasons(customers, &contributions);
    Ok(scores.into_iter().zip(reasons).collect())
}

/// The strongest reason of each row: the driver in which the article is furthest above what else this customer could
/// have been shown.  Rows of one customer stand together.
fn reasons(customers: &StringArray, contributions: &[Vec<(Option<&'static str>, f64)>]) -> Vec<&'static str> {
    let mut reasons = Vec::with_capacity(contributions.len());
    let mut start = 0;
    while start < contributions.len() {
        let end = (start..contributions.len())
            .find(|row| customers.value(*row) != customers.value(start))
            .unwrap_or(contributions.len());
        let rows = &contributions[start..end];
        let mean = |group: usize| rows.iter().map(|row| row[group].1).sum::<f64>() / rows.len() as f64;
        let means: Vec<f64> = (0..rows[0].len()).map(mean).collect();
        for row in rows {
            let above = row.iter().zip(&means).filter_map(|((phrase, value), mean)| Some(((*phrase)?, value - mean)));
            let best = above.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(a.0)));
            reasons.push(best.filter(|(_, value)| *value > 0.0).map_or("chosen for you", |(phrase, _)| phrase));
        }
        start = end;
    }
    reasons
}

/// What each feature column stands for in the client's words.
fn drivers(project: &Project) -> BTreeMap<String, Driver> {
    let declared = features::declared(&project.library).into_iter();
    declared.filter_map(|feature| Some((feature.name, feature.column.driver?))).collect()
}

fn driver_name(driver: Driver) -> &'static str {
    match driver {
        Driver::Price => "price",
        Driver::Brand => "brand",
        Driver::Style => "style",
        Driver::Sustainability => "sustainability",
    }
}

/// What a shop could print beside the article.
fn phrase(group: &str) -> Option<&'static str> {
    match group {
        "price" => Some("fits your budget"),
        "brand" => Some("a brand people like you keep"),
        "style" => Some("matches your style"),
        "sustainability" => Some("made the way you care about"),
        _ => None,
    }
}

/// The best of each customer, best first, with at most so many of one brand; where that leaves too few, the next best
/// whatever the brand.
fn choose(project: &Project, candidates: &RecordBatch, picks: Vec<Pick>) -> Result<Vec<(String, Vec<Pick>)>> {
    let limits = &project.params.recommend;
    let customers = column(candidates, "candidates", "customer_id")?.as_string::<i32>();
    let brands = column(candidates, "candidates", "brand")?.as_string::<i32>();
    let mut by_customer = BTreeMap::<&str, Vec<Pick>>::new();
    picks.into_iter().for_each(|pick| by_customer.entry(customers.value(pick.row)).or_default().push(pick));
    let best = |(customer, mut picks): (&str, Vec<Pick>)| {
        // Equal scores go by article, so that the order never depends on chance.
        picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        let mut of_brand = BTreeMap::<&str, usize>::new();
        let (mut chosen, mut passed) = (Vec::new(), Vec::new());
        for pick in picks {
            let count = of_brand.entry(brands.value(pick.row)).or_default();
            *count += 1;
            if *count <= limits.max_per_brand { chosen.push(pick) } else { passed.push(pick) }
        }
        chosen.truncate(limits.per_customer);
        chosen.extend(passed.into_iter().take(limits.per_customer - chosen.len()));
        (customer.to_owned(), chosen)
    };
    Ok(by_customer.into_iter().map(best).collect())
}

/// One row per customer and rank.
fn written(project: &Project, candidates: &RecordBatch, model: &str, chosen: &[(String, Vec<Pick>)]) -> Result<Table> {
    let rows: Vec<(&str, i64, &Pick)> = chosen
        .iter()
        .flat_map(|(customer, picks)| picks.iter().zip(1..).map(move |(pick, rank)| (customer.as_str(), rank, pick)))
        .collect();
    let text = |name| -> Result<ArrayRef> {
        let values = column(candidates, "candidates", name)?.as_string::<i32>();
        Ok(Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, _, pick)| values.value(pick.row)))))
    };
    let basis = rows.iter().map(|(_, _, pick)| if pick.personal { "personal" } else { POPULAR });
    let moment = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or_default();
    let columns: [(&str, ArrayRef); 10] = [
        ("customer_id", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("rank", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("product_id", text("product_id")?),
        ("season", text("season")?),
        ("brand", text("brand")?),
        ("score", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.score)))),
        ("basis", Arc::new(StringArray::from_iter_values(basis))),
        ("reason", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2.reason)))),
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|_| model)))),
        ("as_of", Arc::new(TimestampNanosecondArray::from_value(moment, rows.len()))),
    ];
    Table::of_columns("recommendations", &["customer_id", "rank"], columns)
}
