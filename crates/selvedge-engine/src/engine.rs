//! The blocking face of a [`Session`], for stages.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use point_in_time::Verdict;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

use super::{EngineError, Plans, Session, SharedScan, SortedRows, Spool, Table, Through};
use selvedge_project::error::{Error, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};

/// The one runtime of the process.
static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();

fn runtime() -> Result<&'static Runtime> {
    let started = RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().enable_all().build());
    Ok(started.as_ref().map_err(|e| EngineError::Start(e.to_string()))?)
}

/// What `future` comes to, on the process's runtime.  Not for asynchronous code, which would hold up a thread of the runtime.
pub fn wait_for<F: Future>(future: F) -> Result<F::Output> {
    Ok(runtime()?.block_on(future))
}

/// A session whose answers are waited for.
pub struct Engine {
    session: Arc<Session>,
}

impl Engine {
    /// A session with the engine's own functions and no tables.
    pub fn new(project: &Project) -> Result<Self> {
        Ok(Self { session: Arc::new(Session::new(project)?) })
    }

    /// The session itself, for who asks many things at once.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        wait_for(future)?
    }

    /// See [`Session::over`].
    pub fn over(&self) -> Result<Self> {
        Ok(Self { session: Arc::new(self.session.over()?) })
    }

    /// See [`Session::over_again`].
    pub fn over_again(&self, plans: &Arc<Plans>) -> Result<Self> {
        Ok(Self { session: Arc::new(self.session.over_again(plans)?) })
    }

    /// See [`Session::failed`].
    pub fn failed(&self, file: &SqlFile, error: &DataFusionError) -> Error {
        self.session.failed(file, error)
    }

    /// See [`Session::register`].
    pub fn register(&self, table: &TableName, batch: RecordBatch) -> Result<()> {
        self.session.register(table, batch)
    }

    /// See [`Session::provide`].
    pub fn provide(&self, table: &TableName, rows: &Spool) -> Result<()> {
        self.session.provide(table, rows)
    }

    /// See [`Session::provide_stored`].
    pub fn provide_stored(&self, table: &TableName, path: &Path) -> Result<()> {
        self.wait(self.session.provide_stored(table, path))
    }

    /// See [`Session::declare`].
    pub fn declare(&self, table: &TableName, schema: Schema) -> Result<()> {
        self.session.declare(table, schema)
    }

    /// See [`Session::has`].
    pub fn has(&self, table: &TableName) -> bool {
        self.session.has(table)
    }

    /// See [`Session::open`].
    pub fn open(&self, table: &TableName) -> Result<()> {
        self.wait(self.session.open(table))
    }

    /// Opens `table` if its stage has run; says whether it can be read.
    pub fn open_if_made(&self, table: &TableName) -> Result<bool> {
        let made = self.stored(table).is_file();
        if made {
            self.open(table)?;
        }
        Ok(made)
    }

    /// See [`Session::stored`].
    pub fn stored(&self, table: &TableName) -> PathBuf {
        self.session.stored(table)
    }

    /// How many rows a stored table has, without reading them; none where it has not been made.
    pub fn stored_rows(&self, table: &TableName) -> Option<u64> {
        super::parquet::rows(&self.stored(table))
    }

    /// See [`Session::read`].
    pub fn read(&self, table: &TableName) -> Result<RecordBatch> {
        self.wait(self.session.read(table))
    }

    /// See [`Session::values`].
    pub fn values(&self, table: &TableName, column: &str) -> Result<Option<ArrayRef>> {
        self.wait(self.session.values(table, column))
    }

    /// See [`Session::rows_with`].
    pub fn rows_with(&self, table: &TableName, column: &str, texts: &[String]) -> Result<RecordBatch> {
        self.wait(self.session.rows_with(table, column, texts))
    }

    /// See [`Session::rows`].
    pub fn rows<T: DeserializeOwned>(&self, table: &TableName) -> Result<Vec<T>> {
        self.wait(self.session.rows(table))
    }

    /// See [`Session::plan`].
    pub fn plan(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        self.wait(self.session.plan(project, file))
    }

    /// See [`Session::point_in_time`].
    pub fn point_in_time(&self, project: &Project, file: &SqlFile) -> Result<Vec<Verdict>> {
        self.wait(self.session.point_in_time(project, file))
    }

    /// See [`Session::place`].
    pub fn place(&self, project: &Project, file: &SqlFile) -> Result<Option<std::result::Result<(), String>>> {
        self.wait(self.session.place(project, file))
    }

    /// See [`Session::schema`].
    pub fn schema(&self, project: &Project, file: &SqlFile) -> Result<SchemaRef> {
        self.wait(self.session.schema(project, file))
    }

    /// See [`Session::columns_read`].
    pub fn columns_read(&self, project: &Project, file: &SqlFile) -> Result<BTreeMap<TableName, BTreeSet<String>>> {
        self.wait(self.session.columns_read(project, file))
    }

    /// See [`Session::run`].
    pub fn run(&self, project: &Project, file: &SqlFile) -> Result<RecordBatch> {
        self.wait(self.session.run(project, file))
    }

    /// See [`Session::run_planned`].
    pub fn run_planned(&self, project: &Project, file: &SqlFile, plans: Vec<LogicalPlan>) -> Result<Vec<RecordBatch>> {
        self.wait(self.session.run_planned(project, file, plans))
    }

    /// See [`Session::sorted_rows`].
    pub fn sorted_rows(
        &self,
        project: &Project,
        file: &SqlFile,
        plan: LogicalPlan,
        shape: (SchemaRef, &[String]),
        through: Through,
    ) -> Result<SortedRows> {
        self.wait(self.session.sorted_rows(project, file, plan, shape, through))
    }

    /// See [`Session::run_plan`].
    pub fn run_plan(&self, plan: LogicalPlan, shown: &str) -> Result<RecordBatch> {
        self.wait(self.session.run_plan(plan, shown))
    }

    /// See [`Session::query`].
    pub fn query(&self, sql: &str, shown: &str) -> Result<RecordBatch> {
        self.wait(self.session.query(sql, shown))
    }

    /// See [`Session::open_named_files`].
    pub fn open_named_files(&self, sql: &str) -> Result<Vec<String>> {
        self.wait(self.session.open_named_files(sql))
    }

    /// See [`Session::table`].
    pub fn table(&self, project: &Project, file: &SqlFile) -> Result<Table> {
        self.wait(self.session.table(project, file))
    }

    /// See [`Session::layer`].
    pub fn layer<'a>(&self, project: &'a Project, layer: Layer) -> Result<Vec<(&'a SqlFile, Table)>> {
        self.wait(self.session.layer(project, layer))
    }

    /// The files in as few scans as their queries allow, in their order; they are planned side by side.
    pub fn shared_scans<'a>(&self, project: &Project, files: &[&'a SqlFile]) -> Result<Vec<SharedScan<'a>>> {
        if let Some(known) = self.session.scans_again(files) {
            return Ok(known);
        }
        let planned = files.par_iter().map(|file| self.wait(self.session.scan_of(project, file)));
        let planned: Vec<Result<SharedScan<'a>>> = planned.collect();
        let scans = SharedScan::shared(project, planned.into_iter().collect::<Result<_>>()?);
        self.session.keep_scans(files, &scans);
        Ok(scans)
    }

    /// See [`Session::tables_of`].
    pub fn tables_of(&self, project: &Project, scan: &SharedScan<'_>) -> Result<Vec<Table>> {
        self.wait(self.session.tables_of(project, scan))
    }
}
