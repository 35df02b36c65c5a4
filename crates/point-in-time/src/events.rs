//! A bucket's events in order: key by key, each key's by time.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::row::Rows;
use datafusion::common::Result;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use crate::windows::numbers;

/// The events of the grain's keys.
pub struct Events {
    /// Rows of the source.
    pub order: UInt32Array,
    pub times: Vec<i64>,
    /// Where the events of each grain row's key lie.
    pub spans: Vec<(u32, u32)>,
}

impl Events {
    /// `ties` tells events of one time apart, where that matters.
    pub fn sorted(
        grain_keys: &[ArrayRef],
        source_keys: &[ArrayRef],
        time: &ArrayRef,
        ties: Option<&Rows>,
    ) -> Result<Self> {
        let field = |key: &ArrayRef| Field::new("", key.data_type().clone(), true);
        let schema = Arc::new(Schema::new(grain_keys.iter().map(field).collect::<Vec<_>>()));
        let mut keys = new_group_values(schema, &GroupOrdering::None)?;
        let (mut grain_ids, mut source_ids) = (Vec::new(), Vec::new());
        keys.intern(grain_keys, &mut grain_ids)?;
        let wanted = keys.len();
        keys.intern(source_keys, &mut source_ids)?;
        let nulls = source_keys.iter().chain([time]).fold(None, |nulls: Option<NullBuffer>, column| {
            NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
        });
        // NULL equals nothing, and a key that nobody asks for is left out.
        let counts = |row: usize| source_ids[row] < wanted && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let mut starts = vec![0_u32; wanted + 1];
        (0..time.len()).filter(|row| counts(*row)).for_each(|row| starts[source_ids[row] + 1] += 1);
        for id in 0..wanted {
            starts[id + 1] += starts[id];
        }
        let times = numbers(time)?;
        let mut next = starts.clone();
        let mut events = vec![0_i128; starts[wanted] as usize];
        for row in (0..time.len()).filter(|row| counts(*row)) {
            let place = &mut next[source_ids[row]];
            events[*place as usize] = event(times[row], row as u32);
            *place += 1;
        }
        for id in 0..wanted {
            let history = &mut events[starts[id] as usize..starts[id + 1] as usize];
            match ties {
                None => history.sort_unstable(),
                Some(ties) => history.sort_unstable_by(|a, b| {
                    time_of(*a).cmp(&time_of(*b)).then_with(|| ties.row(row_of(*a)).cmp(&ties.row(row_of(*b))))
                }),
            }
        }
        Ok(Self {
            order: events.iter().map(|event| row_of(*event) as u32).collect::<Vec<_>>().into(),
            times: events.iter().map(|event| time_of(*event)).collect(),
            spans: grain_ids.iter().map(|id| (starts[*id], starts[*id + 1])).collect(),
        })
    }
}

/// A time and a row as one number, which compares as the pair does, and more quickly.
fn event(time: i64, row: u32) -> i128 {
    i128::from(time) << 32 | i128::from(row)
}

fn time_of(event: i128) -> i64 {
    (event >> 32) as i64
}

fn row_of(event: i128) -> usize {
    event as u32 as usize
}
