//! The interface: JSON over HTTP.

mod events;
mod features;
mod health;
mod lists;
mod page;
mod rates;
mod releases;
mod sent;
mod why;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::rates::Rates;

use super::access_log::AccessLog;
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
    pub rates: Arc<Rates>,
    pub deadline: Duration,
    /// Whether the page for people is there.
    pub playground: bool,
    /// Where each request is written down; none where that is not wanted.
    pub access_log: Option<AccessLog>,
}

/// Why a request is refused, and what to do.
#[derive(Debug, Serialize, ToSchema)]
struct Refusal {
    error: String,
    #[serde(rename = "do")]
    advice: String,
}

/// A refusal with its code: what is wrong, and what to do.
pub struct Refused(StatusCode, String, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(code, error, advice) = self;
        let mut response = (code, Json(Refusal { error, advice })).into_response();
        if [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&code) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// An event of which something is to be said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Doubted {
    /// Its place in what was sent; 0 is the first.
    pub index: usize,
    pub why: String,
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
    /// The name of the key that is shown; none where it does not allow this.
    fn key(&self, headers: &HeaderMap, right: Right) -> Option<String> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.keys.allow(shown.strip_prefix("Bearer ").unwrap_or_default(), right)
    }

    fn permit(&self, headers: &HeaderMap, right: Right) -> Result<(), Refused> {
        let Some(key) = self.key(headers, right) else {
            return Err(Refused(
                StatusCode::UNAUTHORIZED,
                "this key is not known, or does not allow this".into(),
                "send `Authorization: Bearer <key>`; `selvedge key` makes one".into(),
            ));
        };
        self.rates.may(&key, Instant::now()).map_err(|wait| {
            let rate = self.shared.project.params.serve.rate;
            let error =
                format!("more than {rate} requests a second (serve.rate of params.yaml) were asked with this key");
            Refused(StatusCode::TOO_MANY_REQUESTS, error, format!("ask again in {} ms", wait.as_millis() + 1))
        })
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "selvedge",
    description = "Lists with reasons, for a customer, now; events that count for the next list; releases that can be taken back."
))]
struct Api;

async fn nothing() -> Refused {
    Refused(StatusCode::NOT_FOUND, "there is nothing at this address".into(), "see /openapi.json".into())
}

async fn other_method() -> Refused {
    let advice = "see /openapi.json for how it is asked";
    Refused(StatusCode::METHOD_NOT_ALLOWED, "nothing is done in this way at this address".into(), advice.into())
}

/// Counts requests and writes them down, by the pattern of their path: no name of a customer becomes a label or a line.
async fn counted(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |path| path.as_str().to_owned());
    let method = match request.method() {
        &Method::GET => "GET",
        &Method::POST => "POST",
        _ => "other",
    };
    // Who goes away before the answer is there is not waited for, and no longer counted.
    let in_flight = app.shared.metrics.in_flight();
    let response = next.run(request).await;
    drop(in_flight);
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    app.shared.metrics.request(method, &path, status, seconds);
    if let Some(log) = &app.access_log {
        log.add(method, path, status, seconds);
    }
    response
}

/// Lets no request take longer than it may, such as one whose body comes byte by byte.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(LONGEST, next.run(request)).await.unwrap_or_else(|_| {
        let error = format!("this took longer than {} seconds", LONGEST.as_secs());
        Refused(StatusCode::REQUEST_TIMEOUT, error, "send the whole request at once, and ask again".into())
            .into_response()
    })
}

/// A fault of the program is told as one, and takes nothing down.
fn fault(_: Box<dyn Any + Send>) -> Response {
    let advice = "this is a fault of the program, please report it with what was asked";
    Refused(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made".into(), advice.into()).into_response()
}

/// Everything that can be asked, and its description.
pub fn router(app: App) -> Router {
    let (router, api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(lists::recommend))
        .routes(routes!(lists::anonymous))
        .routes(routes!(lists::similar))
        .routes(routes!(events::events))
        .routes(routes!(why::why))
        .routes(routes!(features::features))
        .routes(routes!(features::views))
        .routes(routes!(releases::releases))
        .routes(routes!(releases::switch))
        .routes(routes!(health::customers))
        .routes(routes!(health::categories))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts();
    router
        .route("/metrics", get(health::metrics))
        .route("/", get(page::page))
        .route("/selvedge-list.js", get(page::component))
        .route("/openapi.json", get(move || async move { Json(api) }))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(CatchPanicLayer::custom(fault))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(app.clone(), counted))
        .with_state(app)
}
