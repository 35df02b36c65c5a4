//! What all requests share: the releases that are loaded, the events, the journals, the counts.

mod batch;
mod keep;
mod metrics;
mod pace;
mod process;
mod remember;
mod seal;
mod watch;
mod wish;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use selvedge_engine::{Engine, rows_of_parquet};
use selvedge_features::served::segments::{self, Part};
use selvedge_project::error::Result;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

pub use self::batch::{Gathering, Given};
pub use self::keep::Counted;
pub use self::metrics::{Metrics, Standing};
pub use self::watch::{Lately, watch};
pub use self::wish::Wish;

use crate::articles::refreshed_within;
use crate::journal::{self, Journal};
use crate::lists::Serving;
use crate::log::{self, Answered};
use crate::past::{self, Past};
use crate::release::{Release, ReleaseError, State};

/// How long a shadow's answer is waited for.
const LATEST: Duration = Duration::from_secs(60);
/// Answers that are kept for who asks again while nothing has changed.
const REMEMBERED: usize = 100_000;

/// Opens the project in a folder.
pub type Open = fn(&Path) -> Result<Project>;

/// What all requests share.
pub struct Shared {
    pub project: Project,
    pub open: Open,
    /// What promises are looked at with.
    engine: Engine,
    pub past: RwLock<Past>,
    pub metrics: Metrics,
    pub lately: Lately,
    /// What is wrong at the moment, by where it was found; told until it is put right.
    pub troubles: Mutex<BTreeMap<&'static str, String>>,
    pace: pace::Lately,
    state: RwLock<Arc<State>>,
    /// The releases that are loaded, by hash.
    loaded: RwLock<HashMap<String, Arc<Serving>>>,
    events: Journal,
    requests: Journal,
    /// Held while it is looked which releases are wanted and they are loaded: who comes later sees what came before.
    switching: Mutex<()>,
    /// By customer and release.
    remembered: Mutex<HashMap<String, HashMap<String, Arc<Given>>>>,
    /// Answers that are not yet written down.
    unwritten: AtomicUsize,
    /// Held while events are checked and kept, so that two cannot use up the same pieces.
    keeping: tokio::sync::Mutex<()>,
    number: AtomicU64,
    /// Where the journals are.
    pub folder: PathBuf,
    /// Where what was served is sealed; none in a playground.
    served: Option<PathBuf>,
    /// Everything that arrived before is sealed.
    sealed: Mutex<Option<DateTime<Utc>>>,
    /// Answers since then.
    unsealed: AtomicU64,
    /// Answers that are not on disk yet, by id.
    writing: Mutex<HashMap<String, Arc<Answered>>>,
    /// How far the server's clock is from the machine's.
    ahead: chrono::Duration,
}

/// By which clock lists are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's.
    Now,
    /// One that stands at the export, or at the last event, when the server starts, and runs on from there: an old export can be
    /// played with.
    FromExport,
}

impl Shared {
    /// Opens the journals and loads what serves.
    ///
    /// # Errors
    /// Nothing to serve, or damaged files.
    pub fn open(project: Project, open: Open, clock: Clock, playground: bool) -> Result<Arc<Self>> {
        let root = project.paths.root();
        let folder = if playground { journal::played(root) } else { journal::folder(root) };
        let served = (!playground).then(|| project.paths.served());
        let sealed = served.as_deref().map(segments::sealed_until).transpose()?.flatten();
        let named = |file: &str| (folder.join(file), journal::shown(&folder, file));
        let mut past = Past::default();
        let (path, shown) = named(past::FILE);
        let (events, recovered) = Journal::open(&path, &shown, |record| past.record(record))?;
        let mut answered = 0_u64;
        let (path, shown) = named(log::FILE);
        let (requests, _) = Journal::open(&path, &shown, |_| answered += 1)?;
        for segment in served.as_deref().map(|served| Part::Requests.files(served)).transpose()?.unwrap_or_default() {
            answered += rows_of_parquet(&segment.path).unwrap_or_default();
        }
        let ahead = match clock {
            Clock::Now => chrono::Duration::zero(),
            Clock::FromExport => {
                let known = [past.last(), past.latest(), sealed, Some(project.params.shop.exported_at)];
                known.into_iter().flatten().max().unwrap_or_default() - Utc::now()
            }
        };
        let odd = past.odd();
        let shared = Self {
            ahead,
            state: RwLock::default(),
            engine: Engine::new(&project)?,
            project,
            open,
            past: RwLock::new(past),
            metrics: Metrics::default(),
            lately: Lately::default(),
            troubles: Mutex::default(),
            pace: pace::Lately::default(),
            loaded: RwLock::default(),
            events,
            requests,
            switching: Mutex::default(),
            remembered: Mutex::default(),
            unwritten: AtomicUsize::new(0),
            keeping: tokio::sync::Mutex::new(()),
            number: AtomicU64::new(answered),
            folder,
            served,
            sealed: Mutex::new(sealed),
            unsealed: AtomicU64::default(),
            writing: Mutex::default(),
        };
        shared.metrics.recovered(recovered.records, recovered.cut, odd);
        shared.switch()?;
        if shared.state().serving.is_none() {
            return Err(ReleaseError::None.into());
        }
        Ok(Arc::new(shared))
    }

