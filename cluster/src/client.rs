//! The side that asks: plans of selvedge's sessions go to the cluster of `engine.cluster`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::config::BallistaConfig;
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::CancelJobParams;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result as Answered};
use datafusion::execution::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::TryStreamExt;
use selvedge_engine::elsewhere::Elsewhere;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use tokio::task::block_in_place;

use crate::codec::Codec;
use crate::executor::with_peers;
use crate::failure::{Failure, in_words, no_answer};
use crate::keys::Keys;
use crate::logging::say;
use crate::peers::Peers;
use crate::slices::Readable;
use crate::status::{self, State};
use crate::stop::Asked;
use crate::storage::{Location, RUN, Storage};
use crate::whole::EVERY;
use crate::{slices, tables};

/// How often it is looked how far the cluster is.
const LOOK: Duration = Duration::from_secs(1);

/// A cluster may have no executor for so long: while it starts, say.
const ALONE: Duration = Duration::from_secs(20);

/// A query that lost an executor is asked so often.
const TRIES: usize = 5;

/// What this process asks with.
#[derive(Debug, Clone)]
pub struct Settings {
    pub peers: Peers,
    /// What opens `engine.cluster_storage`.
    pub keys: Keys,
    /// A query of which no task is finished for so long is given up.
    pub patience: Duration,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// How many queries were answered where, and why not there.
static SENT: AtomicUsize = AtomicUsize::new(0);
static FEW: AtomicUsize = AtomicUsize::new(0);
static KEPT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// From now on sessions of this process ask the clusters that their projects name.
pub fn start(settings: Settings) {
    let _ = SETTINGS.set(settings);
    selvedge_engine::elsewhere::offer(find);
}

fn find(project: &Project, address: &str) -> Result<Arc<dyn Elsewhere>> {
    let none = || Settings { peers: Peers::default(), keys: Keys::default(), patience: Duration::MAX };
    let settings = SETTINGS.get().cloned().unwrap_or_else(none);
    if address.starts_with("https:") && !settings.peers.have_certificates() {
        let place = project.params.place("engine", "cluster");
        let what = format!("{place}: engine.cluster is {address}, and this program was given no certificates");
        return Err(Failure::new(what, "run it as `selvedge-cluster run --certificates DIR -- …`").into());
    }
    let root = std::fs::canonicalize(project.paths.root()).unwrap_or_else(|_| project.paths.root().to_owned());
    let scratch = tables::folder(&root.join("work"));
    let storage = storage(project, &settings.keys)?;
    let cluster = Cluster::new(address, root, scratch, project.params.engine.cluster_least_rows, settings);
    Ok(Arc::new(Cluster { storage, ..cluster }))
}

/// Where files go that the cluster reads, where that is no folder of all machines.
fn storage(project: &Project, keys: &Keys) -> Result<Option<Arc<Storage>>> {
    let Some(text) = &project.params.engine.cluster_storage else { return Ok(None) };
    let place = project.params.place("engine", "cluster_storage");
    let location = Location::parse(text).ok_or_else(|| {
        // Somebody may have written keys there.
        let shown = if text.contains('@') { "a text with @" } else { text.as_str() };
        let what = format!("{place}: engine.cluster_storage is {shown}, which is no place of an object store");
        Failure::new(what, "write s3://bucket/prefix, or leave the key out and share the project's folder")
    })?;
    let storage = Storage::at(location, keys);
    Ok(Some(storage.map_err(|Failure { what, advice }| Failure::new(format!("{place}: {what}"), advice))?))
}

/// Says what this process sent, where it sent something.
pub fn say_summary() {
    if let Some(summary) = summary() {
        say(summary);
    }
}

fn summary() -> Option<String> {
    let (sent, few) = (SENT.load(Ordering::Relaxed), FEW.load(Ordering::Relaxed));
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if sent == 0 && kept.is_empty() {
        return None;
    }
    let mut words = vec![format!("{sent} queries were answered there, {few} here because they read few rows")];
    words.extend(kept.iter().map(|(reason, count)| format!("{count} here because {reason}")));
    Some(words.join("; "))
}

/// One cluster.
#[derive(Debug)]
pub struct Cluster {
    address: String,
    /// What plans may read.
    readable: Readable,
    /// Where tables in memory become files.
    scratch: PathBuf,
    /// Where files are written that machines read which do not see the folder.
    storage: Option<Arc<Storage>>,
    least_rows: usize,
    settings: Settings,
}

/// How many rows a plan reads; none where that is not known.
fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    if plan.children().is_empty() {
        let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).ok()?;
        return known.num_rows.get_value().copied();
    }
    plan.children().into_iter().map(rows_read).sum()
}

