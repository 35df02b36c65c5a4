//! SQL functions for what DataFusion has none: what people and programs write into exports, vectors, and intervals.
//!
//! Those that read a text return NULL where it is missing, and where it cannot be read or can be read in two ways; `given(text)`
//! is NULL only where it is missing, so what is neither is `given(text) IS NOT NULL AND flag(text) IS NULL`.

mod amount;
mod clock;
mod cosine_similarity;
mod flag;
mod identifier;
mod missing;
mod moment;
mod number;
mod of_text;
mod plain_text;
mod vector_mean;
mod wilson;

use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

/// Makes the functions known to a session.
pub fn register(context: &SessionContext) {
    let alone = [cosine_similarity::function(), flag::function(), identifier::function(), missing::function()];
    let families = amount::functions().into_iter().chain(moment::functions()).chain(plain_text::functions());
    alone.into_iter().chain(families).chain(wilson::functions()).for_each(|function| context.register_udf(function));
    context.register_udaf(vector_mean::function());
}

/// The functions; raise a version when the same arguments give another answer: it is part of the
/// fingerprint of every column that calls the function.
const VERSIONS: [(&str, u32); 21] = [
    ("amount", 1),
    ("amount_spelling", 1),
    ("cosine_similarity", 2),
    ("day", 1),
    ("day_first", 1),
    ("flag", 1),
    ("from_day_first", 1),
    ("from_month_first", 1),
    ("given", 1),
    ("identifier", 1),
    ("items", 1),
    ("local_time", 1),
    ("moment", 1),
    ("moment_after", 1),
    ("number_between", 1),
    ("own_offset", 1),
    ("plain_text", 1),
    ("vector_mean", 1),
    ("whole_number", 1),
    ("wilson_lower", 1),
    ("wilson_upper", 1),
];

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
