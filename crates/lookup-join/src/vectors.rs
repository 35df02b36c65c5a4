//! Rows taken from a column of vectors: each is copied whole, where Arrow's kernel looks every number of it up by itself.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, UInt32Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Float32Type};
use datafusion::arrow::error::ArrowError;

/// The rows of `values` that `found` names, in its order; NULL where it names none.
pub fn taken(values: &ArrayRef, found: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    match values.data_type() {
        DataType::FixedSizeList(item, size) if *item.data_type() == DataType::Float32 => {
            let lists = values.as_fixed_size_list();
            let numbers = lists.values().as_primitive::<Float32Type>();
            if numbers.null_count() > 0 {
                return take(values, found, None);
            }
            let (numbers, length) = (numbers.values(), *size as usize);
            let mut copied = Vec::with_capacity(found.len() * length);
            let mut there = Vec::with_capacity(found.len());
            for row in found {
                let row = row.map(|row| row as usize).filter(|row| lists.is_valid(*row));
                match row {
                    Some(row) => copied.extend_from_slice(&numbers[lists.value_offset(row) as usize..][..length]),
                    None => copied.resize(copied.len() + length, 0.0),
                }
                there.push(row.is_some());
            }
            let nulls = Some(NullBuffer::from(there)).filter(|nulls| nulls.null_count() > 0);
            let copied = Arc::new(Float32Array::from(copied));
            Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *size, copied, nulls)?))
        }
        _ => take(values, found, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::Field;

    /// The same as Arrow's kernel, of whole columns and of slices, with and without rows that are missing.
    #[test]
    fn vectors_are_those_that_arrow_takes() {
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        let numbers = Arc::new(Float32Array::from_iter_values((0..15).map(|number| number as f32)));
        for nulls in [None, Some(NullBuffer::from(vec![true, false, true, true, false]))] {
            let all: ArrayRef =
                Arc::new(FixedSizeListArray::try_new(Arc::clone(&item), 3, numbers.clone(), nulls).unwrap());
            for values in [all.clone(), all.slice(1, 3), all.slice(2, 0)] {
                let last = values.len() as u32;
                for found in [vec![], vec![Some(0), None, Some(last.max(1) - 1), Some(0)], vec![None; 3]] {
                    let found = UInt32Array::from_iter(found.into_iter().map(|row| row.filter(|row| *row < last)));
                    assert_eq!(&taken(&values, &found).unwrap(), &take(&values, &found, None).unwrap());
                }
            }
        }
        let texts: ArrayRef = Arc::new(datafusion::arrow::array::StringArray::from(vec!["a", "b"]));
        assert_eq!(taken(&texts, &UInt32Array::from(vec![1])).unwrap().as_string::<i32>().value(0), "b");
    }
}
