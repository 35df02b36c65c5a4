//! A plan as nodes: one for the rows there are, one for each column.
//!
//! What is normalised away: aliases, projections that only rename, the order of conditions and of inner joins, columns
//! that nothing uses, an ORDER BY that nothing depends on.  What two spellings beyond that have in common is not seen:
//! they count as a change, which costs a computation and hides nothing.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::common::{Column, DFSchemaRef, JoinType, NullEquality, TableReference};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan};

use super::digest::{Digest, Digester};
use super::expr::Scope;
use super::node::{Kind, Node, Source, Uses};
use selvedge_project::sql::TableName;

/// A plan's answer: which rows, and what each column means.
pub struct Relation {
    pub rows: Node,
    /// As long as the plan's schema.
    pub columns: Vec<Node>,
    /// What an ORDER BY below says; a LIMIT depends on it.
    order: Option<Node>,
}

/// What a table's rows, or one of its columns, are known by.
pub type Known<'a> = dyn Fn(&TableName, Option<&str>) -> Digest + 'a;

/// Walks plans.
pub struct Tracer<'a> {
    known: &'a Known<'a>,
    /// The scopes around a subquery, innermost last.
    outer: RefCell<Vec<(DFSchemaRef, Vec<Node>)>>,
}

/// Inner joins and filters, flattened: what is joined, and under which conditions.
#[derive(Default)]
struct Block {
    leaves: Vec<Relation>,
    conditions: Vec<(Expr, DFSchemaRef, Vec<Place>)>,
}

/// A column of a block: which leaf, which of its columns.
type Place = (usize, usize);

impl<'a> Tracer<'a> {
    pub fn new(known: &'a Known<'a>) -> Self {
        Self { known, outer: RefCell::default() }
    }

