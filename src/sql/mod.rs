//! The folder of SQL files that is the product: one file, who may read whom, the whole library.

mod file;
mod layer;
mod library;

pub use file::{Column, Driver, FeatureHeader, Header, Severity, SourceHeader, SqlFile, Surprise, TableName};
pub use layer::Layer;
pub use library::Library;