    /// The moment that it is, by the server's clock.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// Which release does what, now.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks which releases are wanted, loads those that are not yet there, and switches at once; requests that are being
    /// answered keep theirs.
    ///
    /// # Errors
    /// A release that cannot be loaded: then all stays as it was.
    pub fn switch(&self) -> Result<bool> {
        let _switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = State::read(&self.project)?;
        if wanted == *self.state() {
            return Ok(false);
        }
        let names =
            wanted.serving.iter().chain(wanted.canary.iter().map(|canary| &canary.release)).chain(&wanted.shadow);
        // What would be gone back to stays, so that a rollback holds at once.
        let back = wanted.before.last().filter(|hash| self.serving(hash).is_some());
        let mut loaded = HashMap::new();
        for name in names.chain(back) {
            let serving = match self.serving(name) {
                Some(serving) => serving,
                None => {
                    let release = Release::find(&self.project, name)?;
                    Arc::new(Serving::load(release, self.open, &self.past, self.now())?)
                }
            };
            loaded.insert(name.clone(), serving);
        }
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(wanted);
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.forget();
        Ok(true)
    }

    /// A release that is loaded.
    pub fn serving(&self, hash: &str) -> Option<Arc<Serving>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// The release that answers a customer.
    pub fn serving_of(&self, customer: &str) -> Option<Arc<Serving>> {
        self.serving(self.state().release_of(customer)?)
    }

    /// The list that was wished for; none where there is no such customer.
    pub async fn list(
        self: &Arc<Self>,
        gathering: &Gathering,
        wish: Wish,
        deadline: Duration,
    ) -> Option<Arc<Answered>> {
        let began = Instant::now();
        let ask = wish.ask();
        let serving = self.serving_of(&ask.name)?;
        if ask.visitor.is_none() {
            serving.tables.consents(&ask.name)?;
        }
        let given = match self.remembered(&serving, &ask) {
            Some(given) => Ok(given),
            None => {
                let asked = gathering.ask(Arc::clone(&serving), ask.clone(), began + deadline);
                let in_time = tokio::time::timeout(deadline, asked).await;
                let given = in_time.unwrap_or_else(|_| Err(format!("no answer within {} ms", deadline.as_millis())));
                given.inspect(|given| self.remember(&serving, &ask, given))
            }
        };
        let (articles, basis, degraded) = match given {
            Ok(given) => (wish.cut(&given.articles), Some(given.basis), given.degraded.clone()),
            Err(words) => {
                let words = format!("{words}: the list that the release came with, or what is popular");
                (wish.cut(&serving.in_no_time(&ask, self.now())), None, vec![words])
            }
        };
        let answered_at = self.now();
        let answered = Answered {
            id: log::name(answered_at, self.number.fetch_add(1, Ordering::Relaxed)),
            answered_at,
            customer_id: wish.customer.clone(),
            wished: wish.wished(&ask),
            release: serving.release.hash.clone(),
            basis,
            articles,
            degraded,
            shadow: false,
            milliseconds: began.elapsed().as_secs_f64() * 1e3,
        };
        self.metrics.list(&answered);
        let answered = Arc::new(answered);
        self.lately.answered(&answered);
        self.write_down(&serving, Arc::clone(&answered));
        self.ask_shadow(gathering, &wish);
        Some(answered)
    }

