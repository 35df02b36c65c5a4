//! `selvedge why-not <customer> <article>`: which filter, which rule or how many places keep an article out of a list.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::DataType;

use super::{Listed, Maker, RecommendError, Wanted, everybody};
use crate::shelf::{Session, Shelves, column, needed};
use recommenders::lists::Why;
use selvedge_engine::Table;
use selvedge_project::error::Result;
use selvedge_project::progress::answer;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

const FILE: &str = "sql/recommend/filters.sql";

/// Prints the answer, as of the export or of an earlier moment, from what was known then.
///
/// # Errors
/// No such customer or article.
pub fn why_not(project: &Project, customer: &str, article: &str, as_of: Option<DateTime<Utc>>) -> Result<()> {
    let project = &as_of.map_or_else(|| project.clone(), |moment| project.as_of(moment));
    let maker = Maker::of(project, as_of)?;
    let session = Session::new(project)?;
    let requests = everybody(session.engine(), project.params.shop.exported_at)?;
    let ids = column(&requests, FILE, "customer_id")?.as_string::<i32>();
    let himself: BooleanArray = ids.iter().map(|id| Some(id == Some(customer))).collect();
    let request = filter_record_batch(&requests, &himself).map_err(RecommendError::Arrow)?;
    if request.num_rows() == 0 {
        return Err(RecommendError::NoCustomer(customer.to_owned()).into());
    }
    let past = maker.past(&session)?;
    let catalogue = maker.catalogue(&session, &request, &past, project.params.shop.exported_at)?;
    let retrieved = catalogue.map(|catalogue| catalogue.retrieved(&session, &request, &past, None)).transpose()?;
    let shelves = session.shelves(request, retrieved, true)?;
    let words = maker.why_not(&session, &shelves, article)?;
    // Whoever reads has gone away, when it cannot be printed.
    let _ = answer(words.as_bytes());
    Ok(())
}

impl Maker {
    /// Of each season's article of this number: what keeps it out of the list of the one customer of `shelves`.
    pub(super) fn why_not(&self, session: &Session, shelves: &Shelves, article: &str) -> Result<String> {
        let mut words = String::new();
        let listed = match shelves.candidates.num_rows() {
            0 => None,
            _ => self.lists(session, shelves, &self.past(session)?, &Wanted::default())?.0.into_iter().next(),
        };
        for (season, kept_out) in filters(&self.project, session, article)? {
            let name = format!("{article} ({season})");
            let line = match (kept_out, &listed) {
                (Some(filter), _) => filter,
                (None, Some(listed)) => ranked(&self.project, &shelves.candidates, listed, article, &season)?,
                (None, None) => "there is no list for this customer".to_owned(),
            };
            let _ = writeln!(words, "{name}: {line}");
        }
        Ok(words)
    }
}

/// Of each season's article of this number, the filter that keeps it out.
fn filters(project: &Project, session: &Session, article: &str) -> Result<Vec<(String, Option<String>)>> {
    let engine = session.engine();
    for file in needed(project, &["filters"])? {
        if !engine.has(&file.table()) {
            engine.register(&file.table(), engine.table(project, file)?.batch)?;
        }
    }
    let name = TableName::new("recommend", "filters");
    let key = ["customer_id", "as_of", "product_id", "season"].map(str::to_owned);
    let rows = Table::new(engine.read(&name)?, &key, FILE)?.batch;
    let text = |name| crate::shelf::typed(&rows, FILE, name, &DataType::Utf8, "a text").map(|c| c.as_string::<i32>());
    let (products, seasons, kept_out) = (text("product_id")?, text("season")?, text("kept_out")?);
    let of =
        |row: usize| (seasons.value(row).to_owned(), kept_out.is_valid(row).then(|| kept_out.value(row).to_owned()));
    let found: Vec<_> = (0..rows.num_rows()).filter(|row| products.value(*row) == article).map(of).collect();
    if found.is_empty() {
        let known = products.iter().flatten().map(str::to_owned).collect();
        return Err(RecommendError::NoArticle { article: article.to_owned(), known }.into());
    }
    Ok(found)
}

/// Where the article stands among what the customer could get.
fn ranked(project: &Project, candidates: &RecordBatch, listed: &Listed, article: &str, season: &str) -> Result<String> {
    let text = |name| column(candidates, FILE, name).map(|c| c.as_string::<i32>().clone());
    let (products, seasons, brands) = (text("product_id")?, text("season")?, text("brand")?);
    let offer = listed.shelf.clone().position(|row| products.value(row) == article && seasons.value(row) == season);
    let Some(offer) = offer else {
        let ranked = listed.shelf.len();
        return Ok(format!("it is not among the {ranked} articles of this customer's shelf that are ranked"));
    };
    let brand = brands.value(listed.shelf.start + offer);
    let places = project.params.recommend.per_customer;
    Ok(match listed.became.get(offer) {
        Some(Why::Shown { place }) => {
            let reason = listed.recommendations.get(place - 1).map_or("", |one| one.reason.as_str());
            format!("it is in the list, at place {place}: {reason}")
        }
        Some(Why::Brand { rank, places }) => format!(
            "by score it would stand at place {rank}, but {brand} has all of the {places} places that this customer's own \
             scores give it (recommend.brand_share in params.yaml)"
        ),
        Some(Why::New { rank }) => format!(
            "by score it would stand at place {rank}, but places go to new articles (recommend.at_least_new in params.yaml)"
        ),
        Some(Why::Rank { rank }) => {
            format!("by score it stands at place {rank} of {}, and a list has {places}", listed.shelf.len())
        }
        None => "it is not on this customer's shelf".to_owned(),
    })
}
