//! One bucket: some keys' rows of the grain and their events -> the grain's groups with the aggregates' states.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, Scalar, UInt32Array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{filter_record_batch, take};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;
use datafusion::physical_plan::aggregates::group_values::new_group_values;
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use crate::shape::{Aggregate, Method, Shape};
use crate::state::{Seen, state_over, states};
use crate::windows::{Finder, Windows, numbers, running_count};

/// The bucket's rows of the partial aggregate, which has the schema `output`.
pub fn aggregate(shape: &Shape, output: &SchemaRef, grain: &RecordBatch, source: &RecordBatch) -> Result<RecordBatch> {
    let events = Events::sorted(shape, grain, source)?;
    let mut finder = Finder::new(shape, grain, &events.times, events.spans.clone());
    let joined = finder.narrow(finder.spans(), &shape.window)?;
    let matched: BooleanArray = (0..joined.len()).map(|row| Some(!joined.range(row).is_empty())).collect();
    let mut columns: Vec<ArrayRef> = grain.columns()[..shape.groups].to_vec();
    let mut chosen = Chosen { shape, source, order: &events.order, known: HashMap::new() };
    for aggregate in &shape.aggregates {
        let windows = finder.narrow(joined.clone(), &aggregate.window)?;
        let found = states(aggregate, chosen.by(aggregate, &windows)?)?;
        match shape.inner {
            true => columns.extend(found),
            false => columns.extend(with_absent(shape, aggregate, &finder, &matched, found)?),
        }
    }
    let count = RecordBatchOptions::new().with_row_count(Some(grain.num_rows()));
    let rows = RecordBatch::try_new_with_options(Arc::clone(output), columns, &count)?;
    Ok(if shape.inner { filter_record_batch(&rows, &matched)? } else { rows })
}

/// The events of the grain's keys, key by key, each key's by time.
struct Events {
    /// Rows of the source.
    order: UInt32Array,
    times: Vec<i64>,
    /// Where the events of each grain row's key lie.
    spans: Vec<(u32, u32)>,
}

impl Events {
    fn sorted(shape: &Shape, grain: &RecordBatch, source: &RecordBatch) -> Result<Self> {
        let grain_keys = &grain.columns()[shape.groups..shape.groups + shape.keys];
        let source_keys = &source.columns()[..shape.keys];
        let fields = grain.schema().fields()[shape.groups..shape.groups + shape.keys].to_vec();
        let schema = Arc::new(Schema::new(fields));
        let mut keys = new_group_values(schema, &GroupOrdering::None)?;
        let (mut grain_ids, mut source_ids) = (Vec::new(), Vec::new());
        keys.intern(grain_keys, &mut grain_ids)?;
        let wanted = keys.len();
        keys.intern(source_keys, &mut source_ids)?;
        let nulls =
            source_keys.iter().chain([source.column(shape.time())]).fold(None, |nulls: Option<NullBuffer>, column| {
                NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
            });
        // NULL equals nothing, and a key that nobody asks for is left out.
        let counts = |row: usize| source_ids[row] < wanted && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let mut starts = vec![0_u32; wanted + 1];
        (0..source.num_rows()).filter(|row| counts(*row)).for_each(|row| starts[source_ids[row] + 1] += 1);
        for id in 0..wanted {
            starts[id + 1] += starts[id];
        }
        let times = numbers(source.column(shape.time()))?;
        let mut next = starts.clone();
        let mut events = vec![(0_i64, 0_u32); starts[wanted] as usize];
        for row in (0..source.num_rows()).filter(|row| counts(*row)) {
            let place = &mut next[source_ids[row]];
            events[*place as usize] = (times[row], row as u32);
            *place += 1;
        }
        let ties = ties(shape, source)?;
        for id in 0..wanted {
            let history = &mut events[starts[id] as usize..starts[id + 1] as usize];
            match &ties {
                None => history.sort_unstable(),
                Some(ties) => history.sort_unstable_by(|a, b| {
                    a.0.cmp(&b.0).then_with(|| ties.row(a.1 as usize).cmp(&ties.row(b.1 as usize)))
                }),
            }
        }
        Ok(Self {
            order: events.iter().map(|event| event.1).collect::<Vec<_>>().into(),
            times: events.iter().map(|event| event.0).collect(),
            spans: grain_ids.iter().map(|id| (starts[*id], starts[*id + 1])).collect(),
        })
    }
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
    fn by(&mut self, aggregate: &Aggregate, windows: &Windows) -> Result<Seen> {
        let Some(predicate) = aggregate.predicate else {
            return Ok(Seen { windows: windows.clone(), arguments: self.arguments(aggregate, self.order)? });
        };
        if !self.known.contains_key(&predicate) {
            let passes = self.source.column(self.shape.predicate(predicate)).as_boolean();
            let passes = |row: &u32| passes.is_valid(*row as usize) && passes.value(*row as usize);
            let before = running_count(self.order.values().iter().map(passes));
            let rows: Vec<u32> = self.order.values().iter().copied().filter(passes).collect();
            self.known.insert(predicate, (before, rows.into()));
        }
        let (before, rows) = &self.known[&predicate];
        Ok(Seen { windows: windows.among(before), arguments: self.arguments(aggregate, rows)? })
    }

    fn arguments(&self, aggregate: &Aggregate, rows: &UInt32Array) -> Result<Vec<ArrayRef>> {
        let argument = |argument: &usize| -> Result<ArrayRef> {
            let values = self.source.column(self.shape.argument(*argument));
            // A count asks only which values are there.
            match aggregate.method == Method::Count && values.logical_null_count() == 0 {
                true => Ok(Arc::clone(values)),
                false => Ok(take(values, rows, None)?),
            }
        };
        aggregate.arguments.iter().map(argument).collect()
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
    let overlay =
        |(found, state): (ArrayRef, ArrayRef)| -> Result<ArrayRef> { Ok(zip(&made_up, &Scalar::new(state), &found)?) };
    found.into_iter().zip(state).map(overlay).collect()
}
