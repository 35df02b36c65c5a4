//! Which release does what, and switching.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sent::{Body, Named};
use super::{Answer, App, Refusal, Refused, beside};
use crate::keys::Right;
use crate::release::{self, Release, State as Releases};
use crate::state::Shared;

/// What serves.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseList {
    serving: Option<String>,
    canary: Option<String>,
    /// The canary's share of the customers, from 0 to 1.
    canary_share: f64,
    shadow: Option<String>,
    /// What would serve again after a rollback, where there is no canary.
    before: Option<String>,
    /// What was taken back last, until something is promoted.
    taken_back: Option<TakenBack>,
    /// Every release there is, the oldest first.
    releases: Vec<String>,
    /// Whether who asks may switch.
    may_switch: bool,
}

/// A release that was taken back.
#[derive(Debug, Serialize, ToSchema)]
struct TakenBack {
    release: String,
    because: String,
}

impl App {
    fn releases(&self, headers: &HeaderMap) -> Result<ReleaseList, Refused> {
        let state = Releases::read(&self.shared.project)?;
        let releases = release::list(&self.shared.project)?.into_iter().map(|release| release.hash).collect();
        let canary_share = state.canary.as_ref().map_or(0.0, |canary| canary.share);
        Ok(ReleaseList {
            canary: state.canary.map(|canary| canary.release),
            canary_share,
            serving: state.serving,
            shadow: state.shadow,
            before: state.before.last().cloned(),
            taken_back: state.taken_back.map(|change| TakenBack { release: change.release, because: change.because }),
            releases,
            may_switch: self.key(headers, Right::Operate).is_some(),
        })
    }
}

/// Which release does what.
#[utoipa::path(get, path = "/releases", responses((status = 200, body = ReleaseList), (status = 401, body = Refusal), (status = 409, body = Refusal), (status = 429, body = Refusal)))]
pub async fn releases(State(app): State<App>, headers: HeaderMap) -> Answer<ReleaseList> {
    app.permit(&headers, Right::Read)?;
    app.releases(&headers).map(Json)
}

/// What a switch needs to be told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Of a canary: its share of the customers, from 0 to 1.
    share: Option<f64>,
    /// Why; with it a release may serve that a gate keeps back.
    because: Option<String>,
}

/// Switches: `promote`, `canary`, `shadow` or `rollback`; at once, for every request that comes after.
#[utoipa::path(post, path = "/releases/{hash}/{switch}", request_body = Wanted,
    params(("hash" = String, Path, description = "the release, or the beginning of its hash"),
           ("switch" = String, Path, description = "promote, canary, shadow or rollback")),
    responses((status = 200, body = ReleaseList), (status = 400, body = Refusal), (status = 401, body = Refusal),
              (status = 404, body = Refusal), (status = 409, body = Refusal), (status = 413, body = Refusal), (status = 415, body = Refusal),
              (status = 422, body = Refusal), (status = 429, body = Refusal)))]
pub async fn switch(
    State(app): State<App>,
    Named((hash, switch)): Named<(String, String)>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Answer<ReleaseList> {
    app.permit(&headers, Right::Operate)?;
    let shared = Arc::clone(&app.shared);
    beside(move || -> Result<(), Refused> {
        let because = wanted.because.unwrap_or_default();
        switched(&shared, &hash, &switch, wanted.share, &because)?;
        shared.switch()?;
        Ok(())
    })
    .await??;
    app.releases(&headers).map(Json)
}

fn switched(shared: &Shared, hash: &str, switch: &str, share: Option<f64>, because: &str) -> Result<(), Refused> {
    let project = &shared.project;
    if switch == "rollback" {
        release::roll_back(project, None, because)?;
        return Ok(());
    }
    let unknown = |what: String, advice: &str| Refused(StatusCode::NOT_FOUND, what, advice.into());
    let release = Release::find(project, hash)
        .map_err(|_| unknown(format!("there is no release {hash}"), "see GET /releases"))?;
    match switch {
        "promote" => release.promote(project, because)?,
        "canary" => {
            let share = share.ok_or_else(|| {
                Refused(StatusCode::CONFLICT, "a canary needs a share".into(), "send {\"share\": 0.1}".into())
            })?;
            release.canary(project, share, because)?
        }
        "shadow" => release.shadow(project, because)?,
        other => {
            return Err(unknown(format!("there is no switch '{other}'"), "write promote, canary, shadow or rollback"));
        }
    };
    Ok(())
}
