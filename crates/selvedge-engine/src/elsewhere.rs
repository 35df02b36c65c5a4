//! Plans that other machines answer.
//!
//! A program that knows how says so once, by [`offer`]; where params.yaml has an `engine.cluster`, sessions then ask what was
//! offered for the rows of every plan.  This crate knows nothing of clusters but what a plan must be like if slices of it
//! are to run each by itself.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::config::OptimizerOptions;
use datafusion::error::Result as Answered;
use datafusion::execution::SessionState;
use datafusion::physical_plan::ExecutionPlan;

use super::EngineError;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// Machines that answer plans.
#[async_trait]
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// Why a plan is better, or has to be, answered here; none where it is to be answered there.
    fn stays(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<String>;

    /// The rows of a plan of the session with this state, in any order.
    async fn answer(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Answered<Vec<RecordBatch>>;
}

/// Why other machines gave no answer, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct NoAnswer {
    pub what: String,
    pub advice: String,
}

/// Finds the machines of a project's `engine.cluster`.
pub type Finder = fn(&Project, &str) -> Result<Arc<dyn Elsewhere>>;

static FINDER: OnceLock<Finder> = OnceLock::new();

/// From now on sessions of this process find other machines with `finder`; the first that is offered stays.
pub fn offer(finder: Finder) {
    let _ = FINDER.set(finder);
}

/// The machines that a project names, where it names some.
pub(super) fn find(project: &Project) -> Result<Option<Arc<dyn Elsewhere>>> {
    let Some(address) = &project.params.engine.cluster else { return Ok(None) };
    let place = project.params.place("engine", "cluster");
    let finder = FINDER.get().ok_or_else(|| EngineError::NoCluster { place, address: address.clone() })?;
    finder(project, address).map(Some)
}

/// Plans whose slices run each by itself: what one slice finds while it runs does not reach the others, rows that belong
/// together meet by their keys, and a subquery is a join.
pub fn for_slices(options: &mut OptimizerOptions) {
    options.enable_dynamic_filter_pushdown = false;
    options.enable_join_dynamic_filter_pushdown = false;
    options.enable_topk_dynamic_filter_pushdown = false;
    options.enable_aggregate_dynamic_filter_pushdown = false;
    options.enable_physical_uncorrelated_scalar_subquery = false;
    options.enable_round_robin_repartition = false;
    options.prefer_existing_union = true;
    options.repartition_joins = true;
    // Which table is small enough to be sent to every slice, the cluster knows better.
    options.hash_join_single_partition_threshold = 0;
    options.hash_join_single_partition_threshold_rows = 0;
}
