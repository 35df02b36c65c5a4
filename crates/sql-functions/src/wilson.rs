//! `wilson_lower(x, n)` and `wilson_upper(x, n)`: the ends of the 95 % interval of a rate; NULL where n is 0.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use statistics::intervals::{Z95, wilson};

/// The lower and the upper end.
pub fn functions() -> [ScalarUDF; 2] {
    let end = |name, upper| {
        let signature = Signature::exact(vec![DataType::Int64, DataType::Int64], Volatility::Immutable);
        ScalarUDF::from(WilsonEnd { name, upper, signature })
    };
    [end("wilson_lower", false), end("wilson_upper", true)]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WilsonEnd {
    name: &'static str,
    upper: bool,
    signature: Signature,
}

impl ScalarUDFImpl for WilsonEnd {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (x, n) = (arrays[0].as_primitive::<Int64Type>(), arrays[1].as_primitive::<Int64Type>());
        let end = |row: usize| {
            let known = x.is_valid(row) && n.is_valid(row);
            let (x, n) = (u64::try_from(x.value(row)).ok()?, u64::try_from(n.value(row)).ok()?);
            let range = wilson(x, n, Z95).filter(|_| known)?;
            Some(if self.upper { range.upper } else { range.lower })
        };
        let ends: ArrayRef = Arc::new((0..x.len()).map(end).collect::<Float64Array>());
        Ok(ColumnarValue::Array(ends))
    }
}
