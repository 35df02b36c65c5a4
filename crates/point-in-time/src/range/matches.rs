//! One bucket's joined rows, batch by batch.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, UInt32Builder,
};
use datafusion::arrow::compute::{filter, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{JoinSide, Result};

use super::Shape;
use super::tree::Tree;
use crate::events::Events;
use crate::shape::Comparison;
use crate::windows::{Finder, Windows, numbers};

/// Pairs of a grain row and an event, in the grain's order; a row that meets none has NULL in their place.
pub struct Matches {
    shape: Arc<Shape>,
    schema: SchemaRef,
    /// The inputs' own columns.
    grain: Vec<ArrayRef>,
    source: Vec<ArrayRef>,
    order: UInt32Array,
    windows: Windows,
    second: Option<(Tree, Vec<i64>)>,
    /// How many candidates are looked at together.
    size: usize,
    row: usize,
    /// Where to go on among the row's events.
    place: usize,
    /// The first row that is not handed on to the end, and whether it met an event yet.
    left: usize,
    met: bool,
}

impl Matches {
    pub fn new(
        shape: Arc<Shape>,
        schema: SchemaRef,
        size: usize,
        grain: &RecordBatch,
        source: &RecordBatch,
    ) -> Result<Self> {
        let (grain_keys, rest) = grain.columns().split_at(shape.keys);
        let (moments, grain_own) = rest.split_at(shape.moments);
        let (source_keys, rest) = source.columns().split_at(shape.keys);
        let (times, source_own) = rest.split_at(shape.times);
        let Events { order, times: sorted, spans } = Events::sorted(grain_keys, source_keys, &times[0], None)?;
        let mut finder = Finder::new(moments, &[], &sorted, spans);
        let windows = finder.narrow(finder.spans(), &shape.window)?;
        let second = match shape.second {
            Some(second) => {
                let times = take(&times[1], &order, None)?;
                let falls = matches!(second.bound.comparison, Comparison::Before | Comparison::UpTo);
                let (values, least) = (numbers(&times)?, numbers(&moments[second.bound.moment])?);
                // Where the time has to be small, both are turned round.  NULL is never small or large enough, or always.
                let turned = |number: i64| if falls { !number } else { number };
                let absent = if second.or_null { i64::MAX } else { i64::MIN };
                let value = |place: usize| if times.is_null(place) { absent } else { turned(values[place]) };
                let moment = &moments[second.bound.moment];
                let bound = |row: usize| if moment.is_null(row) { i64::MIN } else { turned(least[row]) };
                let values: Vec<i64> = (0..values.len()).map(value).collect();
                Some((Tree::new(&values), (0..least.len()).map(bound).collect()))
            }
            None => None,
        };
        let (grain_own, source_own) = (grain_own.to_vec(), source_own.to_vec());
        let place = windows.low.first().map_or(0, |low| *low as usize);
        Ok(Self {
            shape,
            schema,
            grain: grain_own,
            source: source_own,
            order,
            windows,
            second,
            size: size.max(1),
            row: 0,
            place,
            left: 0,
            met: false,
        })
    }

    /// The next pairs that may fit: rows of the grain and of the source.
    fn candidates(&mut self) -> (Vec<u32>, Vec<u32>) {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        while self.row < self.windows.len() && rows.len() < self.size && self.row - self.left < self.size {
            let next = match &self.second {
                Some((tree, least)) => tree.next(self.place, least[self.row]),
                None => Some(self.place),
            };
            match next.filter(|next| *next < self.windows.high[self.row] as usize) {
                Some(next) => {
                    rows.push(self.row as u32);
                    events.push(self.order.value(next));
                    self.place = next + 1;
                }
                None => {
                    self.row += 1;
                    self.place = self.windows.low.get(self.row).map_or(0, |low| *low as usize);
                }
            }
        }
        (rows, events)
    }

    /// Those of the pairs for which the join's condition holds.
    fn fitting(&self, rows: UInt32Array, events: UInt32Array) -> Result<(UInt32Array, UInt32Array)> {
        let condition = &self.shape.filter;
        let mut columns = Vec::new();
        for column in condition.column_indices() {
            let of_grain = (column.side == JoinSide::Left) == self.shape.left_is_grain;
            let (own, places) = if of_grain { (&self.grain, &rows) } else { (&self.source, &events) };
            columns.push(take(&own[column.index], places, None)?);
        }
        let count = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let pairs = RecordBatch::try_new_with_options(Arc::clone(condition.schema()), columns, &count)?;
        let holds = condition.expression().evaluate(&pairs)?.into_array(rows.len())?;
        let holds: &BooleanArray = holds.as_boolean();
        let kept = |places: &UInt32Array| filter(places, holds).map(|kept| kept.as_primitive().clone());
        Ok((kept(&rows)?, kept(&events)?))
    }

    /// The pairs and, each in its place, the rows that are through and met no event.
    fn with_unmet(&mut self, rows: &UInt32Array, events: &UInt32Array) -> (UInt32Array, UInt32Array) {
        let (mut all, mut partners) = (Vec::with_capacity(rows.len()), UInt32Builder::with_capacity(rows.len()));
        let mut pairs = rows.values().iter().zip(events.values()).peekable();
        for row in self.left..=self.row {
            while let Some((_, event)) = pairs.next_if(|(paired, _)| **paired == row as u32) {
                all.push(row as u32);
                partners.append_value(*event);
                self.met = true;
            }
            if row < self.row && !std::mem::take(&mut self.met) {
                all.push(row as u32);
                partners.append_null();
            }
        }
        (all.into(), partners.finish())
    }

    /// Joined rows; where there is no event, of NULL.
    fn joined(&self, rows: &UInt32Array, events: &UInt32Array) -> Result<RecordBatch> {
        // Mostly every row meets one event; a stretch of rows is handed on as it is.
        let first = rows.values().first().copied().unwrap_or_default();
        let stretch = (first..).zip(rows.values()).all(|(next, row)| next == *row);
        let of_grain = |column: &ArrayRef| match stretch {
            true => Ok(column.slice(first as usize, rows.len())),
            false => take(column, rows, None),
        };
        let grain = self.grain.iter().map(of_grain).collect::<std::result::Result<Vec<_>, _>>()?;
        let source = self.source.iter().map(|column| take(column, events, None));
        let source = source.collect::<std::result::Result<Vec<_>, _>>()?;
        let columns = if self.shape.left_is_grain { [grain, source] } else { [source, grain] }.concat();
        let count = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &count)?)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.row < self.windows.len() {
            let (rows, events) = self.candidates();
            let (rows, events) = self.fitting(rows.into(), events.into())?;
            let (rows, events) = if self.shape.outer { self.with_unmet(&rows, &events) } else { (rows, events) };
            self.left = self.row;
            if !rows.is_empty() {
                return Ok(Some(self.joined(&rows, &events)?));
            }
        }
        Ok(None)
    }
}

impl Iterator for Matches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}
