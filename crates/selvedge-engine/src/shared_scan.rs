//! Queries that aggregate the same rows by the same groups, run as one: reading, sorting and grouping happen once.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection};
use futures::future::try_join_all;

use super::query_error::query_error;
use super::remembered::Group;
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
    /// None where it is known from before which files one query answers.
    plan: Option<LogicalPlan>,
    /// The columns of each file's table.
    columns: Vec<Vec<String>>,
}

impl<'a> SharedScan<'a> {
    fn new(file: &'a SqlFile, plan: LogicalPlan) -> Self {
        let columns = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        Self { files: vec![file], plan: Some(plan), columns: vec![columns] }
    }

    /// Takes `other` in, where both are SELECT … FROM the same rows GROUP BY the same.
    fn join(&mut self, other: &Self) -> bool {
        let plans = self.plan.as_ref().zip(other.plan.as_ref());
        let Some((ours, theirs)) = plans.and_then(|(ours, theirs)| parts(ours).zip(parts(theirs))) else {
            return false;
        };
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
        self.plan = Some(LogicalPlan::Projection(both));
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

    /// The scans of these files, where it is known which of them one query answers.
    pub(super) fn scans_again<'a>(&self, files: &[&'a SqlFile]) -> Option<Vec<SharedScan<'a>>> {
        let groups = self.plans.as_ref()?.together(files)?;
        let scan = |(places, columns): Group| {
            let files = places.into_iter().map(|place| files[place]).collect();
            SharedScan { files, plan: None, columns }
        };
        Some(groups.into_iter().map(scan).collect())
    }

    /// Keeps for the next time which of these files one query answers.
    pub(super) fn keep_scans(&self, files: &[&SqlFile], scans: &[SharedScan<'_>]) {
        let Some(plans) = &self.plans else { return };
        let place = |file: &&SqlFile| files.iter().position(|known| known.table() == file.table());
        let group = |scan: &SharedScan| (scan.files.iter().filter_map(place).collect(), scan.columns.clone());
        plans.are_together(files, scans.iter().map(group).collect());
    }

    /// The plan of a scan.
    async fn plan_of(&self, project: &Project, scan: &SharedScan<'_>) -> Result<Option<LogicalPlan>> {
        if scan.plan.is_some() {
            return Ok(scan.plan.clone());
        }
        let planned = try_join_all(scan.files.iter().map(|file| self.scan_of(project, file))).await?;
        let mut scans = SharedScan::shared(project, planned);
        Ok(scans.pop().filter(|_| scans.is_empty()).and_then(|scan| scan.plan))
    }

    /// The table of each file of a scan.
    pub async fn tables_of(&self, project: &Project, scan: &SharedScan<'_>) -> Result<Vec<Table>> {
        let first = scan.files[0];
        let whole = match self.answered_again(project, &scan.files).await {
            Some(answer) => Some(answer),
            None => match (self.plan_of(project, scan).await?, &scan.files[..]) {
                (Some(plan), [file]) => Some(self.run_planned(project, file, vec![plan]).await?.swap_remove(0)),
                (Some(plan), files) => self.together(project, files, plan).await.ok(),
                (None, _) => None,
            },
        };
        let whole = whole.map(|whole| sorted(whole, project.library.key(first), &first.shown));
        match (whole, &scan.files[..]) {
            (Some(whole), [_]) => Ok(vec![whole?]),
            (Some(Ok(whole)), _) => scan.columns.iter().map(|columns| whole.of(columns, &first.shown)).collect(),
            // Which of them is to blame is found one by one.
            _ => try_join_all(scan.files.iter().map(|file| self.table(project, file))).await,
        }
    }

    /// The answer of a query that answers several files.
    async fn together(&self, project: &Project, files: &[&SqlFile], plan: LogicalPlan) -> Result<RecordBatch> {
        let shown = &files[0].shown;
        match &self.plans {
            Some(plans) => {
                let answer = self.answered_and_kept(plans, project, files, &BTreeSet::new(), plan).await;
                answer.map_err(|e| query_error(shown, &e, &[]))
            }
            None => self.run_plan(plan, shown).await,
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
