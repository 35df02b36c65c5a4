//! A query is answered whole or not at all.
//!
//! Ballista 55 patches a query that lost an executor: what that had done is done again.  Of the last stage it then hands out both,
//! rows twice, without a word.  So nothing is patched here: whatever may make Ballista do a part again ends the query before
//! Ballista hears of it, and whoever asked asks again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::{TaskStatus, task_status};
use ballista_scheduler::state::task_manager::JobOverview;

use crate::status::Ballista;

/// In the place of a query's name: all of them.
pub const EVERY: &str = "*";

/// Who is there, and which queries lost a part.
#[derive(Debug, Default)]
pub struct Whole {
    /// When each executor last asked.
    asked: Mutex<HashMap<String, Instant>>,
    /// Why, by the query's name.
    broken: Mutex<BTreeMap<String, String>>,
}

impl Whole {
    /// An executor asks for work.
    pub fn heard(&self, executor: &str) {
        locked(&self.asked).insert(executor.to_owned(), Instant::now());
    }

    /// The executors that are there.
    pub fn is_there(&self, executor: &str) -> bool {
        locked(&self.asked).contains_key(executor)
    }

    /// The queries that were ended, and why.
    pub fn broken(&self) -> BTreeMap<String, String> {
        locked(&self.broken).clone()
    }

    /// Before Ballista hears what became of tasks: ends the queries of those that it would do again.
    pub async fn before_told(&self, scheduler: &Ballista, told: &[TaskStatus]) {
        for task in told {
            if let Some(reason) = would_be_done_again(task) {
                self.end(scheduler, reason, |job| job.job_id.as_str() == task.job_id).await;
            }
        }
    }

    /// An executor has gone: ends the queries that it may have had a part in.
    pub async fn gone(&self, scheduler: &Ballista, executor: &str) {
        locked(&self.asked).remove(executor);
        self.end(scheduler, "an executor was lost", |_| true).await;
    }

    /// Looks for executors that are silent for so long, for ever.
    pub async fn watch(&self, scheduler: &Ballista, silent: Duration) {
        loop {
            tokio::time::sleep(silent / 8).await;
            let asked = locked(&self.asked).clone();
            for (executor, _) in asked.iter().filter(|(_, last)| last.elapsed() > silent) {
                log::warn!("executor {executor} is silent for {silent:?}, and is taken for lost");
                self.gone(scheduler, executor).await;
            }
        }
    }

    async fn end(&self, scheduler: &Ballista, reason: &str, which: impl Fn(&JobOverview) -> bool) {
        // What Ballista calls running jobs are those that are done.
        let jobs = match scheduler.state.task_manager.get_all_jobs().await {
            Ok(jobs) => jobs,
            Err(error) => {
                log::error!("it cannot be told which queries there are, so none counts any longer: {error}");
                locked(&self.broken).insert(EVERY.to_owned(), reason.to_owned());
                return;
            }
        };
        for job in jobs {
            let done = matches!(job.status.status, Some(Status::Successful(_) | Status::Failed(_)));
            if !done && which(&job) {
                locked(&self.broken).insert(job.job_name.clone(), reason.to_owned());
                if let Err(error) = scheduler.cancel_job(job.job_id.clone()).await {
                    log::warn!("query {} goes on, and will not count: {error}", job.job_name);
                }
            }
        }
    }
}

/// Why Ballista would do a task, or one before it, again.
fn would_be_done_again(task: &TaskStatus) -> Option<&str> {
    let Some(task_status::Status::Failed(failed)) = &task.status else { return None };
    match &failed.failed_reason {
        Some(FailedReason::FetchPartitionError(_) | FailedReason::ExecutorLost(_) | FailedReason::ResultLost(_)) => {
            Some("rows of an executor were lost")
        }
        _ if failed.retryable => Some(&failed.error),
        _ => None,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
