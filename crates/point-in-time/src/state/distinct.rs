//! COUNT(DISTINCT): how often each value is in the window, kept while the window slides.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::Result;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::Seen;

/// The counts themselves; they are the same for all rows of a group, so the greatest of them is the answer.
pub fn distinct(seen: Seen) -> Result<Vec<ArrayRef>> {
    let seen = seen.without_nulls(0)?;
    let values = seen.argument(0)?;
    let schema = Arc::new(Schema::new(vec![Field::new("value", values.data_type().clone(), true)]));
    let (mut known, mut ids) = (new_group_values(schema, &GroupOrdering::None)?, Vec::new());
    known.intern(&[values], &mut ids)?;
    let mut times = vec![0_u32; known.len()];
    let mut distinct = 0_i64;
    let mut current = 0..0;
    let mut counts = vec![0; seen.windows.len()];
    for row in seen.windows.order() {
        let wanted = seen.windows.range(row as usize);
        if wanted.is_empty() {
            continue;
        }
        if wanted.start >= current.end || wanted.end <= current.start {
            // Nothing in common: begin anew rather than slide there.
            ids[current].iter().for_each(|id| times[*id] = 0);
            distinct = 0;
            current = wanted.start..wanted.start;
        }
        let mut enter = |id: usize| {
            distinct += i64::from(times[id] == 0);
            times[id] += 1;
        };
        ids[wanted.start..current.start.max(wanted.start)].iter().for_each(|id| enter(*id));
        ids[current.end.min(wanted.end)..wanted.end].iter().for_each(|id| enter(*id));
        let mut leave = |id: usize| {
            times[id] -= 1;
            distinct -= i64::from(times[id] == 0);
        };
        ids[current.start..wanted.start.max(current.start)].iter().for_each(|id| leave(*id));
        ids[wanted.end.min(current.end)..current.end].iter().for_each(|id| leave(*id));
        current = wanted;
        counts[row as usize] = distinct;
    }
    Ok(vec![Arc::new(Int64Array::from(counts))])
}
