//! A view's plan, rewritten so that every value says which source rows it is made from.
//!
//! Each table gets a text column of marks, one mark a row.  Joins keep the marks of both sides, and an aggregate gathers
//! those of the rows that it takes in: the provenance rewriting of Perm (Glavic and Alonso, ICDE 2009), kept apart for
//! each column, so that two windows over one join have their own rows.  Where a row keeps another out of a join or a
//! WHERE (NOT EXISTS, `IS NULL` after a left join), it leaves no mark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef, JoinType, TableReference};
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::string::expr_fn::concat_ws;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_nested::expr_fn::array_to_string;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, Sort, WindowFunction};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Join, LogicalPlan, LogicalPlanBuilder, Projection, Union, Window,
    WindowFunctionDefinition, lit,
};

/// The column of a marked table that holds each row's mark: words without white space.
pub const MARK: &str = "__mark";

/// Names of columns that hold marks, parted by spaces; each name stands once in a plan.
type Marks = BTreeSet<String>;

/// Which rows an aggregate is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Of MIN, MAX, FIRST_VALUE and LAST_VALUE the row that has the value; of others every row they take in.
    Deciding,
    /// Every row they take in.
    Every,
}

/// Rewrites plans.
pub struct Tracer<'a> {
    /// The tables with a column [`MARK`]; the rows of others have no marks.
    tables: &'a BTreeMap<TableReference, Arc<dyn TableProvider>>,
    reach: Reach,
    names: usize,
}

/// A plan with columns of marks besides its own.
struct Traced {
    plan: LogicalPlan,
    /// Of the plan before.
    schema: DFSchemaRef,
    /// For each column of `schema`, what its values are made from.
    columns: Vec<Marks>,
    /// What a row is made from.
    rows: Marks,
}

impl Traced {
    fn marks(&self, expr: &Expr) -> Marks {
        let places = expr.column_refs().into_iter().filter_map(|column| self.schema.maybe_index_of_column(column));
        places.flat_map(|place| self.columns[place].iter().cloned()).collect()
    }

    fn marks_of<'a>(&self, exprs: impl IntoIterator<Item = &'a Expr>) -> Marks {
        exprs.into_iter().flat_map(|expr| self.marks(expr)).collect()
    }

    /// Every column of marks that is still of use.
    fn all(&self) -> Marks {
        self.columns.iter().chain([&self.rows]).flatten().cloned().collect()
    }

    /// The columns of the plan before.
    fn own(&self) -> Vec<Expr> {
        self.schema.columns().into_iter().map(Expr::Column).collect()
    }

    fn carried(&self, marks: &Marks) -> Result<Vec<Expr>> {
        marks.iter().map(|name| column(self.plan.schema(), name)).collect()
    }

    /// Several columns of marks as one.
    fn together(&self, marks: &Marks) -> Result<Expr> {
        let mut columns = self.carried(marks)?;
        Ok(match columns.len() {
            1 => columns.remove(0),
            _ => concat_ws(lit(" "), columns),
        })
    }

    /// What a function of these arguments is made from; one without columns, such as COUNT(*), takes in whole rows.
    fn taken(&self, args: &[Expr]) -> Marks {
        match args.iter().all(|arg| arg.column_refs().is_empty()) {
            true => self.rows.clone(),
            false => self.marks_of(args),
        }
    }

    /// The marks of all rows of a group that pass the filter, one after another; nothing where there are no marks.
    fn all_of(&self, marks: &Marks, filter: Option<Expr>) -> Result<Vec<Expr>> {
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let (args, filter) = (vec![self.together(marks)?, lit(" ")], filter.map(Box::new));
        let all = AggregateFunction::new_udf(string_agg_udaf(), args, false, filter, Vec::new(), None);
        Ok(vec![Expr::AggregateFunction(all)])
    }

    /// The same plan with other rows, or fewer.
    fn over(self, plan: LogicalPlan, schema: &DFSchemaRef) -> Self {
        Self { plan, schema: Arc::clone(schema), ..self }
    }
}

/// The column of this name, whichever table it came from.
fn column(schema: &DFSchema, name: &str) -> Result<Expr> {
    Ok(Expr::Column(schema.qualified_field_with_unqualified_name(name)?.into()))
}

