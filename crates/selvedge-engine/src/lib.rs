//! The only place that builds a DataFusion session: registers tables, runs SQL files, writes Parquet.
//!
//! A [`Session`] is asynchronous: many can ask at once, each over tables of its own that lie over shared ones.  An
//! [`Engine`] is the same for who would wait anyway, which is what stages do.

mod answer;
mod context;
mod csv;
mod csv_blocks;
mod csv_error;
mod csv_start;
mod cte_materialization;
pub mod elsewhere;
mod engine;
mod latin_1;
mod memory_pool;
mod named_files;
mod output;
mod overlay;
mod parquet;
mod plan;
mod query_error;
mod raw_parquet;
mod raw_spool;
mod remembered;
pub mod row_local;
mod rows;
mod session;
pub mod shapes;
mod shared_scan;
mod slot;
mod sorted_rows;
mod spool;
mod table;
mod table_writer;

use datafusion::common::TableReference;

pub use point_in_time::Verdict;
pub use sql_functions::{register as register_functions, version as function_version, versions as function_versions};

pub use context::point_in_time_rule;
pub use csv::{Expected, Malformed, RawTable};
pub use engine::{Engine, wait_for};
pub use output::Staged;
pub use parquet::{notes as stored_notes, rows as rows_of_parquet, write as write_parquet};
pub use raw_spool::{Lines, RawSpool};
pub use remembered::Plans;
pub use rows::read as read_rows;
pub use session::{Session, sorted};
pub use shared_scan::SharedScan;
pub use sorted_rows::{SortedRows, Through};
pub use spool::Spool;
pub use table::{Table, TableError, batch_of, picked, plain_schema};
pub use table_writer::TableWriter;
pub use tokio::task::block_in_place;

use selvedge_project::error::Advice;
use selvedge_project::sql::TableName;

/// Raise it when a stored table of the same query holds or looks like something else: all are then made again.
pub const ENGINE_VERSION: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{path} does not exist yet")]
    NotMadeYet { path: String, stage: &'static str },
    #[error("{path} cannot be read as Parquet: {cause}")]
    BadParquet { path: String, cause: String },
    #[error("{place}: {key} is {value}, which does not fit where {file}:{line} uses it")]
    Misfit { place: String, key: String, value: String, file: String, line: u64 },
    #[error(
        "{place}: engine.cluster is {address}, and this program was built without the ability to send queries there"
    )]
    NoCluster { place: String, address: String },
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
            Self::NoCluster { .. } => {
                "run it as `selvedge-cluster run -- …` (`make cluster` builds that), or set engine.cluster to null"
                    .into()
            }
            Self::Start(_) => "set engine.partitions in params.yaml to a smaller number".into(),
        })
    }
}

/// A table's name as plans have it.
pub fn reference(table: &TableName) -> TableReference {
    match &table.schema {
        Some(schema) => TableReference::partial(schema.as_str(), table.name.as_str()),
        None => TableReference::bare(table.name.as_str()),
    }
}
