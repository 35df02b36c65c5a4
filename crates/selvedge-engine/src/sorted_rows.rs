//! An answer in the order of its key, some rows at a time: of more rows than memory has room for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result as Answered};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::EmptyRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;

use super::query_error::query_error;
use super::table;
use super::{Session, wait_for};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::SqlFile;

/// What becomes of an answer's rows before they are sorted; asked by several threads.
pub type Through = Arc<dyn Fn(RecordBatch) -> Answered<RecordBatch> + Send + Sync>;

/// Rows that come in the order of a key.
pub struct SortedRows {
    rows: SendableRecordBatchStream,
    /// The SQL file, for errors.
    file: String,
}

impl SortedRows {
    /// The rows that follow; none behind the last.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        let next = wait_for(self.rows.next())?;
        next.transpose().map_err(|error| query_error(&self.file, &error, &[]))
    }
}

impl Session {
    /// The answer of `file`, planned as `plan`: with plain columns as a [`super::Table`] has them, sent `through` a function
    /// that makes rows of `schema` of them, and sorted by `key` as a table is.
    ///
    /// # Errors
    /// Queries that cannot be answered, or return no such key.
    pub async fn sorted_rows(
        &self,
        project: &Project,
        file: &SqlFile,
        plan: LogicalPlan,
        (schema, key): (SchemaRef, &[String]),
        through: Through,
    ) -> Result<SortedRows> {
        let made = self.sorted_stream(file, plan, (schema, key), through).await;
        let failed = |e: DataFusionError| query_error(&file.shown, &e, &[]);
        match made {
            Ok(rows) => Ok(SortedRows { rows, file: file.shown.clone() }),
            Err(error) => Err(self.misfit(project, file).await.unwrap_or_else(|| failed(error))),
        }
    }

    async fn sorted_stream(
        &self,
        file: &SqlFile,
        plan: LogicalPlan,
        (schema, key): (SchemaRef, &[String]),
        through: Through,
    ) -> Answered<SendableRecordBatchStream> {
        let answered = Arc::clone(plan.schema().inner());
        let plan = self.materialized(&file.read_again(), vec![plan]).await?.swap_remove(0);
        let part = |rows: SendableRecordBatchStream| {
            let (answered, through) = (Arc::clone(&answered), Arc::clone(&through));
            let rows = rows.map(move |batch| through(table::one_batch(&answered, vec![batch?])?));
            let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), rows));
            Arc::new(Once { schema: Arc::clone(&schema), rows: Mutex::new(Some(rows)) }) as Arc<dyn PartitionStream>
        };
        let parts = self.streams_of(&plan).await?.into_iter().map(part).collect();
        let rows = StreamingTableExec::try_new(Arc::clone(&schema), parts, None, [], false, None)?;
        let options = SortOptions { descending: false, nulls_first: true };
        let order = key.iter().map(|column| Ok(PhysicalSortExpr::new(col(column, &schema)?, options)));
        let missing = || DataFusionError::Internal("a table without a key".into());
        let order = LexOrdering::new(order.collect::<Answered<Vec<_>>>()?).ok_or_else(missing)?;
        let sorted = SortExec::new(order.clone(), Arc::new(rows)).with_preserve_partitioning(true);
        SortPreservingMergeExec::new(order, Arc::new(sorted)).execute(0, self.state.task_ctx())
    }
}

/// Rows that can be read once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| Box::pin(EmptyRecordBatchStream::new(Arc::clone(&self.schema))))
    }
}
