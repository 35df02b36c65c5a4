//! One bucket: some keys' rows of the grain and their events -> the grain's groups with the aggregates' states.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, Scalar, UInt32Array,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use crate::events::Events;
use crate::shape::{Aggregate, Method, Shape};
use crate::state::{Seen, chosen, state_over, states};
use crate::windows::{Finder, Windows};

/// The bucket's rows of the partial aggregate, which has the schema `output`.
pub fn aggregate(shape: &Shape, output: &SchemaRef, grain: &RecordBatch, source: &RecordBatch) -> Result<RecordBatch> {
    let (grain_keys, source_keys) = (&grain.columns()[shape.groups..][..shape.keys], &source.columns()[..shape.keys]);
    let ties = ties(shape, source)?;
    let events = Events::sorted(grain_keys, source_keys, source.column(shape.time()), ties.as_ref())?;
    let (moments, gates) = grain.columns()[shape.groups + shape.keys..].split_at(shape.moments);
    let mut finder = Finder::new(moments, gates, &events.times, events.spans);
    let joined = finder.narrow(finder.spans(), &shape.window)?;
    let matched: BooleanArray = (0..joined.len()).map(|row| Some(!joined.range(row).is_empty())).collect();
    let mut columns: Vec<ArrayRef> = grain.columns()[..shape.groups].to_vec();
    let mut known = Chosen { shape, source, order: &events.order, known: HashMap::new() };
    for aggregate in &shape.aggregates {
        let windows = finder.narrow(joined.clone(), &aggregate.window)?;
        let found = states(aggregate, known.by(aggregate, &windows))?;
        match shape.inner {
            true => columns.extend(found),
            false => columns.extend(with_absent(shape, aggregate, &finder, &matched, found)?),
        }
    }
    let count = RecordBatchOptions::new().with_row_count(Some(grain.num_rows()));
    let rows = RecordBatch::try_new_with_options(Arc::clone(output), columns, &count)?;
    Ok(if shape.inner { filter_record_batch(&rows, &matched)? } else { rows })
}

/// What tells events of one moment apart, where the order in which a function sees them may matter.
fn ties(shape: &Shape, source: &RecordBatch) -> Result<Option<Rows>> {
    let sensitive = |aggregate: &Aggregate| {
        matches!(aggregate.method, Method::Replay { resumable: false } | Method::Sum | Method::Average)
    };
    let mut arguments: Vec<usize> =
        shape.aggregates.iter().filter(|aggregate| sensitive(aggregate)).flat_map(|a| a.arguments.clone()).collect();
    arguments.sort_unstable();
    arguments.dedup();
    let columns: Vec<ArrayRef> =
        arguments.iter().map(|argument| Arc::clone(source.column(shape.argument(*argument)))).collect();
    let exact = |column: &ArrayRef| {
        let data_type = column.data_type();
        data_type.is_integer() || data_type.is_decimal() || data_type.is_temporal()
    };
    let fields: Vec<SortField> = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    if columns.iter().all(exact) || !RowConverter::supports_fields(&fields) {
        return Ok(None);
    }
    Ok(Some(RowConverter::new(fields)?.convert_columns(&columns)?))
}

/// The events that each predicate lets through, found once.
struct Chosen<'a> {
    shape: &'a Shape,
    source: &'a RecordBatch,
    order: &'a UInt32Array,
    /// By predicate: how many of the first events pass, and the rows of those.
    known: HashMap<usize, (Vec<u32>, UInt32Array)>,
}

impl Chosen<'_> {
    fn by(&mut self, aggregate: &Aggregate, windows: &Windows) -> Seen {
        let column = |argument: &usize| Arc::clone(self.source.column(self.shape.argument(*argument)));
        let columns = aggregate.arguments.iter().map(column).collect();
        let Some(predicate) = aggregate.predicate else {
            return Seen { windows: windows.clone(), rows: self.order.clone(), columns };
        };
        let passes = self.source.column(self.shape.predicate(predicate)).as_boolean();
        let passes = |row| passes.is_valid(row) && passes.value(row);
        let (before, rows) = self.known.entry(predicate).or_insert_with(|| chosen(self.order, passes));
        Seen { windows: windows.among(before), rows: rows.clone(), columns }
    }
}

/// `found`, but where the outer join makes up a source row, the state over that row.
fn with_absent(
    shape: &Shape,
    aggregate: &Aggregate,
    finder: &Finder,
    matched: &BooleanArray,
    found: Vec<ArrayRef>,
) -> Result<Vec<ArrayRef>> {
    let passes = aggregate.predicate.is_none_or(|predicate| {
        let passes = shape.absent[predicate].as_boolean();
        passes.is_valid(0) && passes.value(0)
    });
    // A comparison with a time that is not there is not true.
    if !passes || !aggregate.window.bounds.is_empty() {
        return Ok(found);
    }
    let arguments: Vec<ArrayRef> =
        aggregate.arguments.iter().map(|argument| Arc::clone(&shape.absent[shape.predicates + argument])).collect();
    let state: Vec<ArrayRef> = match aggregate.method {
        Method::Count if arguments.is_empty() => vec![Arc::new(Int64Array::from(vec![1]))],
        Method::Distinct => vec![Arc::new(Int64Array::from(vec![i64::from(arguments[0].logical_null_count() == 0)]))],
        _ => state_over(aggregate, &arguments)?,
    };
    let made_up = |row: usize| {
        let open = |gate: &usize| finder.gate(*gate).is_valid(row) && finder.gate(*gate).value(row);
        Some(!matched.value(row) && aggregate.window.gates.iter().all(open))
    };
    let made_up: BooleanArray = (0..matched.len()).map(made_up).collect();
    if made_up.true_count() == 0 {
        return Ok(found);
    }
    let overlay =
        |(found, state): (ArrayRef, ArrayRef)| -> Result<ArrayRef> { Ok(zip(&made_up, &Scalar::new(state), &found)?) };
    found.into_iter().zip(state).map(overlay).collect()
}
