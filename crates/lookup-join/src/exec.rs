//! The operator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{concat_batches, take, take_record_batch};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, JoinSide, Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::physical_expr::{Distribution, PhysicalExpr, PhysicalExprRef};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream, collect,
};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, TryStreamExt, future, stream};

use crate::table::{Asking, Pairs, Table};
use crate::vectors::taken;

/// The table that every partition looks things up in, and its place in the memory pool.
type Held = Arc<(Table, MemoryReservation)>;
type Hashed = Shared<BoxFuture<'static, std::result::Result<Held, Arc<DataFusionError>>>>;

/// Bytes that a batch adds to its rows at most, but for one of [`LEAST`] rows: what a processor keeps near.
const NEAR: usize = 1 << 20;
const LEAST: usize = 256;

/// What a join says, whatever its inputs.
#[derive(Debug)]
struct Shape {
    table_keys: Vec<PhysicalExprRef>,
    /// The same of the rows that ask.
    asking_keys: Vec<PhysicalExprRef>,
    filter: Option<JoinFilter>,
    /// Where each column comes from: left is the table.
    columns: Vec<ColumnIndex>,
    /// The hash join in whose place this stands.
    plain: Arc<dyn ExecutionPlan>,
}

/// A LEFT JOIN with the table on the left, as DataFusion's right hash join has it.
#[derive(Debug)]
pub struct LookupJoinExec {
    shape: Arc<Shape>,
    table: Arc<dyn ExecutionPlan>,
    asking: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    hashed: Mutex<Option<Hashed>>,
    metrics: ExecutionPlanMetricsSet,
}

