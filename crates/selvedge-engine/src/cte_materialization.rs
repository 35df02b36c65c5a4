//! A `WITH` query that is read more than once is worked out once, with the columns that somebody reads.  DataFusion
//! alone works it out anew for every reader; PostgreSQL works it out once, with all its columns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan};

use super::Session;

/// The schema in which such queries stand as tables while a plan is made; no table of a project can have this name.
const SCHEMA: &str = "with ";

/// Plans, optimised, with scans in the place of the queries that they share.
pub(super) struct Shared {
    /// Those that are shared: each reads those before it at most.
    pub queries: Vec<LogicalPlan>,
    pub mains: Vec<LogicalPlan>,
    /// The columns of each query that somebody reads.
    read: Vec<BTreeSet<usize>>,
    /// The queries that each query reads.
    inputs: Vec<BTreeSet<usize>>,
}

/// Answers of queries, as tables, by the queries' numbers.
pub(super) type Answers = BTreeMap<usize, Arc<dyn TableProvider>>;

impl Shared {
    /// The plans with the queries called `names` taken out.
    pub fn of(state: &SessionState, names: &BTreeSet<String>, plans: Vec<LogicalPlan>) -> Result<Self> {
        let (mut plans, mut mains) = taken_out(names, plans)?;
        let queries = plans.len();
        plans.append(&mut mains);
        // From the outside in: who reads decides what is read.
        let mut read = vec![BTreeSet::new(); queries];
        let mut inputs = vec![BTreeSet::new(); plans.len()];
        for number in (0..plans.len()).rev() {
            let plan = match read.get(number) {
                Some(columns) => only(plans[number].clone(), columns)?,
                None => plans[number].clone(),
            };
            plans[number] = state.optimize(&plan)?;
            plans[number].apply_with_subqueries(|node| {
                if let Some((table, scan)) = table_of(node) {
                    inputs[number].insert(table);
                    match &scan.projection {
                        Some(columns) => read[table].extend(columns),
                        None => read[table].extend(0..scan.source.schema().fields().len()),
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        let mains = plans.split_off(queries);
        inputs.truncate(queries);
        Ok(Self { queries: plans, mains, read, inputs })
    }

    /// One of the plans with tables in the place of the scans.
    pub fn filled(&self, plan: LogicalPlan, answers: &Answers) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let Some((number, scan)) = table_of(&node) else { return Ok(Transformed::no(node)) };
            let place = |column: &usize| self.read[number].iter().position(|read| read == column);
            let projection = scan.projection.as_ref().map(|columns| columns.iter().filter_map(place).collect());
            let source = provider_as_source(Arc::clone(&answers[&number]));
            Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, projection, ..scan.clone() })))
        })?;
        Ok(plan.data)
    }
}

/// What the answer of a query is called while those who read it are planned.
pub(super) fn name_of(number: usize) -> TableReference {
    TableReference::partial(SCHEMA, number.to_string())
}

impl Session {
    /// The plans, optimised, with tables in the place of the queries called `names`.
    pub(super) async fn materialized(
        &self,
        names: &BTreeSet<String>,
        plans: Vec<LogicalPlan>,
    ) -> Result<Vec<LogicalPlan>> {
        let shared = Shared::of(&self.state, names, plans)?;
        // From the inside out: what is read is there.  What does not wait for each other runs side by side.
        let mut answers = Answers::new();
        while answers.len() < shared.queries.len() {
            let mut ready = Vec::new();
            for (number, plan) in shared.queries.iter().enumerate().filter(|(number, _)| !answers.contains_key(number))
            {
                if shared.inputs[number].iter().all(|input| answers.contains_key(input)) {
                    ready.push((number, shared.filled(plan.clone(), &answers)?));
                }
            }
            let (numbers, ready): (Vec<usize>, Vec<LogicalPlan>) = ready.into_iter().unzip();
            answers.extend(numbers.into_iter().zip(self.tables_of_plans(&ready).await?));
        }
        shared.mains.iter().map(|plan| shared.filled(plan.clone(), &answers)).collect()
    }
}

/// The queries called `names`, those inside others first, and the plans, each with scans in their place.
fn taken_out(names: &BTreeSet<String>, plans: Vec<LogicalPlan>) -> Result<(Vec<LogicalPlan>, Vec<LogicalPlan>)> {
    let mut queries: Vec<LogicalPlan> = Vec::new();
    let mut scan_of = |node: LogicalPlan| {
        let LogicalPlan::SubqueryAlias(query) = &node else { return Ok(Transformed::no(node)) };
        if !names.contains(query.alias.table()) {
            return Ok(Transformed::no(node));
        }
        // Told by what it is, so an alias that happens to be called the same is a table of its own.
        let number = queries.iter().position(|known| known == query.input.as_ref()).unwrap_or(queries.len());
        if number == queries.len() {
            queries.push(query.input.as_ref().clone());
        }
        let empty = EmptyTable::new(Arc::new(query.input.schema().as_arrow().clone()));
        let scan = LogicalPlanBuilder::scan(name_of(number), provider_as_source(Arc::new(empty)), None)?;
        Ok(Transformed::yes(scan.alias(query.alias.clone())?.build()?))
    };
    let plans = plans.into_iter().map(|plan| Ok(plan.transform_up_with_subqueries(&mut scan_of)?.data));
    let plans = plans.collect::<Result<Vec<_>>>()?;
    Ok((queries, plans))
}

/// The number of the query that a scan stands for.
fn table_of(node: &LogicalPlan) -> Option<(usize, &TableScan)> {
    let LogicalPlan::TableScan(scan) = node else { return None };
    let number = (scan.table_name.schema() == Some(SCHEMA)).then(|| scan.table_name.table().parse().ok())?;
    Some((number?, scan))
}

/// Some of a plan's columns.
fn only(plan: LogicalPlan, columns: &BTreeSet<usize>) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    // A table of no columns would lose its rows.
    let first = columns.is_empty().then_some(0);
    let columns = first.iter().chain(columns).map(|column| Expr::from(schema.qualified_field(*column)));
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
