//! Requests that arrive within a few milliseconds are answered together: what their queries cost is planned once for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Shared;
use crate::lists::{Article, Basis, Effort, Pace, Serving};
use crate::who::Ask;

/// Batches that are worked on side by side.
const SIDE_BY_SIDE: usize = 2;
/// Batches' worth of requests that may wait.
const WAITING: usize = 16;

/// A list, as far as there was time for it.
#[derive(Debug, Clone)]
pub struct Given {
    pub articles: Vec<Article>,
    pub basis: Basis,
    /// So many articles were asked for at least.
    pub places: usize,
    /// What was left out, in words.
    pub degraded: Vec<String>,
}

/// What a request is answered with, or why it is not.
pub type Answer = Result<Arc<Given>, String>;

/// Somebody who asks for a list of a release, and until when it is wanted.
struct Asked {
    serving: Arc<Serving>,
    ask: Ask,
    until: Instant,
    answer: oneshot::Sender<Answer>,
}

/// Where requests are gathered.
#[derive(Clone)]
pub struct Gathering {
    sender: mpsc::Sender<Asked>,
}

impl Gathering {
    /// Starts to gather, `at_most` requests for at most so long.
    pub fn start(shared: Arc<Shared>, gather: Duration, at_most: usize) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Asked>(at_most * WAITING);
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
            while let Some(first) = receiver.recv().await {
                let until = Instant::now() + gather;
                // Who comes while all places are taken is answered together with those who wait.
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
                let mut asked = vec![first];
                while asked.len() < at_most {
                    match tokio::time::timeout(until.saturating_duration_since(Instant::now()), receiver.recv()).await {
                        Ok(Some(next)) => asked.push(next),
                        Ok(None) | Err(_) => break,
                    }
                }
                let shared = Arc::clone(&shared);
                tokio::task::spawn_blocking(move || {
                    answer(&shared, asked);
                    drop(place);
                });
            }
        });
        Self { sender }
    }

    /// A list, as soon as it is there.
    pub async fn ask(&self, serving: Arc<Serving>, ask: Ask, until: Instant) -> Answer {
        let (answer, answered) = oneshot::channel();
        match self.sender.try_send(Asked { serving, ask, until, answer }) {
            Ok(()) => answered.await.map_err(|_| "the list could not be made".to_owned())?,
            Err(TrySendError::Full(_)) => Err("too many ask at once".into()),
            Err(TrySendError::Closed(_)) => Err("the server is stopping".into()),
        }
    }
}

/// Answers requests, those of one release together.
fn answer(shared: &Shared, mut asked: Vec<Asked>) {
    // Who has gone away meanwhile needs no answer.
    asked.retain(|one| !one.answer.is_closed());
    if !asked.is_empty() {
        shared.metrics.batch(asked.len());
    }
    while let Some(first) = asked.first() {
        let serving = Arc::clone(&first.serving);
        // One list for each name at a time: another kind of list of the same customer waits for the next round.
        let (mut own, mut rest, mut asks) = (Vec::new(), Vec::new(), BTreeMap::<String, Ask>::new());
        for one in asked {
            let other = asks.get(&one.ask.name).is_some_and(|ask| ask.category != one.ask.category);
            if other || one.serving.release.hash != serving.release.hash {
                rest.push(one);
                continue;
            }
            let ask = asks.entry(one.ask.name.clone()).or_insert_with(|| one.ask.clone());
            ask.places = ask.places.max(one.ask.places);
            own.push(one);
        }
        asked = rest;
        let until = own.iter().map(|one| one.until).min().unwrap_or_else(Instant::now);
        let asks: Vec<Ask> = asks.into_values().collect();
        let found = made(shared, &serving, &asks, until);
        for one in own {
            let place = asks.binary_search_by(|ask| ask.name.cmp(&one.ask.name)).unwrap_or_default();
            // Who asked may have gone away.
            let _ = one.answer.send(found.as_ref().map(|found| Arc::clone(&found[place])).map_err(Clone::clone));
        }
    }
}

/// As much of the lists as there is time for.
fn made(shared: &Shared, serving: &Serving, asks: &[Ask], until: Instant) -> Result<Vec<Arc<Given>>, String> {
    let left = || until.saturating_duration_since(Instant::now());
    let effort = shared.pace.fits(left());
    let in_time = || left() >= shared.pace.rest();
    let pace = Pace { effort, in_time: Some(&in_time) };
    let made = serving.lists(&shared.past, asks, shared.now(), None, pace).map_err(|error| error.to_string())?;
    shared.pace.took(made.took);
    shared.metrics.took(made.took);
    let mut degraded = made.stale;
    match made.basis.effort {
        Effort::Full => {}
        Effort::WithoutReasons => degraded.push("no time for reasons".into()),
        Effort::Popular => degraded.push("no time for features and ranking: what is popular".into()),
    }
    let given = |(articles, ask): (Vec<Article>, &Ask)| {
        Arc::new(Given { articles, basis: made.basis, places: ask.places, degraded: degraded.clone() })
    };
    Ok(made.lists.into_iter().zip(asks).map(given).collect())
}
