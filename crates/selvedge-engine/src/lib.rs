//! The only place that builds a DataFusion session: registers tables, runs SQL files, writes Parquet.

mod answer;
mod csv;
mod csv_start;
mod cte_materialization;
mod latin_1;
mod output;
mod parquet;
mod plan;
mod query_error;
pub mod row_local;
mod rows;
mod session;
mod shared_scan;
mod table;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use datafusion::sql::parser::Statement;
use serde::de::DeserializeOwned;

pub use point_in_time::Verdict;
pub use sql_functions::{register as register_functions, version as function_version, versions as function_versions};

pub use csv::{Expected, Malformed, RawTable};
pub use output::Staged;
pub use parquet::notes as stored_notes;
pub use rows::read as read_rows;
pub use shared_scan::SharedScan;
pub use table::{Table, TableError, batch_of, picked};

use selvedge_project::error::{Advice, Error, Result};
use selvedge_project::paths::Paths;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};
use selvedge_project::stage::{self, Flow};

use self::query_error::{plain, query_error};

/// Raise it when a stored table of the same query holds or looks like something else: all are then made again.
pub const ENGINE_VERSION: u32 = 4;

/// Rows up to which a table in memory is one part.
const SMALL: usize = 1 << 13;

/// A session over a project's tables.
pub struct Engine {
    context: SessionContext,
    runtime: tokio::runtime::Runtime,
    paths: Paths,
    flow: Flow,
    /// Held while a stored table is opened: two at a time would both find it not open yet.
    opening: Mutex<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{path} does not exist yet")]
    NotMadeYet { path: String, stage: &'static str },
    #[error("{path} cannot be read as Parquet: {cause}")]
    BadParquet { path: String, cause: String },
    #[error("{place}: {key} is {value}, which does not fit where {file}:{line} uses it")]
    Misfit { place: String, key: String, value: String, file: String, line: u64 },
    #[error("the query engine did not start: {0}")]
    Start(String),
}

impl Advice for EngineError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NotMadeYet { stage, .. } => format!("run `selvedge {stage}` first, or `selvedge run` for all stages"),
            Self::BadParquet { path, .. } => format!("delete {path} and run the stage that makes it again"),
            Self::Misfit { .. } => {
                "write a value of the kind that the query needs: a number, a text, or days such as 14 days".into()
            }
            Self::Start(_) => "set engine.partitions in params.yaml to a smaller number".into(),
        })
    }
}

impl Engine {
    /// A session with the engine's own functions and no tables.
    pub fn new(project: &Project) -> Result<Self> {
        let start = |e: DataFusionError| EngineError::Start(e.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(project.params.engine.partitions)
            .enable_all()
            .build()
            .map_err(|e| EngineError::Start(e.to_string()))?;
        let context = session::open(&project.params.engine).map_err(start)?;
        sql_functions::register(&context);
        let engine =
            Self { context, runtime, paths: project.paths.clone(), flow: project.flow, opening: Mutex::new(()) };
        for table in project.library.tables() {
            engine.add_schema(&table).map_err(start)?;
        }
        Ok(engine)
    }

    fn add_schema(&self, table: &TableName) -> datafusion::error::Result<()> {
        let catalog =
            self.context.catalog("datafusion").ok_or_else(|| DataFusionError::Internal("no catalog".into()))?;
        if let Some(schema) = &table.schema
            && catalog.schema(schema).is_none()
        {
            let provider: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
            catalog.register_schema(schema, provider)?;
        }
        Ok(())
    }

    /// An error of DataFusion's over a file's plan.
    pub fn failed(&self, file: &SqlFile, error: &DataFusionError) -> Error {
        query_error(&file.shown, error, &[])
    }

    /// Gives `batch` a name; a table of that name is replaced.
    pub fn register(&self, table: &TableName, batch: RecordBatch) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        self.add_schema(table).map_err(failed)?;
        let memory = MemTable::try_new(batch.schema(), self.parts(batch)).map_err(failed)?;
        self.context.deregister_table(reference(table)).map_err(failed)?;
        self.context.register_table(reference(table), Arc::new(memory)).map_err(failed)?;
        Ok(())
    }

