//! What was served lately, held against what is promised (`sql/slo`): a row that a file returns takes its release back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use serde::Deserialize;

use super::Shared;
use crate::event::{Event, Kind};
use crate::log::Answered;
use crate::release::{State, roll_back};
use selvedge_engine::{Engine, batch_of, read_rows};
use selvedge_project::error::Result;
use selvedge_project::sql::{Layer, TableName};

/// Answers that are remembered.
const REMEMBERED: usize = 50_000;

/// An answer, as far as promises are about it.
struct Served {
    request: String,
    release: String,
    customer: String,
    at: DateTime<Utc>,
    milliseconds: f64,
    degraded: bool,
    personal: bool,
    articles: i64,
    list: String,
}

/// What was answered lately, and what came of it.
#[derive(Default)]
pub struct Lately(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    answers: VecDeque<Served>,
    /// By request and article: whether it was clicked; an article is there once it was shown.
    outcomes: BTreeMap<(String, String), bool>,
}

impl Recent {
    /// What came of an answer that is no longer remembered.  They stand together: all others stay untouched.
    fn forget(&mut self, request: &str) {
        let from = (request.to_owned(), String::new());
        let of_request = self.outcomes.range(from..).map(|(key, _)| key).take_while(|(of, _)| of == request);
        for key in of_request.cloned().collect::<Vec<_>>() {
            self.outcomes.remove(&key);
        }
    }
}

/// Why a release is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Broken {
    pub release: String,
    pub because: String,
}

impl Lately {
    /// Remembers an answer.
    pub fn answered(&self, answered: &Answered) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.answers.len() >= REMEMBERED
            && let Some(old) = recent.answers.pop_front()
        {
            recent.forget(&old.request);
        }
        let list: Vec<String> =
            answered.articles.iter().map(|article| format!("{} {}", article.product_id, article.season)).collect();
        recent.answers.push_back(Served {
            request: answered.id.clone(),
            release: answered.release.clone(),
            customer: answered.customer_id.clone(),
            at: answered.answered_at,
            milliseconds: answered.milliseconds,
            degraded: !answered.degraded.is_empty(),
            personal: answered.articles.iter().any(|article| article.basis == "personal"),
            articles: answered.articles.len() as i64,
            list: list.join(";"),
        });
    }

    /// Remembers what was shown and clicked.
    pub fn happened(&self, event: &Event) {
        let Some(request) = &event.request else { return };
        let key = (request.clone(), event.product_id.clone());
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event.kind {
            Kind::Shown => {
                recent.outcomes.entry(key).or_insert(false);
            }
            Kind::Clicked => {
                recent.outcomes.insert(key, true);
            }
            _ => {}
        }
    }

    /// What breaks a promise: of the release that is watched, which is the canary, or else the one that serves.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn broken(&self, shared: &Shared) -> Result<Vec<Broken>> {
        let (state, project) = (shared.state(), &shared.project);
        let Some((watched, other)) = roles(&state) else { return Ok(Vec::new()) };
        let engine = shared.engine.over()?;
        self.register(&engine, shared.now())?;
        let texts = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let releases = [("release", texts(&[watched, other])), ("role", texts(&["watched", "other"]))];
        engine.register(&TableName::new("served", "releases"), batch_of("served.releases", releases)?)?;
        let mut broken = Vec::new();
        for file in project.library.layer(Layer::SLO) {
            let found: Vec<Broken> = read_rows(&engine.run(project, file)?, &file.shown)?;
            broken.extend(found.into_iter().filter(|one| one.release == watched));
        }
        Ok(broken)
    }

    fn register(&self, engine: &Engine, now: DateTime<Utc>) -> Result<()> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |of: fn(&Served) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(recent.answers.iter().map(of)))
        };
        let truth = |of: fn(&Served) -> bool| -> ArrayRef {
            Arc::new(recent.answers.iter().map(|one| Some(of(one))).collect::<BooleanArray>())
        };
        let age = recent.answers.iter().map(|one| (now - one.at).num_milliseconds() as f64 / 60_000.0);
        let took = recent.answers.iter().map(|one| one.milliseconds);
        let answers: [(&str, ArrayRef); 9] = [
            ("request", text(|one| &one.request)),
            ("release", text(|one| &one.release)),
            ("customer_id", text(|one| &one.customer)),
            ("age_minutes", Arc::new(Float64Array::from_iter_values(age))),
            ("milliseconds", Arc::new(Float64Array::from_iter_values(took))),
            ("degraded", truth(|one| one.degraded)),
            ("personal", truth(|one| one.personal)),
            ("articles", Arc::new(Int64Array::from_iter_values(recent.answers.iter().map(|one| one.articles)))),
            ("list", text(|one| &one.list)),
        ];
        engine.register(&TableName::new("served", "answers"), batch_of("served.answers", answers)?)?;
        let outcomes: [(&str, ArrayRef); 3] = [
            ("request", Arc::new(StringArray::from_iter_values(recent.outcomes.keys().map(|(request, _)| request)))),
            ("product_id", Arc::new(StringArray::from_iter_values(recent.outcomes.keys().map(|(_, article)| article)))),
            ("clicked", Arc::new(recent.outcomes.values().map(|clicked| Some(*clicked)).collect::<BooleanArray>())),
        ];
        engine.register(&TableName::new("served", "outcomes"), batch_of("served.outcomes", outcomes)?)
    }
}

/// The release that is watched, and the one that it is held against.
fn roles(state: &State) -> Option<(&str, &str)> {
    let serving = state.serving.as_deref()?;
    match &state.canary {
        Some(canary) => Some((&canary.release, serving)),
        // Without one to go back to, there is nothing to take back; and what was gone back to is not to blame for a slow day.
        None if state.fallen_back => None,
        None => Some((serving, state.before.last()?)),
    }
}

/// Takes the watched release back where it breaks a promise; what was promised is written down with it.
///
/// # Errors
/// Queries that cannot be answered, and disks.
pub fn watch(shared: &Shared) -> Result<Option<Broken>> {
    let Some(broken) = shared.lately.broken(shared)?.into_iter().next() else { return Ok(None) };
    roll_back(&shared.project, Some(&broken.release), &broken.because)?;
    shared.switch()?;
    Ok(Some(broken))
}
