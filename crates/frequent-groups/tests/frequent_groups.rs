//! HAVING COUNT(*) with rows that are counted first against the plain plan: the same groups with the same values.

#[path = "../../point-in-time/tests/halves/mod.rs"]
mod halves;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::prelude::SessionContext;
use frequent_groups::FrequentGroupsRule;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

const ROWS: i64 = 20_000;

fn session(seed: u64, partitions: usize, rule: Option<FrequentGroupsRule>, memory: usize) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    if let Some(rule) = rule {
        rules.insert(0, Arc::new(rule));
    }
    halves::session(partitions, 500, rules, memory, vec![("rows", table(seed))])
}

/// Numbers of which few come twice and few are missing, and a group that is much larger than a counter goes.
fn table(seed: u64) -> RecordBatch {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut number, mut visit, mut kind, mut size) = (vec![], vec![], vec![], vec![]);
    for row in 0..ROWS {
        number
            .push(random.gen_bool(0.999).then(|| if random.gen_bool(0.03) { random.gen_range(0..=row) } else { row }));
        visit.push(random.gen_bool(0.99).then(|| {
            let visit = if random.gen_bool(0.1) { 0 } else { random.gen_range(1..4000) };
            format!("visit {visit}")
        }));
        kind.push(["look", "wish", "buy"][random.gen_range(0..3)]);
        size.push(random.gen_bool(0.9).then(|| random.gen_range(-5..5)));
    }
    let columns: [(&str, ArrayRef); 4] = [
        ("number", Arc::new(Int64Array::from(number))),
        ("visit", Arc::new(StringArray::from(visit))),
        ("kind", Arc::new(StringArray::from(kind))),
        ("size", Arc::new(Int64Array::from(size))),
    ];
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// The plan with its metrics as text, and the answer.
fn answer(runtime: &Runtime, context: &SessionContext, query: &str) -> (String, RecordBatch) {
    runtime.block_on(async {
        let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
        let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
        let shown = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string();
        (shown, concat_batches(&plan.schema(), &batches).unwrap())
    })
}

/// How many rows the operator handed on.
fn handed_on(plan: &str) -> Option<f64> {
    let line = plan.lines().find(|line| line.contains("FrequentRowsExec"))?;
    let number = line.split("output_rows=").nth(1)?.split([',', ']']).next()?.trim();
    match number.split_once(' ') {
        Some((thousands, "K")) => thousands.parse().ok().map(|number: f64| number * 1000.0),
        _ => number.parse().ok(),
    }
}

#[test]
fn counting_first_answers_as_the_plain_plan() {
    let runtime = Runtime::new().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8);
    for (seed, partitions) in [(1, 1), (2, 2), (3, 8)] {
        let rule = || FrequentGroupsRule::default().with_small(0);
        let plain = session(seed, partitions, None, usize::MAX);
        let counted = session(seed, partitions, Some(rule()), usize::MAX);
        let unworthy = session(seed, partitions, Some(FrequentGroupsRule::default()), usize::MAX);
        for file in &files {
            let query = std::fs::read_to_string(file).unwrap();
            let place = format!("{}, {partitions} partitions", file.display());
            let (_, expected) = answer(&runtime, &plain, &query);
            let (plan, found) = answer(&runtime, &counted, &query);
            assert!(expected.num_rows() > 0, "{place}");
            assert_eq!(expected, found, "{place}\n{plan}");
            let left_alone = query.starts_with("-- left alone");
            match handed_on(&plan) {
                Some(rows) => assert!(!left_alone && rows < 0.7 * ROWS as f64, "{place}: {rows} rows\n{plan}"),
                None => assert!(left_alone, "{place}\n{plan}"),
            }
            // Of few rows all are handed on.
            let (plan, found) = answer(&runtime, &unworthy, &query);
            assert_eq!(expected, found, "{place}");
            assert!(handed_on(&plan).is_none_or(|rows| rows > 0.99 * ROWS as f64), "{place}\n{plan}");
        }
    }
}

/// Where memory is refused, rows are grouped as before.
#[test]
fn without_memory_nothing_is_counted() {
    let runtime = Runtime::new().unwrap();
    let groups = "SELECT kind, COUNT(*) AS rows, SUM(size) AS sizes FROM rows GROUP BY kind HAVING COUNT(*) > 1";
    let query = &format!("SELECT COUNT(kind) AS kinds, SUM(rows) AS rows, SUM(sizes) AS sizes FROM ({groups})");
    let rule = FrequentGroupsRule::default().with_small(0);
    let (_, expected) = answer(&runtime, &session(1, 2, None, usize::MAX), query);
    let (plan, found) = answer(&runtime, &session(1, 2, Some(rule), 400_000), query);
    assert_eq!(expected, found);
    assert!(handed_on(&plan).is_some_and(|rows| rows > 0.99 * ROWS as f64), "{plan}");
}
