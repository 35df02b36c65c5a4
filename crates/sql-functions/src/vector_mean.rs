//! `vector_mean(vector, weight)`: the weighted mean of vectors, the same bits in whatever order rows arrive.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, ListArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, TypeSignature, Volatility,
};

use super::types;

/// The function as a session registers it.
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
        Ok(Box::new(Sums(GroupSums::new(&args, 1)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupSums::new(&args, 0)?))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let sums = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
        Ok(vec![
            Arc::new(Field::new(format!("{}[sums]", args.name), sums, true)),
            Arc::new(Field::new(format!("{}[weight]", args.name), DataType::Int64, true)),
        ])
    }
}

/// Sums of groups, in steps of 2^-32.  Whole numbers add up to the same sum in any order, which floats do not; the step is
/// finer than a Float32 of a normalised vector needs, and two thousand million rows fit.
#[derive(Debug)]
struct GroupSums {
    item: FieldRef,
    size: usize,
    /// `size` of them for each group, one group after the other.
    sums: Vec<i64>,
    /// One for each group.
    weights: Vec<i64>,
}

const STEP: f64 = 1.0 / (1u64 << 32) as f64;

fn fixed(value: f64) -> i64 {
    (value / STEP).round() as i64
}

impl GroupSums {
    fn new(args: &AccumulatorArgs, groups: usize) -> Result<Self> {
        let DataType::FixedSizeList(item, size) = args.return_field.data_type() else {
            return plan_err!("vector_mean returns a vector");
        };
        let size = *size as usize;
        Ok(Self { item: Arc::clone(item), size, sums: vec![0; groups * size], weights: vec![0; groups] })
    }

    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups * self.size, 0);
        self.weights.resize(groups, 0);
    }

    /// Adds each row to its group, or takes it away again: whole numbers come back to what they were.
    fn count(&mut self, values: &[ArrayRef], times: i64, group: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let vectors = values[0].as_fixed_size_list();
        let weights = cast(&values[1], &DataType::Float64)?;
        let weights = weights.as_primitive::<Float64Type>();
        let items = vectors.values().as_primitive::<Float32Type>();
        for row in 0..vectors.len() {
            let Some(group) = group(row).filter(|_| vectors.is_valid(row) && weights.is_valid(row)) else { continue };
            let weight = weights.value(row);
            let start = vectors.value_offset(row) as usize;
            self.weights[group] = self.weights[group].saturating_add(times * fixed(weight.abs()));
            let sums = &mut self.sums[group * self.size..][..self.size];
            for (sum, value) in sums.iter_mut().zip(&items.values()[start..start + self.size]) {
                *sum = sum.saturating_add(times * fixed(weight * f64::from(*value)));
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) {
        let (sums, weights) = (states[0].as_list::<i32>(), states[1].as_primitive::<Int64Type>());
        let items = sums.values().as_primitive::<Int64Type>();
        for row in (0..sums.len()).filter(|row| sums.is_valid(*row)) {
            let group = group(row);
            self.weights[group] = self.weights[group].saturating_add(weights.value(row));
            let part = &items.values()[sums.value_offsets()[row] as usize..][..self.size];
            for (sum, value) in self.sums[group * self.size..][..self.size].iter_mut().zip(part) {
                *sum = sum.saturating_add(*value);
            }
        }
    }

    /// The sums and the weights of the first groups, which are then forgotten.
    fn taken(&mut self, groups: EmitTo) -> (Vec<i64>, Vec<i64>) {
        let sums = match groups {
            EmitTo::All => EmitTo::All,
            EmitTo::First(groups) => EmitTo::First(groups * self.size),
        };
        (sums.take_needed(&mut self.sums), groups.take_needed(&mut self.weights))
    }

    fn means(&self, sums: &[i64], weights: &[i64]) -> Result<FixedSizeListArray> {
        let means = sums.chunks(self.size.max(1)).zip(weights).flat_map(|(sums, weight)| {
            let weight = (*weight).max(1) as f64;
            sums.iter().map(move |sum| (*sum as f64 / weight) as f32)
        });
        let means = Arc::new(Float32Array::from_iter_values(means));
        let nulls = NullBuffer::from_iter(weights.iter().map(|weight| *weight != 0));
        Ok(FixedSizeListArray::try_new(Arc::clone(&self.item), self.size as i32, means, Some(nulls))?)
    }

    fn states(&self, sums: Vec<i64>, weights: Vec<i64>) -> Result<Vec<ArrayRef>> {
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let lengths = OffsetBuffer::from_lengths(std::iter::repeat_n(self.size, weights.len()));
        let sums = ListArray::try_new(item, lengths, Arc::new(Int64Array::from(sums)), None)?;
        Ok(vec![Arc::new(sums), Arc::new(Int64Array::from(weights))])
    }

    fn bytes(&self) -> usize {
        (self.sums.capacity() + self.weights.capacity()) * size_of::<i64>()
    }
}

impl GroupsAccumulator for GroupSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.grow(count);
        let passes = |row: &usize| filter.is_none_or(|filter| filter.is_valid(*row) && filter.value(*row));
        self.count(values, 1, |row| Some(row).filter(passes).map(|row| groups[row]))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.grow(count);
        self.merge(states, |row| groups[row]);
        Ok(())
    }

    fn evaluate(&mut self, groups: EmitTo) -> Result<ArrayRef> {
        let (sums, weights) = self.taken(groups);
        Ok(Arc::new(self.means(&sums, &weights)?))
    }

    fn state(&mut self, groups: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, weights) = self.taken(groups);
        self.states(sums, weights)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows: Vec<usize> = (0..values[0].len()).collect();
        let mut each = Self { item: Arc::clone(&self.item), size: self.size, sums: Vec::new(), weights: Vec::new() };
        each.update_batch(values, &rows, filter, rows.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes()
    }
}

/// The sums of one group, which can also slide.
#[derive(Debug)]
struct Sums(GroupSums);

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.count(values, 1, |_| Some(0))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.count(values, -1, |_| Some(0))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.0.means(&self.0.sums, &self.0.weights)?, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.0.states(self.0.sums.clone(), self.0.weights.clone())?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0);
        Ok(())
    }
}
