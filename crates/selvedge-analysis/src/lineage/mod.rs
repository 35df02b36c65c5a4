//! What every column is made from, read off the plans: fingerprints, and the graph of columns.
//!
//! Two numbers stand for a column.  Its *definition* changes with its own query: expression, joins, filters, parameters,
//! versions of functions.  Its *fingerprint* changes with that and with the fingerprints of everything it reads.

mod digest;
mod expr;
mod graph;
mod memory;
mod node;
mod relation;
mod stamp;
mod tables;

pub use digest::{Digest, Digester};
pub use graph::{GraphFormat, print};
pub use memory::Memory;
pub use node::{Kind, Source};
pub use relation::table_name;
pub use stamp::{ROWS, Stamp, still_version};
pub use tables::{Basis, ColumnTrace, TableTrace, Traces};
