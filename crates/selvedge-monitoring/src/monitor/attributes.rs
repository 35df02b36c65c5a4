//! The segment columns of params.yaml as tables: which column, whose, with which value.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use super::{MonitorError, name};
use selvedge_engine::{Engine, TableError, batch_of};
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// What stands for a value that is not there.
const NOT_GIVEN: &str = "not given";

/// `monitoring.segment_columns`; `customer_strata` and `article_strata`: customers (articles) that are alike in all these
/// columns share a number; `strata`: what they are called; `attributes`: their values.
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
    let customers = Strata::new("customer_strata", &customers, &["customer_id"], of_customers)?;
    // Where nobody asks for articles, all are alike and none is looked up.
    let articles = if of_articles.is_empty() { articles.slice(0, 0) } else { articles };
    let articles = Strata::new("article_strata", &articles, &["product_id", "season"], of_articles)?;
    let owners = [("customers", &customers), ("articles", &articles)];
    Ok(vec![
        (name("segment_columns"), batch_of("segment_columns", columns)?),
        (name("customer_strata"), customers.numbers.clone()),
        (name("article_strata"), articles.numbers.clone()),
        (name("strata"), strata(&owners)?),
        (name("attributes"), attributes(&owners)?),
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

/// Rows that are alike in some columns, numbered.
struct Strata<'a> {
    columns: Vec<&'a str>,
    /// The key of each row and its stratum.
    numbers: RecordBatch,
    /// The values of each stratum, column by column; the first is number 1.
    values: Vec<Vec<String>>,
}

impl<'a> Strata<'a> {
    fn new(table: &str, batch: &RecordBatch, key: &[&str], mut columns: Vec<&'a str>) -> Result<Self> {
        let failed = |cause: String| TableError::Shape { table: table.into(), cause };
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| failed(format!("no column {name}")));
        columns.sort_unstable();
        let mut texts = Vec::new();
        for name in &columns {
            let cells = cast(column(name)?, &DataType::Utf8).map_err(|e| failed(e.to_string()))?;
            texts.push(cells.as_string_opt::<i32>().ok_or_else(|| failed(format!("{name} is no text")))?.clone());
        }
        let of_row = |row: usize| texts.iter().map(|column| cell(column, row)).collect::<Vec<Cow<str>>>();
        let distinct: BTreeSet<Vec<Cow<str>>> = (0..batch.num_rows()).map(of_row).collect();
        let number: HashMap<&Vec<Cow<str>>, i64> = distinct.iter().zip(1..).collect();
        let numbers = (0..batch.num_rows()).map(|row| number.get(&of_row(row)).copied());
        let mut answer: Vec<(&str, ArrayRef)> = vec![("stratum", Arc::new(numbers.collect::<Int64Array>()))];
        for name in key {
            answer.push((name, Arc::clone(column(name)?)));
        }
        let owned = |values: &Vec<Cow<str>>| values.iter().map(|value| value.clone().into_owned()).collect();
        Ok(Self { numbers: batch_of(table, answer)?, values: distinct.iter().map(owned).collect(), columns })
    }
}

/// A value as it is told: on one line, and none where there is nothing but blanks.
fn cell(column: &StringArray, row: usize) -> Cow<'_, str> {
    let value = if column.is_valid(row) { column.value(row).trim() } else { "" };
    match value {
        "" => NOT_GIVEN.into(),
        plain if !plain.contains(char::is_control) => plain.into(),
        broken => broken.split(char::is_control).map(str::trim).collect::<Vec<_>>().join(" ").into(),
    }
}

/// What each stratum is called: its values.
fn strata(owners: &[(&str, &Strata)]) -> Result<RecordBatch> {
    let rows = || owners.iter().flat_map(|(owner, of)| of.values.iter().zip(1..).map(move |row| (*owner, row)));
    // Where nobody asks for customers (articles), they have no name.
    let name = |(_, (values, _)): (&str, (&Vec<String>, i64))| (!values.is_empty()).then(|| values.join(" / "));
    batch_of(
        "strata",
        vec![
            ("owner", Arc::new(rows().map(|(owner, _)| Some(owner)).collect::<StringArray>()) as ArrayRef),
            ("stratum", Arc::new(rows().map(|(_, (_, stratum))| Some(stratum)).collect::<Int64Array>())),
            ("profile", Arc::new(rows().map(name).collect::<StringArray>())),
        ],
    )
}

/// The value of each stratum in each column.
fn attributes(owners: &[(&str, &Strata)]) -> Result<RecordBatch> {
    let mut rows: Vec<(&str, i64, &str, &str)> = Vec::new();
    for (owner, of) in owners {
        for (values, stratum) in of.values.iter().zip(1..) {
            rows.extend(
                of.columns.iter().zip(values).map(|(column, value)| (*owner, stratum, *column, value.as_str())),
            );
        }
    }
    let texts = |of: fn(&(&'_ str, i64, &'_ str, &'_ str)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    batch_of(
        "attributes",
        vec![
            ("owner", texts(|row| row.0.to_owned())),
            ("stratum", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))) as ArrayRef),
            ("segment_column", texts(|row| row.2.to_owned())),
            ("segment_value", texts(|row| row.3.to_owned())),
        ],
    )
}
