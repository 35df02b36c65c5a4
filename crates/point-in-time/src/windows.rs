//! Ranges of sorted events.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;

use crate::shape::{Comparison, Window};

/// For every row of the grain a range of positions, `low..high`; empty where `low == high`.
#[derive(Debug, Clone)]
pub struct Windows {
    pub low: Vec<u32>,
    pub high: Vec<u32>,
    /// Where the row's key begins: a window with `low == first` is open to the past.
    pub first: Vec<u32>,
}

impl Windows {
    pub fn len(&self) -> usize {
        self.low.len()
    }

    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.low[row] as usize..self.high[row] as usize
    }

    /// The same windows when only some events are left; `before[i]` of the first `i` are.
    pub fn among(&self, before: &[u32]) -> Self {
        let map = |positions: &[u32]| positions.iter().map(|position| before[*position as usize]).collect();
        Self { low: map(&self.low), high: map(&self.high), first: map(&self.first) }
    }

    /// Rows in an order in which a key's windows follow each other.
    pub fn order(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        let place = |row: &u32| (self.first[*row as usize], self.low[*row as usize], self.high[*row as usize]);
        rows.sort_unstable_by_key(place);
        rows
    }
}

/// How many of the first `i` entries are chosen, for every `i` from 0 on.
pub fn running_count(chosen: impl Iterator<Item = bool>) -> Vec<u32> {
    let mut count = 0;
    std::iter::once(0)
        .chain(chosen.map(|chosen| {
            count += u32::from(chosen);
            count
        }))
        .collect()
}

/// Finds windows among a bucket's events, which lie key by key and sorted by time.
pub struct Finder<'a> {
    /// The grain's sides of the comparisons with the time.
    moments: &'a [ArrayRef],
    /// Conditions on the grain alone.
    gates: &'a [ArrayRef],
    times: &'a [i64],
    /// Where the key of each row of the grain begins and ends.
    spans: Vec<(u32, u32)>,
    /// Positions by moment, and whether events at the moment itself come before it.
    edges: HashMap<(usize, bool), Vec<u32>>,
}

impl<'a> Finder<'a> {
    pub fn new(moments: &'a [ArrayRef], gates: &'a [ArrayRef], times: &'a [i64], spans: Vec<(u32, u32)>) -> Self {
        Self { moments, gates, times, spans, edges: HashMap::new() }
    }

    /// The whole history of each row's key.
    pub fn spans(&self) -> Windows {
        let low: Vec<u32> = self.spans.iter().map(|span| span.0).collect();
        Windows { first: low.clone(), low, high: self.spans.iter().map(|span| span.1).collect() }
    }

    /// `windows`, narrowed to what `by` allows.
    pub fn narrow(&mut self, mut windows: Windows, by: &Window) -> Result<Windows> {
        for bound in &by.bounds {
            let (from, until) = match bound.comparison {
                Comparison::Before => (None, Some(false)),
                Comparison::UpTo => (None, Some(true)),
                Comparison::After => (Some(true), None),
                Comparison::From => (Some(false), None),
                Comparison::At => (Some(false), Some(true)),
            };
            if let Some(through) = from {
                let edge = self.edge(bound.moment, through)?;
                windows.low.iter_mut().zip(edge).for_each(|(low, edge)| *low = (*low).max(*edge));
            }
            if let Some(through) = until {
                let edge = self.edge(bound.moment, through)?;
                windows.high.iter_mut().zip(edge).for_each(|(high, edge)| *high = (*high).min(*edge));
            }
            close(&mut windows, |row| self.moments[bound.moment].is_null(row));
        }
        for gate in &by.gates {
            let gate = self.gate(*gate);
            close(&mut windows, |row| gate.is_null(row) || !gate.value(row));
        }
        close(&mut windows, |_| false);
        Ok(windows)
    }

    pub fn gate(&self, gate: usize) -> &'a BooleanArray {
        self.gates[gate].as_boolean()
    }

    /// Before which position each row's moment lies; `through`: events at the moment itself lie before it.
    fn edge(&mut self, moment: usize, through: bool) -> Result<&[u32]> {
        if !self.edges.contains_key(&(moment, through)) {
            let moments = numbers(&self.moments[moment])?;
            let place = |((from, until), moment): (&(u32, u32), &i64)| {
                let history = &self.times[*from as usize..*until as usize];
                let before = match through {
                    true => history.partition_point(|time| time <= moment),
                    false => history.partition_point(|time| time < moment),
                };
                from + before as u32
            };
            let edge = self.spans.iter().zip(moments.iter()).map(place).collect();
            self.edges.insert((moment, through), edge);
        }
        Ok(&self.edges[&(moment, through)])
    }
}

/// Makes windows empty where `shut` says so, or where they end before they begin.
fn close(windows: &mut Windows, shut: impl Fn(usize) -> bool) {
    for row in 0..windows.len() {
        if shut(row) || windows.high[row] < windows.low[row] {
            windows.high[row] = windows.low[row];
        }
    }
}

/// Times as numbers that compare as they do.
pub fn numbers(times: &dyn Array) -> Result<ScalarBuffer<i64>> {
    let numbers = match times.data_type() {
        DataType::Date32 => cast(&cast(times, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(times, &DataType::Int64)?,
    };
    Ok(numbers.as_primitive::<Int64Type>().values().clone())
}
