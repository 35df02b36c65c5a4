//! How things stand: health, counts, and some customers to try.

use std::sync::PoisonError;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, App, Refusal};
use crate::journal;
use crate::keys::Right;
use crate::lists::Serving;
use crate::past;
use crate::state::Standing;

/// Whether the process is there.
#[utoipa::path(get, path = "/health/live", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn live() -> &'static str {
    "alive"
}

/// How things stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    ready: bool,
    release: Option<String>,
    ranking: Option<String>,
    /// Events that are known.
    events: usize,
    /// As of when articles are known.
    #[serde(with = "crate::moment::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    articles_as_of: Option<DateTime<Utc>>,
    /// What is not as it should be.
    missing: Vec<String>,
}

impl App {
    /// What is not as it should be, in words.
    fn missing(&self) -> Vec<String> {
        let (shared, mut missing) = (&self.shared, Vec::new());
        let state = shared.state();
        let Some(serving) = state.serving.as_deref().and_then(|hash| shared.serving(hash)) else {
            return vec!["no release serves; promote one with `selvedge release promote <hash>`".to_owned()];
        };
        if serving.ranking() == "none yet" {
            missing.push("the release has no ranking that leads popularity: popular articles are shown".to_owned());
        }
        if !serving.is_narrowed() {
            missing.push(
                "a feature view reads other customers' events: every list is made from all of them, slower".to_owned(),
            );
        }
        if let Some(change) = &state.taken_back {
            missing.push(format!("release {} was taken back at {}: {}", change.release, change.at, change.because));
        }
        missing.extend(serving.known().views(shared.now()).1);
        if serving.unused() > 0 {
            let unused = serving.unused();
            missing.push(format!("{unused} events wait: this release knows no such customer, article or order"));
        }
        let [_, cut, odd] = shared.metrics.found();
        if cut > 0 {
            missing.push(format!("{cut} bytes of an event that was being written when the server was stopped; nobody had been told that it was kept"));
        }
        if odd > 0 {
            let journal = journal::shown(&shared.folder, past::FILE);
            missing.push(format!("{odd} records of {journal} are no events"));
        }
        let most = shared.project.params.serve.connections;
        if shared.metrics.present() >= i64::try_from(most).unwrap_or(i64::MAX) {
            missing.push(format!("all {most} connections are taken (serve.connections): others are sent away"));
        }
        missing.extend(self.keys.trouble());
        let troubles = shared.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        missing.extend(troubles.iter().filter(|(place, _)| **place != "keys.json").map(|(_, words)| words.clone()));
        missing
    }
}

/// Whether lists can be answered, and what is missing.
#[utoipa::path(get, path = "/health/ready", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn ready(State(app): State<App>) -> Response {
    let shared = &app.shared;
    let serving = shared.state().serving.as_ref().and_then(|hash| shared.serving(hash));
    let health = Health {
        ready: serving.is_some(),
        release: serving.as_ref().map(|serving| serving.release.hash.clone()),
        ranking: serving.as_ref().map(|serving| serving.ranking().to_owned()),
        events: shared.past.read().unwrap_or_else(PoisonError::into_inner).count(),
        articles_as_of: serving.as_ref().map(|serving| serving.articles_at()),
        missing: app.missing(),
    };
    let code = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health)).into_response()
}

/// Some customers to try.
#[utoipa::path(get, path = "/customers",
    responses((status = 200, body = Vec<String>), (status = 401, body = Refusal), (status = 429, body = Refusal)))]
pub async fn customers(State(app): State<App>, headers: HeaderMap) -> Answer<Vec<String>> {
    app.permit(&headers, Right::Read)?;
    let serving = app.shared.state().serving.as_ref().and_then(|hash| app.shared.serving(hash));
    Ok(Json(serving.map(|serving| serving.tables.customers(200)).unwrap_or_default()))
}

/// The kinds of articles there are.
#[utoipa::path(get, path = "/categories",
    responses((status = 200, body = Vec<String>), (status = 401, body = Refusal), (status = 429, body = Refusal)))]
pub async fn categories(State(app): State<App>, headers: HeaderMap) -> Answer<Vec<String>> {
    app.permit(&headers, Right::Read)?;
    let serving = app.shared.state().serving.as_ref().and_then(|hash| app.shared.serving(hash));
    let categories = |serving: &Serving| serving.catalogue.categories().iter().cloned().collect();
    Ok(Json(serving.as_deref().map(categories).unwrap_or_default()))
}

pub async fn metrics(State(app): State<App>) -> Response {
    let (shared, state) = (&app.shared, app.shared.state());
    let serving = state.serving.as_deref().and_then(|hash| shared.serving(hash));
    let age = |serving: &Serving| (shared.now() - serving.articles_at()).num_milliseconds() as f64 / 1e3;
    let canary = state.canary.as_ref().map(|canary| &canary.release);
    let roles = [(state.serving.as_ref(), "serving"), (canary, "canary"), (state.shadow.as_ref(), "shadow")];
    let standing = Standing {
        articles_age: serving.as_deref().map(age).unwrap_or_default(),
        events: shared.past.read().unwrap_or_else(PoisonError::into_inner).count(),
        unused: serving.as_deref().map(Serving::unused).unwrap_or_default(),
        missing: app.missing().len(),
        roles: roles.into_iter().filter_map(|(release, role)| Some((release?.clone(), role))).collect(),
    };
    let text = shared.metrics.text(&standing);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