impl<'a> Tracer<'a> {
    pub fn new(tables: &'a BTreeMap<TableReference, Arc<dyn TableProvider>>, reach: Reach) -> Self {
        Self { tables, reach, names: 0 }
    }

    /// A plan that returns, for each row of `plan`, the column `name` and after it columns of the marks it is made from.
    ///
    /// # Errors
    /// A node that cannot be followed, such as a recursive query or GROUPING SETS.
    pub fn trace(mut self, plan: &LogicalPlan, name: &str) -> Result<LogicalPlan> {
        let traced = self.follow(plan)?;
        let value = column(&traced.schema, name)?;
        let mut exprs = traced.carried(&traced.marks(&value))?;
        exprs.insert(0, value);
        LogicalPlanBuilder::from(traced.plan).project(exprs)?.build()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("{MARK}{}", self.names)
    }

    fn follow(&mut self, plan: &LogicalPlan) -> Result<Traced> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(plan, &scan.table_name),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => {
                let mut input = self.follow(&filter.input)?;
                input.rows.append(&mut input.marks(&filter.predicate));
                let made = plan.with_new_exprs(plan.expressions(), vec![input.plan.clone()])?;
                Ok(input.over(made, plan.schema()))
            }
            LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Repartition(_) => {
                let input = self.follow(plan.inputs()[0])?;
                let made = plan.with_new_exprs(plan.expressions(), vec![input.plan.clone()])?;
                Ok(input.over(made, plan.schema()))
            }
            LogicalPlan::Join(join) => self.join(plan, join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.follow(input)?;
                let own = input.own();
                let all = input.all_of(&input.all(), None)?;
                let (plan, marks) = self.aggregated(&input, own, &[], vec![all])?;
                let marks: Marks = marks.into_iter().flatten().collect();
                let columns = vec![marks.clone(); input.columns.len()];
                Ok(Traced { plan, schema: input.schema, columns, rows: marks })
            }
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(unmarked(plan)),
            other => {
                let words = other.display().to_string();
                let kind = words.split([':', ' ']).next().unwrap_or_default();
                Err(DataFusionError::Plan(format!("rows cannot be followed through {kind}")))
            }
        }
    }

    fn scan(&mut self, plan: &LogicalPlan, name: &TableReference) -> Result<Traced> {
        let Some(table) = self.tables.get(name) else { return Ok(unmarked(plan)) };
        let scan = LogicalPlanBuilder::scan(name.clone(), provider_as_source(Arc::clone(table)), None)?;
        let mark = self.name();
        let own = plan.schema().columns().into_iter().map(Expr::Column);
        let exprs: Vec<Expr> = own.chain([column(scan.schema(), MARK)?.alias(&mark)]).collect();
        let marks = Marks::from([mark]);
        let columns = vec![marks.clone(); plan.schema().fields().len()];
        Ok(Traced { plan: scan.project(exprs)?.build()?, schema: Arc::clone(plan.schema()), columns, rows: marks })
    }

    fn projection(&mut self, projection: &Projection) -> Result<Traced> {
        let input = self.follow(&projection.input)?;
        let columns: Vec<Marks> = projection.expr.iter().map(|expr| input.marks(expr)).collect();
        let made = Traced { columns, rows: input.rows.clone(), ..input };
        let exprs: Vec<Expr> = projection.expr.iter().cloned().chain(made.carried(&made.all())?).collect();
        let plan = LogicalPlanBuilder::from(made.plan.clone()).project(exprs)?.build()?;
        Ok(made.over(plan, &projection.schema))
    }

    /// What the condition reads decides which rows come together, and whether an outer side is there at all.
    fn join(&mut self, plan: &LogicalPlan, join: &Join) -> Result<Traced> {
        let (mut left, mut right) = (self.follow(&join.left)?, self.follow(&join.right)?);
        let conditions = plan.expressions();
        let marks: Marks = [&left, &right].iter().flat_map(|side| side.marks_of(&conditions)).collect();
        let made = plan.with_new_exprs(conditions, vec![left.plan, right.plan])?;
        let brought = |side: &mut Vec<Marks>| side.iter_mut().for_each(|column| column.extend(marks.clone()));
        if matches!(join.join_type, JoinType::Left | JoinType::Full) {
            brought(&mut right.columns);
        }
        if matches!(join.join_type, JoinType::Right | JoinType::Full) {
            brought(&mut left.columns);
        }
        // Semi joins keep one side, whose columns alone can be carried on; a mark join adds whether there was a match.
        let (columns, rows) = match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => (left.columns, left.rows),
            JoinType::RightSemi | JoinType::RightAnti => (right.columns, right.rows),
            JoinType::LeftMark => ([left.columns, vec![Marks::new()]].concat(), left.rows),
            JoinType::RightMark => ([right.columns, vec![Marks::new()]].concat(), right.rows),
            _ => {
                ([left.columns, right.columns].concat(), left.rows.into_iter().chain(right.rows).chain(marks).collect())
            }
        };
        Ok(Traced { plan: made, schema: Arc::clone(plan.schema()), columns, rows })
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Traced> {
        if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
            return Err(DataFusionError::Plan("rows cannot be followed through GROUPING SETS".into()));
        }
        let input = self.follow(&aggregate.input)?;
        let mut made = Vec::new();
        for expr in &aggregate.group_expr {
            made.push(input.all_of(&input.marks(expr), None)?);
        }
        for expr in &aggregate.aggr_expr {
            let Expr::AggregateFunction(function) = expr.clone().unalias_nested().data else {
                return Err(DataFusionError::Plan(format!("rows cannot be followed through {expr}")));
            };
            made.push(self.taken_in(&input, function)?);
        }
        made.push(input.all_of(&input.rows, None)?);
        let (plan, mut columns) = self.aggregated(&input, aggregate.group_expr.clone(), &aggregate.aggr_expr, made)?;
        let rows = columns.pop().unwrap_or_default();
        Ok(Traced { plan, schema: Arc::clone(&aggregate.schema), columns, rows })
    }

    /// The marks of the rows that an aggregate takes in, and of those that decide in its FILTER which these are.
    fn taken_in(&self, input: &Traced, function: AggregateFunction) -> Result<Vec<Expr>> {
        let AggregateFunctionParams { args, filter, order_by, null_treatment, .. } = function.params;
        let marks = input.taken(&args);
        let conditions: Vec<Expr> = filter.iter().flat_map(|f| split_conjunction(f)).cloned().collect();
        // Another row than the one that counts, such as the return of a purchase, may be why that does not count.
        let (others, own): (Vec<Expr>, Vec<Expr>) =
            conditions.iter().cloned().partition(|condition| !input.marks(condition).is_subset(&marks));
        let deciding = input.marks_of(&others).difference(&marks).cloned().collect();
        let mut made = input.all_of(&deciding, own.into_iter().reduce(Expr::and))?;
        if marks.is_empty() {
            return Ok(made);
        }
        let name = function.func.name();
        // A row whose value is NULL does not count, but for those that pick or list values.
        let takes_nulls = matches!(name, "array_agg" | "first_value" | "last_value" | "nth_value");
        let present = args.iter().filter(|arg| !takes_nulls && !arg.column_refs().is_empty());
        let filter = conditions.into_iter().chain(present.map(|arg| arg.clone().is_not_null())).reduce(Expr::and);
        let extreme = match name {
            "min" => Some(true),
            "max" => Some(false),
            _ => None,
        };
        let picked = |function, order_by, nulls| {
            let (marks, filter) = (vec![input.together(&marks)?], filter.clone().map(Box::new));
            let picked = AggregateFunction::new_udf(function, marks, false, filter, order_by, nulls);
            Ok::<_, DataFusionError>(vec![Expr::AggregateFunction(picked)])
        };
        made.extend(match (self.reach, extreme, args.into_iter().next()) {
            (Reach::Deciding, Some(asc), Some(expr)) => {
                picked(first_value_udaf(), vec![Sort { expr, asc, nulls_first: false }], None)?
            }
            (Reach::Deciding, ..) if matches!(name, "first_value" | "last_value") => {
                picked(function.func, order_by, null_treatment)?
            }
            _ => input.all_of(&marks, filter)?,
        });
        Ok(made)
    }

    /// Groups `input` with further aggregates of marks; returns the columns of each.
    fn aggregated(
        &mut self,
        input: &Traced,
        group: Vec<Expr>,
        aggregates: &[Expr],
        marks: Vec<Vec<Expr>>,
    ) -> Result<(LogicalPlan, Vec<Marks>)> {
        let mut exprs = aggregates.to_vec();
        let mut names = Vec::new();
        for made in marks {
            let named: Vec<(Expr, String)> = made.into_iter().map(|made| (made, self.name())).collect();
            names.push(named.iter().map(|(_, name)| name.clone()).collect());
            exprs.extend(named.into_iter().map(|(made, name)| made.alias(name)));
        }
        let plan = LogicalPlanBuilder::from(input.plan.clone()).aggregate(group, exprs)?.build()?;
        Ok((plan, names))
    }

    fn window(&mut self, window: &Window) -> Result<Traced> {
        let input = self.follow(&window.input)?;
        let (mut exprs, mut texts) = (window.window_expr.clone(), Vec::new());
        let mut columns = input.columns.clone();
        for expr in &window.window_expr {
            let Expr::WindowFunction(function) = expr.clone().unalias_nested().data else {
                return Err(DataFusionError::Plan(format!("rows cannot be followed through {expr}")));
            };
            let marks = input.taken(&function.params.args);
            let made = match marks.is_empty() {
                true => None,
                false => over_frame(*function, input.together(&marks)?),
            };
            // A place such as ROW_NUMBER is the row's own.
            let Some((made, list)) = made else {
                columns.push(marks);
                continue;
            };
            let (of_frame, name) = (self.name(), self.name());
            exprs.push(made.alias(&of_frame));
            texts.push((of_frame, list, name.clone()));
            columns.push(Marks::from([name]));
        }
        let plan = LogicalPlanBuilder::from(input.plan.clone()).window(exprs)?.build()?;
        let own = window.schema.columns().into_iter().map(Expr::Column);
        let kept = input.all().into_iter().map(|name| column(plan.schema(), &name)).collect::<Result<Vec<_>>>()?;
        let mut exprs: Vec<Expr> = own.chain(kept).collect();
        for (of_frame, list, name) in texts {
            let marks = column(plan.schema(), &of_frame)?;
            exprs.push(if list { array_to_string(marks, lit(" ")) } else { marks }.alias(name));
        }
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Traced { plan, schema: Arc::clone(&window.schema), columns, rows: input.rows })
    }

    /// Every side gets the same columns of marks: one for each column, and one for the row.
    fn union(&mut self, union: &Union) -> Result<Traced> {
        let names: Vec<String> = (0..=union.schema.fields().len()).map(|_| self.name()).collect();
        let mut sides = Vec::new();
        for input in &union.inputs {
            let side = self.follow(input)?;
            let mut exprs = side.own();
            for (marks, name) in side.columns.iter().chain([&side.rows]).zip(&names) {
                let marks = if marks.is_empty() { lit("") } else { side.together(marks)? };
                exprs.push(marks.alias(name));
            }
            sides.push(Arc::new(LogicalPlanBuilder::from(side.plan).project(exprs)?.build()?));
        }
        let plan = LogicalPlan::Union(Union::try_new_with_loose_types(sides)?);
        let mut columns: Vec<Marks> = names.into_iter().map(|name| Marks::from([name])).collect();
        let rows = columns.pop().unwrap_or_default();
        Ok(Traced { plan, schema: Arc::clone(&union.schema), columns, rows })
    }
}

fn unmarked(plan: &LogicalPlan) -> Traced {
    let schema = Arc::clone(plan.schema());
    let columns = vec![Marks::new(); schema.fields().len()];
    Traced { plan: plan.clone(), schema, columns, rows: Marks::new() }
}

/// A window's function over marks, and whether it makes a list of them; none for one that only counts places.
fn over_frame(mut function: WindowFunction, marks: Expr) -> Option<(Expr, bool)> {
    let list = match &function.fun {
        WindowFunctionDefinition::AggregateUDF(_) => {
            function.fun = WindowFunctionDefinition::AggregateUDF(array_agg_udaf());
            function.params.args = vec![marks];
            function.params.distinct = false;
            true
        }
        // Its other arguments say which row's.
        WindowFunctionDefinition::WindowUDF(_) => {
            *function.params.args.first_mut()? = marks;
            false
        }
    };
    Some((Expr::WindowFunction(Box::new(function)), list))
}
