//! A session over a project's tables, which many can ask at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider,
    TableProvider,
};
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use datafusion::sql::parser::Statement;
use point_in_time::Verdict;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::elsewhere::{self, Elsewhere};
use super::overlay::OverlayCatalog;
use super::query_error::{plain, query_error};
use super::remembered::Plans;
use super::spool::{Part, Spool};
use super::{EngineError, Table, context, read_rows, reference, table};
use selvedge_project::error::{Error, Result};
use selvedge_project::paths::Paths;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};
use selvedge_project::stage::{self, Flow};

/// The one catalogue of a session.
const CATALOG: &str = "datafusion";

/// Rows up to which a table in memory is one part.
const SMALL: usize = 1 << 13;

/// Tables by name and the queries over them.  Everything that waits is `async`; stages wait by [`super::Engine`].
pub struct Session {
    pub(super) context: SessionContext,
    /// The context's own state: to copy it is dear, and its lock may not be held while something is waited for.
    pub(super) state: SessionState,
    /// Whose tables this session sees where it has none of that name.
    below: Option<Arc<Session>>,
    /// Where plans are kept for who asks the same again; none where everything is planned when it is asked.
    pub(super) plans: Option<Arc<Plans>>,
    /// Whether it is laid down as of when this session asks.
    pub(super) moment: OnceLock<bool>,
    /// What plans run with, made once: it copies every function's name.
    pub(super) task_context: OnceLock<Arc<TaskContext>>,
    /// Who answers plans that are not answered here.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
    paths: Paths,
    flow: Flow,
    /// Held while a stored table is opened: two at a time would both find it not open yet.
    opening: Mutex<()>,
}

impl Session {
    /// A session with the engine's own functions and no tables.
    pub fn new(project: &Project) -> Result<Self> {
        let start = |e: DataFusionError| EngineError::Start(e.to_string());
        let elsewhere = elsewhere::find(project)?;
        let context = context::open(&project.params.engine).map_err(start)?;
        sql_functions::register(&context);
        let session = Self {
            state: context.state(),
            context,
            below: None,
            plans: None,
            moment: OnceLock::new(),
            task_context: OnceLock::new(),
            elsewhere,
            paths: project.paths.clone(),
            flow: project.flow,
            opening: Mutex::new(()),
        };
        for table in project.library.tables() {
            session.add_schema(&table).map_err(start)?;
        }
        Ok(session)
    }

    /// A session for one request: it sees every table of this one, and what it registers only it sees.
    ///
    /// # Errors
    /// Where there is no catalogue to lie over.
    pub fn over(self: &Arc<Self>) -> Result<Self> {
        self.lying_over(None)
    }

    /// The same for a request of few rows that is much like those before it: what they planned is kept in `plans`, and each
    /// query is answered by one thread.
    ///
    /// # Errors
    /// As [`Session::over`].
    pub fn over_again(self: &Arc<Self>, plans: &Arc<Plans>) -> Result<Self> {
        self.lying_over(Some(plans))
    }

    fn lying_over(self: &Arc<Self>, plans: Option<&Arc<Plans>>) -> Result<Self> {
        let start = |e: DataFusionError| EngineError::Start(e.to_string());
        let catalogs = MemoryCatalogProviderList::new();
        let below = self.catalog().map_err(start)?;
        catalogs.register_catalog(CATALOG.into(), Arc::new(OverlayCatalog::over(below)));
        let mut state =
            SessionStateBuilder::new_from_existing(self.state.clone()).with_catalog_list(Arc::new(catalogs));
        // Plans for other machines are theirs to keep.
        let plans = plans.filter(|_| self.elsewhere.is_none()).map(Arc::clone);
        if plans.is_some() {
            context::for_few_rows(state.config().get_or_insert_default());
        }
        let state = state.build();
        Ok(Self {
            context: SessionContext::new_with_state(state.clone()),
            state,
            below: Some(Arc::clone(self)),
            plans,
            moment: OnceLock::new(),
            task_context: OnceLock::new(),
            elsewhere: self.elsewhere.clone(),
            paths: self.paths.clone(),
            flow: self.flow,
            opening: Mutex::new(()),
        })
    }

