//! Why an article stood in a list, or not.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::sent::Named;
use super::{Answer, App, Refusal, Refused, beside};
use crate::keys::Right;
use crate::lists::Article;

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
    responses((status = 200, body = Why), (status = 400, body = Refusal), (status = 401, body = Refusal), (status = 404, body = Refusal),
              (status = 409, body = Refusal), (status = 429, body = Refusal)))]
pub async fn why(
    State(app): State<App>,
    Named((request, product)): Named<(String, String)>,
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
            let (shared, ask) = (Arc::clone(&app.shared), answered.wished.ask(&answered.customer_id));
            beside(move || serving.why_not(&shared.past, &ask, &product, basis)).await??
        }
        (None, _, _) => format!("article {product} was not in this list of {}", answered.articles.len()),
    };
    let (answered_at, release) = (answered.answered_at, answered.release.clone());
    Ok(Json(Why { request, answered_at, release, article, said }))
}
