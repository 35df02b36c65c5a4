//! One column of the frame as the model sees it: numbers, categories or vectors. Its Arrow type decides which.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray, OffsetSizeTrait, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
    error::ArrowError,
};
use serde::{Deserialize, Serialize};

/// What a column's values are to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    Number,
    Category,
    Vector,
}

/// A column's values, one for each row.
#[derive(Debug)]
pub enum Values {
    /// NaN where missing or not finite.
    Numbers(Vec<f64>),
    /// Null where missing.
    Categories(StringArray),
    /// `None` where missing, empty, or with any number missing or not finite.
    Vectors(Vec<Option<Vec<f64>>>),
}

/// What values of this Arrow type are to the model; `None` for types it cannot use (dates, structs, binary ...).
pub fn meaning(data_type: &DataType) -> Option<Meaning> {
    match data_type {
        DataType::Boolean => Some(Meaning::Number),
        other if other.is_numeric() => Some(Meaning::Number),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Meaning::Category),
        DataType::Dictionary(_, value) => meaning(value).filter(|meaning| *meaning == Meaning::Category),
        DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item) => {
            item.data_type().is_floating().then_some(Meaning::Vector)
        }
        _ => None,
    }
}

/// A type's name as the model records it: what Arrow writes, but the same for every way to store text, and for every
/// way to store a list, because a Parquet reader and a query engine choose those as they like.
pub fn type_name(data_type: &DataType) -> String {
    match (meaning(data_type), data_type) {
        (Some(Meaning::Category), _) => "text".to_owned(),
        (
            Some(Meaning::Vector),
            DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item),
        ) => format!("list of {}", item.data_type()),
        _ => data_type.to_string(),
    }
}

/// Reads `column` as its type says.
///
/// # Errors
/// A type the model cannot use, returned as [`ReadError::Unsupported`].
pub fn read(column: &ArrayRef) -> Result<Values, ReadError> {
    match meaning(column.data_type()) {
        Some(Meaning::Number) => Ok(Values::Numbers(numbers(column)?)),
        Some(Meaning::Category) => Ok(Values::Categories(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())),
        Some(Meaning::Vector) => vectors(column).map(Values::Vectors),
        None => Err(ReadError::Unsupported(column.data_type().clone())),
    }
}

fn numbers(column: &ArrayRef) -> Result<Vec<f64>, ArrowError> {
    let column = cast(column, &DataType::Float64)?;
    let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
    Ok(column.as_primitive::<Float64Type>().iter().map(|value| value.map_or(f64::NAN, finite)).collect())
}

fn vectors(column: &ArrayRef) -> Result<Vec<Option<Vec<f64>>>, ReadError> {
    match column.data_type() {
        DataType::FixedSizeList(_, size) => {
            let (list, size) = (column.as_fixed_size_list(), *size as usize);
            of_rows(column, list.values(), (0..list.len()).map(|row| row * size..(row + 1) * size))
        }
        DataType::List(_) => lists::<i32>(column),
        DataType::LargeList(_) => lists::<i64>(column),
        other => Err(ReadError::Unsupported(other.clone())),
    }
}

fn lists<O: OffsetSizeTrait>(column: &ArrayRef) -> Result<Vec<Option<Vec<f64>>>, ReadError> {
    let list = column.as_list::<O>();
    of_rows(column, list.values(), list.offsets().windows(2).map(|ends| ends[0].as_usize()..ends[1].as_usize()))
}

/// The vectors of `column`'s rows; `values` are the numbers of all of them, and `places` where each row's stand there.
fn of_rows(
    column: &ArrayRef,
    values: &ArrayRef,
    places: impl Iterator<Item = Range<usize>>,
) -> Result<Vec<Option<Vec<f64>>>, ReadError> {
    let values = numbers(values)?;
    let vector = |(row, place): (usize, Range<usize>)| {
        let values = values.get(place).filter(|_| column.is_valid(row))?;
        (!values.is_empty() && values.iter().all(|value| value.is_finite())).then(|| values.to_vec())
    };
    Ok(places.enumerate().map(vector).collect())
}

/// Why a column cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("is {0}, which the model cannot use; its feature file should make it a number, a text or a list of floats")]
    Unsupported(DataType),
    #[error("cannot be read: {0}")]
    Arrow(#[from] ArrowError),
}