    fn catalog(&self) -> datafusion::error::Result<Arc<dyn CatalogProvider>> {
        self.context.catalog(CATALOG).ok_or_else(|| DataFusionError::Internal("no catalog".into()))
    }

    fn add_schema(&self, table: &TableName) -> datafusion::error::Result<()> {
        let catalog = self.catalog()?;
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

    /// Gives `batch` a name; a table of this session's of that name is replaced.
    pub fn register(&self, table: &TableName, batch: RecordBatch) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        self.add_schema(table).map_err(failed)?;
        let memory = MemTable::try_new(batch.schema(), self.parts(batch)).map_err(failed)?;
        self.context.deregister_table(reference(table)).map_err(failed)?;
        self.context.register_table(reference(table), Arc::new(memory)).map_err(failed)?;
        Ok(())
    }

    /// Gives rows that are kept to be read again a name; a table of this session's of that name is replaced.
    pub fn provide(&self, table: &TableName, rows: &Spool) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        self.add_schema(table).map_err(failed)?;
        self.context.deregister_table(reference(table)).map_err(failed)?;
        self.context.register_table(reference(table), rows.provider().map_err(failed)?).map_err(failed)?;
        Ok(())
    }

    /// Gives the rows of a Parquet file a name; a table of this session's of that name is replaced.
    pub async fn provide_stored(&self, table: &TableName, path: &Path) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        self.add_schema(table).map_err(failed)?;
        self.context.deregister_table(reference(table)).map_err(failed)?;
        self.register_file(table, path).await.map_err(failed)
    }

    async fn register_file(&self, table: &TableName, path: &Path) -> datafusion::error::Result<()> {
        let location = path.to_string_lossy().into_owned();
        self.context.register_parquet(reference(table), location, ParquetReadOptions::default()).await
    }

    /// A part for rows that are kept to be read again, of which `room` bytes stay in memory.
    pub(super) fn part(&self, schema: &SchemaRef, room: usize) -> Part {
        Part::new(self.state.runtime_env(), schema, room)
    }

    /// A batch in as many parts as there are partitions, one after the other, so that none waits for another's rows; a
    /// small one is not worth it.
    fn parts(&self, batch: RecordBatch) -> Vec<Vec<RecordBatch>> {
        let partitions = self.state.config().target_partitions();
        let rows = batch.num_rows().div_ceil(partitions).max(SMALL);
        let starts = (0..batch.num_rows().max(1)).step_by(rows);
        starts.map(|start| vec![batch.slice(start, rows.min(batch.num_rows() - start))]).collect()
    }

    /// Whether a table of this name is open.
    pub fn has(&self, table: &TableName) -> bool {
        self.context.table_exist(reference(table)).unwrap_or(false)
    }

    /// Makes sure that `table` can be read: registered before, or on disk.
    pub async fn open(&self, table: &TableName) -> Result<()> {
        // What is on disk is opened where all can see it.
        let mut shared = self;
        while !shared.has(table)
            && let Some(below) = &shared.below
        {
            shared = below;
        }
        shared.open_here(table).await
    }

    async fn open_here(&self, table: &TableName) -> Result<()> {
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let _opening = self.opening.lock().await;
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
        self.register_file(table, &path).await.map_err(|e| bad(plain(&e.strip_backtrace())))?;
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

    /// A table that is registered or stored, as one batch.
    pub async fn read(&self, table: &TableName) -> Result<RecordBatch> {
        self.open(table).await?;
        let failed = |e: DataFusionError| query_error(&table.to_string(), &e, &[]);
        let provider = self.context.table_provider(reference(table)).await.map_err(failed)?;
        // What is in memory is there without a query.
        if let Some(memory) = provider.downcast_ref::<MemTable>() {
            let mut batches: Vec<RecordBatch> = Vec::new();
            for part in &memory.batches {
                batches.extend(part.read().await.iter().cloned());
            }
            return table::one_batch(&memory.schema(), batches).map_err(|e| failed(e.into()));
        }
        let frame = self.context.read_table(provider).map_err(failed)?;
        self.collect(frame, &table.to_string()).await
    }

    /// The parameter because of which a file's query cannot be planned: with NULL in its place it can be.
    pub(super) async fn misfit(&self, project: &Project, file: &SqlFile) -> Option<Error> {
        if self.can_be_planned(project, file).await {
            return None;
        }
        let params = project.sql_params(file.layer);
        for (name, value) in params.iter().filter(|(name, _)| file.parameters.contains_key(*name)) {
            let section = project.params.section_of(file.layer.section, name);
            let without = project.with_sql_param(section, name, "NULL".into());
            if self.can_be_planned(&without, file).await {
                let misfit = EngineError::Misfit {
                    place: project.params.place(section, name),
                    key: format!("{section}.{name}"),
                    value: value.clone(),
                    file: file.shown.clone(),
                    line: file.parameters.get(name).copied().unwrap_or(1),
                };
                return Some(misfit.into());
            }
        }
        None
    }

    async fn can_be_planned(&self, project: &Project, file: &SqlFile) -> bool {
        self.planned(project, file).await.is_ok_and(|plan| self.state.optimize(&plan).is_ok())
    }

    /// For every aggregate over a join in `file`, whose tables are open: whether it runs in one pass, and if not, which
    /// part of the query is in the way.
    pub async fn point_in_time(&self, project: &Project, file: &SqlFile) -> Result<Vec<Verdict>> {
        let failed = |e: DataFusionError| query_error(&file.shown, &e, &[]);
        let plan = self.plan(project, file).await?;
        let plan = context::without_rules(&self.state).create_physical_plan(&plan).await.map_err(failed)?;
        point_in_time::verdicts(&plan).map_err(failed)
    }

    /// Where the query of `file`, whose tables are open, is answered: none where there is no cluster, the reason where it is
    /// answered here all the same.
    pub async fn place(&self, project: &Project, file: &SqlFile) -> Result<Option<std::result::Result<(), String>>> {
        let Some(elsewhere) = &self.elsewhere else { return Ok(None) };
        let failed = |e: DataFusionError| query_error(&file.shown, &e, &[]);
        let plan = self.plan(project, file).await?;
        let plan = self.state.create_physical_plan(&plan).await.map_err(failed)?;
        Ok(Some(elsewhere.stays(&plan).map_or(Ok(()), Err)))
    }

    /// The plan of one SQL file over the tables that are open, not yet optimised.
    pub async fn plan(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        match self.planned(project, file).await {
            Ok(plan) => Ok(plan),
            Err(error) => Err(self.misfit(project, file).await.unwrap_or(error)),
        }
    }

    async fn planned(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        let statement = file.statement(&self.parameters(project, file))?;
        let statement = Statement::Statement(Box::new(statement));
        let plan = self.state.statement_to_plan(statement).await;
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
    pub async fn table(&self, project: &Project, file: &SqlFile) -> Result<Table> {
        let answer = self.run(project, file).await?;
        sorted(answer, project.library.key(file), &file.shown)
    }

    /// The tables of one layer in run order, each registered under its name, so that the next can read it.
    pub async fn layer<'a>(&self, project: &'a Project, layer: Layer) -> Result<Vec<(&'a SqlFile, Table)>> {
        let mut tables = Vec::new();
        for file in project.library.layer(layer) {
            let table = self.table(project, file).await?;
            self.register(&file.table(), table.batch.clone())?;
            tables.push((file, table));
        }
        Ok(tables)
    }

    /// A stored table as structs, one a row.
    pub async fn rows<T: DeserializeOwned>(&self, table: &TableName) -> Result<Vec<T>> {
        read_rows(&self.read(table).await?, &table.to_string())
    }

    /// The tables that are open, for near names.
    pub(super) fn tables(&self) -> Vec<String> {
        let Ok(catalog) = self.catalog() else { return Vec::new() };
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

/// The same as [`Table::new`] from asynchronous code: sorting takes the processor, and waits for threads that may be waiting for
/// the runtime's.
pub fn sorted(answer: RecordBatch, key: &[String], file: &str) -> Result<Table> {
    tokio::task::block_in_place(|| Table::new(answer, key, file))
}
