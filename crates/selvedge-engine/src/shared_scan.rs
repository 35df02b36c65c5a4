//! Queries that aggregate the same rows by the same groups, run as one: reading, sorting and grouping happen once.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection};
use futures::future::try_join_all;

use super::session::sorted;
use super::{Session, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::SqlFile;

/// Aggregates that are worked out at once; more would only need more memory.
const AT_ONCE: usize = 64;

/// SQL files whose tables come out of one query.
pub struct SharedScan<'a> {
    pub files: Vec<&'a SqlFile>,
    plan: LogicalPlan,
    /// The columns of each file's table.
    columns: Vec<Vec<String>>,
}

impl<'a> SharedScan<'a> {
    fn new(file: &'a SqlFile, plan: LogicalPlan) -> Self {
        let columns = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        Self { files: vec![file], plan, columns: vec![columns] }
    }

    /// Takes `other` in, where both are SELECT … FROM the same rows GROUP BY the same.
    fn join(&mut self, other: &Self) -> bool {
        let (Some(ours), Some(theirs)) = (parts(&self.plan), parts(&other.plan)) else { return false };
        let same = ours.1.input == theirs.1.input && ours.1.group_expr == theirs.1.group_expr;
        let aggregates = united(&ours.1.aggr_expr, &theirs.1.aggr_expr);
        if !same || aggregates.len() > AT_ONCE {
            return false;
        }
        let (input, groups) = (Arc::clone(&ours.1.input), ours.1.group_expr.clone());
        let aggregate = Aggregate::try_new(input, groups, aggregates).map(LogicalPlan::Aggregate);
        let columns = united(&ours.0.expr, &theirs.0.expr);
        // Two columns of one name are refused here: such queries stay apart.
        let Ok(both) = aggregate.and_then(|aggregate| Projection::try_new(columns, Arc::new(aggregate))) else {
            return false;
        };
        self.plan = LogicalPlan::Projection(both);
        self.files.extend(&other.files);
        self.columns.extend(other.columns.iter().cloned());
        true
    }

    /// As few as these scans allow, in their order.
    pub(super) fn shared(project: &Project, planned: Vec<Self>) -> Vec<Self> {
        let mut scans: Vec<Self> = Vec::new();
        for new in planned {
            let key = |scan: &Self| project.library.key(scan.files[0]);
            let mut alike = scans.iter_mut().filter(|scan| key(scan) == key(&new));
            if !alike.any(|scan| scan.join(&new)) {
                scans.push(new);
            }
        }
        scans
    }
}

/// `SELECT … GROUP BY …` as its two steps.
fn parts(plan: &LogicalPlan) -> Option<(&Projection, &Aggregate)> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    let LogicalPlan::Aggregate(aggregate) = projection.input.as_ref() else { return None };
    Some((projection, aggregate))
}

fn united(ours: &[Expr], theirs: &[Expr]) -> Vec<Expr> {
    let new = theirs.iter().filter(|expr| !ours.contains(expr));
    ours.iter().chain(new).cloned().collect()
}

impl Session {
    /// A file by itself.
    pub(super) async fn scan_of<'a>(&self, project: &Project, file: &'a SqlFile) -> Result<SharedScan<'a>> {
        for table in &file.reads {
            self.open(table).await?;
        }
        Ok(SharedScan::new(file, self.plan(project, file).await?))
    }

    /// The table of each file of a scan.
    pub async fn tables_of(&self, project: &Project, scan: &SharedScan<'_>) -> Result<Vec<Table>> {
        if let [file] = scan.files[..] {
            let batch = self.run_planned(project, file, vec![scan.plan.clone()]).await?.swap_remove(0);
            return Ok(vec![sorted(batch, project.library.key(file), &file.shown)?]);
        }
        let first = scan.files[0];
        let whole = self.run_plan(scan.plan.clone(), &first.shown).await;
        match whole.and_then(|batch| sorted(batch, project.library.key(first), &first.shown)) {
            Ok(whole) => scan.columns.iter().map(|columns| whole.of(columns, &first.shown)).collect(),
            // Which of them is to blame is found one by one.
            Err(_) => try_join_all(scan.files.iter().map(|file| self.table(project, file))).await,
        }
    }
}

impl Table {
    /// The same rows with some of the columns, the key among them.
    fn of(&self, columns: &[String], file: &str) -> Result<Self> {
        let schema: Arc<Schema> = self.batch.schema();
        let places: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let arrow = |cause| super::TableError::Arrow { file: file.into(), cause };
        Ok(Self { batch: self.batch.project(&places).map_err(arrow)?, key: self.key.clone() })
    }
}
