//! Ten articles for every customer: on sale at the moment, shippable, not owned, each with its score and its reason.

mod choose;
mod compare;
mod explain;
mod request;
mod table;
mod why_not;

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use rayon::prelude::*;
use recommenders::lists::Why;

pub use self::choose::{list, lists, rules, worth};
use self::compare::{compare, register};
use self::explain::{Phrases, Reason};
use self::request::everybody;
pub use self::request::{Listing, Lists, Took, Wanted};
pub use self::why_not::why_not;

use crate::rank::{self, Catalogue, Ranking, Which, baseline};
use crate::shelf::{self, Past, Session, Shelves, Things, column, requests_of, truths};
use selvedge_engine::{Staged, Table};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};
use selvedge_project::stage::Stage;

/// Basis of what rests on what this customer told and did.
const PERSONAL: &str = "personal";
/// Basis of what does not rest on what this customer did.
const POPULAR: &str = "popular in the region";
/// Basis of what is shown to those who consent while no ranking leads popularity.
const POPULAR_IN_SHOP: &str = "popular in the shop";
/// What is said where there was no time for the reasons; it is true of every article of a personal list.
const NO_TIME: &str = "among what fits you best";
/// Rows of shelves that stand in memory with their features at a time.
const ROWS: usize = 1 << 18;

#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    #[error("nothing is on sale at {0} that can be sent to anybody")]
    NothingOnSale(String),
    #[error("there is no customer '{0}'")]
    NoCustomer(String),
    #[error("no article ever had the number '{article}'")]
    NoArticle { article: String, known: Vec<String> },
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
            Self::NoCustomer(_) => Some("name a customer_id of customers.csv".into()),
            Self::NoArticle { article, known } => {
                Some(did_you_mean(article, known.iter().map(String::as_str), "name a product_id of products.csv"))
            }
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
    /// Row in the candidates.
    row: usize,
    score: f64,
    chance: Option<f64>,
    basis: &'static str,
    reason: String,
    /// None where it rests on no customer's behaviour.
    why: Option<Reason>,
}

/// How lists are made: the ranking, or why there is none that speaks.
struct Maker {
    project: Project,
    phrases: Phrases,
    ranking: Option<Arc<Ranking>>,
    /// Names the ranking.
    version: String,
    /// What history is read of: the same whoever asks.
    things: OnceLock<Arc<Things>>,
}

/// A customer's shelf, and the list that was chosen from it.
struct Listed {
    customer: String,
    /// The candidates that are the customer's.
    shelf: Range<usize>,
    /// What became of each of them.
    became: Vec<Why>,
    recommendations: Vec<Recommendation>,
}

impl Maker {
    /// As of the export, or as of an earlier moment from what was known then.
    fn of(project: &Project, as_of: Option<DateTime<Utc>>) -> Result<Self> {
        let phrases = Phrases::of(project)?;
        let fitted = rank::load(project, Which::Served)?;
        let version = if fitted.speaks() { fitted.version() } else { "none yet".to_owned() };
        let ranking = match as_of {
            _ if !fitted.speaks() => None,
            None => fitted.ranking,
            Some(moment) => rank::as_of(project, moment)?,
        };
        Ok(Self { project: project.clone(), phrases, ranking: ranking.map(Arc::new), version, things: OnceLock::new() })
    }

    fn things(&self, ranking: &Ranking, session: &Session) -> Result<Arc<Things>> {
        if let Some(known) = self.things.get() {
            return Ok(Arc::clone(known));
        }
        let things = ranking.things(session)?;
        Ok(Arc::clone(self.things.get_or_init(|| things)))
    }

