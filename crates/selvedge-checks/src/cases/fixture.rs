//! Rows of a case as tables: their types come from the plans of the queries that make those tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, FixedSizeListBuilder, Float32Builder, RecordBatch, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use serde_yaml::Value;

use super::CaseError;
use super::yaml::{Case, Row, text};
use selvedge_engine::{Engine, shapes};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};

/// The columns that a view reads, of each table it reads.
pub type Needs = BTreeMap<TableName, BTreeSet<String>>;

/// How long the vectors of tables without rows are.
const DIMENSIONS: usize = 2;

/// The columns and types of every table that a feature may read.
pub struct Shapes(BTreeMap<TableName, SchemaRef>);

impl Shapes {
    /// Plans the queries of the layers before the features over empty tables, which stay registered in `engine`.
    pub fn new(project: &Project, engine: &Engine) -> Result<Self> {
        let mut shapes = Self(BTreeMap::new());
        for (file, header) in project.library.sources() {
            let (table, raw) = shapes::raw(header);
            engine.register(&table, RecordBatch::new_empty(raw.into()))?;
            shapes.plan(project, engine, file)?;
        }
        for layer in [Layer::SPLIT, Layer::GRAIN, Layer::TEXTS] {
            for file in project.library.layer(layer) {
                shapes.plan(project, engine, file)?;
            }
        }
        Ok(shapes)
    }

    fn plan(&mut self, project: &Project, engine: &Engine, file: &SqlFile) -> Result<()> {
        let schema: SchemaRef = shapes::stored(file, engine.schema(project, file)?.as_ref(), DIMENSIONS).into();
        let table = shapes::stored_name(file);
        engine.register(&table, RecordBatch::new_empty(Arc::clone(&schema)))?;
        self.0.insert(table, schema);
        Ok(())
    }

    /// What a view reads.
    pub fn needs(&self, project: &Project, engine: &Engine, file: &SqlFile) -> Result<Needs> {
        let mut needs = engine.columns_read(project, file)?;
        file.reads.iter().for_each(|table| {
            needs.entry(table.clone()).or_default();
        });
        Ok(needs)
    }

    /// Registers a case's tables: the grain from the keys of what it expects, the others from what it gives.
    pub fn register(
        &self,
        engine: &Engine,
        needs: &Needs,
        case: &Case,
        grain: &TableName,
        key: &[String],
        place: &str,
    ) -> Result<()> {
        let names = || needs.keys().filter(|table| *table != grain).map(TableName::to_string);
        if let Some(table) = case.given.keys().find(|given| !names().any(|name| name == **given)) {
            let (place, table, known) = (place.to_owned(), table.clone(), names().collect());
            return Err(CaseError::UnknownTable { place, table, known }.into());
        }
        for (table, columns) in needs {
            let batch = if table == grain {
                let of_key = |row: &Row| {
                    row.iter().filter(|(name, _)| key.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
                };
                let rows: Vec<Row> = case.expect.iter().map(of_key).collect();
                self.batch(table, &rows, &key.iter().cloned().collect(), place)?
            } else {
                let missing = || CaseError::NoTable { place: place.into(), table: table.to_string() };
                let rows = case.given.get(&table.to_string()).ok_or_else(missing)?;
                self.batch(table, rows, columns, place)?
            };
            engine.register(table, batch)?;
        }
        Ok(())
    }

    /// Rows as a table; each must name all of `columns`.
    fn batch(&self, table: &TableName, rows: &[Row], columns: &BTreeSet<String>, place: &str) -> Result<RecordBatch> {
        let unknown = |column: &str, known: Vec<String>| CaseError::UnknownColumn {
            place: place.into(),
            table: table.to_string(),
            column: column.into(),
            known,
        };
        let schema = self.0.get(table).ok_or_else(|| unknown("", Vec::new()))?;
        for (row, number) in rows.iter().zip(1..) {
            if let Some(column) = row.keys().find(|name| schema.field_with_name(name).is_err()) {
                let known = schema.fields().iter().map(|field| field.name().clone()).collect();
                return Err(unknown(column, known).into());
            }
            if let Some(column) = columns.iter().find(|name| !row.contains_key(*name)) {
                let (place, table, column) = (place.to_owned(), table.to_string(), column.clone());
                return Err(CaseError::NoColumn { place, table, row: number, column }.into());
            }
        }
        let column = |field: &FieldRef| -> Result<(String, ArrayRef, bool)> {
            let values: Vec<&Value> = rows.iter().map(|row| row.get(field.name()).unwrap_or(&Value::Null)).collect();
            let array = array(&values, field.data_type()).map_err(|(value, wanted)| CaseError::BadValue {
                place: place.into(),
                table: table.to_string(),
                column: field.name().clone(),
                value,
                wanted,
            })?;
            Ok((field.name().clone(), array, true))
        };
        let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
        // The columns are as long as each other, one value for each row.
        let fallback = |_| RecordBatch::new_empty(Arc::clone(schema));
        Ok(RecordBatch::try_from_iter_with_nullable(columns).unwrap_or_else(fallback))
    }
}

/// Values of one column; on failure the value and what it should have been.
pub fn array(values: &[&Value], data_type: &DataType) -> std::result::Result<ArrayRef, (String, String)> {
    if data_type.is_nested() {
        return vectors(values);
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let to = |values: Vec<Option<String>>| cast_with_options(&StringArray::from(values), data_type, &strict);
    let texts: Vec<Option<String>> = values.iter().map(|value| text(value)).collect();
    if let Some(bad) = texts.iter().find(|value| to(vec![(*value).clone()]).is_err()) {
        return Err((bad.clone().unwrap_or_default(), data_type.to_string()));
    }
    to(texts).map_err(|e| (String::new(), e.to_string()))
}

/// Vectors as long as the first of them.
fn vectors(values: &[&Value]) -> std::result::Result<ArrayRef, (String, String)> {
    let size = values.iter().find_map(|value| value.as_sequence()).map_or(2, Vec::len);
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let mut builder = FixedSizeListBuilder::new(Float32Builder::new(), size as i32).with_field(item);
    for value in values {
        let numbers = value.as_sequence().map(|list| list.iter().map(Value::as_f64).collect::<Option<Vec<_>>>());
        match numbers {
            None if value.is_null() => {
                (0..size).for_each(|_| builder.values().append_null());
                builder.append(false);
            }
            Some(Some(numbers)) if numbers.len() == size => {
                numbers.iter().for_each(|number| builder.values().append_value(*number as f32));
                builder.append(true);
            }
            _ => return Err((text(value).unwrap_or_default(), format!("list of {size} numbers"))),
        }
    }
    Ok(Arc::new(builder.finish()))
}
