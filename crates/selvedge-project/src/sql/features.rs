//! The feature columns that a project declares, which need no data to be known.

use super::{Column, Driver, Header, Layer, Library};

/// A feature column as its file declares it.
#[derive(Debug, Clone)]
pub struct Feature {
    pub name: String,
    pub view: String,
    pub column: Column,
    /// Whether it is made from description vectors.
    pub from_descriptions: bool,
}

impl Feature {
    /// The driver it belongs to; `other` where its file names none.
    pub fn driver(&self) -> &'static str {
        self.column.driver.map_or(Driver::OTHER, Driver::name)
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
                column: column.clone(),
                from_descriptions,
            }));
        }
        features
    }
}
