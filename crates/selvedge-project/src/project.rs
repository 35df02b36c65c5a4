//! A project that is opened: where its files are, its checked parameters, its SQL library.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Advice, Result};
use crate::params::{Params, SqlParams};
use crate::paths::Paths;
use crate::sql::{Layer, Library};
use crate::stage::Flow;

/// Everything a stage needs to know before it reads a row.
#[derive(Debug, Clone)]
pub struct Project {
    pub paths: Paths,
    pub params: Params,
    pub library: Arc<Library>,
    /// The stages there are.
    pub flow: Flow,
}

/// What `ingest` leaves of the served log beside the sources.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ingested {
    /// Everything that came before is among them.
    pub until: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{path} cannot be read: {cause}")]
    Ingested { path: String, cause: String },
}

impl Advice for ProjectError {
    fn advice(&self) -> Option<String> {
        let Self::Ingested { path, .. } = self;
        Some(format!("delete {path} and run `selvedge ingest` again"))
    }
}

impl Project {
    /// Opens the project in `root` (or the nearest one upwards) and checks all of it but [`Self::refuse_unused`].
    pub fn open(root: Option<&Path>, flow: Flow) -> Result<Self> {
        let paths = Paths::find(root)?;
        let params = Params::load(&paths.params(), flow)?;
        let library = Arc::new(Library::load(&paths, flow)?);
        library.refuse_unknown_drivers(&params.shop.drivers)?;
        Self { paths, params, library, flow }.as_ingested()
    }

    /// The same project with the end of the served log that is among its sources by now.
    pub fn as_ingested(&self) -> Result<Self> {
        let path = self.paths.served_until();
        if !path.is_file() {
            return Ok(self.with_served(None));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string());
        let until = text.and_then(|text| serde_yaml::from_str::<Ingested>(&text).map_err(|e| e.to_string()));
        let until = until.and_then(|read| DateTime::parse_from_rfc3339(&read.until).map_err(|e| e.to_string()));
        let until = until.map_err(|cause| ProjectError::Ingested { path: self.paths.shown(&path), cause })?;
        Ok(self.with_served(Some(until.to_utc())))
    }

    /// The same project where the served log is known until a moment.
    pub fn with_served(&self, until: Option<DateTime<Utc>>) -> Self {
        Self { params: self.params.with_served(until), ..self.clone() }
    }

    /// Refuses keys of params.yaml that nobody uses: a misspelled number would change nothing.
    pub fn refuse_unused(&self) -> Result<()> {
        self.library.refuse_unused(&self.params)
    }

    /// The same project with one `$parameter` of a section set for this run only.
    pub fn with_sql_param(&self, section: &'static str, name: &str, literal: String) -> Self {
        let mut project = self.clone();
        project.params.sql.entry(section).or_default().insert(name.into(), literal);
        project
    }

    /// The same project as if the export had been taken at `moment`.
    pub fn as_of(&self, moment: DateTime<Utc>) -> Self {
        Self { params: self.params.as_of(moment), ..self.clone() }
    }

    /// The `$parameters` that files of a layer may use: the shop's and their section's.
    pub fn sql_params(&self, layer: Layer) -> SqlParams {
        self.params.sql_params(layer.section)
    }
}
