//! What customers did.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::sent::{Anything, object};
use super::{App, Doubted, Refusal, Refused};
use crate::event::Event;
use crate::keys::Right;

/// Events of one request.
const MOST_EVENTS: usize = 1000;

/// One event or several; the body as it is described (what is sent is read event by event).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the body")]
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

/// What customers did.  An answer means that it is on disk; it counts for the next list.
#[utoipa::path(post, path = "/events", request_body = Events,
    responses((status = 200, body = Received), (status = 400, body = Refusal), (status = 401, body = Refusal),
              (status = 413, body = Refusal), (status = 415, body = Refusal),
              (status = 422, description = "None of the events can be true (as for 200); or no events (as for 400)"),
              (status = 429, body = Refusal), (status = 503, body = Refusal)))]
pub async fn events(State(app): State<App>, headers: HeaderMap, Anything(sent): Anything) -> Result<Response, Refused> {
    app.permit(&headers, Right::Write)?;
    let sent = match sent {
        Value::Array(events) => events,
        event => vec![event],
    };
    if sent.is_empty() || sent.len() > MOST_EVENTS {
        return Err(Refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{} events were sent", sent.len()),
            format!("send 1 to {MOST_EVENTS} at a time"),
        ));
    }
    let all = sent.len();
    // What cannot be read is refused beside what can.
    let (mut events, mut places, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in sent.into_iter().enumerate() {
        match object::<Event>(event) {
            Ok(event) => {
                events.push(event);
                places.push(place);
            }
            Err(error) => unread.push((place, format!("{error}; see Event in /openapi.json"))),
        }
    }
    let mut counted = app.shared.keep(events).await.map_err(|words| {
        let mut lines = words.lines().map(|line| line.trim().trim_start_matches("error: ").to_owned());
        let first = lines.next().unwrap_or_default();
        app.shared.trouble("events.log", Some(format!("events are refused: {first}")));
        Refused(StatusCode::SERVICE_UNAVAILABLE, first, "send the events again later; none of them was kept".into())
    })?;
    app.shared.trouble("events.log", None);
    for (place, _) in counted.waiting.iter_mut().chain(&mut counted.refused) {
        *place = places.get(*place).copied().unwrap_or_default();
    }
    counted.refused.extend(unread);
    counted.refused.sort_unstable();
    app.shared.metrics.events(&counted);
    let code = if counted.refused.len() == all { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let told = |doubted: Vec<(usize, String)>| doubted.into_iter().map(|(index, why)| Doubted { index, why }).collect();
    let (kept, again, without_consent) = (counted.kept, counted.again, counted.without_consent);
    let (waiting, refused) = (told(counted.waiting), told(counted.refused));
    Ok((code, Json(Received { kept, again, without_consent, waiting, refused })).into_response())
}
