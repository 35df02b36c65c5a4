//! Plans to answers.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::{MemTable, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{DataFrame, SQLOptions, ident, lit};
use futures::StreamExt;
use futures::future::try_join_all;

use super::query_error::query_error;
use super::spool::{Part, Spool};
use super::{Session, reference, table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

/// Of the memory there is, rows that are read again may take so many parts each time.
const SHARE: usize = 16;

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

    /// The answers of optimised plans as tables, which queries read: what memory has no room for goes to disk.
    pub(super) async fn tables_of_plans(
        &self,
        plans: &[LogicalPlan],
    ) -> datafusion::error::Result<Vec<Arc<dyn TableProvider>>> {
        let Some(room) = self.room().filter(|_| self.elsewhere.is_none()) else {
            let answers = self.execute(plans).await?.into_iter();
            return answers.map(|(schema, parts)| Ok(Arc::new(MemTable::try_new(schema, parts)?) as _)).collect();
        };
        let mut kept = Vec::new();
        for plan in plans {
            let streams = self.streams_of(plan).await?;
            let schema = streams.first().map_or_else(|| Arc::clone(plan.schema().inner()), |rows| rows.schema());
            let room = room / streams.len().max(1);
            let part = |rows| spooled(rows, self.part(&schema, room));
            let parts: Vec<_> = streams.into_iter().map(|rows| SpawnedTask::spawn(part(rows))).collect();
            kept.push(Spool::new(Arc::clone(&schema), joined(parts).await?).provider()?);
        }
        Ok(kept)
    }

    /// The answer of an optimised plan, row by row and in parts, however many rows there are.
    pub(super) async fn streams_of(
        &self,
        plan: &LogicalPlan,
    ) -> datafusion::error::Result<Vec<SendableRecordBatchStream>> {
        let plan = self.state.query_planner().create_physical_plan(plan, &self.state).await?;
        execute_stream_partitioned(plan, self.state.task_ctx())
    }

    /// Bytes that rows of one kind may take in memory which are read again, or sorted; none where memory has no limit.
    pub(super) fn room(&self) -> Option<usize> {
        match self.state.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(limit) => Some(limit / SHARE),
            _ => None,
        }
    }

    /// The answer of any query over the tables that are open.
    pub async fn query(&self, sql: &str, shown: &str) -> Result<RecordBatch> {
        // A question reads; it writes no files and makes no tables.
        let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql, reads).await;
        self.collect(frame.map_err(|e| query_error(shown, &e, &self.tables()))?, shown).await
    }

    /// The distinct values of a column of a table that is open, in any order; none where there is no such column.
    pub async fn values(&self, table: &TableName, column: &str) -> Result<Option<ArrayRef>> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let frame = self.context.table(reference(table)).await.map_err(failed)?;
        if !frame.schema().has_column_with_unqualified_name(column) {
            return Ok(None);
        }
        let frame = frame.select_columns(&[column]).and_then(DataFrame::distinct).map_err(failed)?;
        let values = self.collect(frame, &table.to_string()).await?;
        Ok(values.columns().first().cloned())
    }

    /// The rows of a table in which `column` is one of `texts`, in any order.
    pub async fn rows_with(&self, table: &TableName, column: &str, texts: &[String]) -> Result<RecordBatch> {
        self.open(table).await?;
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let frame = self.context.table(reference(table)).await.map_err(failed)?;
        let one_of = ident(column).in_list(texts.iter().map(lit).collect(), false);
        self.collect(frame.filter(one_of).map_err(failed)?, &table.to_string()).await
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
    joined(parts.into_iter().map(|part| SpawnedTask::spawn(rows_of(part))).collect()).await
}

/// An answer as one batch with the columns of `schema`.
fn one_batch((_, parts): Parts, schema: &SchemaRef) -> datafusion::error::Result<RecordBatch> {
    Ok(table::one_batch(schema, parts.into_iter().flatten().collect())?)
}

/// What each partition came to.
async fn joined<T: 'static>(
    parts: Vec<SpawnedTask<datafusion::error::Result<T>>>,
) -> datafusion::error::Result<Vec<T>> {
    let mut all = Vec::new();
    for part in parts {
        all.push(part.join_unwind().await.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))??);
    }
    Ok(all)
}

/// The rows of a partition, kept to be read again.
async fn spooled(mut rows: SendableRecordBatchStream, mut part: Part) -> datafusion::error::Result<Part> {
    while let Some(batch) = rows.next().await {
        part.push(batch?)?;
        tokio::task::yield_now().await;
    }
    Ok(part)
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
