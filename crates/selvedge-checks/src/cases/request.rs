//! One row of a grain, as a person names it: `customer_id=… as_of=…`.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use serde_yaml::Value;

use super::fixture::array;
use super::{CaseError, grain};
use selvedge_engine::{Engine, batch_of};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::SqlFile;

/// Registers the one row of the view's grain that `key` names, whether the stored grain has it or not; returns it.
/// `place` is named in errors.
///
/// # Errors
/// Parts that are no `key=value`, other columns than the grain's key, or values of another type.
pub fn request(
    project: &Project,
    engine: &Engine,
    file: &SqlFile,
    key: &[String],
    place: &'static str,
) -> Result<RecordBatch> {
    let mut named = BTreeMap::new();
    for part in key {
        let (name, value) = part.split_once('=').ok_or_else(|| CaseError::NotAKey { place, part: part.clone() })?;
        named.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    let (table, columns) = grain(project, file);
    let view = file.header.name();
    let other = || CaseError::OtherKey { view: view.into(), key: columns.clone() };
    if named.len() != columns.len() || key.len() != columns.len() {
        return Err(other().into());
    }
    let schema = engine.read(&table)?.schema();
    let mut made = Vec::new();
    for name in &columns {
        let value = named.get(name).ok_or_else(other)?;
        let field = schema.field_with_name(name).map_err(|_| other())?;
        let bad = |(value, wanted)| CaseError::BadValue {
            place: place.into(),
            table: table.to_string(),
            column: name.clone(),
            value,
            wanted,
        };
        made.push((name.as_str(), array(&[value], field.data_type()).map_err(bad)?));
    }
    let batch = batch_of(place, made)?;
    engine.register(&table, batch.clone())?;
    Ok(batch)
}
