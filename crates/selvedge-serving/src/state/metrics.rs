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
use super::process::{Process, seconds};
use crate::lists::{Effort, Parts};
use crate::log::Answered;

/// Upper bounds of the times that are counted, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    path: String,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Path {
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct List {
    release: String,
    degraded: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    of: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Role {
    release: String,
    role: String,
}

/// How things stand, as of when metrics are asked for.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub articles_age: f64,
    pub events: usize,
    pub unused: usize,
    /// What `/health/ready` says is missing.
    pub missing: usize,
    /// Which release does what.
    pub roles: Vec<(String, &'static str)>,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Path, Histogram>,
    in_flight: Gauge,
    connections: Gauge,
    turned_away: Counter,
    lists: Family<List, Counter>,
    left_out: Family<Of, Counter>,
    parts: Family<Of, Histogram>,
    events: Family<Outcome, Counter>,
    batches: Histogram,
    not_logged: Counter,
    articles_age: Gauge<f64, AtomicU64>,
    known: Gauge,
    unused: Gauge,
    missing: Gauge,
    roles: Family<Role, Gauge>,
    process: [Gauge<f64, AtomicU64>; 4],
    cpu: Counter<f64, AtomicU64>,
    recovered: [AtomicU64; 3],
}

/// A request that is being answered.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            turned_away: Counter::default(),
            lists: Family::default(),
            left_out: Family::default(),
            parts: Family::new_with_constructor(histogram),
            events: Family::default(),
            batches: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]),
            not_logged: Counter::default(),
            articles_age: Gauge::default(),
            known: Gauge::default(),
            unused: Gauge::default(),
            missing: Gauge::default(),
            roles: Family::default(),
            process: Default::default(),
            cpu: Counter::default(),
            recovered: Default::default(),
        };
        metrics.process[3].set(seconds());
        // What has not happened yet is counted as 0 times, and not as unknown.
        for of in ["everything", "ranking", "reasons", "stale features"] {
            drop(metrics.left_out.get_or_create(&Of { of: of.into() }));
        }
        metrics.events(&Counted::default());
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests by method, path and status code", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "Time to an answer, by path", metrics.seconds.clone());
        registry.register("http_requests_in_flight", "Requests that are being answered", metrics.in_flight.clone());
        registry.register("selvedge_connections", "Open connections", metrics.connections.clone());
        registry.register(
            "selvedge_connections_refused",
            "Connections beyond serve.connections",
            metrics.turned_away.clone(),
        );
        registry.register("selvedge_lists", "Lists by release, and if something was left out", metrics.lists.clone());
        registry.register("selvedge_left_out", "Lists by what was left out of them", metrics.left_out.clone());
        registry.register("selvedge_list_part_seconds", "Time of the parts of a batch of lists", metrics.parts.clone());
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
        registry.register("selvedge_known_events", "Events that are known", metrics.known.clone());
        registry.register("selvedge_waiting_events", "Events that the release cannot use", metrics.unused.clone());
        registry.register(
            "selvedge_missing",
            "What is not as it should be: see /health/ready",
            metrics.missing.clone(),
        );
        registry.register("selvedge_release", "1 for a release that does something", metrics.roles.clone());
        let [memory, open, most, started] = &metrics.process;
        registry.register("process_resident_memory_bytes", "Memory in use", memory.clone());
        registry.register("process_open_fds", "Open files and connections", open.clone());
        registry.register("process_max_fds", "The most there may be", most.clone());
        registry.register("process_start_time_seconds", "When the server started, since 1970", started.clone());
        registry.register("process_cpu_seconds", "Processor time used", metrics.cpu.clone());
        metrics
    }
}

impl Metrics {
    /// A request that is being answered, for as long as this is held.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request that was answered.
    pub fn request(&self, method: &str, path: &str, code: u16, seconds: f64) {
        self.requests.get_or_create(&Request { method: method.into(), path: path.into(), code }).inc();
        self.seconds.get_or_create(&Path { path: path.into() }).observe(seconds);
    }

    /// Somebody came in or went away.
    pub fn connections(&self, more: i64) {
        self.connections.inc_by(more);
    }

    /// Somebody came for whom there was no place.
    pub fn turned_away(&self) {
        self.turned_away.inc();
    }

    /// How many are there.
    pub fn present(&self) -> i64 {
        self.connections.get()
    }

    /// A list that was answered.
    pub fn list(&self, answered: &Answered) {
        let degraded = if answered.degraded.is_empty() { "no" } else { "yes" };
        self.lists.get_or_create(&List { release: answered.release.clone(), degraded: degraded.into() }).inc();
        let left_out = match answered.basis.map(|basis| basis.effort) {
            None => "everything",
            Some(Effort::Popular) => "ranking",
            Some(Effort::WithoutReasons) => "reasons",
            Some(Effort::Full) if answered.degraded.is_empty() => return,
            Some(Effort::Full) => "stale features",
        };
        self.left_out.get_or_create(&Of { of: left_out.into() }).inc();
    }

    /// How long the parts of a batch took.
    pub fn took(&self, parts: Parts) {
        let parts = [
            ("shelves", parts.shelves),
            ("features", parts.features),
            ("rank", parts.rank),
            ("explain", parts.explain),
        ];
        for (of, took) in parts.into_iter().filter(|(_, took)| !took.is_zero()) {
            self.parts.get_or_create(&Of { of: of.into() }).observe(took.as_secs_f64());
        }
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
    pub fn text(&self, standing: &Standing) -> String {
        self.articles_age.set(standing.articles_age);
        for (gauge, count) in
            [(&self.known, standing.events), (&self.unused, standing.unused), (&self.missing, standing.missing)]
        {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.roles.clear();
        for (release, role) in &standing.roles {
            self.roles.get_or_create(&Role { release: release.clone(), role: (*role).to_owned() }).set(1);
        }
        let process = Process::now();
        let values = [process.resident_bytes, process.open_files, process.most_files];
        self.process.iter().zip(values).for_each(|(gauge, value)| {
            gauge.set(value);
        });
        self.cpu.inc_by((process.cpu_seconds - self.cpu.get()).max(0.0));
        let mut text = String::new();
        // Nothing is written into but memory.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
