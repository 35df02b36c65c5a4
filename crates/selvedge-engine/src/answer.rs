//! Plans to answers.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{DataFrame, SQLOptions};
use futures::StreamExt;
use futures::future::try_join_all;

use super::query_error::query_error;
use super::{Session, table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::SqlFile;

/// What a plan answers: its columns, and the rows of each partition.
pub(super) type Parts = (SchemaRef, Vec<Vec<RecordBatch>>);

impl Session {
    /// The answer of one SQL file, in any order.
    pub async fn run(&self, project: &Project, file: &SqlFile) -> Result<RecordBatch> {
        for table in &file.reads {
            self.open(table).await?;
        }
        if let Some(answer) = self.answered_again(project, &[file]).await {
            return Ok(answer);
        }
        let plan = self.plan(project, file).await?;
        Ok(self.run_planned(project, file, vec![plan]).await?.swap_remove(0))
    }

    /// The answers of plans over one SQL file; what several of them read is worked out once.
    pub async fn run_planned(
        &self,
        project: &Project,
        file: &SqlFile,
        plans: Vec<LogicalPlan>,
    ) -> Result<Vec<RecordBatch>> {
        let schemas: Vec<SchemaRef> = plans.iter().map(|plan| Arc::clone(plan.schema().inner())).collect();
        match self.answers(project, file, plans, &schemas).await {
            Ok(answers) => Ok(answers),
            // Some kinds are only found not to fit when the plan is made ready to run.
            Err(e) => Err(self.misfit(project, file).await.unwrap_or_else(|| query_error(&file.shown, &e, &[]))),
        }
    }

    async fn answers(
        &self,
        project: &Project,
        file: &SqlFile,
        mut plans: Vec<LogicalPlan>,
        schemas: &[SchemaRef],
    ) -> datafusion::error::Result<Vec<RecordBatch>> {
        if let (Some(known), 1) = (&self.plans, plans.len()) {
            let plan = plans.swap_remove(0);
            return Ok(vec![self.answered_and_kept(known, project, &[file], &file.read_again(), plan).await?]);
        }
        let plans = self.materialized(&file.read_again(), plans).await?;
        let answers = self.execute(&plans).await?;
        answers.into_iter().zip(schemas).map(|(answer, schema)| one_batch(answer, schema)).collect()
    }

    /// The answer of a plan, in any order.
    pub async fn run_plan(&self, plan: LogicalPlan, shown: &str) -> Result<RecordBatch> {
        self.collect(DataFrame::new(self.context.state(), plan), shown).await
    }

    /// The answers of optimised plans, in their parts; side by side where memory has no limit, which would else be shared.
    pub(super) async fn execute(&self, plans: &[LogicalPlan]) -> datafusion::error::Result<Vec<Parts>> {
        let answers = plans.iter().map(|plan| self.parts_of(&self.state, plan));
        match self.state.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Infinite => try_join_all(answers).await,
            _ => {
                let mut made = Vec::new();
                for answer in answers {
                    made.push(answer.await?);
                }
                Ok(made)
            }
        }
    }

    /// The answer of any query over the tables that are open.
    pub async fn query(&self, sql: &str, shown: &str) -> Result<RecordBatch> {
        // A question reads; it writes no files and makes no tables.
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql, reads).await;
        self.collect(frame.map_err(|e| query_error(shown, &e, &self.tables()))?, shown).await
    }

    pub(super) async fn collect(&self, frame: DataFrame, shown: &str) -> Result<RecordBatch> {
        let (state, plan) = frame.into_parts();
        let schema = Arc::clone(plan.schema().inner());
        let failed = |e: DataFusionError| query_error(shown, &e, &[]);
        let plan = state.optimize(&plan).map_err(failed)?;
        let answer = self.parts_of(&state, &plan).await.map_err(failed)?;
        one_batch(answer, &schema).map_err(failed)
    }

    /// The answer of an optimised plan, in its parts.
    async fn parts_of(&self, state: &SessionState, plan: &LogicalPlan) -> datafusion::error::Result<Parts> {
        let plan = state.query_planner().create_physical_plan(plan, state).await?;
        let schema = plan.schema();
        if let Some(elsewhere) = &self.elsewhere
            && elsewhere.stays(&plan).is_none()
        {
            return Ok((schema, vec![elsewhere.answer(plan, state).await?]));
        }
        Ok((schema, parts_of(execute_stream_partitioned(plan, state.task_ctx())?).await?))
    }

    /// The answer of a plan that is made ready to run, in its parts; where there is one alone, on the thread that asks.
    pub(super) async fn executed(
        &self,
        plan: Arc<dyn ExecutionPlan>,
    ) -> datafusion::error::Result<Vec<Vec<RecordBatch>>> {
        let context = self.task_context.get_or_init(|| self.state.task_ctx());
        let mut parts = execute_stream_partitioned(plan, Arc::clone(context))?;
        match parts.len() {
            1 => Ok(vec![rows_of(parts.swap_remove(0)).await?]),
            _ => parts_of(parts).await,
        }
    }
}

/// The rows of each partition, all side by side.
async fn parts_of(parts: Vec<SendableRecordBatchStream>) -> datafusion::error::Result<Vec<Vec<RecordBatch>>> {
    let parts: Vec<_> = parts.into_iter().map(|part| SpawnedTask::spawn(rows_of(part))).collect();
    let mut answers = Vec::new();
    for part in parts {
        answers.push(part.join_unwind().await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??);
    }
    Ok(answers)
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
