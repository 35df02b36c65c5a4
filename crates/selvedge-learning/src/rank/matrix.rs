//! Rows of a shelf to a matrix of numbers, and the terms that the ranking sums up of it, crosses among them.
//!
//! The matrix holds every feature as [`Encoding`] makes it, then a column of 0 and 1 for each value of a set, then squares,
//! then numbers that name values from which it is learned whether what is bought is kept.  All of it is learned from
//! training rows.  A value that was not seen there is 0 everywhere; a feature that never varied has no column.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use ndarray::{Array2, s};
use recommenders::chain::{self, Terms};
use serde::{Deserialize, Serialize};

use super::RankError;
use models::matrix::Encoding;
use models::rule::COMMON;
use models::split::TrainingRows;
use selvedge_project::error::Result;
use selvedge_project::sql::Feature;
use selvedge_project::sql::{Cross, Keeps};

/// Features of this grain are the same for a whole shelf: they say nothing of its order.
const OF_CUSTOMER: &str = "customer";
/// Features of this grain speak of the article alone.
const OF_ARTICLE: &str = "product";

/// How rows become a matrix, and what the heads read of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    encoding: Encoding,
    sets: Vec<Values>,
    /// Columns of the encoding whose squares follow.
    squares: Vec<usize>,
    codes: Vec<Values>,
    /// What each column comes from.
    pub sources: Vec<Source>,
    /// What the model of looks sums up, and that of purchases.
    pub look: Terms,
    pub buy: Terms,
    /// What each tower of a two-tower reads.
    pub sides: Sides,
}

/// The columns by what they speak of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sides {
    /// What the customer told: the values that crosses are made of.
    pub customer: Vec<usize>,
    /// What the article is: its kinds, its description, and what crosses read of it.
    pub article: Vec<usize>,
    /// How the two go together.
    pub both: Vec<usize>,
    /// How the article did.
    pub record: Vec<usize>,
}

/// A text column with the values that were seen in training, in alphabetical order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Values {
    name: String,
    known: Vec<String>,
}

/// What a column of the matrix comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub feature: String,
    /// The value that it is 1 for; empty where it is a number.
    pub value: String,
}

impl Columns {
    /// Learns from training rows how to read `features`, at most `dimensions` of each vector, and the declared crosses.
    pub fn fit(training: &TrainingRows, features: &[Feature], crosses: &[Cross], dimensions: usize) -> Result<Self> {
        let failed = RankError::OtherFeatures;
        let plain: Vec<&Feature> = features.iter().filter(|feature| !feature.is_set()).collect();
        let names: Vec<String> = plain.iter().map(|feature| feature.name.clone()).collect();
        let longest =
            crosses.iter().filter_map(|cross| cross.dimensions).chain([dimensions]).max().unwrap_or(dimensions);
        let encoding = Encoding::fit(training, &names).map_err(|e| failed(e.into()))?.shortened(longest);
        let outputs = encoding.outputs();
        let mut sources: Vec<Source> = outputs
            .iter()
            .map(|output| {
                let value = output.name.strip_prefix(&format!("{} = ", output.source)).unwrap_or_default();
                Source { feature: output.source.clone(), value: value.to_owned() }
            })
            .collect();
        let named = |name: &str| features.iter().find(|feature| feature.name == name);
        let of_source = |name: &str| -> Vec<usize> {
            (0..outputs.len())
                .filter(|at| outputs[*at].source == name && !outputs[*at].name.ends_with(" is missing"))
                .collect()
        };
        let mut sets: Vec<Values> = Vec::new();
        for feature in features.iter().filter(|feature| feature.is_set()) {
            let values = Values::learn(training.rows(), &feature.name, true)?;
            sources.extend(values.sources());
            sets.push(values);
        }
        let mut squares = Vec::new();
        for cross in crosses.iter().filter(|cross| cross.powers == Some(2)) {
            for at in of_source(&cross.by) {
                squares.push(at);
                sources.push(Source { feature: cross.by.clone(), value: String::new() });
            }
        }
        let mut codes = Vec::new();
        for wanted in [Keeps::Share, Keeps::Difference] {
            let values = match features.iter().find(|feature| feature.column.keeps == Some(wanted)) {
                Some(feature) => Values::learn(training.rows(), &feature.name, false)?,
                // Without a feature to tell by, every row has one code.
                None => Values { name: String::new(), known: Vec::new() },
            };
            sources.push(Source { feature: values.name.clone(), value: String::new() });
            codes.push(values);
        }
        // Of each vector the positions that all customers are read by; the others are for crosses.
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut linear = Vec::new();
        for (at, output) in outputs.iter().enumerate() {
            let position = seen.entry(&output.source).or_default();
            *position += 1;
            if !output.name.ends_with(']') || *position <= dimensions {
                linear.push(at);
            }
        }
        let before_squares = outputs.len() + sets.iter().map(|set| set.known.len()).sum::<usize>();
        let mut blocks = Vec::new();
        for cross in crosses {
            let (Some(left), Some(_)) = (cross.set.as_ref().or(cross.category.as_ref()), named(&cross.by)) else {
                continue;
            };
            let by: Vec<usize> = match cross.set {
                Some(_) => (outputs.len()..before_squares).filter(|at| sources[*at].feature == *left).collect(),
                None => of_source(left),
            };
            let mut columns = of_source(&cross.by);
            columns.truncate(cross.dimensions.unwrap_or(usize::MAX));
            if cross.powers == Some(2) {
                columns.extend(
                    (before_squares..before_squares + squares.len()).filter(|at| sources[*at].feature == cross.by),
                );
            }
            if !by.is_empty() && !columns.is_empty() {
                blocks.push(chain::Cross { by, columns });
            }
        }
        let mut sides = Sides {
            customer: blocks.iter().flat_map(|block: &chain::Cross| block.by.iter().copied()).collect(),
            ..Sides::default()
        };
        for at in (0..outputs.len()).chain(before_squares..before_squares + squares.len()) {
            let source = &sources[at];
            let is = !source.value.is_empty()
                || outputs.get(at).is_some_and(|output| output.name.ends_with(']'))
                || crosses.iter().any(|cross| cross.by == source.feature);
            match named(&source.feature).map(|feature| feature.entity.as_str()) {
                Some(OF_ARTICLE) if is => sides.article.push(at),
                Some(OF_ARTICLE) => sides.record.push(at),
                Some(OF_CUSTOMER) | None => {}
                Some(_) => sides.both.push(at),
            }
        }
        let of_shelf = |at: &usize| named(&sources[*at].feature).is_none_or(|feature| feature.entity != OF_CUSTOMER);
        let look = Terms { linear: linear.iter().copied().filter(of_shelf).collect(), crosses: blocks.clone() };
        let buy = Terms { linear, crosses: blocks };
        Ok(Self { encoding, sets, squares, codes, sources, look, buy, sides })
    }

