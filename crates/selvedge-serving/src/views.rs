//! Features of a customer or an article, as the server sees them now.

use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::JsonArray;
use serde_json::{Map, Value};

use super::articles::{moment, of_articles};
use super::lists::Serving;
use super::past::Past;
use super::who::Ask;
use selvedge_engine::batch_of;
use selvedge_features::features::{self, View};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::sql::{FeatureHeader, FreshFor, Header, Layer, TableName};

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("there is no feature view '{name}'")]
    Unknown { name: String, known: Vec<String> },
    #[error("{view} is of {entity}, and {column} is not given")]
    NoKey { view: String, entity: String, column: String },
    #[error("there is no customer '{0}' in this release")]
    NoCustomer(String),
    #[error("there is no article '{product_id}' of the season '{season}' in this release")]
    NoArticle { product_id: String, season: String },
    #[error("{view} has a key that nobody can name: {column}")]
    OddKey { view: String, column: String },
    #[error("{view}: {cause}")]
    Arrow { view: String, cause: ArrowError },
}

impl Advice for ViewError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { name, known } => did_you_mean(
                name,
                known.iter().map(String::as_str),
                &format!("name a file of sql/features: {}", known.join(", ")),
            ),
            Self::NoKey { column, .. } => format!("ask with ?{column}=…"),
            Self::NoCustomer(_) => "name a customer_id of this release; GET /customers has some".into(),
            Self::NoArticle { .. } => "name an article number and its season, such as those of a list".into(),
            Self::OddKey { view, .. } => format!("ask for features.{view} with `selvedge sql`"),
            Self::Arrow { .. } => return None,
        })
    }
}

impl ViewError {
    /// Whether something is not there, and nothing is wrong with how it was asked for.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::NoCustomer(_) | Self::NoArticle { .. })
    }
}

/// Of whom or what features are asked for.
#[derive(Debug, Clone, Default)]
pub struct Of {
    pub customer_id: Option<String>,
    pub product_id: Option<String>,
    pub season: Option<String>,
}

/// A row of a view.
#[derive(Debug)]
pub struct Row {
    pub version: u32,
    pub entity: String,
    /// As of when it is known.
    pub as_of: DateTime<Utc>,
    /// How old it may be when a list is made, where its header says so.
    pub fresh_for: Option<FreshFor>,
    /// Whether it is older: then it is missing from lists.
    pub stale: bool,
    pub values: Map<String, Value>,
    /// The columns of which nothing is known.
    pub missing: Vec<String>,
}

impl Serving {
    /// A row of a feature view, as lists would read it now.
    ///
    /// # Errors
    /// No such view, customer or article, or a key that is not given; queries that cannot be answered.
    pub fn features(
        &self,
        past: &RwLock<Past>,
        view: &str,
        of: &Of,
        at: DateTime<Utc>,
    ) -> std::result::Result<Result<Row>, ViewError> {
        let library = &self.tables.project.library;
        let file = library.file(&TableName::new(Layer::FEATURES.folder, view));
        let Some((file, Header::Feature(header))) = file.map(|file| (file, &file.header)) else {
            let known = library.layer(Layer::FEATURES).map(|file| file.header.name().to_owned()).collect();
            return Err(ViewError::Unknown { name: view.into(), known });
        };
        let mut key: Vec<(&str, String)> = Vec::new();
        for column in library.key(file).iter().filter(|column| *column != "as_of") {
            let given = match column.as_str() {
                "customer_id" => &of.customer_id,
                "product_id" => &of.product_id,
                "season" => &of.season,
                _ => return Err(ViewError::OddKey { view: view.into(), column: column.clone() }),
            };
            let entity = header.entity.clone();
            let none = || ViewError::NoKey { view: view.into(), entity, column: column.clone() };
            key.push((column, given.clone().ok_or_else(none)?));
        }
        let named = |name: &str| key.iter().find(|(column, _)| *column == name).map(|(_, value)| value.clone());
        if let Some(customer) = named("customer_id").filter(|customer| self.tables.consents(customer).is_none()) {
            return Err(ViewError::NoCustomer(customer));
        }
        if let (Some(product_id), Some(season)) = (named("product_id"), named("season"))
            && self.catalogue.article(&product_id, &season).is_none()
        {
            return Err(ViewError::NoArticle { product_id, season });
        }
        Ok(self.row(past, view, header, &key, of_articles(&self.tables.project, file), at))
    }

