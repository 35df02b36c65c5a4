//! The lists that the shop shows today, with which the others are compared.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;

use super::{ROWS, RecommendError};
use crate::rank::Catalogue;
use crate::shelf::{self, Session};
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

/// Makes the lists that the shop shows today, which `sql/exposure` reads; of long shelves for some customers at a time.
pub fn compare(
    project: &Project,
    session: &Session,
    requests: RecordBatch,
    catalogue: Option<&Catalogue>,
) -> Result<()> {
    let engine = session.engine();
    let Some(catalogue) = catalogue else {
        session.shelves(requests, None, true)?;
        for file in shelf::needed(project, &["audience", "also_bought"])? {
            register(project, engine, file)?;
        }
        return Ok(());
    };
    let table = TableName::new("recommend", "also_bought");
    let Some(file) = project.library.file(&table) else { return Ok(()) };
    let mut lists = Vec::new();
    for part in session.parts(&requests, ROWS)? {
        let compared = catalogue.compared(session, &part)?;
        session.shelves_beside(&["popular", "bought_together"], part, Some(compared), true)?;
        lists.push(engine.table(project, file)?.batch);
    }
    session.make_for(requests, &["audience"])?;
    let Some(first) = lists.first() else { return Ok(()) };
    engine.register(&table, concat_batches(&first.schema(), &lists).map_err(RecommendError::Arrow)?)
}

/// Runs a file, unless it has been, and gives its answer its name.
pub fn register(project: &Project, engine: &Engine, file: &SqlFile) -> Result<Table> {
    if engine.has(&file.table()) {
        return Table::new(engine.read(&file.table())?, project.library.key(file), &file.shown);
    }
    let table = engine.table(project, file)?;
    engine.register(&file.table(), table.batch.clone())?;
    Ok(table)
}
