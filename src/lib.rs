//! selvedge: features, recommendations and monitoring from SQL files, with edges that cannot fray.
//!
//! The modules in the order of the flow; each may use those above it, never those below.

/// What a user sees when something goes wrong.
pub mod error;
/// Every folder and file name.
pub mod paths;
/// One folder, one writer.
pub mod lock;
/// params.yaml, checked.
pub mod params;
/// What a run says while it works.
pub mod progress;
/// Numbers as readers meet them.
pub mod numbers;
/// The folder of SQL files that is the product.
pub mod sql;
/// A project that is opened.
pub mod project;
/// DataFusion sessions, CSV in, Parquet out.
pub mod engine;
/// Plans -> what every column is made from.
pub mod lineage;
/// What in a query would leak or change from run to run.
pub mod lint;
/// CSVs -> typed sources.
pub mod ingest;
/// Texts -> vectors.
pub mod embeddings;
/// Grain -> point-in-time features.
pub mod features;
/// What would be recomputed, and why.
pub mod plan;
/// Unit tests of feature views, as YAML.
pub mod cases;
/// What may not matter to a feature, proven.
pub mod proof;
/// One value -> the rows of the CSVs that made it.
pub mod why;
/// Frame rows -> matrix -> probability -> its reasons and its errors.
pub mod model;
/// Features and label side by side.
pub mod frame;
/// The models, fitted.
pub mod train;
/// The models, judged.
pub mod evaluate;
/// What drives the score: price, brand, style, sustainability.
pub mod drivers;
/// Ten articles for every customer.
pub mod recommend;
/// The production log -> what changed, for whom, how sure.
pub mod monitor;
/// A drop put into a copy of the log: is it noticed?
pub mod drill;
/// Tables -> markdown and charts.
pub mod report;
/// Runs -> an MLflow server.
pub mod tracking;
/// Two sets of definitions over the same data -> what a pull request changes.
pub mod changes;
/// Queries that must return no rows.
pub mod audit;
/// Questions over every table.
pub mod explore;
/// The command line.
pub mod cli;
