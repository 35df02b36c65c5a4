//! What a browser gets: the page for people, and the component for a shop's pages.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::{App, Refused};

/// The page for people.
pub async fn page(State(app): State<App>) -> Response {
    match app.playground {
        true => Html(include_str!("../browser/page.html")).into_response(),
        false => Refused(
            StatusCode::NOT_FOUND,
            "there is no page here".into(),
            "start with `selvedge serve --playground`, or ask for /openapi.json".into(),
        )
        .into_response(),
    }
}

/// `<selvedge-list>`, in one file.
pub async fn component() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, include_str!("../browser/selvedge-list.js")).into_response()
}
