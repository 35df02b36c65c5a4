//! What keeps a release back: every row that a file of `sql/gates` returns.

use std::path::Path;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Release, ReleaseError, disk};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, TableName};

/// The tables of a release that gates may read.
const READ: [(&str, &str); 2] =
    [("shelf_figures", "work/evaluation/shelf_figures.parquet"), ("recommendations", "work/recommendations.parquet")];

impl Release {
    /// What keeps this release from serving in the place of `serving`: gate and reason.
    ///
    /// # Errors
    /// Queries that cannot be answered.
    pub fn kept_back(&self, project: &Project, serving: Option<&Self>) -> Result<Vec<(String, String)>> {
        let engine = Engine::new(project)?;
        for (table, file) in READ {
            let candidate = read(&self.root.join(file))?;
            // Where nothing serves yet, there is nothing to be worse than.
            let before = match serving {
                Some(release) => read(&release.root.join(file))?,
                None => candidate.slice(0, 0),
            };
            engine.register(&TableName::new("candidate", table), candidate)?;
            engine.register(&TableName::new("serving", table), before)?;
        }
        let mut found = Vec::new();
        for file in project.library.layer(Layer::GATES) {
            let rows = engine.run(project, file)?;
            let because = rows.column_by_name("because").map(|column| cast(column, &DataType::Utf8));
            for row in 0..rows.num_rows() {
                let text = match &because {
                    Some(Ok(column)) => column.as_string::<i32>().value(row).to_owned(),
                    _ => file.header.description().trim().to_owned(),
                };
                found.push((file.header.name().to_owned(), text));
            }
        }
        Ok(found)
    }

    /// The same as an error, where anything does.
    ///
    /// # Errors
    /// The first gate.
    pub fn refuse_kept_back(&self, project: &Project, serving: Option<&Self>) -> Result<()> {
        match self.kept_back(project, serving)?.into_iter().next() {
            Some((gate, because)) => Err(ReleaseError::KeptBack { gate, because }.into()),
            None => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<RecordBatch> {
    let file = std::fs::File::open(path).map_err(|e| disk(path, e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| disk(path, e))?;
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> =
        reader.build().and_then(|rows| Ok(rows.collect::<std::result::Result<_, _>>()?)).map_err(|e| disk(path, e))?;
    Ok(datafusion::arrow::compute::concat_batches(&schema, &batches).map_err(|e| disk(path, e))?)
}