#[async_trait]
impl Elsewhere for Cluster {
    fn stays(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
        if let Some(rows) = rows_read(plan).filter(|rows| *rows < self.least_rows) {
            FEW.fetch_add(1, Ordering::Relaxed);
            return Some(format!("it reads {rows} rows, fewer than engine.cluster_least_rows"));
        }
        let obstacle = slices::obstacle(plan, &self.readable)?;
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner).entry(obstacle.clone()).or_default() += 1;
        Some(obstacle)
    }

    async fn answer(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Answered<Vec<RecordBatch>> {
        let (plan, _files) = block_in_place(|| tables::on_disk(plan, &self.scratch))?;
        SENT.fetch_add(1, Ordering::Relaxed);
        let Some(storage) = &self.storage else { return self.whole(plan, state).await };
        let (plan, own) = storage.uploaded(plan, &self.scratch).await?;
        let rows = self.whole(plan, state).await;
        storage.remove(own).await;
        rows
    }
}

/// Whether an executor went away before its rows were fetched: others may do better.
fn is_loss(message: &str) -> bool {
    [
        "an executor was lost",
        "rows of an executor were lost",
        "Error connecting to Ballista scheduler or executor",
        "FetchFailed",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

impl Cluster {
    /// The cluster at `address`, whose machines see `folder` as this one does, and in it `scratch`, where tables in memory become
    /// files.  Plans that read fewer than `least_rows` stay here.
    pub fn new(address: &str, folder: PathBuf, scratch: PathBuf, least_rows: usize, settings: Settings) -> Self {
        let readable = Readable { folders: vec![folder], storages: Vec::new() };
        Self { address: address.to_owned(), readable, scratch, storage: None, least_rows, settings }
    }

    /// Asks until an answer is whole.
    async fn whole(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Answered<Vec<RecordBatch>> {
        let mut tries = 1;
        loop {
            let name = format!("{}-{}", *RUN, NEXT.fetch_add(1, Ordering::Relaxed));
            let asked = Asked::new(&name, &self.address, &self.settings.peers).await;
            let rows = self.asked(&name, Arc::clone(&plan), state).await;
            asked.done().await;
            // Rows count once it is known that none of their parts was lost, or done twice.
            let error = match (rows, self.broken(&name).await) {
                (Ok(rows), Ok(None)) => return Ok(rows),
                (Err(error), Ok(Some(reason))) if !is_loss(&reason) => {
                    return Err(in_words(&self.address, &DataFusionError::Execution(format!("{reason} ({error})"))));
                }
                (_, Ok(Some(reason))) => in_words(&self.address, &DataFusionError::Execution(reason)),
                (Err(error), _) if !is_loss(&error.to_string()) => return Err(error),
                (Err(error), _) | (Ok(_), Err(error)) => error,
            };
            if tries == TRIES {
                return Err(error);
            }
            tries += 1;
            say("a query lost an executor, and is asked again");
        }
    }

    /// Why the scheduler ended a query, if it did.
    async fn broken(&self, name: &str) -> Answered<Option<String>> {
        let asked = async {
            let endpoint = self.settings.peers.endpoint(&status::authority(&self.address))?;
            status::ask(&mut endpoint.connect().await?).await
        };
        let state: std::result::Result<State, status::Cause> = asked.await;
        let state = state.map_err(|error| in_words(&self.address, &DataFusionError::External(error)))?;
        Ok(state.broken.get(name).or_else(|| state.broken.get(EVERY)).cloned())
    }

    /// Asks once.
    async fn asked(
        &self,
        name: &str,
        plan: Arc<dyn ExecutionPlan>,
        state: &SessionState,
    ) -> Answered<Vec<RecordBatch>> {
        let config = state.config().clone().with_option_extension(BallistaConfig::default());
        let config = with_peers(config, &self.settings.peers).with_ballista_job_name(name);
        let authority = status::authority(&self.address);
        let rows = async {
            let (url, settings) = (format!("http://{authority}"), config.ballista_config());
            let codec = Codec::default();
            let rows = execute_physical_plan::<PhysicalPlanNode>(url, &settings, plan, &codec, name.to_owned(), config);
            rows.await?.try_collect::<Vec<RecordBatch>>().await
        };
        tokio::select! {
            rows = rows => rows.map_err(|error| in_words(&self.address, &error)),
            (given_up, query) = self.watch(&authority, name) => {
                self.cancel(&authority, query).await;
                Err(given_up)
            }
        }
    }

    /// Looks how far the query is, says so, and ends with its id when it comes no further.
    async fn watch(&self, authority: &str, name: &str) -> (DataFusionError, Option<String>) {
        let Settings { peers, patience, .. } = &self.settings;
        let (began, mut said) = (Instant::now(), Instant::now());
        let (mut moved, mut seen, mut so_far) = (began, began, (0, 0));
        let mut channel = None;
        loop {
            tokio::time::sleep(LOOK).await;
            if channel.is_none() {
                channel = match peers.endpoint(authority) {
                    Ok(endpoint) => endpoint.connect().await.ok(),
                    Err(_) => None,
                };
            }
            let state: Option<State> = match &mut channel {
                Some(open) => status::ask(open).await.ok(),
                None => None,
            };
            if let Some(state) = state {
                if !state.executors.is_empty() {
                    seen = Instant::now();
                }
                if let Some(query) = state.queries.iter().find(|query| query.name == name) {
                    let now = (query.stages_done, query.tasks_done);
                    if now != so_far {
                        (so_far, moved) = (now, Instant::now());
                    }
                    if said.elapsed() >= 10 * LOOK {
                        said = Instant::now();
                        let (done, all, tasks) = (query.stages_done, query.stages, query.tasks_done);
                        say(format!("a query has {done} of {all} stages done, {tasks} tasks of those that run"));
                    }
                    if moved.elapsed() > *patience {
                        let seconds = patience.as_secs();
                        let what = format!(
                            "the cluster at {}: no task of a query was finished for {seconds} seconds",
                            self.address
                        );
                        let advice = "look at `selvedge-cluster status` and at what executors wrote, set engine.partitions to a larger number, or give `run` more --patience";
                        return (no_answer(what, advice), Some(query.id.clone()));
                    }
                }
            }
            if seen.elapsed() > ALONE {
                let what = format!("the cluster at {}: there is no executor", self.address);
                let advice = "start some with `selvedge-cluster executor`, and look at `selvedge-cluster status`";
                return (no_answer(what, advice), None);
            }
        }
    }

    /// Tells the scheduler that nobody waits any longer; if it does not hear, it has stopped.
    async fn cancel(&self, authority: &str, query: Option<String>) {
        let Some(job_id) = query else { return };
        let Ok(endpoint) = self.settings.peers.endpoint(authority) else { return };
        if let Ok(channel) = endpoint.connect().await {
            let _ = SchedulerGrpcClient::new(channel).cancel_job(CancelJobParams { job_id }).await;
        }
    }
}
