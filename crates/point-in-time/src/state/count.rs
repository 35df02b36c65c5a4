//! COUNT: how long the window is.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::common::Result;

use super::Seen;

pub fn count(seen: Seen) -> Result<Vec<ArrayRef>> {
    let windows = if seen.columns.is_empty() { seen.windows } else { seen.without_nulls(0)?.windows };
    let counts = windows.low.iter().zip(&windows.high).map(|(low, high)| i64::from(high - low));
    Ok(vec![Arc::new(counts.collect::<Int64Array>())])
}
