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

fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    (aa > 0.0 && bb > 0.0).then(|| dot / (aa * bb).sqrt())
}