    /// The meaning of a plan.
    pub fn relation(&self, plan: &LogicalPlan) -> Relation {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(&table_name(&scan.table_name), &scan.projected_schema),
            LogicalPlan::SubqueryAlias(alias) => self.relation(&alias.input),
            LogicalPlan::Subquery(query) => self.relation(&query.subquery),
            LogicalPlan::Repartition(split) => self.relation(&split.input),
            LogicalPlan::Projection(projection) => {
                let input = self.relation(&projection.input);
                let scope = Scope { schema: projection.input.schema(), nodes: &input.columns };
                let columns = projection.expr.iter().map(|expr| self.expr(expr, scope)).collect();
                Relation { columns, ..input }
            }
            LogicalPlan::Filter(_) => self.block(plan),
            LogicalPlan::Join(join) if is_plain_inner(join) => self.block(plan),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => {
                let input = self.relation(&aggregate.input);
                let scope = Scope { schema: aggregate.input.schema(), nodes: &input.columns };
                let of = |expr| self.expr(expr, scope);
                let keys: Vec<Node> = aggregate.group_expr.iter().map(of).collect();
                let grouping = aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
                if grouping {
                    return self.any_other(plan);
                }
                let by: Vec<Node> = keys.iter().map(|key| key.clone().doing(Kind::JoinKey)).collect();
                let rows = Node::list("group", &[input.rows, Node::set("by", &by)]);
                let columns = keys.into_iter().chain(aggregate.aggr_expr.iter().map(of)).collect();
                Relation { rows, columns, order: None }
            }
            LogicalPlan::Window(window) => {
                let mut input = self.relation(&window.input);
                let scope = Scope { schema: window.input.schema(), nodes: &input.columns };
                let added: Vec<Node> = window.window_expr.iter().map(|expr| self.expr(expr, scope)).collect();
                input.columns.extend(added);
                input
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.relation(input);
                let by: Vec<Node> = input.columns.iter().map(|column| column.clone().doing(Kind::JoinKey)).collect();
                Relation { rows: Node::list("distinct", &[input.rows, Node::set("by", &by)]), ..input }
            }
            LogicalPlan::Sort(sort) => {
                let input = self.relation(&sort.input);
                let scope = Scope { schema: sort.input.schema(), nodes: &input.columns };
                let order = Some(self.order(&sort.expr, scope));
                match sort.fetch {
                    None => Relation { order, ..input },
                    Some(fetch) => limited(Relation { order, ..input }, &fetch.to_string()),
                }
            }
            LogicalPlan::Limit(limit) => {
                let shown = |count: &Option<Box<Expr>>| count.as_ref().map_or_else(String::new, |it| it.to_string());
                let input = self.relation(&limit.input);
                limited(input, &format!("{} {}", shown(&limit.skip), shown(&limit.fetch)))
            }
            LogicalPlan::Union(union) => {
                let mut inputs: Vec<Relation> = union.inputs.iter().map(|input| self.relation(input)).collect();
                inputs.sort_by_key(|input| (input.rows.digest, digests(&input.columns)));
                let rows: Vec<Node> = inputs.iter().map(|input| input.rows.clone()).collect();
                let column = |place: usize| {
                    let parts: Vec<Node> =
                        inputs.iter().filter_map(|input| input.columns.get(place).cloned()).collect();
                    Node::list("union", &parts)
                };
                let columns = (0..union.schema.fields().len()).map(column).collect();
                Relation { rows: Node::list("union", &rows), columns, order: None }
            }
            _ => self.any_other(plan),
        }
    }

    fn scan(&self, table: &TableName, schema: &DFSchemaRef) -> Relation {
        let column = |name: &String| {
            let source = Arc::new(Source { table: table.clone(), column: name.clone() });
            Node { digest: (self.known)(table, Some(name)), uses: Uses::from([(source, Kind::Value)]) }
        };
        let columns = schema.fields().iter().map(|field| column(field.name())).collect();
        Relation { rows: Node::leaf((self.known)(table, None)), columns, order: None }
    }

    /// Inner joins and filters: the order of tables and of conditions means nothing.
    fn block(&self, plan: &LogicalPlan) -> Relation {
        let mut block = Block::default();
        let places = self.flatten(plan, &mut block);
        // A table that is joined to itself: the first and the second are told apart.
        let mut numbered: Vec<(Node, Vec<Node>)> = Vec::new();
        for leaf in &block.leaves {
            let before = block.leaves.iter().take(numbered.len());
            let number = before.filter(|other| other.rows.digest == leaf.rows.digest).count().to_string();
            let of = |column: &Node| Node {
                digest: Digester::new("of").one(leaf.rows.digest).text(&number).one(column.digest).end(),
                uses: column.uses.clone(),
            };
            numbered.push((leaf.rows.clone(), leaf.columns.iter().map(of).collect()));
        }
        let at = |(leaf, column): &Place| numbered[*leaf].1[*column].clone();
        let conditions: Vec<Node> = block
            .conditions
            .iter()
            .map(|(condition, schema, places)| {
                let nodes: Vec<Node> = places.iter().map(at).collect();
                self.predicate(condition, Scope { schema, nodes: &nodes })
            })
            .collect();
        let tables: Vec<Node> = numbered.iter().map(|(rows, _)| rows.clone()).collect();
        let rows = Node::list("join", &[Node::set("tables", &tables), Node::set("AND", &conditions)]);
        Relation { rows, columns: places.iter().map(at).collect(), order: None }
    }

    fn flatten(&self, plan: &LogicalPlan, block: &mut Block) -> Vec<Place> {
        match plan {
            LogicalPlan::Filter(filter) => {
                let places = self.flatten(&filter.input, block);
                for condition in split_conjunction(&filter.predicate) {
                    block.conditions.push((condition.clone(), Arc::clone(filter.input.schema()), places.clone()));
                }
                places
            }
            LogicalPlan::Join(join) if is_plain_inner(join) => {
                let mut places = self.flatten(&join.left, block);
                places.extend(self.flatten(&join.right, block));
                for condition in conditions(join) {
                    block.conditions.push((condition, Arc::clone(&join.schema), places.clone()));
                }
                places
            }
            _ => {
                let leaf = self.relation(plan);
                let number = block.leaves.len();
                let places = (0..leaf.columns.len()).map(|column| (number, column)).collect();
                block.leaves.push(leaf);
                places
            }
        }
    }

    /// Outer and half joins: left is left, right is right.
    fn join(&self, join: &Join) -> Relation {
        let sides = [("left", self.relation(&join.left)), ("right", self.relation(&join.right))];
        let [left, right] = sides.map(|(side, relation)| {
            let of = |column: &Node| Node {
                digest: Digester::new(side).one(relation.rows.digest).one(column.digest).end(),
                uses: column.uses.clone(),
            };
            (relation.columns.iter().map(of).collect::<Vec<Node>>(), relation.rows)
        });
        let both: Vec<Node> = left.0.iter().chain(&right.0).cloned().collect();
        // A half join's own schema lacks one side, its conditions do not.
        let schema = join.left.schema().join(join.right.schema()).unwrap_or_else(|_| join.schema.as_ref().clone());
        let scope = Scope { schema: &schema, nodes: &both };
        let on: Vec<Node> = conditions(join).iter().map(|condition| self.predicate(condition, scope)).collect();
        let detail = format!("{:?} {:?}", join.join_type, join.null_equality);
        let rows = Node::list("outer join", &[left.1, right.1, Node::set("AND", &on)]).with(&detail);
        let columns = match join.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left.0,
            JoinType::RightSemi | JoinType::RightAnti => right.0,
            JoinType::LeftMark => left.0.into_iter().chain([Node::list("mark", std::slice::from_ref(&rows))]).collect(),
            JoinType::RightMark => {
                right.0.into_iter().chain([Node::list("mark", std::slice::from_ref(&rows))]).collect()
            }
            _ => both,
        };
        Relation { rows, columns, order: None }
    }

    pub(super) fn subquery(&self, plan: &LogicalPlan, around: Scope<'_>) -> Relation {
        self.outer.borrow_mut().push((Arc::new(around.schema.clone()), around.nodes.to_vec()));
        let found = self.relation(plan);
        self.outer.borrow_mut().pop();
        found
    }

    /// A column of a query around this one.
    pub(super) fn outer(&self, column: &Column) -> Node {
        let found = self.outer.borrow().iter().rev().find_map(|(schema, nodes)| {
            schema.maybe_index_of_column(column).and_then(|place| nodes.get(place).cloned())
        });
        found.unwrap_or_else(|| Node::list("unknown column", &[]).with(&column.name))
    }

    /// Kinds without a rule of their own: as written, over all that they read.
    fn any_other(&self, plan: &LogicalPlan) -> Relation {
        let mut parts = Vec::new();
        for input in plan.inputs() {
            let input = self.relation(input);
            parts.push(input.rows);
            parts.extend(input.columns);
        }
        let rows = Node::list("other", &parts).with(&plan.display().to_string());
        let column = |place: usize| rows.clone().with(&place.to_string());
        Relation { columns: (0..plan.schema().fields().len()).map(column).collect(), rows, order: None }
    }
}

fn limited(input: Relation, detail: &str) -> Relation {
    let order = input.order.unwrap_or_else(|| Node::list("no order", &[]));
    Relation { rows: Node::list("limit", &[input.rows, order]).with(detail), columns: input.columns, order: None }
}

fn digests(nodes: &[Node]) -> Vec<Digest> {
    nodes.iter().map(|node| node.digest).collect()
}

fn is_plain_inner(join: &Join) -> bool {
    join.join_type == JoinType::Inner && join.null_equality == NullEquality::NullEqualsNothing
}

/// A join's conditions, each alone.
fn conditions(join: &Join) -> Vec<Expr> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    equal.chain(join.filter.iter().flat_map(|filter| split_conjunction(filter).into_iter().cloned())).collect()
}

/// The table that a plan names.
pub fn table_name(reference: &TableReference) -> TableName {
    match reference.schema() {
        Some(schema) => TableName::new(schema, reference.table()),
        None => TableName::bare(reference.table()),
    }
}