    fn row(
        &self,
        past: &RwLock<Past>,
        view: &str,
        header: &FeatureHeader,
        key: &[(&str, String)],
        kept: bool,
        at: DateTime<Utc>,
    ) -> Result<Row> {
        let known = self.known();
        let found = match known.view(view).filter(|_| kept) {
            Some(view) => one(view, key)?,
            None => self.computed(past, view, header, key, at)?,
        };
        let as_of = if kept { known.at } else { at };
        let mut values = values(view, &found)?;
        values.retain(|name, _| header.columns.contains_key(name));
        let missing = values.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
        let stale = kept && header.fresh_for.is_some_and(|fresh| known.is_older(at, fresh));
        let (version, entity, fresh_for) = (header.version, header.entity.clone(), header.fresh_for);
        Ok(Row { version, entity, as_of, fresh_for, stale, values, missing })
    }

    /// The row of a view of customers, worked out now.
    fn computed(
        &self,
        past: &RwLock<Past>,
        view: &str,
        header: &FeatureHeader,
        key: &[(&str, String)],
        at: DateTime<Utc>,
    ) -> Result<RecordBatch> {
        let project = self.project().as_of(at);
        let asks: Vec<Ask> =
            key.iter().filter(|(column, _)| *column == "customer_id").map(|(_, id)| Ask::of(id)).collect();
        let engine = self.tables.engine.over()?;
        self.lay(&engine, past, &asks, at)?;
        let grain = TableName::new("grain", &header.entity);
        let text = |value: &String| -> ArrayRef { Arc::new(StringArray::from(vec![value.clone()])) };
        let columns = key.iter().map(|(column, value)| (*column, text(value))).chain([("as_of", moment(at, 1))]);
        engine.register(&grain, batch_of(&grain.to_string(), columns)?)?;
        let file = project.library.file(&TableName::new(Layer::FEATURES.folder, view));
        let file = file.ok_or_else(|| ViewError::Unknown { name: view.into(), known: Vec::new() })?;
        Ok(features::view(&project, &engine, file)?.table.batch)
    }
}

/// The row of a key.
fn one(view: &View, key: &[(&str, String)]) -> Result<RecordBatch> {
    let batch = &view.table.batch;
    let arrow = |cause| ViewError::Arrow { view: view.name.clone(), cause };
    let mut columns = Vec::new();
    for (name, value) in key {
        let column = batch.column_by_name(name).map(|column| cast(column, &DataType::Utf8)).transpose();
        columns.extend(column.map_err(arrow)?.map(|column| (column, value)));
    }
    let is_it = |row: &usize| columns.iter().all(|(column, value)| column.as_string::<i32>().value(*row) == *value);
    let row = (0..batch.num_rows()).find(is_it);
    Ok(row.map_or_else(|| batch.slice(0, 0), |row| batch.slice(row, 1)))
}

/// The values of the first row, by column.
fn values(view: &str, batch: &RecordBatch) -> Result<Map<String, Value>> {
    let arrow = |cause| ViewError::Arrow { view: view.to_owned(), cause };
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    writer.write(batch).and_then(|()| writer.finish()).map_err(arrow)?;
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(&writer.into_inner())
        .map_err(|error| arrow(ArrowError::JsonError(error.to_string())))?;
    Ok(rows.into_iter().next().unwrap_or_default())
}
