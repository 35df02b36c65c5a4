//! The segment columns of params.yaml as tables: which column, whose, with which value.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::DataType;

use super::{MonitorError, name};
use crate::engine::{Engine, TableError, batch_of};
use crate::error::Result;
use crate::sql::TableName;

/// What stands for a value that is not there.
const NOT_GIVEN: &str = "not given";

/// `monitoring.customer_traits`, `monitoring.article_traits` and `monitoring.segment_columns`.
pub fn tables(engine: &Engine, segments: &[String]) -> Result<Vec<(TableName, RecordBatch)>> {
    let customers = engine.read(&TableName::new("sources", "customers"))?;
    let articles = engine.read(&TableName::new("sources", "products"))?;
    let crossings: Vec<Crossing> = segments.iter().map(|name| Crossing::parse(name)).collect();
    let (mut of_customers, mut of_articles) = (Vec::<&str>::new(), Vec::<&str>::new());
    for column in crossings.iter().flat_map(|crossing| std::iter::once(crossing.first).chain(crossing.second)) {
        let owner = match (customers.column_by_name(column), articles.column_by_name(column)) {
            (Some(_), _) => &mut of_customers,
            (None, Some(_)) => &mut of_articles,
            (None, None) => return Err(unknown(column, &customers, &articles).into()),
        };
        if !owner.contains(&column) {
            owner.push(column);
        }
    }
    let owner = |crossing: &Crossing| {
        let article =
            of_articles.contains(&crossing.first) && crossing.second.is_none_or(|second| of_articles.contains(&second));
        if article { "articles" } else { "customers" }
    };
    let texts = |of: fn(&Crossing) -> Option<String>| Arc::new(crossings.iter().map(of).collect::<StringArray>());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("segment_column", texts(|crossing| Some(crossing.name()))),
        ("first_column", texts(|crossing| Some(crossing.first.into()))),
        ("owner", Arc::new(StringArray::from_iter_values(crossings.iter().map(owner)))),
        ("second_column", texts(|crossing| crossing.second.map(str::to_owned))),
    ];
    Ok(vec![
        (name("customer_traits"), unpivot("customer_traits", &customers, &["customer_id"], &of_customers)?),
        (name("article_traits"), unpivot("article_traits", &articles, &["product_id", "season"], &of_articles)?),
        (name("segment_columns"), batch_of("segment_columns", columns)?),
    ])
}

/// `region`, or `age_group x region`.
struct Crossing<'a> {
    first: &'a str,
    second: Option<&'a str>,
}

impl<'a> Crossing<'a> {
    fn parse(name: &'a str) -> Self {
        match name.split_once(" x ") {
            Some((first, second)) => Self { first: first.trim(), second: Some(second.trim()) },
            None => Self { first: name.trim(), second: None },
        }
    }

    fn name(&self) -> String {
        match self.second {
            Some(second) => format!("{} x {second}", self.first),
            None => self.first.to_owned(),
        }
    }
}

fn unknown(column: &str, customers: &RecordBatch, articles: &RecordBatch) -> MonitorError {
    let names =
        |batch: &RecordBatch| batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    MonitorError::UnknownColumn { column: column.into(), known: [names(customers), names(articles)].concat() }
}

/// One row per row of `batch` and column of `columns`: the key, the column's name, its value as text.
fn unpivot(table: &str, batch: &RecordBatch, key: &[&str], columns: &[&str]) -> Result<RecordBatch> {
    let failed = |cause: String| TableError::Shape { table: table.into(), cause };
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| failed(format!("no column {name}")));
    let mut answer: Vec<(&str, ArrayRef)> = Vec::new();
    for name in key {
        let one = column(name)?;
        let copies: Vec<&dyn Array> = columns.iter().map(|_| one.as_ref()).collect();
        let many = match copies.is_empty() {
            true => one.slice(0, 0),
            false => concat(&copies).map_err(|e| failed(e.to_string()))?,
        };
        answer.push((name, many));
    }
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for name in columns {
        let texts = cast(column(name)?, &DataType::Utf8).map_err(|e| failed(e.to_string()))?;
        let texts = texts.as_any().downcast_ref::<StringArray>().ok_or_else(|| failed(format!("{name} is no text")))?;
        names.extend(std::iter::repeat_n(*name, texts.len()));
        values.extend(texts.iter().map(|value| value.unwrap_or(NOT_GIVEN).to_owned()));
    }
    answer.push(("segment_column", Arc::new(StringArray::from(names))));
    answer.push(("segment_value", Arc::new(StringArray::from(values))));
    batch_of(table, answer)
}
