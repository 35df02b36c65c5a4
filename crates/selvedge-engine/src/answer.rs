//! Plans to answers.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::{DataFrame, SQLOptions};
use futures::StreamExt;
use futures::future::try_join_all;

use super::query_error::query_error;
use super::{Engine, table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::SqlFile;

/// What a plan answers: its columns, and the rows of each partition.
type Parts = (SchemaRef, Vec<Vec<RecordBatch>>);

impl Engine {
    /// The answer of one SQL file, in any order.
    pub fn run(&self, project: &Project, file: &SqlFile) -> Result<RecordBatch> {
        for table in &file.reads {
            self.open(table)?;
        }
        let plan = self.plan(project, file)?;
        Ok(self.run_planned(project, file, vec![plan])?.swap_remove(0))
    }

    /// The answers of plans over one SQL file; what several of them read is worked out once.
    pub fn run_planned(&self, project: &Project, file: &SqlFile, plans: Vec<LogicalPlan>) -> Result<Vec<RecordBatch>> {
        let state = self.context.state();
        let schemas: Vec<SchemaRef> = plans.iter().map(|plan| Arc::clone(plan.schema().inner())).collect();
        let answers = self.materialized(&state, &file.read_again(), plans).and_then(|plans| {
            let answers = self.execute(&state, &plans)?;
            answers.into_iter().zip(&schemas).map(|(answer, schema)| one_batch(answer, schema)).collect()
        });
        // Some kinds are only found not to fit when the plan is made ready to run.
        answers.map_err(|e| self.misfit(project, file).unwrap_or_else(|| query_error(&file.shown, &e, &[])))
    }

    /// The answer of a plan, in any order.
    pub fn run_plan(&self, plan: LogicalPlan, shown: &str) -> Result<RecordBatch> {
        self.collect(DataFrame::new(self.context.state(), plan), shown)
    }

    /// The answers of optimised plans, in their parts; side by side where memory has no limit, which would else be shared.
    /// `state` is the session's, which is dear to copy.
    pub(super) fn execute(
        &self,
        state: &SessionState,
        plans: &[LogicalPlan],
    ) -> std::result::Result<Vec<Parts>, DataFusionError> {
        let answers = plans.iter().map(|plan| parts_of(state, plan));
        match state.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Infinite => self.runtime.block_on(try_join_all(answers)),
            _ => answers.map(|answer| self.runtime.block_on(answer)).collect(),
        }
    }

    /// The answer of any query over the tables that are open.
    pub fn query(&self, sql: &str, shown: &str) -> Result<RecordBatch> {
        // A question reads; it writes no files and makes no tables.
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.runtime.block_on(self.context.sql_with_options(sql, reads));
        self.collect(frame.map_err(|e| query_error(shown, &e, &self.tables()))?, shown)
    }

    /// The distinct rows of `batch`, these columns only; in any order.
    pub fn distinct(&self, batch: &RecordBatch, columns: &[String], shown: &str) -> Result<RecordBatch> {
        let failed = |e: DataFusionError| query_error(shown, &e, &[]);
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let frame = self.context.read_batch(batch.clone()).and_then(|frame| frame.select_columns(&names));
        self.collect(frame.and_then(DataFrame::distinct).map_err(failed)?, shown)
    }

    pub(super) fn collect(&self, frame: DataFrame, shown: &str) -> Result<RecordBatch> {
        let (state, plan) = frame.into_parts();
        let schema = Arc::clone(plan.schema().inner());
        let answer = state.optimize(&plan).and_then(|plan| self.runtime.block_on(parts_of(&state, &plan)));
        answer.and_then(|answer| one_batch(answer, &schema)).map_err(|e| query_error(shown, &e, &[]))
    }
}

/// The answer of an optimised plan, in its parts.
async fn parts_of(state: &SessionState, plan: &LogicalPlan) -> datafusion::error::Result<Parts> {
    let plan = state.query_planner().create_physical_plan(plan, state).await?;
    let schema = plan.schema();
    let parts = execute_stream_partitioned(plan, state.task_ctx())?;
    let parts: Vec<_> = parts.into_iter().map(|part| SpawnedTask::spawn(rows_of(part))).collect();
    let mut answers = Vec::new();
    for part in parts {
        answers.push(part.join_unwind().await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??);
    }
    Ok((schema, answers))
}

/// An answer as one batch with the columns of `schema`.
fn one_batch((_, parts): Parts, schema: &SchemaRef) -> datafusion::error::Result<RecordBatch> {
    Ok(table::one_batch(schema, parts.into_iter().flatten().collect())?)
}

/// The rows of a partition.
async fn rows_of(mut part: SendableRecordBatchStream) -> datafusion::error::Result<Vec<RecordBatch>> {
    let mut rows = Vec::new();
    while let Some(batch) = part.next().await {
        rows.push(batch?);
        // A partition that waited for the same hash table has been woken onto this worker, and cannot leave it; this one
        // can.
        tokio::task::yield_now().await;
    }
    Ok(rows)
}
