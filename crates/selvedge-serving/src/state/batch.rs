//! Requests that arrive within a few milliseconds are answered together: what their queries cost is planned once for all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Shared;
use crate::lists::{Article, Basis, Serving};

/// Batches that are worked on side by side.
const SIDE_BY_SIDE: usize = 2;

/// What a request is answered with, or why it is not.
pub type Answer = Result<(Vec<Article>, Basis), String>;

/// Somebody who asks for a list of a release.
struct Asked {
    serving: Arc<Serving>,
    customer: String,
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
        let (sender, mut receiver) = mpsc::channel::<Asked>(at_most * 16);
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
            while let Some(first) = receiver.recv().await {
                let until = Instant::now() + gather;
                let mut asked = vec![first];
                while asked.len() < at_most {
                    match tokio::time::timeout(until.saturating_duration_since(Instant::now()), receiver.recv()).await {
                        Ok(Some(next)) => asked.push(next),
                        Ok(None) | Err(_) => break,
                    }
                }
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
                let shared = Arc::clone(&shared);
                tokio::task::spawn_blocking(move || {
                    answer(&shared, asked);
                    drop(place);
                });
            }
        });
        Self { sender }
    }

    /// The list of a customer, as soon as it is there.
    pub async fn ask(&self, serving: Arc<Serving>, customer: String) -> Answer {
        let (answer, answered) = oneshot::channel();
        let gone = |_| "the server is stopping".to_owned();
        self.sender.send(Asked { serving, customer, answer }).await.map_err(|_| gone(()))?;
        answered.await.map_err(|_| gone(()))?
    }
}

/// Answers requests, those of one release together.
fn answer(shared: &Shared, mut asked: Vec<Asked>) {
    shared.metrics.batch(asked.len());
    while let Some(first) = asked.first() {
        let serving = Arc::clone(&first.serving);
        let (own, rest): (Vec<Asked>, Vec<Asked>) =
            asked.into_iter().partition(|one| one.serving.release.hash == serving.release.hash);
        asked = rest;
        let mut customers: Vec<String> = own.iter().map(|one| one.customer.clone()).collect();
        customers.sort_unstable();
        customers.dedup();
        let found = made(shared, &serving, &customers, shared.now());
        for one in own {
            let of_customer = match &found {
                Ok((lists, basis)) => {
                    let place = customers.binary_search(&one.customer).unwrap_or_default();
                    Ok((lists[place].clone(), *basis))
                }
                Err(words) => Err(words.clone()),
            };
            // Who asked may have gone away.
            let _ = one.answer.send(of_customer);
        }
    }
}

fn made(
    shared: &Shared,
    serving: &Serving,
    customers: &[String],
    at: DateTime<Utc>,
) -> Result<(Vec<Vec<Article>>, Basis), String> {
    serving.lists(&shared.past, customers, at, None).map_err(|error| error.to_string())
}
