//! Queries that are asked again and again over other rows of the same tables: each is planned once.
//!
//! A plan that was run is kept with places for the tables it reads ([`SlotTable`]).  Whoever asks the same file again takes it,
//! puts in the rows of their own session, and gives it back: nobody else runs it meanwhile, so what its expressions share is
//! theirs alone.  Where a parameter has changed, or a table's columns, it is planned anew; and each time where the
//! answer depends on the moment of planning.  As of when it is asked (`$exported_at`) is read from a table of one row.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use datafusion::arrow::array::{ArrayRef, Date32Array, TimestampNanosecondArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement;

use super::cte_materialization::{Answers, Shared, name_of};
use super::slot::{Rows, SlotTable, filled};
use super::{Session, batch_of, table};
use selvedge_project::error::Error;
use selvedge_project::params::SqlParams;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

/// Plans by the files that they answer.  Of one project, and of one state of its files: they are told apart by their names.
#[derive(Debug, Default)]
pub struct Plans {
    known: Mutex<HashMap<String, Known>>,
    /// Which of some files are answered by one query, by their places, with the columns of each.
    together: Mutex<HashMap<String, Vec<Group>>>,
}

/// Places of files, and the columns of each file's table.
pub(super) type Group = (Vec<usize>, Vec<Vec<String>>);

/// The plans of one query, as many as ever ran side by side.
#[derive(Debug)]
struct Known {
    /// The values of its parameters.
    values: String,
    idle: Vec<Plan>,
}

/// A query, planned.
#[derive(Debug)]
struct Plan {
    /// The tables that it reads.
    tables: BTreeMap<TableReference, SchemaRef>,
    /// `WITH` queries that are worked out first, in this order.
    first: Vec<(TableReference, Arc<dyn ExecutionPlan>)>,
    main: Arc<dyn ExecutionPlan>,
    /// The columns of the answer.
    schema: SchemaRef,
}

/// The parameters that say as of when a query is asked, and how they are looked up.
const MOMENTS: [(&str, &str); 2] = [
    ("exported_at", include_str!("moments/exported_at.sql")),
    ("exported_on", include_str!("moments/exported_on.sql")),
];

/// Where they stand; no table of a project can have this schema.
fn moment() -> TableName {
    TableName::new("as of", "moment")
}

fn asks_when(file: &SqlFile) -> bool {
    MOMENTS.iter().any(|(name, _)| file.parameters.contains_key(*name))
}

fn named(files: &[&SqlFile]) -> String {
    files.iter().map(|file| file.shown.as_str()).collect::<Vec<_>>().join("\n")
}

/// What stands in the query for its parameters.
fn values(project: &Project, files: &[&SqlFile]) -> String {
    let mut values = String::new();
    for file in files.iter().filter(|file| !file.parameters.is_empty()) {
        let params = project.sql_params(file.layer);
        for name in file.parameters.keys().filter(|name| MOMENTS.iter().all(|(moment, _)| moment != name)) {
            values.push_str(params.get(name).map_or("", String::as_str));
            values.push('\n');
        }
    }
    values
}

impl Plans {
    fn take(&self, name: &str, values: &str) -> Option<Plan> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_mut(name).filter(|known| known.values == values)?.idle.pop()
    }

    fn give(&self, name: String, values: String, plan: Plan) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(name).or_insert_with(|| Known { values: values.clone(), idle: Vec::new() });
        if known.values != values {
            *known = Known { values, idle: Vec::new() };
        }
        known.idle.push(plan);
    }

    /// Which of these files are answered together, where that is known.
    pub(super) fn together(&self, files: &[&SqlFile]) -> Option<Vec<Group>> {
        self.together.lock().unwrap_or_else(PoisonError::into_inner).get(&named(files)).cloned()
    }

    pub(super) fn are_together(&self, files: &[&SqlFile], groups: Vec<Group>) {
        self.together.lock().unwrap_or_else(PoisonError::into_inner).insert(named(files), groups);
    }
}

impl Session {
    /// The answer of files that one query answers, by a plan that was made before; none where there is none that fits, or where
    /// it fails: planned anew, it says why.
    pub(super) async fn answered_again(&self, project: &Project, files: &[&SqlFile]) -> Option<RecordBatch> {
        let plans = self.plans.as_ref()?;
        let (name, values) = (named(files), values(project, files));
        let plan = plans.take(&name, &values)?;
        if files.iter().any(|file| asks_when(file)) {
            self.lay_moment(project);
        }
        let mut rows = Rows::new();
        for (table, schema) in &plan.tables {
            let memory = self.in_memory(table).await?;
            if memory.0 != *schema {
                return None;
            }
            rows.insert(table.clone(), memory.1);
        }
        let answer = self.run_again(&plan, rows).await.ok()?;
        plans.give(name, values, plan);
        Some(answer)
    }

    /// The parameters of a file; where plans are kept, those that say as of when are looked up as the plan is run.
    pub(super) fn parameters(&self, project: &Project, file: &SqlFile) -> SqlParams {
        let mut params = project.sql_params(file.layer);
        if self.plans.is_some() && asks_when(file) {
            self.lay_moment(project);
            params.extend(MOMENTS.map(|(name, looked_up)| (name.to_owned(), looked_up.to_owned())));
        }
        params
    }

