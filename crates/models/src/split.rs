//! Which rows may teach the model what. Whatever is fitted takes [`TrainingRows`], whatever is chosen takes
//! [`ValidationRows`], and neither can be made from anything but the frame and its own `split` column.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{
    array::{AsArray, BooleanArray, RecordBatch},
    compute::{cast, filter_record_batch},
    datatypes::DataType,
    error::ArrowError,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use selvedge_project::sql::label::{SPLIT, TRAIN, VALIDATION};

/// The rows of a frame that parameters may be fitted on; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingRows(RecordBatch);

/// The rows of a frame that hyperparameters may be chosen on; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationRows(RecordBatch);

impl TrainingRows {
    /// Keeps the rows of `frame` whose [`SPLIT`] is [`TRAIN`], in their order, with all columns.
    pub fn of(frame: &RecordBatch) -> Result<TrainingRows, SplitError> {
        side(frame, TRAIN).map(TrainingRows)
    }

    /// The rows themselves.
    pub fn rows(&self) -> &RecordBatch {
        &self.0
    }

    /// The rows of a `share` (0 to 1) of those whom the text column `owner` names, drawn with `seed`; a smaller share
    /// of the same draw is part of a larger one.
    ///
    /// # Errors
    /// No such text column; nobody drawn.
    pub fn part(&self, owner: &str, share: f64, seed: u64) -> Result<TrainingRows, SplitError> {
        let owners = self.0.column_by_name(owner).and_then(|column| column.as_string_opt::<i32>());
        let owners = owners.ok_or_else(|| SplitError::NoOwner { column: owner.to_owned() })?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let names: BTreeSet<&str> = owners.iter().flatten().collect();
        let places: BTreeMap<&str, f64> = names.into_iter().map(|name| (name, random.gen_range(0.0..1.0))).collect();
        let drawn = |name: &str| places.get(name).is_some_and(|place| *place < share);
        let kept: BooleanArray = owners.iter().map(|name| Some(name.is_some_and(drawn))).collect();
        let rows = filter_record_batch(&self.0, &kept)?;
        match rows.num_rows() {
            0 => Err(SplitError::NobodyDrawn { share }),
            _ => Ok(TrainingRows(rows)),
        }
    }
}

impl ValidationRows {
    /// Keeps the rows of `frame` whose [`SPLIT`] is [`VALIDATION`], in their order, with all columns.
    pub fn of(frame: &RecordBatch) -> Result<ValidationRows, SplitError> {
        side(frame, VALIDATION).map(ValidationRows)
    }

    /// The rows themselves.
    pub fn rows(&self) -> &RecordBatch {
        &self.0
    }
}

fn side(frame: &RecordBatch, name: &'static str) -> Result<RecordBatch, SplitError> {
    let split = frame.column_by_name(SPLIT).ok_or(SplitError::NoColumn)?;
    let split = match split.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            cast(split, &DataType::Utf8)?
        }
        other => return Err(SplitError::NotText { found: other.clone() }),
    };
    let values = split.as_string::<i32>();
    // A row without a side is on none.
    let kept: BooleanArray = values.iter().map(|value| Some(value == Some(name))).collect();
    let rows = filter_record_batch(frame, &kept)?;
    if rows.num_rows() == 0 {
        let found: BTreeSet<&str> = values.iter().flatten().collect();
        let found = found.into_iter().collect::<Vec<_>>().join(", ");
        return Err(SplitError::Empty { side: name, rows: frame.num_rows(), found });
    }
    Ok(rows)
}

/// Why a frame has no such side.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error("the frame has no column `{SPLIT}`")]
    NoColumn,
    #[error("the frame's column `{SPLIT}` is {found}, not text")]
    NotText { found: DataType },
    #[error("none of the frame's {rows} rows is on the side `{side}`, only on: {found}")]
    Empty { side: &'static str, rows: usize, found: String },
    #[error("the frame has no text column `{column}`")]
    NoOwner { column: String },
    #[error("a share of {share} of the training rows holds nobody")]
    NobodyDrawn { share: f64 },
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}
