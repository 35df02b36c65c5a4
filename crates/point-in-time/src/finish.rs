//! One bucket's states -> the aggregates' values, one row for each group.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use crate::shape::{Aggregate, Method, Shape};

/// What the final aggregate makes of `states`, in which every group of the bucket's keys is whole.
pub fn finish(shape: &Shape, schema: &SchemaRef, states: &RecordBatch) -> Result<RecordBatch> {
    let (groups, states_of) = states.columns().split_at(shape.groups);
    let grouped = Groups::of(groups, states)?;
    let mut columns = match &grouped.firsts {
        None => groups.to_vec(),
        Some(firsts) => groups.iter().map(|group| take(group, firsts, None)).collect::<Result<_, _>>()?,
    };
    let mut rest = states_of;
    for aggregate in &shape.aggregates {
        let fields = match aggregate.method {
            Method::Distinct => 1,
            _ => aggregate.function.state_fields()?.len(),
        };
        let (own, others) = rest.split_at(fields);
        columns.push(grouped.value(aggregate, own)?);
        rest = others;
    }
    let count = RecordBatchOptions::new().with_row_count(Some(grouped.count));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &count)?)
}

/// Rows by group.
struct Groups {
    ids: Vec<usize>,
    count: usize,
    /// The first row of each group; None where each has one row only.
    firsts: Option<UInt32Array>,
}

impl Groups {
    fn of(groups: &[ArrayRef], states: &RecordBatch) -> Result<Self> {
        let schema = Arc::new(Schema::new(states.schema().fields()[..groups.len()].to_vec()));
        let (mut known, mut ids) = (new_group_values(schema, &GroupOrdering::None)?, Vec::new());
        known.intern(groups, &mut ids)?;
        let count = known.len();
        if count == states.num_rows() {
            return Ok(Self { ids: (0..count).collect(), count, firsts: None });
        }
        let mut firsts = vec![0; count];
        ids.iter().enumerate().rev().for_each(|(row, id)| firsts[*id] = row as u32);
        Ok(Self { ids, count, firsts: Some(firsts.into()) })
    }

    fn value(&self, aggregate: &Aggregate, states: &[ArrayRef]) -> Result<ArrayRef> {
        // Some accumulators cannot say what no group's value is.
        if self.count == 0 {
            return Ok(new_empty_array(aggregate.function.field().data_type()));
        }
        match (aggregate.method, &self.firsts) {
            // The windows of one group's rows are the same, and so are their counts.
            (Method::Distinct, Some(firsts)) => return Ok(take(&states[0], firsts, None)?),
            // The state of one window begins with its value.
            (
                Method::Distinct | Method::Count | Method::Sum | Method::Extreme { .. } | Method::Ordered { .. },
                None,
            ) if states[0].data_type() == aggregate.function.field().data_type() => return Ok(Arc::clone(&states[0])),
            _ => {}
        }
        let mut accumulator: Box<dyn GroupsAccumulator> = match aggregate.function.groups_accumulator_supported() {
            true => aggregate.function.create_groups_accumulator()?,
            false => {
                let function = Arc::clone(&aggregate.function);
                Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator()))
            }
        };
        accumulator.merge_batch(states, &self.ids, self.count)?;
        accumulator.evaluate(EmitTo::All)
    }
}
