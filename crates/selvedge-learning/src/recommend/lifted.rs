//! What each driver lifts a customer's list by: the columns of recommendations as rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Float64Type;

use crate::shelf::column;
use selvedge_engine::Table;
use selvedge_project::error::Result;

/// The table's name in the layer `exposure`.
pub const NAME: &str = "lifted";

/// The column of recommendations that holds what a driver adds.
pub fn column_of(driver: &str) -> String {
    format!("from_{}", driver.replace(' ', "_"))
}

/// Of each customer with a personal list and each driver: the mean over the list.
pub fn table(recommendations: &RecordBatch, drivers: &[String]) -> Result<Table> {
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
    Table::of_columns(NAME, &["customer_id", "driver"], columns)
}
