//! SQL functions for what DataFusion has none.

mod cosine_similarity;
mod local_to_utc;
mod vector_mean;
mod wilson;

use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

/// Makes the functions known to a session.
pub fn register(context: &SessionContext) {
    context.register_udf(cosine_similarity::function());
    context.register_udf(local_to_utc::function());
    wilson::functions().into_iter().for_each(|function| context.register_udf(function));
    context.register_udaf(vector_mean::function());
}

/// The functions; raise a version when the same arguments give another answer: it is part of the
/// fingerprint of every column that calls the function.
const VERSIONS: [(&str, u32); 5] =
    [("cosine_similarity", 1), ("local_to_utc", 1), ("vector_mean", 1), ("wilson_lower", 1), ("wilson_upper", 1)];

/// The version of one of these functions.
pub fn version(name: &str) -> Option<u32> {
    VERSIONS.iter().find(|(known, _)| *known == name).map(|(_, version)| *version)
}

/// Every one of these functions with its version.
pub fn versions() -> impl Iterator<Item = (&'static str, u32)> {
    VERSIONS.into_iter()
}

/// Types in an error message.
fn types(types: &[DataType]) -> String {
    types.iter().map(DataType::to_string).collect::<Vec<_>>().join(" and ")
}
