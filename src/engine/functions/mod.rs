//! The engine's own SQL functions, for what DataFusion has none.

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

/// Types in an error message.
fn types(types: &[DataType]) -> String {
    types.iter().map(DataType::to_string).collect::<Vec<_>>().join(" and ")
}
