//! What a scheduler does at the moment.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::poll_fn;

use ballista_core::serde::protobuf::job_status::Status as Job;
use ballista_core::serde::protobuf::task_status::Status as Task;
use ballista_scheduler::scheduler_server::SchedulerServer;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use selvedge_project::error::Result;
use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic::codegen::{Service, http};
use tonic::transport::Channel;

use crate::failure::Failure;
use crate::peers::Peers;
use crate::whole::Whole;
use crate::{LARGEST_PLAN, VERSION};

/// Where a scheduler tells it.
pub const PATH: &str = "/state";

/// Ballista's scheduler.
pub type Ballista = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// A scheduler's executors and queries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    pub version: String,
    pub executors: Vec<Executor>,
    pub queries: Vec<Query>,
    /// Queries that were ended without an answer, though they may have one when they are asked again, and why.
    pub broken: BTreeMap<String, String>,
}

/// Who works.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Executor {
    pub id: String,
    pub address: String,
    /// Tasks at a time.
    pub tasks: u32,
}

/// What is worked on, or was lately.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Query {
    pub id: String,
    pub name: String,
    pub state: String,
    pub stages: usize,
    pub stages_done: usize,
    /// Tasks that are done, of all stages.
    pub tasks_done: usize,
}

impl Query {
    /// Whether somebody still waits for it.
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "failed" | "done")
    }
}

/// The state of a scheduler.
pub async fn of(scheduler: &Ballista, whole: &Whole) -> State {
    let executors = scheduler.state.executor_manager.get_executors_state().await.unwrap_or_default();
    let executors =
        executors.into_iter().filter(|(executor, ..)| whole.is_there(&executor.id)).map(|(executor, ..)| Executor {
            id: executor.id,
            address: format!("{}:{}", executor.host, executor.port),
            tasks: executor.specification.vcores,
        });
    let running = scheduler.state.task_manager.get_running_job_cache();
    let mut queries = Vec::new();
    for job in scheduler.state.task_manager.get_all_jobs().await.unwrap_or_default() {
        let state = match &job.status.status {
            Some(Job::Queued(_)) => "waits",
            Some(Job::Running(_)) => "runs",
            Some(Job::Failed(_)) => "failed",
            Some(Job::Successful(_)) => "done",
            None => "begins",
        };
        let tasks_done = match running.get(&job.job_id) {
            Some(job) => job.execution_graph.read().await.stages().values().map(tasks_done).sum(),
            None => 0,
        };
        queries.push(Query {
            id: job.job_id.to_string(),
            name: job.job_name,
            state: state.into(),
            stages: job.num_stages,
            stages_done: job.completed_stages,
            tasks_done,
        });
    }
    queries.sort_by(|a, b| a.id.cmp(&b.id));
    let mut executors: Vec<Executor> = executors.collect();
    executors.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
    State { version: VERSION.clone(), executors, queries, broken: whole.broken() }
}

fn tasks_done(stage: &ExecutionStage) -> usize {
    let done = |task: &&TaskInfo| matches!(task.task_status, Task::Successful(_));
    stage.task_infos().unwrap_or_default().iter().filter(done).count()
}

/// Asks the scheduler at the other end of `channel`.
pub async fn ask(channel: &mut Channel) -> std::result::Result<State, Cause> {
    poll_fn(|context| channel.poll_ready(context)).await?;
    let answer = channel.call(http::Request::get(PATH).body(tonic::body::Body::empty())?).await?;
    if let Some(refused) = Status::from_header_map(answer.headers()) {
        return Err(refused.message().to_owned().into());
    }
    let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), LARGEST_PLAN).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// What went wrong between two machines.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The state of the scheduler at `address`, in words.
pub async fn show(address: &str, peers: &Peers) -> Result<String> {
    let asked = async {
        let authority = authority(address);
        let mut channel = peers.endpoint(&authority)?.connect().await?;
        ask(&mut channel).await
    };
    let state: std::result::Result<State, Cause> = asked.await;
    let state = state.map_err(|e| {
        let what = format!("the scheduler at {address} gives no answer: {}", chain(&*e));
        Failure::new(
            what,
            "start it with `selvedge-cluster scheduler`, or name another with --scheduler, and its --certificates",
        )
    })?;
    Ok(in_words(&state))
}

/// The host and the port of an address.
pub fn authority(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.trim_end_matches('/').to_owned()
}

/// An error with what caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut words: Vec<String> = causes.map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

fn in_words(state: &State) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", state.version);
    for executor in &state.executors {
        let _ = writeln!(out, "executor {}: {} tasks at a time", executor.address, executor.tasks);
    }
    if state.executors.is_empty() {
        let _ = writeln!(out, "no executor: start some with `selvedge-cluster executor`");
    }
    for query in &state.queries {
        let Query { name, state, stages, stages_done, .. } = query;
        let _ = writeln!(out, "query {name}: {state}, {stages_done} of {stages} stages");
    }
    out
}
