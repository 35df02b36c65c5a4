//! A function of one text: the frame that those in this crate share.

use std::hash::{Hash, Hasher};

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// What becomes of a column of texts: an array of as many values.
pub type Read = fn(&StringArray) -> ArrayRef;

/// A function of one text by its name.
pub fn of_text(name: &'static str, returns: DataType, read: Read) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
    ScalarUDF::from(OfText { name, returns, read, signature })
}

#[derive(Debug)]
struct OfText {
    name: &'static str,
    returns: DataType,
    read: Read,
    signature: Signature,
}

impl PartialEq for OfText {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OfText {}

impl Hash for OfText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for OfText {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array((self.read)(arrays[0].as_string())))
    }
}
