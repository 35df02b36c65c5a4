//! selvedge: features, recommendations and monitoring from SQL files, with edges that cannot fray.
//!
//! The rooms in the order of the flow: each may use those above it, never those below.  Most are crates, so that a change
//! is built where it is made; what is left here is the command.

pub use models as model;
pub use selvedge_analysis::{lineage, lint};
pub use selvedge_checks::{audit, cases, plan, proof, why};
pub use selvedge_engine as engine;
pub use selvedge_features::{embeddings, features, frame, ingest};
pub use selvedge_learning::{drivers, evaluate, protocol, rank, recommend, shelf, train};
pub use selvedge_monitoring::{drill, monitor};
// exp, ln and the like, with the same bits on every machine, for every crate of the program.
use numeric as _;

pub use selvedge_project::{error, numbers, params, paths, progress, project, sql, stage};
pub use selvedge_reports as report;
pub use statistics::intervals;
/// Every stage, in order.
pub mod flow;
/// One folder, one writer.
pub mod lock;
/// Runs -> an MLflow server.
pub mod tracking;
/// No fit sees what came after its moment.
pub mod fits;
/// Two sets of definitions over the same data -> what a pull request changes.
pub mod changes;
/// Questions over every table.
pub mod explore;
/// Serving: what the command line asks of the server.
pub mod serving;
/// What an export has of what it should have.
pub mod check;
/// A project for somebody's CSVs.
pub mod new;
/// Whom a page means.
pub mod who;
/// The command line.
pub mod cli;

pub use flow::open;