    /// An answer that was written down.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn answered(&self, id: &str) -> Result<Option<Answered>> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(answered) = writing {
            return Ok(Some(answered.as_ref().clone()));
        }
        log::find(&self.folder, self.served.as_deref().unwrap_or(&self.folder), id)
    }

    /// Writes an answer down, behind the answer itself; nothing of who has not agreed to personalisation.  Of a visit what it
    /// asked with is kept, which holds nothing of who has not agreed.
    fn write_down(self: &Arc<Self>, serving: &Serving, answered: Arc<Answered>) {
        let is_visit = answered.customer_id.is_empty();
        if !is_visit && serving.tables.consents(&answered.customer_id) != Some(true) {
            return;
        }
        self.unsealed.fetch_add(1, Ordering::Relaxed);
        let record = serde_json::to_vec(answered.as_ref()).unwrap_or_default();
        let writing = |shared: &Self, id: &str, answered: Option<Arc<Answered>>| {
            let mut writing = shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
            match answered {
                Some(answered) => writing.insert(id.to_owned(), answered),
                None => writing.remove(id),
            };
        };
        let id = answered.id.clone();
        writing(self, &id, Some(answered));
        let shared = Arc::clone(self);
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            match shared.requests.append(vec![record]).await {
                Ok(()) => shared.trouble("requests.log", None),
                Err(error) => {
                    shared.metrics.not_logged();
                    shared.trouble("requests.log", Some(format!("answers are not written down: {error}")));
                }
            }
            writing(&shared, &id, None);
            shared.unwritten.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Waits until every answer is written down, as long as there is time.
    pub async fn settle(&self, until: Instant) {
        while self.unwritten.load(Ordering::Relaxed) > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Notes what is wrong at a place, or that it is put right; what is new is said once.
    pub fn trouble(&self, place: &'static str, words: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match words {
            Some(words) if troubles.get(place) == Some(&words) => {}
            Some(words) => {
                Progress::start("serve").say(format!("warning: {words}"));
                troubles.insert(place, words);
            }
            None => {
                if troubles.remove(place).is_some() {
                    Progress::start("serve").say(format!("{place}: put right"));
                }
            }
        }
    }

    /// Has the shadow release answer too; nobody sees it but the log.
    fn ask_shadow(self: &Arc<Self>, gathering: &Gathering, wish: &Wish) {
        let Some(serving) = self.state().shadow.as_ref().and_then(|hash| self.serving(hash)) else { return };
        let (shared, gathering, wish) = (Arc::clone(self), gathering.clone(), wish.clone());
        tokio::spawn(async move {
            let (began, ask) = (Instant::now(), wish.ask());
            let asked = gathering.ask(Arc::clone(&serving), ask.clone(), began + LATEST);
            let Ok(given) = asked.await else { return };
            let answered_at = shared.now();
            let answered = Answered {
                id: log::name(answered_at, shared.number.fetch_add(1, Ordering::Relaxed)),
                answered_at,
                customer_id: wish.customer.clone(),
                wished: wish.wished(&ask),
                release: serving.release.hash.clone(),
                basis: Some(given.basis),
                articles: wish.cut(&given.articles),
                degraded: given.degraded.clone(),
                shadow: true,
                milliseconds: began.elapsed().as_secs_f64() * 1e3,
            };
            shared.write_down(&serving, Arc::new(answered));
        });
    }

    /// How often what is known of articles must be worked out anew, so that no release's views become too old.
    pub fn refreshed_within(&self) -> Option<Duration> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.values().filter_map(|serving| refreshed_within(&serving.tables.project)).min()
    }

    /// Works out anew what is known of articles, for every release that is loaded.
    ///
    /// # Errors
    /// The first that fails; what was known stays.
    pub fn refresh(&self) -> Result<()> {
        let loaded: Vec<Arc<Serving>> =
            self.loaded.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for serving in loaded {
            serving.refresh(&self.past, self.now(), None)?;
        }
        Ok(())
    }
}
