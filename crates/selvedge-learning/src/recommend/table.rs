//! The lists as tables: a row for each recommendation, and what each driver lifts a customer's list by.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::explain::Reason;
use super::{Listed, Maker, RecommendError, Recommendation};
use crate::shelf::column;
use selvedge_engine::Table;
use selvedge_project::error::Result;

/// Its name in the layer `exposure`.
pub const LIFTED: &str = "lifted";

/// The column of recommendations that holds what a driver adds.
fn column_of(driver: &str) -> String {
    format!("from_{}", driver.replace(' ', "_"))
}

/// Of each customer with a personal list and each driver: the mean over the list.
pub fn lifted(recommendations: &RecordBatch, drivers: &[String]) -> Result<Table> {
    let shown = "recommendations";
    let customers = column(recommendations, shown, "customer_id")?.as_string::<i32>();
    let (mut whose, mut names, mut lifts) = (Vec::new(), Vec::new(), Vec::new());
    for driver in drivers {
        let above = column(recommendations, shown, &column_of(driver))?.as_primitive::<Float64Type>();
        let mut row = 0;
        while row < above.len() {
            let end = (row..above.len()).find(|at| customers.value(*at) != customers.value(row)).unwrap_or(above.len());
            let of_list: Vec<f64> = (row..end).filter(|at| above.is_valid(*at)).map(|at| above.value(at)).collect();
            if !of_list.is_empty() {
                whose.push(customers.value(row));
                names.push(driver.as_str());
                lifts.push(of_list.iter().sum::<f64>() / of_list.len() as f64);
            }
            row = end;
        }
    }
    let columns = [
        ("customer_id", Arc::new(StringArray::from(whose)) as _),
        ("driver", Arc::new(StringArray::from(names)) as _),
        ("lift", Arc::new(Float64Array::from(lifts)) as _),
    ];
    Table::of_columns(LIFTED, &["customer_id", "driver"], columns)
}

/// One row per customer and rank.
pub fn written(maker: &Maker, moment: DateTime<Utc>, candidates: &RecordBatch, listed: &[Listed]) -> Result<Table> {
    let rows: Vec<(&str, i64, &Recommendation)> = listed
        .iter()
        .flat_map(|list| list.recommendations.iter().zip(1..).map(|(one, rank)| (list.customer.as_str(), rank, one)))
        .collect();
    let of_candidate = |name| -> Result<ArrayRef> {
        let values = column(candidates, "sql/recommend/candidates.sql", name)?;
        let values = cast(values, &DataType::Utf8).map_err(RecommendError::Arrow)?;
        let values = values.as_string::<i32>();
        let value = |row: &(&str, i64, &Recommendation)| values.is_valid(row.2.row).then(|| values.value(row.2.row));
        Ok(Arc::new(rows.iter().map(value).collect::<StringArray>()))
    };
    let text = |of: fn(&Recommendation) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| of(row.2))))
    };
    let of_why = |of: fn(&Reason) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2.why.as_ref().map_or("", of))))
    };
    let same = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(|_| value))) };
    let nanoseconds = moment.timestamp_nanos_opt().unwrap_or_default();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("customer_id".into(), Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("rank".into(), Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("product_id".into(), of_candidate("product_id")?),
        ("season".into(), of_candidate("season")?),
        ("brand".into(), of_candidate("brand")?),
        ("score".into(), Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.score)))),
        ("chance".into(), Arc::new(rows.iter().map(|row| row.2.chance).collect::<Float64Array>())),
        ("basis".into(), text(|one| one.basis)),
        ("reason".into(), text(|one| &one.reason)),
        ("driver".into(), of_why(|why| &why.driver)),
        ("because_of".into(), of_why(|why| &why.feature)),
    ];
    let strongest = rows.iter().map(|row| row.2.why.as_ref().map(|why| why.strongest));
    columns.push(("strongest".into(), Arc::new(strongest.collect::<BooleanArray>())));
    for (at, driver) in maker.phrases.drivers.iter().enumerate() {
        let above: Float64Array = rows.iter().map(|row| row.2.why.as_ref().map(|why| why.above[at])).collect();
        columns.push((column_of(driver), Arc::new(above)));
    }
    columns.push(("model".into(), same(&maker.version)));
    columns.push(("features".into(), same(&maker.phrases.versions)));
    columns.push(("as_of".into(), Arc::new(TimestampNanosecondArray::from_value(nanoseconds, rows.len()))));
    let columns = columns.iter().map(|(name, column)| (name.as_str(), Arc::clone(column)));
    Table::of_columns("recommendations", &["customer_id", "rank"], columns)
}
