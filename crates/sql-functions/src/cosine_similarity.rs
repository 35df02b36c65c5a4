//! `cosine_similarity(a, b)`: how alike two vectors point, from -1 to 1.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float32Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::types;

/// The function as a session registers it.
pub fn function() -> ScalarUDF {
    ScalarUDF::from(CosineSimilarity { signature: Signature::new(TypeSignature::Any(2), Volatility::Immutable) })
}

/// a·b / (|a| |b|) over `FixedSizeList<Float32>`; NULL where a vector is NULL or has no length.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CosineSimilarity {
    signature: Signature,
}

impl ScalarUDFImpl for CosineSimilarity {
    fn name(&self) -> &str {
        "cosine_similarity"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [DataType::FixedSizeList(a, n), DataType::FixedSizeList(b, m)]
                if n == m && *a.data_type() == DataType::Float32 && a.data_type() == b.data_type() =>
            {
                Ok(DataType::Float64)
            }
            _ => plan_err!("cosine_similarity takes two vectors of one length, not {}", types(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (a, b) = (arrays[0].as_fixed_size_list(), arrays[1].as_fixed_size_list());
        let length = a.value_length() as usize;
        let numbers = [a, b].map(|vectors| vectors.values().as_primitive::<Float32Type>().values());
        let cosine = |row: usize| {
            let [a, b] = numbers.map(|numbers| &numbers[row * length..(row + 1) * length]);
            cosine(a, b)
        };
        let both = |row: &usize| a.is_valid(*row) && b.is_valid(*row);
        let out: Float64Array = (0..a.len()).map(|row| Some(row).filter(both).and_then(cosine)).collect();
        Ok(ColumnarValue::Array(Arc::new(out)))
    }
}

/// Sums that are made side by side.
const LANES: usize = 8;

fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    // Each lane is a sum of its own, and lanes are added in their order: the same bits on every processor, and no sum waits
    // for the one before.
    let mut sums = [[0.0_f64; LANES]; 3];
    let add = |sums: &mut [[f64; LANES]; 3], at: usize, x: f32, y: f32| {
        let (x, y) = (f64::from(x), f64::from(y));
        sums[0][at] += x * y;
        sums[1][at] += x * x;
        sums[2][at] += y * y;
    };
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest, other) = (left.remainder(), right.remainder());
    for (x, y) in left.zip(right) {
        (0..LANES).for_each(|at| add(&mut sums, at, x[at], y[at]));
    }
    rest.iter().zip(other).enumerate().for_each(|(at, (x, y))| add(&mut sums, at, *x, *y));
    let [dot, aa, bb] = sums.map(|lanes| lanes.iter().sum::<f64>());
    (aa > 0.0 && bb > 0.0).then(|| dot / (aa * bb).sqrt())
}
