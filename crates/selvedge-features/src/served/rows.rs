//! Events as rows of `sources.transactions`, column by column: a server reads hundreds of thousands of them when it starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampNanosecondArray, new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;

use super::event::{Kind, Read};

/// What was read of an event, and its line.
pub(super) type Row<'a> = (&'a Read<'a>, i64);

/// What is bought and sent back is counted and paid for.
fn counts(read: &Read) -> bool {
    matches!(read.event.kind, Kind::Purchase | Kind::Return)
}

fn text<'a>(rows: &[Row<'a>], of: impl Fn(&'a Read<'a>) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(|(read, _)| of(read)).collect::<StringArray>())
}

fn number(rows: &[Row], of: impl Fn(&Row) -> Option<i64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Int64Array>())
}

fn truth(rows: &[Row], of: impl Fn(&Read) -> Option<bool>) -> ArrayRef {
    Arc::new(rows.iter().map(|(read, _)| of(read)).collect::<BooleanArray>())
}

/// Hundredths as money.
fn money(rows: &[Row], of: impl Fn(&Read) -> i128) -> Result<ArrayRef, ArrowError> {
    let cents = rows.iter().map(|(read, _)| counts(read).then(|| of(read)));
    Ok(Arc::new(cents.collect::<Decimal128Array>().with_precision_and_scale(38, 2)?))
}

/// Events as rows with the columns of `schema`; what a column is not known by is missing.  Of a kind that is no deed in the shop
/// there is no row.
///
/// # Errors
/// Columns of other types than events have, and numbers that do not fit.
pub(super) fn batch<'a>(
    schema: &SchemaRef,
    read: impl Iterator<Item = Row<'a>>,
    stands_for: &BTreeMap<String, String>,
) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<Row> = read.filter(|(read, _)| read.event.kind.event_type().is_some()).collect();
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let column = |name: &str| -> Result<Option<ArrayRef>, ArrowError> {
        Ok(Some(match name {
            "transaction_id" => text(&rows, |read| Some(&read.event.id)),
            "event_time" => {
                let moments = rows.iter().map(|(read, _)| read.at.timestamp_nanos_opt());
                Arc::new(moments.collect::<TimestampNanosecondArray>())
            }
            "customer_id" => text(&rows, |read| Some(&read.event.customer_id)),
            "product_id" => text(&rows, |read| Some(&read.event.product_id)),
            "season" => text(&rows, |read| Some(&read.season)),
            "event_type" => text(&rows, |read| read.event.kind.event_type()),
            "order_id" => text(&rows, |read| read.event.order_id.as_deref()),
            "quantity" => number(&rows, |(read, _)| counts(read).then_some(i64::from(read.pieces))),
            "unit_price_eur" => money(&rows, |read| i128::from(read.cents))?,
            "amount_eur" => money(&rows, |read| i128::from(read.cents) * i128::from(read.pieces))?,
            "first_return" => truth(&rows, |read| (read.event.kind == Kind::Return).then_some(read.first_return)),
            "stands_for" => {
                let kinds = rows.iter().map(|(read, _)| read.event.kind.word());
                let meant = kinds.map(|kind| Some(stands_for.get(kind).map_or(kind, String::as_str)));
                Arc::new(meant.collect::<StringArray>())
            }
            "consented" => truth(&rows, |_| Some(true)),
            "session_id" => text(&rows, |read| read.event.session_id.as_deref()),
            "channel" => text(&rows, |read| Some(read.event.channel.as_deref().unwrap_or("not given"))),
            "line" => number(&rows, |(_, line)| Some(*line)),
            "surprises" => text(&rows, |_| Some("")),
            _ => return Ok(None),
        }))
    };
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match column(field.name())? {
            Some(values) => cast_with_options(&values, field.data_type(), &strict)?,
            None => new_null_array(field.data_type(), rows.len()),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
