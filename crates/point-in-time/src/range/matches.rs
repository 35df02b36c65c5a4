//! One bucket's joined rows, batch by batch.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::{filter, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{JoinSide, Result};

use super::Shape;
use super::tree::Tree;
use crate::events::Events;
use crate::shape::Comparison;
use crate::windows::{Finder, Windows, numbers};

/// Pairs of a grain row and an event, in the grain's order; then the grain's rows that met none.
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
    met: Vec<bool>,
    left_over: bool,
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
        let (met, left_over) = (vec![false; grain.num_rows()], shape.outer);
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
            met,
            left_over,
        })
    }

    /// The next pairs that may fit: rows of the grain and of the source.
    fn candidates(&mut self) -> (Vec<u32>, Vec<u32>) {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        while self.row < self.windows.len() && rows.len() < self.size {
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

    /// Joined rows; where there are no `events`, of NULL.
    fn joined(&self, rows: &UInt32Array, events: &UInt32Array) -> Result<RecordBatch> {
        let of = |own: &[ArrayRef], places: &UInt32Array| -> Result<Vec<ArrayRef>> {
            own.iter().map(|column| Ok(take(column, places, None)?)).collect()
        };
        let (grain, source) = (of(&self.grain, rows)?, of(&self.source, events)?);
        let columns = if self.shape.left_is_grain { [grain, source] } else { [source, grain] }.concat();
        let count = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &count)?)
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.row < self.windows.len() {
            let (rows, events) = self.candidates();
            let (rows, events) = self.fitting(rows.into(), events.into())?;
            rows.values().iter().for_each(|row| self.met[*row as usize] = true);
            if !rows.is_empty() {
                return Ok(Some(self.joined(&rows, &events)?));
            }
        }
        if !std::mem::take(&mut self.left_over) {
            return Ok(None);
        }
        let rows: UInt32Array = (0..).zip(&self.met).filter(|(_, met)| !**met).map(|(row, _)| Some(row)).collect();
        let nothing = UInt32Array::new_null(rows.len());
        Ok(Some(self.joined(&rows, &nothing)?))
    }
}

impl Iterator for Matches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}