    /// A batch in as many parts as there are partitions, one after the other, so that none waits for another's rows; a
    /// small one is not worth it.
    fn parts(&self, batch: RecordBatch) -> Vec<Vec<RecordBatch>> {
        let partitions = self.context.copied_config().target_partitions();
        let rows = batch.num_rows().div_ceil(partitions).max(SMALL);
        let starts = (0..batch.num_rows().max(1)).step_by(rows);
        starts.map(|start| vec![batch.slice(start, rows.min(batch.num_rows() - start))]).collect()
    }

    /// Whether a table of this name is open.
    pub fn has(&self, table: &TableName) -> bool {
        self.context.table_exist(reference(table)).unwrap_or(false)
    }

    /// Makes sure that `table` can be read: registered before, or on disk.
    pub fn open(&self, table: &TableName) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        self.add_schema(table).map_err(failed)?;
        if self.context.table_exist(reference(table)).map_err(failed)? {
            return Ok(());
        }
        let (path, stage) = self.kept(table);
        let shown = self.paths.shown(&path);
        if !path.is_file() {
            return Err(EngineError::NotMadeYet { path: shown, stage }.into());
        }
        let bad = |cause: String| EngineError::BadParquet { path: shown.clone(), cause };
        // DataFusion takes an empty file for a table without columns.
        if path.metadata().is_ok_and(|file| file.len() == 0) {
            return Err(bad("the file is empty".into()).into());
        }
        let options = ParquetReadOptions::default();
        let location = path.to_string_lossy().into_owned();
        self.runtime
            .block_on(self.context.register_parquet(reference(table), location, options))
            .map_err(|e| bad(plain(&e.strip_backtrace())))?;
        Ok(())
    }

    /// Where a table is kept.
    pub fn stored(&self, table: &TableName) -> PathBuf {
        self.kept(table).0
    }

    /// The same with the stage that makes it; what no stage keeps is nowhere.
    fn kept(&self, table: &TableName) -> (PathBuf, &'static str) {
        stage::kept(self.flow, &self.paths, table)
            .unwrap_or_else(|| (self.paths.work().join(format!("{table}.parquet")), "run"))
    }

    /// Opens `table` if its stage has run; says whether it can be read.
    pub fn open_if_made(&self, table: &TableName) -> Result<bool> {
        let made = self.stored(table).is_file();
        if made {
            self.open(table)?;
        }
        Ok(made)
    }

    /// How many rows a stored table has, without reading them; none where it has not been made.
    pub fn stored_rows(&self, table: &TableName) -> Option<u64> {
        parquet::rows(&self.stored(table))
    }

    /// A table that is registered or stored, as one batch.
    pub fn read(&self, table: &TableName) -> Result<RecordBatch> {
        self.open(table)?;
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let provider = self.runtime.block_on(self.context.table_provider(reference(table))).map_err(failed)?;
        // What is in memory is there without a query.
        if let Some(memory) = provider.downcast_ref::<MemTable>() {
            let batches: Vec<RecordBatch> =
                memory.batches.iter().flat_map(|part| part.blocking_read().clone()).collect();
            return table::one_batch(&memory.schema(), batches).map_err(|e| failed(e.into()));
        }
        let frame = self.context.read_table(provider).map_err(failed)?;
        self.collect(frame, &table.to_string())
    }

    /// The parameter because of which a file's query cannot be planned: with NULL in its place it can be.
    fn misfit(&self, project: &Project, file: &SqlFile) -> Option<Error> {
        let plans = |project: &Project| {
            self.planned(project, file).is_ok_and(|plan| self.context.state().optimize(&plan).is_ok())
        };
        if plans(project) {
            return None;
        }
        let params = project.sql_params(file.layer);
        let (name, value) =
            params.iter().filter(|(name, _)| file.parameters.contains_key(*name)).find(|(name, _)| {
                let section = project.params.section_of(file.layer.section, name);
                plans(&project.with_sql_param(section, name, "NULL".into()))
            })?;
        let section = project.params.section_of(file.layer.section, name);
        Some(
            EngineError::Misfit {
                place: project.params.place(section, name),
                key: format!("{section}.{name}"),
                value: value.clone(),
                file: file.shown.clone(),
                line: file.parameters.get(name).copied().unwrap_or(1),
            }
            .into(),
        )
    }

    /// For every aggregate over a join in `file`, whose tables are open: whether it runs in one pass, and if not, which
    /// part of the query is in the way.
    pub fn point_in_time(&self, project: &Project, file: &SqlFile) -> Result<Vec<Verdict>> {
        let failed = |e: DataFusionError| query_error(&file.shown, &e, &[]);
        let plan = self.plan(project, file)?;
        let state = session::without_rules(&self.context);
        let plan = self.runtime.block_on(state.create_physical_plan(&plan)).map_err(failed)?;
        point_in_time::verdicts(&plan).map_err(failed)
    }

    /// The plan of one SQL file over the tables that are open, not yet optimised.
    pub fn plan(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        self.planned(project, file).map_err(|error| self.misfit(project, file).unwrap_or(error))
    }

    fn planned(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        let statement = file.statement(&project.sql_params(file.layer))?;
        let statement = Statement::Statement(Box::new(statement));
        let state = self.context.state_ref();
        let plan = self.runtime.block_on(state.read().statement_to_plan(statement));
        plan.map_err(|e| query_error(&file.shown, &e, &self.tables()))
    }

    /// Gives a table without rows a name, so that queries over it can be planned.
    pub fn declare(&self, table: &TableName, schema: Schema) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        self.add_schema(table).map_err(failed)?;
        let empty = EmptyTable::new(Arc::new(table::plain_schema(&schema)));
        self.context.register_table(reference(table), Arc::new(empty)).map_err(failed)?;
        Ok(())
    }

    /// The answer of one SQL file as a table: named by its key and sorted by it.
    pub fn table(&self, project: &Project, file: &SqlFile) -> Result<Table> {
        Table::new(self.run(project, file)?, project.library.key(file), &file.shown)
    }

    /// The tables of one layer in run order, each registered under its name, so that the next can read it.
    pub fn layer<'a>(&self, project: &'a Project, layer: Layer) -> Result<Vec<(&'a SqlFile, Table)>> {
        let mut tables = Vec::new();
        for file in project.library.layer(layer) {
            let table = self.table(project, file)?;
            self.register(&file.table(), table.batch.clone())?;
            tables.push((file, table));
        }
        Ok(tables)
    }

    /// A stored table as structs, one a row.
    pub fn rows<T: DeserializeOwned>(&self, table: &TableName) -> Result<Vec<T>> {
        read_rows(&self.read(table)?, &table.to_string())
    }

    /// The tables that are open, for near names.
    fn tables(&self) -> Vec<String> {
        let Some(catalog) = self.context.catalog("datafusion") else {
            return Vec::new();
        };
        let named = |schema: String| {
            let tables = catalog.schema(&schema).map_or_else(Vec::new, |tables| tables.table_names());
            let shown = move |table: String| match schema.as_str() {
                "public" => table,
                schema => format!("{schema}.{table}"),
            };
            tables.into_iter().map(shown)
        };
        catalog.schema_names().into_iter().flat_map(named).collect()
    }
}

/// A table's name as plans have it.
pub fn reference(table: &TableName) -> TableReference {
    match &table.schema {
        Some(schema) => TableReference::partial(schema.as_str(), table.name.as_str()),
        None => TableReference::bare(table.name.as_str()),
    }
}
