//! Lists: of a customer, of a visitor, of what is like an article.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use selvedge_project::error::did_you_mean;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::sent::{Asked, Body, Named};
use super::{Answer, App, Doubted, Refusal, Refused, beside};
use crate::catalogue::Words;
use crate::keys::Right;
use crate::lists::{Article, Serving};
use crate::log::Answered;
use crate::similar;
use crate::state::Wish;
use crate::who::{Deed, Visitor};

/// The most articles of one answer, and the most that can be left out.
const MOST: usize = 100;

/// An article of a list, as a page shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shown {
    #[serde(flatten)]
    article: Article,
    #[serde(flatten)]
    words: Words,
}

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List {
    /// Names this answer; send it along with what was shown and clicked.
    request: String,
    /// None for a visitor.
    customer_id: Option<String>,
    /// As of when the list is.
    #[serde(with = "crate::moment")]
    #[schema(value_type = String, format = DateTime)]
    as_of: DateTime<Utc>,
    release: String,
    /// What was left out to answer in time.
    degraded: Vec<String>,
    /// Of a visitor: what was sent and cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Doubted>,
    articles: Vec<Shown>,
}

impl App {
    /// An answer, with words for its articles.
    fn told(&self, answered: &Answered, ignored: Vec<Doubted>) -> List {
        let serving = self.shared.serving(&answered.release);
        let words = |article: &Article| {
            let known = serving.as_ref()?.catalogue.article(&article.product_id, &article.season)?;
            Some(known.words.clone())
        };
        let shown = |article: &Article| Shown { article: article.clone(), words: words(article).unwrap_or_default() };
        List {
            request: answered.id.clone(),
            customer_id: Some(answered.customer_id.clone()).filter(|id| !id.is_empty()),
            as_of: answered.basis.map_or(answered.answered_at, |basis| basis.at),
            release: answered.release.clone(),
            degraded: answered.degraded.clone(),
            ignored,
            articles: answered.articles.iter().map(shown).collect(),
        }
    }

    /// The release that answers somebody.
    pub(super) fn serving_of(&self, who: &str) -> Result<Arc<Serving>, Refused> {
        self.shared.serving_of(who).ok_or_else(|| {
            let advice = "promote one with `selvedge release promote <hash>`";
            Refused(StatusCode::SERVICE_UNAVAILABLE, "no release serves".into(), advice.into())
        })
    }
}

/// How a list is to be cut.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Cut {
    /// How many articles, at most 100 [default: recommend.per_customer of params.yaml]
    #[param(minimum = 1, maximum = 100)]
    n: Option<usize>,
    /// How many to leave out at the beginning.
    #[param(minimum = 0, maximum = 100)]
    offset: Option<usize>,
    /// Only articles of these kinds, with commas between; GET /categories has them.
    category: Option<String>,
    /// Article numbers to leave out, at most 100, with commas between.
    exclude: Option<String>,
}

/// How a list is to be cut, checked.
struct Sound {
    articles: usize,
    offset: usize,
    category: Vec<String>,
    exclude: Vec<String>,
}

fn refused(error: String, advice: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, error, advice.into())
}