    /// The lists of the customers whose shelves these are, and how long their parts took.
    fn lists(&self, session: &Session, shelves: &Shelves, past: &Past, wanted: &Wanted) -> Result<(Vec<Listed>, Took)> {
        let candidates = &shelves.candidates;
        let file = "sql/recommend/candidates.sql";
        let (personal, new) = (truths(candidates, file, "personal")?, truths(candidates, file, "new")?);
        let brands = column(candidates, file, "brand")?.as_string::<i32>();
        let customers = column(candidates, file, "customer_id")?.as_string::<i32>();
        let rules = rules(&self.project.params.recommend);
        let choose = |shelf: &Range<usize>, scores: &[f64]| {
            let new: Vec<bool> = shelf.clone().map(|row| personal[row] && new[row]).collect();
            let brands: Vec<_> = shelf.clone().map(|row| brands.is_valid(row).then(|| brands.value(row))).collect();
            let places = wanted.places.map_or(0, |places| places(customers.value(shelf.start)));
            let may = |row: usize| wanted.may.is_none_or(|may| may[shelf.start + row]);
            lists(scores, &brands, &new, rules, places, may)
        };
        let ranking = self.ranking.as_ref().filter(|_| wanted.ranked);
        let (ranked, unranked): (Vec<Range<usize>>, Vec<Range<usize>>) =
            requests_of(candidates)?.into_iter().partition(|shelf| ranking.is_some() && personal[shelf.start]);
        let mut all = Vec::with_capacity(ranked.len() + unranked.len());
        let mut took = Took { explained: true, ..Took::default() };
        if let Some(ranking) = ranking.filter(|_| !ranked.is_empty()) {
            let began = Instant::now();
            let asked: BooleanArray = personal.iter().map(|personal| Some(*personal)).collect();
            let rows = session.features(&filter_record_batch(candidates, &asked).map_err(RecommendError::Arrow)?)?;
            took.features = began.elapsed();
            took.explained = wanted.reasons.is_none_or(|in_time| in_time());
            let began = Instant::now();
            let listed = ranking.lists(&rows, past, took.explained, |at, scores| {
                let (chosen, became) = choose(&ranked[at], scores);
                (chosen.clone(), (chosen, became))
            })?;
            took.rank = began.elapsed();
            let began = Instant::now();
            let groups = ranking.groups()?;
            let voices = self.phrases.voices(&groups);
            let of_shelf = |(shelf, found): (Range<usize>, rank::Listed<(Vec<usize>, Vec<Why>)>)| {
                let (chosen, became) = found.chosen;
                let rows = rows.slice(found.rows.start, found.rows.len());
                let reasons: Vec<Option<Reason>> = match took.explained {
                    true => self
                        .phrases
                        .explain(&voices, &rows, &chosen, found.parts.view())
                        .into_iter()
                        .map(Some)
                        .collect(),
                    false => vec![None; chosen.len()],
                };
                let recommendation = |(row, why): (&usize, Option<Reason>)| {
                    let score = found.scores[*row];
                    let reason = why.as_ref().map_or(NO_TIME, |why| why.say.as_str()).to_owned();
                    Recommendation {
                        row: shelf.start + row,
                        score,
                        chance: ranking.chance(score),
                        basis: PERSONAL,
                        reason,
                        why,
                    }
                };
                let recommendations = chosen.iter().zip(reasons).map(recommendation).collect();
                Listed { customer: customers.value(shelf.start).to_owned(), shelf, became, recommendations }
            };
            all.extend(ranked.into_par_iter().zip(listed).map(of_shelf).collect::<Vec<_>>());
            took.explain = began.elapsed();
        }
        let (popular, in_shop) = (baseline(shelves, "popular")?, baseline(shelves, "popular_in_shop")?);
        let because = self.because(shelves)?;
        all.extend(unranked.into_iter().map(|shelf| {
            let (counts, basis) = if personal[shelf.start] { (&in_shop, POPULAR_IN_SHOP) } else { (&popular, POPULAR) };
            let scores: Vec<f64> = shelf.clone().map(|row| worth(counts[row])).collect();
            let (chosen, became) = choose(&shelf, &scores);
            let recommendation = |row: usize| {
                let row = shelf.start + row;
                let reason = because.value(row).to_owned();
                Recommendation { row, score: counts[row], chance: None, basis, reason, why: None }
            };
            let recommendations = chosen.into_iter().map(recommendation).collect();
            Listed { customer: customers.value(shelf.start).to_owned(), shelf: shelf.clone(), became, recommendations }
        }));
        Ok((all, took))
    }

    /// What the ranking must know of what customers did.
    fn past(&self, session: &Session) -> Result<Past> {
        let Some(ranking) = &self.ranking else { return Ok(Past::default()) };
        ranking.past_among(session, self.things(ranking, session)?)
    }

    /// What retrieval searches, where shelves are too long to be ranked whole.
    fn catalogue(
        &self,
        session: &Session,
        requests: &RecordBatch,
        past: &Past,
        moment: DateTime<Utc>,
    ) -> Result<Option<Catalogue>> {
        if !session.is_long()? {
            return Ok(None);
        }
        let moment = moment.timestamp_nanos_opt().unwrap_or_default();
        let catalogue = Catalogue::at(session, self.ranking.as_ref(), requests, moment)?;
        catalogue.with_graph(session, requests, past).map(Some)
    }

