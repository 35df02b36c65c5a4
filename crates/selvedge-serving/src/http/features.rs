//! Features, as the server sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use selvedge_project::error::Error;
use selvedge_project::sql::{Header, Layer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::sent::{Asked, Named};
use super::{Answer, App, Refusal, Refused, beside};
use crate::articles::of_articles;
use crate::keys::Right;
use crate::views::Of;

/// Of whom or what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Key {
    /// Where the view is of customers.
    customer_id: Option<String>,
    /// Where it is of articles.
    product_id: Option<String>,
    /// Where it is of articles.
    season: Option<String>,
}

/// A row of a feature view.
#[derive(Debug, Serialize, ToSchema)]
pub struct Features {
    view: String,
    version: u32,
    /// What it has a row for.
    entity: String,
    release: String,
    /// As of when it is known: now, or when articles were last looked at.
    #[serde(with = "crate::moment")]
    #[schema(value_type = String, format = DateTime)]
    as_of: DateTime<Utc>,
    /// How old it may be when a list is made, where the view's header says so.
    fresh_for: Option<String>,
    /// Whether it is older than that: then it is missing from lists.
    stale: bool,
    /// Value by column; null where nothing is known.
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    /// The columns of which nothing is known.
    missing: Vec<String>,
}

/// A feature view.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewOf {
    view: String,
    version: u32,
    entity: String,
    /// What names a row: ask with these.
    key: Vec<String>,
    /// Whether it is worked out for all articles now and then, and not for each request.
    kept: bool,
    fresh_for: Option<String>,
    columns: Vec<ColumnOf>,
}

/// A column of a feature view.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnOf {
    name: String,
    unit: String,
    meaning: String,
}

/// A row of a feature view, as a list would read it now.
#[utoipa::path(get, path = "/features/{view}", params(("view" = String, Path, description = "a file of sql/features"), Key),
    responses((status = 200, body = Features), (status = 400, body = Refusal), (status = 401, body = Refusal), (status = 404, body = Refusal),
              (status = 409, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn features(
    State(app): State<App>,
    Named(view): Named<String>,
    Asked(key): Asked<Key>,
    headers: HeaderMap,
) -> Answer<Features> {
    app.permit(&headers, Right::Read)?;
    let serving = app.serving_of(key.customer_id.as_deref().unwrap_or_default())?;
    let Key { customer_id, product_id, season } = key;
    let (of, shared) = (Of { customer_id, product_id, season }, Arc::clone(&app.shared));
    let (release, name) = (serving.release.hash.clone(), view.clone());
    let found = beside(move || serving.features(&shared.past, &name, &of, shared.now())).await?;
    let row = found.map_err(|error| {
        let absent = error.is_absence();
        let Refused(_, words, advice) = Refused::from(Error::from(error));
        Refused(if absent { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST }, words, advice)
    })??;
    Ok(Json(Features {
        view,
        version: row.version,
        entity: row.entity,
        release,
        as_of: row.as_of,
        fresh_for: row.fresh_for.map(|fresh| fresh.to_string()),
        stale: row.stale,
        values: row.values,
        missing: row.missing,
    }))
}

/// The feature views there are, and what their columns mean.
#[utoipa::path(get, path = "/features",
    responses((status = 200, body = Vec<ViewOf>), (status = 401, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn views(State(app): State<App>, headers: HeaderMap) -> Answer<Vec<ViewOf>> {
    app.permit(&headers, Right::Read)?;
    let serving = app.serving_of("")?;
    let project = &serving.tables.project;
    let mut views = Vec::new();
    for file in project.library.layer(Layer::FEATURES) {
        let Header::Feature(header) = &file.header else { continue };
        let column = |(name, column): (&String, &selvedge_project::sql::Column)| ColumnOf {
            name: name.clone(),
            unit: column.unit.clone(),
            meaning: column.meaning.clone(),
        };
        views.push(ViewOf {
            view: header.name.clone(),
            version: header.version,
            entity: header.entity.clone(),
            key: project.library.key(file).iter().filter(|name| *name != "as_of").cloned().collect(),
            kept: of_articles(project, file),
            fresh_for: header.fresh_for.map(|fresh| fresh.to_string()),
            columns: header.columns.iter().map(column).collect(),
        });
    }
    Ok(Json(views))
}
