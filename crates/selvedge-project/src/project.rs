//! A project that is opened: where its files are, its checked parameters, its SQL library.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::Result;
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

impl Project {
    /// Opens the project in `root` (or the nearest one upwards) and checks all of it but [`Self::refuse_unused`].
    pub fn open(root: Option<&Path>, flow: Flow) -> Result<Self> {
        let paths = Paths::find(root)?;
        let params = Params::load(&paths.params(), flow)?;
        let library = Arc::new(Library::load(&paths, flow)?);
        Ok(Self { paths, params, library, flow })
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