fn items(text: Option<&str>) -> Vec<String> {
    let items: BTreeSet<&str> = text.unwrap_or_default().split(',').map(str::trim).collect();
    items.into_iter().filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

impl Cut {
    fn sound(&self, length: usize, serving: &Serving) -> Result<Sound, Refused> {
        let (articles, offset) = (self.n.unwrap_or(length), self.offset.unwrap_or(0));
        if !(1..=MOST).contains(&articles) || offset > MOST {
            let advice = format!("ask for 1 to {MOST} articles, and leave out at most {MOST}");
            return Err(refused(format!("n is {articles} and offset {offset}"), advice));
        }
        let (category, exclude) = (items(self.category.as_deref()), items(self.exclude.as_deref()));
        if exclude.len() > MOST {
            let advice = format!("leave out at most {MOST}");
            return Err(refused(format!("{} articles are to be left out", exclude.len()), advice));
        }
        let known = serving.catalogue.categories();
        match category.iter().find(|category| !known.contains(*category)) {
            Some(odd) => {
                let advice = did_you_mean(odd, known.iter().map(String::as_str), "GET /categories has those there are");
                Err(refused(format!("there are no articles of the kind '{odd}'"), advice))
            }
            None => Ok(Sound { articles, offset, category, exclude }),
        }
    }
}

/// The list of a customer, now.
#[utoipa::path(get, path = "/recommend/{customer}", params(("customer" = String, Path, description = "customer_id"), Cut),
    responses((status = 200, body = List), (status = 400, body = Refusal), (status = 401, body = Refusal), (status = 404, body = Refusal),
              (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn recommend(
    State(app): State<App>,
    Named(customer): Named<String>,
    Asked(cut): Asked<Cut>,
    headers: HeaderMap,
) -> Answer<List> {
    app.permit(&headers, Right::Read)?;
    let length = app.shared.project.params.recommend.per_customer;
    let Sound { articles, offset, category, exclude } = cut.sound(length, app.serving_of(&customer)?.as_ref())?;
    let wish = Wish { customer: customer.clone(), visitor: None, articles, offset, exclude, category };
    match app.shared.list(&app.gathering, wish, app.deadline).await {
        Some(answered) => Ok(Json(app.told(&answered, Vec::new()))),
        None => Err(Refused(
            StatusCode::NOT_FOUND,
            format!("there is no customer '{customer}' in this release"),
            "new customers come with the next release; until then send what they did to POST /recommend".into(),
        )),
    }
}

/// Somebody without an id, and how their list is to be cut.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Anonymous {
    /// Whether the visitor agreed to personalisation: without it their events are not used, and the list is what is popular.
    #[serde(default)]
    personalisation_consent: bool,
    /// Where they are, as the shop's customers have it.
    region: Option<String>,
    /// The country that articles must be sent to [default: where most customers are]
    country: Option<String>,
    /// What they did in this visit, in its order, at most 200; it is kept with the answer alone.
    #[serde(default)]
    events: Vec<Deed>,
    #[schema(minimum = 1, maximum = 100)]
    n: Option<usize>,
    #[schema(minimum = 0, maximum = 100)]
    offset: Option<usize>,
    /// Only articles of these kinds, with commas between.
    category: Option<String>,
    /// Article numbers to leave out, with commas between.
    exclude: Option<String>,
}

/// The list of a visitor of whom nothing is known but the visit; made by the same features, ranking and reasons.
#[utoipa::path(post, path = "/recommend", request_body = Anonymous,
    responses((status = 200, body = List), (status = 400, body = Refusal), (status = 401, body = Refusal), (status = 413, body = Refusal),
              (status = 415, body = Refusal), (status = 422, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn anonymous(State(app): State<App>, headers: HeaderMap, Body(asked): Body<Anonymous>) -> Answer<List> {
    app.permit(&headers, Right::Read)?;
    let Anonymous { personalisation_consent, region, country, mut events, n, offset, category, exclude } = asked;
    let mut ignored = Vec::new();
    if !personalisation_consent {
        let doubt = |index| Doubted { index, why: "personalisation_consent is not true: it is not used".into() };
        ignored.extend((0..events.len()).map(doubt));
        events.clear();
    }
    let visitor = Arc::new(Visitor { personalisation_consent, region, country, events });
    let now = app.shared.now();
    visitor.sound(now).map_err(|words| refused(words, "send the visit's events and where the visitor is"))?;
    let serving = app.serving_of(&visitor.name())?;
    for (index, why) in serving.ignored(&visitor, now)? {
        ignored.push(Doubted { index, why });
    }
    let length = app.shared.project.params.recommend.per_customer;
    let cut = Cut { n, offset, category, exclude };
    let Sound { articles, offset, category, exclude } = cut.sound(length, &serving)?;
    let wish = Wish { customer: String::new(), visitor: Some(visitor), articles, offset, exclude, category };
    let answered = app.shared.list(&app.gathering, wish, app.deadline).await;
    let none = || Refused(StatusCode::SERVICE_UNAVAILABLE, "no release serves".into(), "try again in a second".into());
    let answered = answered.ok_or_else(none)?;
    Ok(Json(app.told(&answered, ignored)))
}

/// An article that is like another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alike {
    /// 1 is the first.
    place: usize,
    product_id: String,
    season: String,
    brand: Option<String>,
    /// How like it is: 1 is the same.
    score: f64,
    /// On what that rests: `descriptions`, or `what they share` where one of both has none.
    basis: String,
    reason: String,
    #[serde(flatten)]
    words: Words,
}

/// What is like an article.
#[derive(Debug, Serialize, ToSchema)]
pub struct Similar {
    release: String,
    #[serde(with = "crate::moment")]
    #[schema(value_type = String, format = DateTime)]
    as_of: DateTime<Utc>,
    articles: Vec<Alike>,
}

/// How like articles are to be cut.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CutAlike {
    /// How many articles, at most 100 [default: recommend.per_customer of params.yaml]
    #[param(minimum = 1, maximum = 100)]
    n: Option<usize>,
    /// How many to leave out at the beginning.
    #[param(minimum = 0, maximum = 100)]
    offset: Option<usize>,
    /// Only articles of these kinds, with commas between.
    category: Option<String>,
    /// Article numbers to leave out, with commas between.
    exclude: Option<String>,
    /// Only what is sent to this country.
    country: Option<String>,
}

/// What can be had now and is most like an article.
#[utoipa::path(get, path = "/similar/{product_id}/{season}",
    params(("product_id" = String, Path, description = "article number"), ("season" = String, Path, description = "its season"), CutAlike),
    responses((status = 200, body = Similar), (status = 400, body = Refusal), (status = 401, body = Refusal), (status = 404, body = Refusal),
              (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn similar(
    State(app): State<App>,
    Named((product, season)): Named<(String, String)>,
    Asked(asked): Asked<CutAlike>,
    headers: HeaderMap,
) -> Answer<Similar> {
    app.permit(&headers, Right::Read)?;
    let serving = app.serving_of("")?;
    let length = app.shared.project.params.recommend.per_customer;
    let CutAlike { n, offset, category, exclude, country } = asked;
    let Sound { articles, offset, category, exclude } = Cut { n, offset, category, exclude }.sound(length, &serving)?;
    let (wish, at) = (similar::Wish { articles, offset, exclude, category, country }, app.shared.now());
    let release = serving.release.hash.clone();
    let (found, serving) =
        beside(move || (serving.similar(&product, &season, &wish, at).ok_or((product, season)), serving)).await?;
    let found = found.map_err(|(product, season)| {
        let error = format!("there is no article '{product}' of the season '{season}' in this release");
        Refused(StatusCode::NOT_FOUND, error, "name an article number and its season, such as those of a list".into())
    })?;
    let alike = |(place, alike): (usize, similar::Alike)| Alike {
        place,
        words: serving.catalogue.articles.get(&alike.key).map(|known| known.words.clone()).unwrap_or_default(),
        product_id: alike.key.0,
        season: alike.key.1,
        brand: alike.brand,
        score: alike.score,
        basis: alike.basis.into(),
        reason: alike.reason,
    };
    let articles = (offset + 1..).zip(found).map(alike).collect();
    Ok(Json(Similar { release, as_of: at, articles }))
}
