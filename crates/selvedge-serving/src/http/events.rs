//! What customers did.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{App, Refusal, Refused};
use crate::event::Event;
use crate::keys::Right;

/// Events of one request.
const MOST_EVENTS: usize = 1000;

/// One event or several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Events {
    Many(Vec<Event>),
    One(Box<Event>),
}

/// What became of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    /// On disk, and counted from now on.
    kept: usize,
    /// Sent before.
    again: usize,
    /// Of customers who have not agreed to personalisation: neither used nor kept.
    without_consent: usize,
    /// Of those that were kept, the ones that this release cannot use: it knows no such customer, article or order.
    waiting: Vec<Doubted>,
    /// Not kept: they cannot be true.
    refused: Vec<Doubted>,
}

/// An event of which something is to be said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Doubted {
    /// Its place in what was sent; 0 is the first.
    index: usize,
    why: String,
}

/// What customers did.  An answer means that it is on disk; it counts for the next list.
#[utoipa::path(post, path = "/events", request_body = Events,
    responses((status = 200, body = Received), (status = 400, description = "A body that is no JSON"), (status = 401, body = Refusal),
              (status = 413, description = "A body that is too long"), (status = 415, description = "No JSON"),
              (status = 422, description = "None of the events can be true; or no events"), (status = 503, body = Refusal)))]
pub async fn events(
    State(app): State<App>,
    headers: HeaderMap,
    Json(events): Json<Events>,
) -> Result<Response, Refused> {
    app.permit(&headers, Right::Write)?;
    let events = match events {
        Events::Many(events) => events,
        Events::One(event) => vec![*event],
    };
    if events.is_empty() || events.len() > MOST_EVENTS {
        return Err(Refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{} events were sent", events.len()),
            format!("send 1 to {MOST_EVENTS} at a time"),
        ));
    }
    let sent = events.len();
    let counted = app.shared.keep(events).await.map_err(|words| {
        let mut lines = words.lines().map(|line| line.trim().trim_start_matches("error: ").to_owned());
        let first = lines.next().unwrap_or_default();
        Refused(StatusCode::SERVICE_UNAVAILABLE, first, "send the events again later; none of them was kept".into())
    })?;
    app.shared.metrics.events(&counted);
    let code = if counted.refused.len() == sent { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let told = |doubted: Vec<(usize, String)>| doubted.into_iter().map(|(index, why)| Doubted { index, why }).collect();
    let (kept, again, without_consent) = (counted.kept, counted.again, counted.without_consent);
    let (waiting, refused) = (told(counted.waiting), told(counted.refused));
    Ok((code, Json(Received { kept, again, without_consent, waiting, refused })).into_response())
}
