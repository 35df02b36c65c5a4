//! What requests ask, and of which rows.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;

use selvedge_engine::{Engine, Plans};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

/// What requests ask.
pub struct Queries {
    pub project: Project,
    /// Whether it is asked of a customer's own events alone; its views may read others' too.
    pub narrowed: bool,
    /// Where it is, each query is planned once, and run over the rows of those who ask.
    pub plans: Arc<Plans>,
}

impl Queries {
    /// Nothing is planned yet.
    pub fn of(project: Project, narrowed: bool) -> Self {
        Self { project, narrowed, plans: Arc::default() }
    }
}

/// The rows that lists are made from.
pub struct Rows {
    /// None where everybody is there, and all who ask are customers.
    pub customers: Option<RecordBatch>,
    pub transactions: RecordBatch,
}

impl Rows {
    /// Puts them in the place of everybody's.
    pub fn lay(self, engine: &Engine) -> Result<()> {
        if let Some(customers) = self.customers {
            engine.register(&TableName::new("sources", "customers"), customers)?;
        }
        engine.register(&TableName::new("sources", "transactions"), self.transactions)
    }
}
