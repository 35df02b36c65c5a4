//! What becomes of one column of the frame: which columns of the matrix it fills, and with what.

use std::collections::BTreeMap;

use arrow::array::StringArray;
use serde::{Deserialize, Serialize};

use super::{columns::Values, scale::Scale};

/// A level seen in fewer training rows than this is not learned on its own: a coefficient from a handful of rows is
/// mostly chance. With 20 rows the standard error of a share is at most 0.11.
pub const COMMON: usize = 20;

/// The rule for one column, learned from training values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    Number {
        /// `None`: the same in every training row.
        scale: Option<Scale>,
        /// Whether "is missing" has a column.
        missing: bool,
    },
    Category {
        /// In alphabetical order; none where every training row is alike.
        levels: Vec<String>,
        /// Whether "is other" has a column; if not, an unseen level leaves the listed ones at 0.
        other: bool,
        missing: bool,
    },
    Vector {
        /// One for each position.
        scales: Vec<Option<Scale>>,
        missing: bool,
    },
}

/// Vectors of one column must have one length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row} has a vector of {found} numbers, others have {expected}")]
pub struct Ragged {
    pub row: usize,
    pub found: usize,
    pub expected: usize,
}

impl Rule {
    /// Learns from training values, of which there is at least one.
    pub fn learn(values: Values) -> Result<Rule, Ragged> {
        Ok(match values {
            Values::Numbers(numbers) => {
                let missing = some_but_not_all(&numbers, |number| number.is_nan());
                Rule::Number { scale: Scale::learn(&numbers, true), missing }
            }
            Values::Categories(texts) => categories(&texts),
            Values::Vectors(vectors) => {
                let missing = some_but_not_all(&vectors, Option::is_none);
                let width = vectors.iter().flatten().next().map_or(0, Vec::len);
                ragged(&vectors, width)?;
                let position = |at: usize| -> Vec<f64> { vectors.iter().map(|vector| number(vector, at)).collect() };
                Rule::Vector { scales: (0..width).map(|at| Scale::learn(&position(at), false)).collect(), missing }
            }
        })
    }

    /// Leaves out the positions of a vector from `dimensions` on.
    pub fn shorten(&mut self, dimensions: usize) {
        if let Rule::Vector { scales, .. } = self {
            scales.iter_mut().skip(dimensions).for_each(|scale| *scale = None);
        }
    }

    /// How many positions its vectors have; 0 for what is no vector.
    pub fn positions(&self) -> usize {
        match self {
            Rule::Vector { scales, .. } => scales.len(),
            _ => 0,
        }
    }

    /// How many of them are read.
    pub fn used_positions(&self) -> usize {
        match self {
            Rule::Vector { scales, .. } => scales.iter().rposition(Option::is_some).map_or(0, |last| last + 1),
            _ => 0,
        }
    }

    /// How many columns of the matrix it fills.
    pub fn width(&self) -> usize {
        match self {
            Rule::Number { scale, missing } => usize::from(scale.is_some()) + usize::from(*missing),
            Rule::Category { levels, other, missing } => levels.len() + usize::from(*other) + usize::from(*missing),
            Rule::Vector { scales, missing } => scales.iter().flatten().count() + usize::from(*missing),
        }
    }

    /// The names of those columns, for a column of the frame named `name`.
    pub fn outputs(&self, name: &str) -> Vec<String> {
        let mut outputs = match self {
            Rule::Number { scale, .. } => scale.iter().map(|_| name.to_owned()).collect(),
            Rule::Category { levels, other, .. } => {
                let levels = levels.iter().map(|level| format!("{name} = {level}"));
                levels.chain(other.then(|| format!("{name} is other"))).collect()
            }
            Rule::Vector { scales, .. } => {
                let position = |(at, scale): (usize, &Option<Scale>)| scale.as_ref().map(|_| format!("{name}[{at}]"));
                scales.iter().enumerate().filter_map(position).collect::<Vec<_>>()
            }
        };
        if let Rule::Number { missing: true, .. }
        | Rule::Category { missing: true, .. }
        | Rule::Vector { missing: true, .. } = self
        {
            outputs.push(format!("{name} is missing"));
        }
        outputs
    }

    /// Calls `put(row, column, value)` for every entry that is not 0. Values of another kind than those learned from
    /// have no entry: [`Encoding`](super::matrix::Encoding) compares types first.
    pub fn fill(&self, values: &Values, mut put: impl FnMut(usize, usize, f64)) -> Result<(), Ragged> {
        match (self, values) {
            (Rule::Number { scale, missing }, Values::Numbers(numbers)) => {
                for (row, number) in numbers.iter().enumerate() {
                    if let Some(scale) = scale {
                        put(row, 0, scale.apply(*number));
                    }
                    if *missing && number.is_nan() {
                        put(row, usize::from(scale.is_some()), 1.0);
                    }
                }
            }
            (Rule::Category { levels, other, missing }, Values::Categories(texts)) => {
                for (row, text) in texts.iter().enumerate() {
                    match text.map(|text| levels.binary_search_by(|level| level.as_str().cmp(text))) {
                        Some(Ok(level)) => put(row, level, 1.0),
                        Some(Err(_)) if *other => put(row, levels.len(), 1.0),
                        None if *missing => put(row, levels.len() + usize::from(*other), 1.0),
                        Some(Err(_)) | None => {}
                    }
                }
            }
            // Where no training row had a vector, nothing is known of any.
            (Rule::Vector { scales, .. }, Values::Vectors(_)) if scales.is_empty() => {}
            (Rule::Vector { scales, missing }, Values::Vectors(vectors)) => {
                ragged(vectors, scales.len())?;
                let used: Vec<(usize, &Scale)> =
                    scales.iter().enumerate().filter_map(|(at, scale)| Some((at, scale.as_ref()?))).collect();
                for (row, vector) in vectors.iter().enumerate() {
                    for (column, (at, scale)) in used.iter().enumerate() {
                        put(row, column, scale.apply(number(vector, *at)));
                    }
                    if *missing && vector.is_none() {
                        put(row, used.len(), 1.0);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn categories(texts: &StringArray) -> Rule {
    let mut counts = BTreeMap::<&str, usize>::new();
    for text in texts.iter().flatten() {
        *counts.entry(text).or_default() += 1;
    }
    let common = |count: usize| count >= COMMON;
    let other = counts.values().any(|&count| !common(count));
    let missing = texts.iter().any(|text| text.is_none());
    let levels: Vec<String> =
        counts.into_iter().filter(|&(_, count)| common(count)).map(|(level, _)| level.to_owned()).collect();
    if levels.len() + usize::from(other) + usize::from(missing) < 2 {
        return Rule::Category { levels: Vec::new(), other: false, missing: false };
    }
    Rule::Category { levels, other, missing }
}

/// The number at a position of a vector; NaN where there is none.
fn number(vector: &Option<Vec<f64>>, at: usize) -> f64 {
    vector.as_ref().and_then(|vector| vector.get(at)).copied().unwrap_or(f64::NAN)
}

fn ragged(vectors: &[Option<Vec<f64>>], expected: usize) -> Result<(), Ragged> {
    let length = |vector: &Option<Vec<f64>>| vector.as_ref().map_or(expected, Vec::len);
    match vectors.iter().map(length).enumerate().find(|(_, found)| *found != expected) {
        Some((row, found)) => Err(Ragged { row, found, expected }),
        None => Ok(()),
    }
}

fn some_but_not_all<T>(values: &[T], is_missing: impl Fn(&T) -> bool) -> bool {
    let missing = values.iter().filter(|&value| is_missing(value)).count();
    0 < missing && missing < values.len()
}
