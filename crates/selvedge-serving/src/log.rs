//! What was answered, so that it can be had again: the log of requests, whose end is a journal and whose beginning is sealed.

use std::path::Path;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use serde::{Deserialize, Serialize};

use super::journal;
use super::lists::{Article, Basis};
use super::past::{self, Past};
use super::who::Wished;
use selvedge_engine::TableError;
use selvedge_features::served::answers::{self, Place, Request};
use selvedge_features::served::segments::{self, Part};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// The journal of answers: the end of the log.
pub const FILE: &str = "requests.log";

/// An answered request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// Names the request.
    pub id: String,
    #[serde(with = "crate::moment")]
    pub answered_at: DateTime<Utc>,
    /// Empty for a visitor.
    pub customer_id: String,
    /// What was wished for beside the customer.
    #[serde(default)]
    pub wished: Wished,
    pub release: String,
    /// None where the release's own list had to do.
    pub basis: Option<Basis>,
    pub articles: Vec<Article>,
    /// What was left out, in words.
    pub degraded: Vec<String>,
    /// Of a shadow release: nobody saw it.
    pub shadow: bool,
    pub milliseconds: f64,
}

/// Of an answer, what it is called.
#[derive(Deserialize)]
struct Called {
    id: String,
}

/// A name for what is answered at a moment, which it begins with: so it is found again in the sealed file of that moment.
pub fn name(at: DateTime<Utc>, number: u64) -> String {
    format!("{:x}-{number:x}", at.timestamp_millis())
}

fn named_at(id: &str) -> Option<i64> {
    i64::from_str_radix(id.split('-').next()?, 16).ok()
}

/// The answers of a journal, in their order.
///
/// # Errors
/// A file that cannot be read.
pub fn end(folder: &Path) -> Result<Vec<Answered>> {
    let mut found = Vec::new();
    let shown = journal::shown(folder, FILE);
    journal::read(&folder.join(FILE), &shown, |record| found.extend(serde_json::from_slice(record).ok()))?;
    Ok(found)
}

/// All answers of a project, the sealed ones first.
///
/// # Errors
/// A log that cannot be read.
pub fn all(project: &Project) -> Result<Vec<Answered>> {
    let mut all = Vec::new();
    for segment in Part::Requests.files(&project.paths.served())? {
        let batch = segments::read(&segment.path, |column| column == "answer")?;
        let answers = batch.column(0).as_string::<i32>();
        all.extend(answers.iter().flatten().filter_map(|answer| serde_json::from_str::<Answered>(answer).ok()));
    }
    all.extend(end(&journal::folder(project.paths.root()))?);
    Ok(all)
}

/// An answer of the log: of its end, which is in `folder`, or of what is sealed in `served`.
///
/// # Errors
/// A log that cannot be read.
pub fn find(folder: &Path, served: &Path, id: &str) -> Result<Option<Answered>> {
    let mut found = None;
    journal::read(&folder.join(FILE), &journal::shown(folder, FILE), |record| {
        if found.is_none() && serde_json::from_slice::<Called>(record).is_ok_and(|answered| answered.id == id) {
            found = serde_json::from_slice(record).ok();
        }
    })?;
    if found.is_some() {
        return Ok(found);
    }
    let at = named_at(id);
    let files = Part::Requests.files(served)?.into_iter();
    for segment in files.filter(|segment| at.is_none_or(|at| segment.until.timestamp_millis() >= at)) {
        let text = |batch: &RecordBatch| -> StringArray { batch.column(0).as_string::<i32>().clone() };
        let names = text(&segments::read(&segment.path, |column| column == "request")?);
        let Some(row) = (0..names.len()).find(|row| names.value(*row) == id) else { continue };
        let answers = text(&segments::read(&segment.path, |column| column == "answer")?);
        return Ok(serde_json::from_str(answers.value(row)).ok());
    }
    Ok(None)
}

/// Answers as the tables of the log.
///
/// # Errors
/// Answers of one id.
pub fn tables(answered: &[Answered]) -> Result<[(Part, selvedge_engine::Table); 2]> {
    let requests: Vec<Request> = answered
        .iter()
        .map(|one| Request {
            id: one.id.clone(),
            answered_at: one.answered_at,
            as_of: one.basis.map(|basis| basis.at),
            customer_id: one.customer_id.clone(),
            release: one.release.clone(),
            degraded: one.degraded.join("; "),
            shadow: one.shadow,
            milliseconds: one.milliseconds,
            answer: serde_json::to_string(one).unwrap_or_default(),
        })
        .collect();
    let place = |one: &Answered, article: &Article| Place {
        request: one.id.clone(),
        place: article.place as i64,
        product_id: article.product_id.clone(),
        season: article.season.clone(),
        score: article.score,
        chance: article.chance,
        basis: article.basis.clone(),
        reason: article.reason.clone(),
        propensity: article.propensity,
    };
    let places: Vec<Place> =
        answered.iter().flat_map(|one| one.articles.iter().map(|article| place(one, article))).collect();
    Ok([(Part::Requests, answers::requests(&requests)?), (Part::Shown, answers::shown(&places)?)])
}

/// Whether a table of this name can be read of the log of a project.
pub fn is_there(project: &Project, name: &str) -> bool {
    let kept = || journal::folder(project.paths.root()).join(past::FILE).exists();
    let sealed = || segments::sealed_until(&project.paths.served()).is_ok_and(|until| until.is_some());
    Part::ALL.iter().any(|part| part.word() == name) && (kept() || sealed())
}

/// The whole log of a project as tables, also while a server writes it: what is sealed, and the journals behind it.
///
/// # Errors
/// Files that cannot be read.
pub fn whole(project: &Project) -> Result<Vec<(Part, RecordBatch)>> {
    let (folder, served) = (journal::folder(project.paths.root()), project.paths.served());
    let sealed = segments::sealed_until(&served)?;
    let past = Past::read(&folder)?;
    let [requests, shown] = tables(&end(&folder)?)?;
    let ends = [(Part::Events, segments::table(past.since(sealed))?), requests, shown];
    let mut all = Vec::new();
    for (part, end) in ends {
        let mut batches = Vec::new();
        for segment in part.files(&served)? {
            batches.push(segments::read(&segment.path, |_| true)?);
        }
        batches.push(end.batch);
        let schema = batches[batches.len() - 1].schema();
        let failed = |cause| TableError::Arrow { file: format!("served.{}", part.word()), cause };
        all.push((part, concat_batches(&schema, &batches).map_err(failed)?));
    }
    Ok(all)
}
