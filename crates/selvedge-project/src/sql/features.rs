//! The feature columns that a project declares, which need no data to be known.

use super::library::LibraryError;
use super::{Column, Cross, Header, Layer, Library};
use crate::error::{Advice, Error, Result, did_you_mean};
use crate::params::OTHER;

/// The unit of a column of several values, separated by semicolons.
const SET: &str = "set";

/// A feature column as its file declares it.
#[derive(Debug, Clone)]
pub struct Feature {
    pub name: String,
    pub view: String,
    /// The grain it has a row for.
    pub entity: String,
    pub column: Column,
    /// Whether it is made from description vectors.
    pub from_descriptions: bool,
}

impl Feature {
    /// The driver it belongs to; [`OTHER`] where its file names none.
    pub fn driver(&self) -> &str {
        self.column.driver.as_deref().unwrap_or(OTHER)
    }

    /// Whether it holds several values, separated by semicolons: read only through crosses.
    pub fn is_set(&self) -> bool {
        self.column.unit == SET
    }
}

impl Library {
    /// Every feature column, by view and then by name.
    pub fn feature_columns(&self) -> Vec<Feature> {
        let mut features = Vec::new();
        for file in self.layer(Layer::FEATURES) {
            let Header::Feature(header) = &file.header else { continue };
            let from_descriptions = file.reads.iter().any(|table| table.schema.as_deref() == Some("embeddings"));
            features.extend(header.columns.iter().map(|(name, column)| Feature {
                name: name.clone(),
                view: header.name.clone(),
                entity: header.entity.clone(),
                column: column.clone(),
                from_descriptions,
            }));
        }
        features
    }

    /// Refuses headers of features that name a driver which is not among `known`.
    pub fn refuse_unknown_drivers(&self, known: &[String]) -> Result<()> {
        let mut unknown = Vec::new();
        for file in self.layer(Layer::FEATURES) {
            let Header::Feature(header) = &file.header else { continue };
            for (column, declared) in &header.columns {
                if let Some(driver) = declared.driver.as_ref().filter(|driver| !known.contains(driver)) {
                    let (file, column, known) = (file.shown.clone(), column.clone(), known.to_vec());
                    unknown.push(LibraryError::UnknownDriver { file, column, driver: driver.clone(), known }.into());
                }
            }
        }
        Error::together(unknown, |count| format!("{count} columns name drivers that there are not"))
    }

    /// Every cross, by view and in the order of its header.
    ///
    /// # Errors
    /// One that names no feature, or not exactly one of `set` and `category`.
    pub fn crosses(&self) -> Result<Vec<Cross>> {
        let features = self.feature_columns();
        let mut crosses = Vec::new();
        for file in self.layer(Layer::FEATURES) {
            let Header::Feature(header) = &file.header else { continue };
            for cross in &header.crosses {
                let (file, by) = (file.shown.clone(), cross.by.clone());
                if cross.set.is_some() == cross.category.is_some() {
                    return Err(CrossError::OfWhat { file, by }.into());
                }
                let named = [cross.set.as_ref(), cross.category.as_ref(), Some(&cross.by)];
                let unknown = |name: &&String| !features.iter().any(|feature| feature.name == **name);
                if let Some(column) = named.into_iter().flatten().find(unknown) {
                    let known = features.iter().map(|feature| feature.name.clone()).collect();
                    return Err(CrossError::Unknown { file, column: column.clone(), known }.into());
                }
                crosses.push(cross.clone());
            }
        }
        Ok(crosses)
    }
}

/// What is wrong with a cross.
#[derive(Debug, thiserror::Error)]
pub enum CrossError {
    #[error("{file}: a cross by {by} has not exactly one of set and category")]
    OfWhat { file: String, by: String },
    #[error("{file}: a cross names '{column}', which is no feature")]
    Unknown { file: String, column: String, known: Vec<String> },
}

impl Advice for CrossError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::OfWhat { .. } => {
                "write set: for a feature of several values, category: for one of a single value".into()
            }
            Self::Unknown { column, known, .. } => {
                did_you_mean(column, known.iter().map(String::as_str), "name a column of a feature view")
            }
        })
    }
}