    /// The requests in parts that memory is meant for, with whether they need what is popular: where the ranking speaks, only
    /// those do whom it may not serve.
    fn parts(&self, session: &Session, requests: &RecordBatch) -> Result<Vec<(RecordBatch, bool)>> {
        let file = "sql/sources/customers.sql";
        let customers = session.engine().read(&TableName::new("sources", "customers"))?;
        let personal = truths(&customers, file, "personalisation_consent")?;
        let mut all = Vec::new();
        for ranked in [true, false] {
            let asked = personal.iter().map(|personal| Some((*personal && self.ranking.is_some()) == ranked));
            let asked: BooleanArray = asked.collect();
            let requests = filter_record_batch(requests, &asked).map_err(RecommendError::Arrow)?;
            all.extend(session.parts(&requests, ROWS)?.into_iter().map(|part| (part, !ranked)));
        }
        Ok(all)
    }

    /// What is said of what is popular.
    fn because(&self, shelves: &Shelves) -> Result<StringArray> {
        let file = "sql/recommend/baselines.sql";
        let Some(baselines) = &shelves.baselines else {
            return Ok(StringArray::from(vec!["on sale now"; shelves.candidates.num_rows()]));
        };
        Ok(shelf::typed(baselines, file, "because", &DataType::Utf8, "a text")?.as_string::<i32>().clone())
    }
}

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
    layers: &[EXPOSURE],
    sections: &["recommend", "features", "rank"],
    keeps: &[("exposure", "exposure"), ("recommendations", "recommendations.parquet")],
    makes: &["recommendations", "exposure.lifted"],
    run: |project| run(project, None),
};

/// Runs the stage: `work/recommendations.parquet`, and what the lists show: `work/exposure/*.parquet`.  With `as_of` the lists
/// of an earlier moment, from what was known then.
pub fn run(project: &Project, as_of: Option<DateTime<Utc>>) -> Result<()> {
    let progress = Progress::start("recommend");
    let project = &as_of.map_or_else(|| project.clone(), |moment| project.as_of(moment));
    let moment = project.params.shop.exported_at;
    let maker = Maker::of(project, as_of)?;
    let loaded = Instant::now();
    let mut session = Session::new(project)?;
    let requests = everybody(session.engine(), moment)?;
    if session.is_long()? {
        session = session.knowing_articles(&requests, moment.timestamp_nanos_opt().unwrap_or_default())?;
        session = session.narrowed_to(&requests)?;
        session.slow()?.into_iter().for_each(|words| progress.say(words));
    }
    let past = maker.past(&session)?;
    let catalogue = maker.catalogue(&session, &requests, &past, moment)?;
    let mut tables: Vec<Table> = Vec::new();
    for (part, with_baselines) in maker.parts(&session, &requests)? {
        let retrieved = catalogue.as_ref().map(|catalogue| catalogue.retrieved(&session, &part, &past, None));
        // What is popular at the moment of all lists was worked out for retrieval.
        let made: &[&str] = if catalogue.is_some() { &["popular"] } else { &[] };
        let shelves = session.shelves_beside(made, part, retrieved.transpose()?, with_baselines)?;
        if shelves.candidates.num_rows() > 0 {
            let (listed, _) = maker.lists(&session, &shelves, &past, &Wanted::default())?;
            tables.push(table::written(&maker, moment, &shelves.candidates, &listed)?);
        }
    }
    let key = ["customer_id", "rank"].map(str::to_owned);
    let Some(first) = tables.first() else { return Err(RecommendError::NothingOnSale(moment.to_string()).into()) };
    let batches: Vec<&RecordBatch> = tables.iter().map(|table| &table.batch).collect();
    let whole = datafusion::arrow::compute::concat_batches(&first.batch.schema(), batches);
    let recommendations = Table::new(whole.map_err(RecommendError::Arrow)?, &key, "recommendations")?;
    progress.say(format!(
        "{} recommendations in {:.1} s once the ranking was loaded",
        recommendations.batch.num_rows(),
        loaded.elapsed().as_secs_f64()
    ));

    let staged = Staged::new(&project.paths, "recommend")?;
    let notes = [("model", maker.version.clone()), ("features", maker.phrases.versions.clone())];
    staged.table(&project.paths.recommendations(), None, &recommendations, &notes)?;
    let engine = session.engine();
    let lifted = table::lifted(&recommendations.batch, &maker.phrases.drivers)?;
    staged.table(&project.paths.exposure(), Some(table::LIFTED), &lifted, &notes)?;
    engine.register(&TableName::new(EXPOSURE.folder, table::LIFTED), lifted.batch)?;
    engine.register(&TableName::bare("recommendations"), recommendations.batch)?;
    // What the lists are compared with is worked out once they stand.
    compare(project, &session, requests, catalogue.as_ref())?;
    for file in project.library.layer(EXPOSURE) {
        let table = register(project, engine, file)?;
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
