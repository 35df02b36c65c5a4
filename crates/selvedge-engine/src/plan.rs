//! What a query would return and which columns it reads, without running it.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

use super::Session;
use super::query_error::query_error;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

impl Session {
    /// The columns that the file's query returns, with their types.  What it reads must be registered, or on disk.
    pub async fn schema(&self, project: &Project, file: &SqlFile) -> Result<SchemaRef> {
        let plan = self.optimized(project, file).await?;
        let fields: Vec<_> = plan.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        Ok(Schema::new(fields).into())
    }

    /// The columns of each table that the file's query needs: what is left after the optimizer took the others out.
    pub async fn columns_read(
        &self,
        project: &Project,
        file: &SqlFile,
    ) -> Result<BTreeMap<TableName, BTreeSet<String>>> {
        let plan = self.optimized(project, file).await?;
        let mut read = BTreeMap::<TableName, BTreeSet<String>>::new();
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let name = match scan.table_name.schema() {
                    Some(schema) => TableName::new(schema, scan.table_name.table()),
                    None => TableName::bare(scan.table_name.table()),
                };
                let columns = scan.projected_schema.fields().iter().map(|field| field.name().clone());
                read.entry(name).or_default().extend(columns);
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(|e| query_error(&file.shown, &e, &[]))?;
        Ok(read)
    }

    async fn optimized(&self, project: &Project, file: &SqlFile) -> Result<LogicalPlan> {
        for table in &file.reads {
            self.open(table).await?;
        }
        let plan = self.plan(project, file).await?;
        let optimized = self.state.optimize(&plan);
        optimized.map_err(|e| query_error(&file.shown, &e, &self.tables()))
    }
}
