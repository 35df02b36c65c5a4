//! A catalogue over another: tables of its own come first, then those of the one below, which it never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::error::Result;

/// The schemas of a catalogue, each with room for tables that only this session sees.
#[derive(Debug)]
pub struct OverlayCatalog {
    below: Arc<dyn CatalogProvider>,
    own: Mutex<BTreeMap<String, Arc<dyn SchemaProvider>>>,
}

impl OverlayCatalog {
    pub fn over(below: Arc<dyn CatalogProvider>) -> Self {
        Self { below, own: Mutex::default() }
    }
}

impl CatalogProvider for OverlayCatalog {
    fn schema_names(&self) -> Vec<String> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let names: BTreeSet<String> = self.below.schema_names().into_iter().chain(own.keys().cloned()).collect();
        names.into_iter().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = own.get(name) {
            return Some(Arc::clone(schema));
        }
        let schema = Arc::new(OverlaySchema { below: self.below.schema(name)?, own: MemorySchemaProvider::new() });
        own.insert(name.into(), Arc::clone(&schema) as _);
        Some(schema)
    }

    fn register_schema(&self, name: &str, schema: Arc<dyn SchemaProvider>) -> Result<Option<Arc<dyn SchemaProvider>>> {
        Ok(self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), schema))
    }
}

#[derive(Debug)]
struct OverlaySchema {
    below: Arc<dyn SchemaProvider>,
    own: MemorySchemaProvider,
}

#[async_trait]
impl SchemaProvider for OverlaySchema {
    fn table_names(&self) -> Vec<String> {
        let names: BTreeSet<String> = self.below.table_names().into_iter().chain(self.own.table_names()).collect();
        names.into_iter().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.own.table(name).await? {
            Some(table) => Ok(Some(table)),
            None => self.below.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.own.table_exist(name) || self.below.table_exist(name)
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        self.own.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.own.deregister_table(name)
    }
}
