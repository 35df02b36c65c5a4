//! `vector_mean(vector, weight)`: the weighted mean of vectors, the same bits in whatever order rows arrive.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Int64Array, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, TypeSignature, Volatility};

use super::types;

pub fn function() -> AggregateUDF {
    AggregateUDF::from(VectorMean { signature: Signature::new(TypeSignature::Any(2), Volatility::Immutable) })
}

/// sum(weight * vector) / sum(|weight|) over `FixedSizeList<Float32>`.  Weights may be negative (something sent back
/// pushes away).  Rows whose vector or weight is NULL do not count; no row, or no weight, gives NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct VectorMean {
    signature: Signature,
}

impl AggregateUDFImpl for VectorMean {
    fn name(&self) -> &str {
        "vector_mean"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [DataType::FixedSizeList(item, _), weight]
                if *item.data_type() == DataType::Float32 && weight.is_numeric() =>
            {
                Ok(args[0].clone())
            }
            _ => plan_err!("vector_mean takes a vector and a number, not {}", types(args)),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let DataType::FixedSizeList(item, size) = args.return_field.data_type() else {
            return plan_err!("vector_mean returns a vector");
        };
        Ok(Box::new(Sums { item: Arc::clone(item), size: *size, sums: vec![0; *size as usize], weight: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let sums = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
        Ok(vec![
            Arc::new(Field::new(format!("{}[sums]", args.name), sums, true)),
            Arc::new(Field::new(format!("{}[weight]", args.name), DataType::Int64, true)),
        ])
    }
}

/// Sums in steps of 2^-32.  Whole numbers add up to the same sum in any order, which floats do not; the step is finer
/// than a Float32 of a normalised vector needs, and two thousand million rows fit.
#[derive(Debug)]
struct Sums {
    item: FieldRef,
    size: i32,
    sums: Vec<i64>,
    weight: i64,
}

const STEP: f64 = 1.0 / (1u64 << 32) as f64;

fn fixed(value: f64) -> i64 {
    (value / STEP).round() as i64
}

impl Sums {
    /// Adds rows, or takes them away again: whole numbers come back to what they were.
    fn count(&mut self, values: &[ArrayRef], times: i64) -> Result<()> {
        let vectors = values[0].as_fixed_size_list();
        let weights = cast(&values[1], &DataType::Float64)?;
        let weights = weights.as_primitive::<Float64Type>();
        let items = vectors.values().as_primitive::<Float32Type>();
        for row in 0..vectors.len() {
            if vectors.is_null(row) || weights.is_null(row) {
                continue;
            }
            let weight = weights.value(row);
            let start = vectors.value_offset(row) as usize;
            self.weight = self.weight.saturating_add(times * fixed(weight.abs()));
            for (sum, value) in self.sums.iter_mut().zip(&items.values()[start..start + self.size as usize]) {
                *sum = sum.saturating_add(times * fixed(weight * f64::from(*value)));
            }
        }
        Ok(())
    }
}

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count(values, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count(values, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.weight == 0 {
            return ScalarValue::try_from(DataType::FixedSizeList(Arc::clone(&self.item), self.size));
        }
        let mean: Float32Array = self.sums.iter().map(|sum| (*sum as f64 / self.weight as f64) as f32).collect();
        let vector = FixedSizeListArray::try_new(Arc::clone(&self.item), self.size, Arc::new(mean), None)?;
        Ok(ScalarValue::FixedSizeList(Arc::new(vector)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sums.capacity() * size_of::<i64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let values = Arc::new(Int64Array::from(self.sums.clone()));
        let sums = ListArray::try_new(item, OffsetBuffer::from_lengths([self.sums.len()]), values, None)?;
        Ok(vec![ScalarValue::List(Arc::new(sums)), ScalarValue::Int64(Some(self.weight))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (sums, weights) = (states[0].as_list::<i32>(), states[1].as_primitive::<Int64Type>());
        for row in 0..sums.len() {
            if sums.is_null(row) {
                continue;
            }
            self.weight = self.weight.saturating_add(weights.value(row));
            let part = sums.value(row);
            for (sum, value) in self.sums.iter_mut().zip(part.as_primitive::<Int64Type>().values()) {
                *sum = sum.saturating_add(*value);
            }
        }
        Ok(())
    }
}