    /// The columns from which it is learned whether what is bought is kept: that of a share, and that of a difference.
    pub fn codes(&self) -> [usize; 2] {
        let first = self.sources.len() - self.codes.len();
        [first, first + 1]
    }

    /// Which columns say the same of an article whoever asks.
    pub fn of_article(&self) -> Vec<bool> {
        let mut of_article = vec![false; self.width()];
        let columns = self.sides.article.iter().chain(&self.sides.record).copied().chain(self.codes());
        columns.for_each(|column| of_article[column] = true);
        of_article
    }

    /// How many columns the matrix has.
    pub fn width(&self) -> usize {
        self.sources.len()
    }

    /// The matrix of rows that have the features of the training rows.
    pub fn apply(&self, rows: &RecordBatch) -> Result<Array2<f64>> {
        let failed = RankError::OtherFeatures;
        let mut matrix = Array2::zeros((rows.num_rows(), self.width()));
        let mut at = self.encoding.width();
        self.encoding.apply_into(rows, matrix.slice_mut(s![.., ..at])).map_err(|e| failed(e.into()))?;
        for set in &self.sets {
            let texts = texts(rows, &set.name)?;
            for (row, text) in texts.iter().enumerate() {
                for place in parts(text.unwrap_or_default()).filter_map(|value| set.place(value)) {
                    matrix[[row, at + place]] = 1.0;
                }
            }
            at += set.known.len();
        }
        for square in &self.squares {
            let values = matrix.column(*square).mapv(|value| value * value);
            matrix.column_mut(at).assign(&values);
            at += 1;
        }
        for (code, at) in self.codes.iter().zip(at..).filter(|(code, _)| !code.name.is_empty()) {
            let texts = texts(rows, &code.name)?;
            for (row, text) in texts.iter().enumerate() {
                matrix[[row, at]] = text.and_then(|value| code.place(value)).map_or(0.0, |place| place as f64 + 1.0);
            }
        }
        Ok(matrix)
    }
}

impl Values {
    /// The values of a text column: each that enough rows have, of a set; every one of a single value.
    fn learn(rows: &RecordBatch, name: &str, set: bool) -> Result<Self> {
        let texts = texts(rows, name)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in texts.iter().flatten() {
            let values: BTreeSet<&str> = if set { parts(text).collect() } else { BTreeSet::from([text]) };
            values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
        }
        let enough = if set { COMMON } else { 1 };
        let known = counts.into_iter().filter(|(_, count)| *count >= enough).map(|(value, _)| value.to_owned());
        Ok(Self { name: name.to_owned(), known: known.collect() })
    }

    fn place(&self, value: &str) -> Option<usize> {
        self.known.binary_search_by(|known| known.as_str().cmp(value)).ok()
    }

    fn sources(&self) -> impl Iterator<Item = Source> {
        self.known.iter().map(|value| Source { feature: self.name.clone(), value: value.clone() })
    }
}

/// The values of a set.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|value| !value.is_empty())
}

fn texts(rows: &RecordBatch, name: &str) -> Result<StringArray> {
    let column = crate::shelf::column(rows, "the features", name)?;
    let texts = cast(column, &DataType::Utf8).map_err(RankError::Arrow)?;
    Ok(texts.as_string::<i32>().clone())
}