    /// Lays down as of when this session asks, once: all that it asks is as of one moment.
    fn lay_moment(&self, project: &Project) {
        self.moment.get_or_init(|| {
            let shop = &project.params.shop;
            let day = shop.exported_at.with_timezone(&shop.timezone).date_naive();
            let days = i32::try_from((day - NaiveDate::default()).num_days()).ok();
            let at: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![shop.exported_at.timestamp_nanos_opt()]));
            let on: ArrayRef = Arc::new(Date32Array::from(vec![days]));
            let table = moment();
            // Without it the query is not planned, and says so.
            batch_of("as of", MOMENTS.map(|(name, _)| name).into_iter().zip([at, on]))
                .and_then(|row| self.register(&table, row))
                .is_ok()
        });
    }

    async fn run_again(&self, plan: &Plan, mut rows: Rows) -> Result<RecordBatch> {
        for (name, query) in &plan.first {
            let answer = self.rows_of(query, &rows).await?;
            rows.insert(name.clone(), answer);
        }
        let answer = self.rows_of(&plan.main, &rows).await?;
        Ok(table::one_batch(&plan.schema, answer)?)
    }

    async fn rows_of(&self, plan: &Arc<dyn ExecutionPlan>, rows: &Rows) -> Result<Vec<RecordBatch>> {
        let parts = self.executed(filled(plan, rows)?).await?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// The answer of a query that is planned now, with the queries called `names` worked out first; where it may be, the plan is
    /// kept in `plans`.
    pub(super) async fn answered_and_kept(
        &self,
        plans: &Plans,
        project: &Project,
        files: &[&SqlFile],
        names: &BTreeSet<String>,
        plan: LogicalPlan,
    ) -> Result<RecordBatch> {
        let tables = self.tables_in_memory(&plan).await?;
        let kept = match tables {
            Some(tables) => self.planned_once(plans, project, files, names, plan.clone(), tables).await,
            None => self.answered_once(names, plan.clone()).await,
        };
        match (kept, files) {
            // A moment that is looked up may stand where only one that is written down can.
            (Err(_), [file]) if asks_when(file) => {
                let statement = file.statement(&project.sql_params(file.layer)).map_err(|e| external(&e))?;
                let statement = Statement::Statement(Box::new(statement));
                self.answered_once(names, self.state.statement_to_plan(statement).await?).await
            }
            (kept, _) => kept,
        }
    }

    async fn answered_once(&self, names: &BTreeSet<String>, plan: LogicalPlan) -> Result<RecordBatch> {
        let schema = Arc::clone(plan.schema().inner());
        let plans = self.materialized(names, vec![plan]).await?;
        let parts = self.execute(&plans).await?.into_iter().flat_map(|(_, parts)| parts);
        Ok(table::one_batch(&schema, parts.flatten().collect())?)
    }

    async fn planned_once(
        &self,
        plans: &Plans,
        project: &Project,
        files: &[&SqlFile],
        names: &BTreeSet<String>,
        plan: LogicalPlan,
        tables: BTreeMap<TableReference, Memory>,
    ) -> Result<RecordBatch> {
        let schema = Arc::clone(plan.schema().inner());
        let plan = with_slots(plan, &tables)?;
        let shared = Shared::of(&self.state, names, vec![plan])?;
        let mut rows: Rows = tables.iter().map(|(name, (_, rows))| (name.clone(), rows.clone())).collect();
        let (mut answers, mut first) = (Answers::new(), Vec::new());
        for (number, query) in shared.queries.iter().enumerate() {
            let query = self.physical(&shared.filled(query.clone(), &answers)?).await?;
            let answer = self.rows_of(&query, &rows).await?;
            let name = name_of(number);
            answers.insert(number, Arc::new(SlotTable::new(name.clone(), query.schema(), &answer)));
            rows.insert(name.clone(), answer);
            first.push((name, query));
        }
        let main = self.physical(&shared.filled(shared.mains[0].clone(), &answers)?).await?;
        let answer = table::one_batch(&schema, self.rows_of(&main, &rows).await?)?;
        let tables = tables.into_iter().map(|(name, (schema, _))| (name, schema)).collect();
        plans.give(named(files), values(project, files), Plan { tables, first, main, schema });
        Ok(answer)
    }

    async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        self.state.query_planner().create_physical_plan(plan, &self.state).await
    }

    /// The tables that a plan reads; none where one is not in memory, or where the answer depends on when it is planned.
    async fn tables_in_memory(&self, plan: &LogicalPlan) -> Result<Option<BTreeMap<TableReference, Memory>>> {
        let (mut names, mut lasts) = (BTreeSet::new(), true);
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                names.insert(scan.table_name.clone());
            }
            node.apply_expressions(|expr| {
                lasts &= !expr.exists(|expr| Ok(depends_on_when(expr)))?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        let mut tables = BTreeMap::new();
        for name in names {
            let Some(memory) = self.in_memory(&name).await.filter(|_| lasts) else { return Ok(None) };
            tables.insert(name, memory);
        }
        Ok(Some(tables))
    }

    /// The columns and rows of a table in memory.
    async fn in_memory(&self, name: &TableReference) -> Option<Memory> {
        let provider = self.context.table_provider(name.clone()).await.ok()?;
        let memory = provider.downcast_ref::<MemTable>()?;
        let mut rows = Vec::new();
        for part in &memory.batches {
            rows.extend(part.read().await.iter().cloned());
        }
        Some((provider.schema(), rows))
    }
}

fn external(error: &Error) -> DataFusionError {
    DataFusionError::External(error.to_string().into())
}

/// The columns and rows of a table.
type Memory = (SchemaRef, Vec<RecordBatch>);

/// Functions such as `now()`, which are worked out when a query is planned, and those that never say the same twice.
fn depends_on_when(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable)
}

/// The plan with places for the rows of its tables.
fn with_slots(plan: LogicalPlan, tables: &BTreeMap<TableReference, Memory>) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(Transformed::no(node)) };
        let Some((schema, rows)) = tables.get(&scan.table_name) else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        let slot = SlotTable::new(scan.table_name.clone(), Arc::clone(schema), rows);
        let source = provider_as_source(Arc::new(slot));
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })))
    })?;
    Ok(plan.data)
}
