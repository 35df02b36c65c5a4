//! The features of a request and the model: a probability for each candidate, and what each feature adds to it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampNanosecondArray};
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

use super::{RecommendError, column};
use crate::train::Kind;
use models::logistic::Logistic;
use selvedge_engine::{Engine, Table};
use selvedge_features::frame;
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// Rows scored at a time: few enough that their matrix stays near the processor.
const CHUNK: usize = 1024;

/// The candidates of every customer whom the model may serve, scored.
pub struct Scored {
    /// One probability for each row.
    pub scores: Vec<f64>,
    /// The feature columns that the model reads, in alphabetical order.
    pub features: Vec<String>,
    /// `rows x features`: what each adds to the score, in log-odds.
    pub parts: Array2<f64>,
    /// The rows with their features and brand.
    pub rows: RecordBatch,
    /// Where each customer's rows stand.
    pub of_customer: BTreeMap<String, Range<usize>>,
}

/// Scores `asked`, in its order, which is that of its key.
pub fn score(project: &Project, engine: &Engine, model: &Logistic, asked: RecordBatch) -> Result<Scored> {
    let moment = project.params.shop.exported_at.timestamp_nanos_opt().unwrap_or_default();
    let as_of: ArrayRef = Arc::new(TimestampNanosecondArray::from_value(moment, asked.num_rows()));
    let mut columns = vec![("as_of", as_of, true)];
    for name in ["customer_id", "product_id", "season", "brand"] {
        columns.push((name, Arc::clone(column(&asked, "candidates", name)?), true));
    }
    let request = RecordBatch::try_from_iter_with_nullable(columns).map_err(RecommendError::Arrow)?;
    let key = ["customer_id", "product_id", "season", "as_of"].map(str::to_owned);
    let request = Table::new(request, &key, "the request")?;
    let rows = frame::at_request(project, engine, request, "the request")?.batch;

    let failed = RecommendError::OtherFeatures;
    let names = Kind::Combined.features(project);
    model.accepts(&rows.schema(), &names).map_err(failed)?;
    let itself = |wanted: &str| names.iter().find(|name| *name == wanted).map_or("", String::as_str);
    let starts: Vec<usize> = (0..rows.num_rows()).step_by(CHUNK).collect();
    let chunks = starts
        .par_iter()
        .map(|start| model.contributions(&rows.slice(*start, CHUNK.min(rows.num_rows() - start)), itself));
    let chunks: Vec<_> = chunks.collect();
    let (mut scores, mut features, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for found in chunks {
        let found = found.map_err(failed)?;
        let odds = found.values.rows().into_iter().map(|row| row.iter().fold(found.baseline, |sum, part| sum + part));
        scores.extend(odds.map(|odds| 1.0 / (1.0 + (-odds).exp())));
        features = found.groups;
        parts.push(found.values);
    }
    let views: Vec<_> = parts.iter().map(Array2::view).collect();
    let parts = concatenate(Axis(0), &views).unwrap_or_default();
    let of_customer = ranges(&rows)?;
    Ok(Scored { scores, features, parts, rows, of_customer })
}

/// Where each customer's rows stand; they stand together, because the rows are sorted by their key.
fn ranges(rows: &RecordBatch) -> Result<BTreeMap<String, Range<usize>>> {
    let customers = column(rows, "candidates", "customer_id")?.as_string::<i32>();
    let mut ranges = BTreeMap::<String, Range<usize>>::new();
    for (row, customer) in customers.iter().enumerate() {
        match ranges.get_mut(customer.unwrap_or_default()) {
            Some(range) => range.end = row + 1,
            None => {
                ranges.insert(customer.unwrap_or_default().to_owned(), row..row + 1);
            }
        }
    }
    Ok(ranges)
}
