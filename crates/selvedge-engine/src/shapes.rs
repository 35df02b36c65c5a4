//! What tables look like before any row is there: the one place that knows what a stage adds to, and takes from, the answer
//! of a query.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use selvedge_project::sql::{Header, Layer, SourceHeader, SqlFile, TableName};

/// A CSV as its source's query reads it: the line, and every declared column as text.
pub fn raw(header: &SourceHeader) -> (TableName, Schema) {
    let texts = header.columns.keys().map(|name| Field::new(name, DataType::Utf8, true));
    let fields: Vec<Field> = [Field::new("line", DataType::Int64, true)].into_iter().chain(texts).collect();
    (TableName::new("raw", &header.name), Schema::new(fields))
}

/// The table that a file makes; texts become embeddings.
pub fn stored_name(file: &SqlFile) -> TableName {
    match file.layer {
        Layer::TEXTS => TableName::new("embeddings", file.header.name()),
        _ => file.table(),
    }
}

/// The columns of that table, where the file's query returns `answer`: a source's rows are those not set aside; of a text
/// there are its key, its hash and its vectors, `dimensions` long (how long they are depends on rows, and no plan depends
/// on it).
pub fn stored(file: &SqlFile, answer: &Schema, dimensions: usize) -> Schema {
    let keeps = |name: &str| match (&file.header, file.layer) {
        (Header::Source(_), _) => name != "set_aside",
        (Header::Table(header), Layer::TEXTS) => name == "in_training" || header.key.iter().any(|key| key == name),
        _ => true,
    };
    let fields = answer.fields().iter().filter(|field| keeps(field.name()));
    let mut fields: Vec<Field> = fields.map(|field| field.as_ref().clone().with_nullable(true)).collect();
    if file.layer == Layer::TEXTS {
        let item = Arc::new(Field::new_list_field(DataType::Float32, true));
        let vector = DataType::FixedSizeList(item, dimensions as i32);
        let added = [("text_hash", DataType::Utf8), ("vector", vector.clone()), ("reduced", vector)];
        fields.extend(added.map(|(name, data_type)| Field::new(name, data_type, true)));
    }
    Schema::new(fields)
}