impl LookupJoinExec {
    /// In the place of `plain`, a right hash join that collects its left side.
    pub(crate) fn new(join: &HashJoinExec, plain: &Arc<dyn ExecutionPlan>) -> Self {
        let of_table = join.left.schema().fields().len();
        let all = of_table + join.right.schema().fields().len();
        let column = |place: usize| match place.checked_sub(of_table) {
            None => ColumnIndex { index: place, side: JoinSide::Left },
            Some(index) => ColumnIndex { index, side: JoinSide::Right },
        };
        let columns = match &join.projection {
            Some(places) => places.iter().copied().map(column).collect(),
            None => (0..all).map(column).collect(),
        };
        let (table_keys, asking_keys) = join.on.iter().cloned().unzip();
        let (filter, plain) = (join.filter.clone(), Arc::clone(plain));
        let shape = Arc::new(Shape { table_keys, asking_keys, filter, columns, plain });
        Self {
            shape,
            table: Arc::clone(&join.left),
            asking: Arc::clone(&join.right),
            properties: Arc::clone(join.properties()),
            hashed: Mutex::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The hash join in whose place this stands, over inputs without rows: what
    /// [`LookupJoinRule::restored`](crate::LookupJoinRule::restored) makes it of again.
    pub fn plain(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let empty = |input: &Arc<dyn ExecutionPlan>| Arc::new(EmptyExec::new(input.schema())) as _;
        over(&self.shape.plain, vec![empty(&self.table), empty(&self.asking)])
    }

    /// The table, read once for all partitions.
    fn hashed(&self, context: &Arc<TaskContext>) -> Hashed {
        let hash = || {
            let (shape, table, context) = (Arc::clone(&self.shape), Arc::clone(&self.table), Arc::clone(context));
            let limit = context.memory_pool().memory_limit();
            let memory = MemoryConsumer::new("LookupJoinExec").register(context.memory_pool());
            let hash = async move {
                let schema = table.schema();
                let rows = concat_batches(&schema, &collect(table, context).await?)?;
                // Of what may be a slice of a larger table, only the rows are held for this.
                let sizes = rows.columns().iter().map(|column| column.to_data().get_slice_memory_size());
                memory.try_grow(sizes.sum::<std::result::Result<usize, _>>()?)?;
                let table = Table::new(rows, &shape.table_keys)?;
                memory.try_grow(table.size())?;
                Ok(Arc::new((table, memory)))
            };
            let shared = |held: Result<Held>| held.map_err(Arc::new);
            // What memory may have no room for side by side is read one after the other.
            if !matches!(limit, MemoryLimit::Infinite) {
                return hash.map(shared).boxed().shared();
            }
            // Begun at once: of several joins one over the other, each would else wait for those above.
            let held = SpawnedTask::spawn(hash).join_unwind();
            let held = held.map(|held| held.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?);
            held.map(shared).boxed().shared()
        };
        self.hashed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(hash).clone()
    }
}

/// A plan over other inputs.
pub(crate) fn over(
    plan: &Arc<dyn ExecutionPlan>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(plan).replace_children(inputs, options)
}

impl Shape {
    /// The rows of `batch` with what they look up, in batches of about `size` rows.
    fn joined(
        self: Arc<Self>,
        held: Held,
        batch: RecordBatch,
        size: usize,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send> {
        let mut asking = held.0.ask(&batch, &self.asking_keys)?;
        Ok(std::iter::from_fn(move || (!asking.is_done()).then(|| self.next(&held.0, &batch, &mut asking, size))))
    }

    /// Rows of a batch, `most` at most: as many as stay near with what is added to them.
    fn size(&self, table: &Table, most: usize) -> usize {
        let added = self.columns.iter().filter(|column| column.side == JoinSide::Left);
        let bytes = |column: &ColumnIndex| table.rows.column(column.index).to_data().get_slice_memory_size();
        let bytes: usize = added.map(|column| bytes(column).unwrap_or_default()).sum();
        let of_row = (bytes / table.rows.num_rows().max(1)).max(1);
        most.min((NEAR / of_row).max(LEAST))
    }

    fn next(&self, table: &Table, batch: &RecordBatch, asking: &mut Asking, size: usize) -> Result<RecordBatch> {
        let pairs = self.fitting(table, batch, table.next(asking, size)?)?;
        if let Some(found) = pairs.one_each() {
            return self.batch(table, &batch.slice(pairs.from, pairs.to - pairs.from), &found);
        }
        let (rows, found) = pairs.with_unmet();
        self.batch(table, &take_record_batch(batch, &rows)?, &found)
    }

    /// Those of the pairs for which the join's condition beside the keys holds.
    fn fitting(&self, table: &Table, batch: &RecordBatch, pairs: Pairs) -> Result<Pairs> {
        let Some(filter) = &self.filter else { return Ok(pairs) };
        let side = |column: &ColumnIndex| match column.side {
            JoinSide::Left => take(table.rows.column(column.index), &pairs.found, None),
            _ => take(batch.column(column.index), &pairs.rows, None),
        };
        let columns = filter.column_indices().iter().map(side).collect::<std::result::Result<_, _>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(pairs.rows.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(filter.schema()), columns, &count)?;
        let holds = filter.expression().evaluate(&rows)?.into_array(rows.num_rows())?;
        pairs.only(holds.as_boolean())
    }

    /// Rows that ask, and in the same order what they found.
    fn batch(&self, table: &Table, asking: &RecordBatch, found: &UInt32Array) -> Result<RecordBatch> {
        let column = |column: &ColumnIndex| -> Result<ArrayRef> {
            if column.side == JoinSide::Right {
                return Ok(Arc::clone(asking.column(column.index)));
            }
            let values = table.rows.column(column.index);
            // There may be no rows to take from.
            if found.null_count() == found.len() {
                return Ok(new_null_array(values.data_type(), found.len()));
            }
            Ok(taken(values, found)?)
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(found.len()));
        let schema = self.plain.schema();
        Ok(RecordBatch::try_new_with_options(schema, columns, &count)?)
    }
}

impl DisplayAs for LookupJoinExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let on = self.shape.table_keys.iter().zip(&self.shape.asking_keys);
        let on: Vec<String> = on.map(|(table, asking)| format!("({table}, {asking})")).collect();
        write!(f, "LookupJoinExec: on=[{}]", on.join(", "))?;
        match &self.shape.filter {
            Some(filter) => write!(f, ", filter={}", filter.expression()),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for LookupJoinExec {
    fn name(&self) -> &'static str {
        "LookupJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition, Distribution::UnspecifiedDistribution])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false, true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.table, &self.asking]
    }

    fn apply_expressions(
        &self,
        seen: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let keys = self.shape.table_keys.iter().chain(&self.shape.asking_keys);
        let filter = self.shape.filter.as_ref().map(JoinFilter::expression);
        let mut next = TreeNodeRecursion::Continue;
        for expression in keys.chain(filter) {
            next = next.visit_sibling(|| seen(expression))?;
        }
        Ok(next)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop(), children.pop()) {
            (Some(asking), Some(table), None) => {
                let properties = match options.children_properties {
                    ChildrenPropertiesMode::Keep => Arc::clone(&self.properties),
                    // In how many parts rows come, and sorted by what, is as the hash join has it over the same inputs.
                    ChildrenPropertiesMode::Recompute => {
                        let join = over(&self.shape.plain, vec![Arc::clone(&table), Arc::clone(&asking)])?;
                        Arc::clone(join.properties())
                    }
                };
                let shape = Arc::clone(&self.shape);
                let (hashed, metrics) = (Mutex::default(), ExecutionPlanMetricsSet::new());
                Ok(Arc::new(Self { shape, table, asking, properties, hashed, metrics }))
            }
            _ => internal_err!("LookupJoinExec has two inputs"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (shape, size) = (Arc::clone(&self.shape), context.session_config().batch_size());
        let hashed = self.hashed(&context);
        let asking = self.asking.execute(partition, context)?;
        let joined = async move {
            let held = hashed.await.map_err(DataFusionError::Shared)?;
            let size = shape.size(&held.0, size);
            Ok::<_, DataFusionError>(asking.and_then(move |batch| {
                future::ready(Arc::clone(&shape).joined(Arc::clone(&held), batch, size).map(stream::iter))
            }))
        };
        let joined = stream::once(joined).try_flatten().try_flatten();
        let joined = joined.inspect_ok(move |batch| metrics.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), joined)))
    }
}
