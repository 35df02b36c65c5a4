//! Rows of the frame to a matrix of numbers, by rules learned from training rows alone.
//!
//! - A number is imputed with the training median, pulled in by a signed `ln(1 + |x|)` where its training distribution
//!   is skewed by more than [`SKEWED`](super::scale::SKEWED), then scaled to training mean 0 and deviation 1.
//! - A category is one column of 0 and 1 for each level seen in at least [`COMMON`](super::rule::COMMON) training rows; all others share
//!   "other", a missing one has its own.
//! - A vector is one number for each position, imputed and scaled like a number.
//! - A number or a vector that is missing in some training rows brings a column of 0 and 1 that says so.
//! - What is the same in every training row says nothing and has no column.
//!
//! Every sum runs in row order, so equal rows give equal bits.

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    datatypes::{DataType, Schema},
};
use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    columns::{self, ReadError, Values},
    rule::{Ragged, Rule},
    split::TrainingRows,
};

/// How to turn a frame's feature columns into a matrix. Learned by [`Encoding::fit`]; serialized with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    columns: Vec<Column>,
}

/// One column of the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    /// As [`columns::type_name`] writes it.
    data_type: String,
    rule: Rule,
}

/// A column of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `price`, `price is missing`, `region = Berlin`, `region is other`, `taste[3]` ...
    pub name: String,
    /// The column of the frame it comes from.
    pub source: String,
}

impl Encoding {
    /// Learns from `training` how to encode the columns named in `features`, in that order.
    ///
    /// # Errors
    /// A feature the frame lacks, a type the model cannot use, or vectors of different length.
    pub fn fit(training: &TrainingRows, features: &[String]) -> Result<Encoding, MatrixError> {
        let frame = training.rows();
        let columns = features.iter().map(|name| {
            let array = find(frame, name)?;
            let rule = Rule::learn(read(name, array)?).map_err(|ragged| MatrixError::Ragged(name.clone(), ragged))?;
            Ok(Column { name: name.clone(), data_type: columns::type_name(array.data_type()), rule })
        });
        Ok(Encoding { columns: columns.collect::<Result<_, MatrixError>>()? })
    }

    /// The same, with at most the first `dimensions` positions of every vector: those of a reduction come with the most
    /// telling first, so a short vector is a prefix of the long one.
    pub fn shortened(&self, dimensions: usize) -> Encoding {
        let mut shorter = self.clone();
        shorter.columns.iter_mut().for_each(|column| column.rule.shorten(dimensions));
        shorter
    }

    /// How many positions the longest vector has; 0 where no feature is a vector.
    pub fn longest_vector(&self) -> usize {
        self.columns.iter().map(|column| column.rule.positions()).max().unwrap_or_default()
    }

    /// How many positions of the longest vector are read.
    pub fn used_positions(&self) -> usize {
        self.columns.iter().map(|column| column.rule.used_positions()).max().unwrap_or_default()
    }

    /// The names of the features, in the order in which they were learned.
    pub fn features(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The matrix of `frame`: a row for each row, a column for each of [`Encoding::outputs`]. Columns of `frame` that
    /// are not features (keys, label, split) are not looked at.
    ///
    /// # Errors
    /// A feature column that is not there, or has another type than in training.
    pub fn apply(&self, frame: &RecordBatch) -> Result<Array2<f64>, MatrixError> {
        let mut matrix = Array2::zeros((frame.num_rows(), self.width()));
        self.apply_into(frame, matrix.view_mut())?;
        Ok(matrix)
    }

    /// The same, written into zeros that stand there already: a row for each row, a column for each output.
    ///
    /// # Errors
    /// As [`Encoding::apply`].
    pub fn apply_into(&self, frame: &RecordBatch, mut matrix: ArrayViewMut2<f64>) -> Result<(), MatrixError> {
        let mut start = 0;
        for column in &self.columns {
            column.check(frame.column_by_name(&column.name).map(|array| array.data_type()))?;
            let values = read(&column.name, find(frame, &column.name)?)?;
            let put = |row, offset, value| matrix[[row, start + offset]] = value;
            column.rule.fill(&values, put).map_err(|ragged| MatrixError::Ragged(column.name.clone(), ragged))?;
            start += column.rule.width();
        }
        Ok(())
    }

    /// Refuses a frame whose features are not exactly those learned: one added, gone or of another type.
    pub fn accepts(&self, schema: &Schema, features: &[String]) -> Result<(), MatrixError> {
        for name in features {
            if !self.columns.iter().any(|column| column.name == *name) {
                return Err(MatrixError::Unknown { column: name.clone() });
            }
        }
        for column in &self.columns {
            if !features.contains(&column.name) {
                return Err(MatrixError::NoColumn { column: column.name.clone() });
            }
            column.check(schema.field_with_name(&column.name).ok().map(|field| field.data_type()))?;
        }
        Ok(())
    }

    /// The columns of the matrix, from left to right.
    pub fn outputs(&self) -> Vec<Output> {
        let outputs = |column: &Column| {
            let source = column.name.clone();
            column.rule.outputs(&column.name).into_iter().map(move |name| Output { name, source: source.clone() })
        };
        self.columns.iter().flat_map(outputs).collect()
    }

    /// How many columns the matrix has.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.rule.width()).sum()
    }

    /// Names the frame's feature columns and their types: 16 hex digits of a SHA-256.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for column in &self.columns {
            hash.update(format!("{:?}: {:?}\n", column.name, column.data_type));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Column {
    /// Refuses a column that is not there or has another type than in training.
    fn check(&self, found: Option<&DataType>) -> Result<(), MatrixError> {
        let column = || self.name.clone();
        let found = columns::type_name(found.ok_or_else(|| MatrixError::NoColumn { column: column() })?);
        if found != self.data_type {
            return Err(MatrixError::Type { column: column(), trained: self.data_type.clone(), found });
        }
        Ok(())
    }
}

fn find<'a>(frame: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, MatrixError> {
    frame.column_by_name(name).ok_or_else(|| MatrixError::NoColumn { column: name.to_owned() })
}

fn read(name: &str, array: &ArrayRef) -> Result<Values, MatrixError> {
    columns::read(array).map_err(|source| MatrixError::Read { column: name.to_owned(), source })
}

/// Why a frame has no matrix.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    #[error("the frame has no column `{column}`, which the model reads; build the frame and train again")]
    NoColumn { column: String },
    #[error("the model was trained without the column `{column}`; train it again")]
    Unknown { column: String },
    #[error("the column `{column}` is {found}, but was {trained} when the model was trained; train it again")]
    Type { column: String, trained: String, found: String },
    #[error("the column `{column}` {source}")]
    Read { column: String, source: ReadError },
    #[error("the column `{0}`: {1}")]
    Ragged(String, Ragged),
}
