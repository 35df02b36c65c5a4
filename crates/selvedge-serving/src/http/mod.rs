//! The interface: JSON over HTTP.

mod events;
mod health;
mod lists;
mod releases;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::keys::{Right, Ring};
use super::state::{Gathering, Shared};
use selvedge_project::error::Error;

/// Bytes of a body.
const BODY: usize = 1 << 20;
/// No request takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// What handlers need.
#[derive(Clone)]
pub struct App {
    pub shared: Arc<Shared>,
    pub gathering: Gathering,
    pub keys: Arc<Ring>,
    pub deadline: Duration,
    /// Whether the page for people is there.
    pub playground: bool,
}

/// Why a request is refused, and what to do.
#[derive(Debug, Serialize, ToSchema)]
struct Refusal {
    error: String,
    #[serde(rename = "do")]
    advice: String,
}

struct Refused(StatusCode, String, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(Refusal { error: self.1, advice: self.2 })).into_response()
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        let mut lines = words.lines().map(|line| line.trim().trim_start_matches("error: "));
        let first = lines.next().unwrap_or_default().to_owned();
        let advice = lines.next().unwrap_or_default().trim_start_matches("do: ").to_owned();
        Self(StatusCode::CONFLICT, first, advice)
    }
}

/// Does work that waits for disks or queries beside the threads that answer.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Refused(StatusCode::INTERNAL_SERVER_ERROR, e.to_string(), String::new()))
}

type Answer<T> = Result<Json<T>, Refused>;

impl App {
    fn permit(&self, headers: &HeaderMap, right: Right) -> Result<(), Refused> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match self.keys.allow(shown.strip_prefix("Bearer ").unwrap_or_default(), right) {
            true => Ok(()),
            false => Err(Refused(
                StatusCode::UNAUTHORIZED,
                "this key is not known, or does not allow this".into(),
                "send `Authorization: Bearer <key>`; `selvedge key` makes one".into(),
            )),
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "selvedge",
    description = "Lists with reasons, for a customer, now; events that count for the next list; releases that can be taken back."
))]
struct Api;

async fn page(State(app): State<App>) -> Response {
    match app.playground {
        true => Html(include_str!("../page.html")).into_response(),
        false => Refused(
            StatusCode::NOT_FOUND,
            "there is no page here".into(),
            "start with `selvedge serve --playground`, or ask for /openapi.json".into(),
        )
        .into_response(),
    }
}

async fn nothing() -> Refused {
    Refused(StatusCode::NOT_FOUND, "there is nothing at this address".into(), "see /openapi.json".into())
}

/// Counts requests, by the pattern of their path: no name of a customer becomes a label.
async fn counted(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    app.shared.metrics.request(&path, response.status().as_u16(), began.elapsed().as_secs_f64());
    response
}

/// Everything that can be asked, and its description.
pub fn router(app: App) -> Router {
    let (router, api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(lists::recommend))
        .routes(routes!(events::events))
        .routes(routes!(lists::why))
        .routes(routes!(releases::releases))
        .routes(routes!(releases::switch))
        .routes(routes!(health::customers))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts();
    router
        .route("/metrics", get(health::metrics))
        .route("/", get(page))
        .route("/openapi.json", get(move || async move { Json(api) }))
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .layer(middleware::from_fn_with_state(app.clone(), counted))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONGEST))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}
