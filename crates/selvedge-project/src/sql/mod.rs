//! The folder of SQL files that is the product: one file, who may read whom, the whole library.

/// What an export must, should and may have.
pub mod contract;
mod features;
mod file;
mod fresh_for;
mod header;
/// Words of the label's table.
pub mod label;
mod layer;
mod library;
mod selection;

pub use features::Feature;
pub use file::{SqlFile, TableName, plain_syntax};
pub use fresh_for::FreshFor;
pub use header::{
    Column, Cross, Encoding, FeatureHeader, Header, Keeps, Limits, Reason, Severity, Side, SourceHeader, Surprise,
};
pub use layer::Layer;
pub use library::Library;
pub use selection::Selection;
