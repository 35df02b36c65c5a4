//! `local_to_utc(time, timezone)`: what a wall clock showed, as UTC.

use std::sync::Arc;

use chrono::TimeZone;
use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampNanosecondArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// The function as a session registers it.
pub fn function() -> ScalarUDF {
    let time = DataType::Timestamp(TimeUnit::Nanosecond, None);
    ScalarUDF::from(LocalToUtc { signature: Signature::exact(vec![time, DataType::Utf8], Volatility::Immutable) })
}

/// DataFusion's `AT TIME ZONE` fails a whole query for one time that the clock skipped or showed twice.  Here a skipped
/// time is NULL, and of two moments with one clock time the first is meant.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LocalToUtc {
    signature: Signature,
}

impl ScalarUDFImpl for LocalToUtc {
    fn name(&self) -> &str {
        "local_to_utc"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        Ok(args[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (times, zones) = (arrays[0].as_primitive::<TimestampNanosecondType>(), arrays[1].as_string::<i32>());
        let mut utc = Vec::with_capacity(times.len());
        let mut known: Option<(&str, Tz)> = None;
        for row in 0..times.len() {
            if times.is_null(row) || zones.is_null(row) {
                utc.push(None);
                continue;
            }
            let name = zones.value(row);
            let zone = match known {
                Some((last, zone)) if last == name => zone,
                _ => match name.parse::<Tz>() {
                    Ok(zone) => zone,
                    Err(_) => return exec_err!("'{name}' is no time zone such as Europe/Berlin"),
                },
            };
            known = Some((name, zone));
            let local = chrono::DateTime::from_timestamp_nanos(times.value(row)).naive_utc();
            utc.push(zone.from_local_datetime(&local).earliest().and_then(|moment| moment.timestamp_nanos_opt()));
        }
        let utc: ArrayRef = Arc::new(utc.into_iter().collect::<TimestampNanosecondArray>());
        Ok(ColumnarValue::Array(utc))
    }
}
