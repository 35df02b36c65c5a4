//! Counts for Prometheus, under the names that dashboards know.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Counted;
use crate::log::Answered;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    path: String,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct List {
    release: String,
    degraded: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Histogram,
    lists: Family<List, Counter>,
    events: Family<Outcome, Counter>,
    batches: Histogram,
    not_logged: Counter,
    articles_age: Gauge<f64, AtomicU64>,
    recovered: [AtomicU64; 3],
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]);
        let batches = Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            seconds,
            lists: Family::default(),
            events: Family::default(),
            batches,
            not_logged: Counter::default(),
            articles_age: Gauge::default(),
            recovered: Default::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests by path and status code", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "Time to an answer", metrics.seconds.clone());
        registry.register(
            "selvedge_lists",
            "Lists by release, and whether something was left out",
            metrics.lists.clone(),
        );
        registry.register("selvedge_events", "Events by what became of them", metrics.events.clone());
        registry.register("selvedge_batch_requests", "Requests that were answered together", metrics.batches.clone());
        registry.register(
            "selvedge_answers_not_logged",
            "Answers that the disk did not take",
            metrics.not_logged.clone(),
        );
        registry.register(
            "selvedge_articles_age_seconds",
            "Age of what is known of articles",
            metrics.articles_age.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// A request that was answered.
    pub fn request(&self, path: &str, code: u16, seconds: f64) {
        self.requests.get_or_create(&Request { path: path.into(), code }).inc();
        self.seconds.observe(seconds);
    }

    /// A list that was answered.
    pub fn list(&self, answered: &Answered) {
        let degraded = if answered.degraded.is_empty() { "no" } else { "yes" };
        self.lists.get_or_create(&List { release: answered.release.clone(), degraded: degraded.into() }).inc();
    }

    /// Events that were sent together.
    pub fn events(&self, counted: &Counted) {
        let outcomes = [
            ("kept", counted.kept),
            ("again", counted.again),
            ("without_consent", counted.without_consent),
            ("waiting", counted.waiting.len()),
            ("refused", counted.refused.len()),
        ];
        for (outcome, count) in outcomes {
            self.events.get_or_create(&Outcome { outcome: outcome.into() }).inc_by(count as u64);
        }
    }

    /// Requests that are answered together.
    pub fn batch(&self, requests: usize) {
        self.batches.observe(requests as f64);
    }

    /// An answer that could not be written down.
    pub fn not_logged(&self) {
        self.not_logged.inc();
    }

    /// How old what is known of articles is.
    pub fn articles_age(&self, seconds: f64) {
        self.articles_age.set(seconds);
    }

    /// What was found in the journal of events when it was opened.
    pub fn recovered(&self, events: usize, cut: usize, odd: usize) {
        for (count, found) in self.recovered.iter().zip([events, cut, odd]) {
            count.store(found as u64, Ordering::Relaxed);
        }
    }

    /// Events that were there when the server started, bytes of one that had been torn off, and records that are no event.
    pub fn found(&self) -> [u64; 3] {
        self.recovered.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// As Prometheus reads it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Nothing is written into but memory.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
