//! Lists, and why an article stood in one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, App, Refusal, Refused, beside};
use crate::keys::Right;
use crate::lists::Article;
use crate::log::Answered;
use crate::state::Wish;

/// The most articles of one answer.
const MOST: usize = 100;

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List {
    /// Names this answer; send it along with what was shown and clicked.
    request: String,
    customer_id: String,
    /// As of when the list is.
    #[serde(with = "crate::moment")]
    #[schema(value_type = String, format = DateTime)]
    as_of: DateTime<Utc>,
    release: String,
    /// What was left out to answer in time.
    degraded: Vec<String>,
    articles: Vec<Article>,
}

impl From<&Answered> for List {
    fn from(answered: &Answered) -> Self {
        Self {
            request: answered.id.clone(),
            customer_id: answered.customer_id.clone(),
            as_of: answered.basis.map_or(answered.answered_at, |basis| basis.at),
            release: answered.release.clone(),
            degraded: answered.degraded.clone(),
            articles: answered.articles.clone(),
        }
    }
}

/// How a list is to be cut.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// How many articles, at most 100 [default: recommend.per_customer of params.yaml]
    #[param(minimum = 1, maximum = 100)]
    n: Option<usize>,
    /// How many to leave out at the beginning.
    #[param(minimum = 0, maximum = 100)]
    offset: Option<usize>,
    /// Article numbers to leave out, with commas between.
    exclude: Option<String>,
}

/// The list of a customer, now.
#[utoipa::path(get, path = "/recommend/{customer}", params(("customer" = String, Path, description = "customer_id"), Cut),
    responses((status = 200, body = List), (status = 400, description = "A parameter that cannot be read"),
              (status = 401, body = Refusal), (status = 404, body = Refusal)))]
pub async fn recommend(
    State(app): State<App>,
    Path(customer): Path<String>,
    Query(cut): Query<Cut>,
    headers: HeaderMap,
) -> Answer<List> {
    app.permit(&headers, Right::Read)?;
    let length = app.shared.project.params.recommend.per_customer;
    let (articles, offset) = (cut.n.unwrap_or(length), cut.offset.unwrap_or(0));
    if !(1..=MOST).contains(&articles) || offset > MOST {
        return Err(Refused(
            StatusCode::BAD_REQUEST,
            format!("n is {articles} and offset {offset}"),
            format!("ask for 1 to {MOST} articles, and leave out at most {MOST}"),
        ));
    }
    let exclude = cut.exclude.unwrap_or_default().split(',').map(|number| number.trim().to_owned()).collect();
    let wish = Wish { customer: customer.clone(), articles, offset, exclude };
    match app.shared.list(&app.gathering, wish, app.deadline).await {
        Some(answered) => Ok(Json(answered.as_ref().into())),
        None => Err(Refused(
            StatusCode::NOT_FOUND,
            format!("there is no customer '{customer}' in this release"),
            "new customers come with the next release; show what is popular until then".into(),
        )),
    }
}

/// Why an article stood in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Why {
    request: String,
    #[serde(with = "crate::moment")]
    #[schema(value_type = String, format = DateTime)]
    answered_at: DateTime<Utc>,
    release: String,
    /// None where it did not stand there; then `said` says why not, as of that answer.
    article: Option<Article>,
    said: String,
}

/// Why an article stood in a list, or which filter, which rule or how many places kept it out.
#[utoipa::path(get, path = "/why/{request}/{product_id}",
    params(("request" = String, Path, description = "request of a list"), ("product_id" = String, Path, description = "article number")),
    responses((status = 200, body = Why), (status = 401, body = Refusal), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn why(
    State(app): State<App>,
    Path((request, product)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Why> {
    app.permit(&headers, Right::Read)?;
    let (shared, name) = (Arc::clone(&app.shared), request.clone());
    let found = beside(move || shared.answered(&name)).await??;
    let Some(answered) = found else {
        return Err(Refused(
            StatusCode::NOT_FOUND,
            format!("there is no answer '{request}'"),
            "send the request of a list that was answered here; those of who has not agreed to personalisation are not kept".into(),
        ));
    };
    let article = answered.articles.iter().find(|article| article.product_id == product).cloned();
    let said = match (&article, app.shared.serving(&answered.release), answered.basis) {
        (Some(article), _, _) => format!("place {}: {}", article.place, article.reason),
        (None, Some(serving), Some(basis)) => {
            let (shared, customer) = (Arc::clone(&app.shared), answered.customer_id.clone());
            beside(move || serving.why_not(&shared.past, &customer, &product, basis)).await??
        }
        (None, _, _) => format!("article {product} was not in this list of {}", answered.articles.len()),
    };
    let (answered_at, release) = (answered.answered_at, answered.release.clone());
    Ok(Json(Why { request, answered_at, release, article, said }))
}
