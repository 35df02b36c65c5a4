//! Plans through encode and decode: the same rows.

use std::sync::Arc;

use case_guard::CaseGuardRule;
use datafusion::execution::SessionStateBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use frequent_groups::FrequentGroupsRule;
use selvedge_cluster::codec::Codec;
use tokio::runtime::Runtime;

use crate::random_plans::{in_order, plan, queries, session_of_asking, session_of_shops};

/// A plan as another machine has it, which knows our functions and no tables.
fn there(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let codec = Codec::default();
    let bytes = physical_plan_to_bytes_with_extension_codec(Arc::clone(plan), &codec).unwrap();
    let state = selvedge_cluster::session(SessionConfig::new()).unwrap();
    physical_plan_from_bytes_with_extension_codec(&bytes, &state.task_ctx(), &codec).unwrap()
}

fn operators(plan: &Arc<dyn ExecutionPlan>) -> Vec<String> {
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    let ours = ["PointInTimeExec", "RangeJoinExec", "LookupJoinExec"];
    shown.lines().filter(|line| ours.iter().any(|name| line.contains(name))).map(str::to_owned).collect()
}

/// How many of our operators the queries have, which come out the same.
fn check(context: &SessionContext, folder: &str) -> usize {
    let runtime = Runtime::new().unwrap();
    let mut found = 0;
    for (file, query) in queries(folder) {
        let here = runtime.block_on(plan(context, &query));
        let there = there(&here);
        assert_eq!(operators(&here), operators(&there), "{}", file.display());
        found += operators(&here).len();
        let [expected, answered] = [&here, &there].map(|plan| {
            let batches = runtime.block_on(collect(Arc::clone(plan), context.task_ctx())).unwrap();
            in_order(&batches, &here)
        });
        assert!(expected == answered, "{}", file.display());
    }
    found
}

#[test]
fn point_in_time_and_range_joins_travel() {
    for (seed, partitions, small) in [(1, 1, 1 << 16), (2, 2, 1 << 16), (3, 8, 0)] {
        let context = session_of_shops(seed, partitions, small, true);
        assert!(check(&context, "point-in-time/tests/cases/seen") >= 20);
    }
}

#[test]
fn lookup_joins_travel() {
    for (seed, partitions) in [(1, 1), (2, 2), (3, 8)] {
        assert!(check(&session_of_asking(seed, partitions), "lookup-join/tests/cases") >= 8);
    }
}

/// A CASE that is asked first travels as what it is: a CASE.
#[test]
fn a_case_for_few_rows_travels() {
    let context = session_of_asking(1, 2);
    let mut rules = context.state().physical_optimizers().to_vec();
    rules.insert(rules.len() - 1, Arc::new(CaseGuardRule));
    let state = SessionStateBuilder::new_from_existing(context.state()).with_physical_optimizer_rules(rules);
    let guarded = SessionContext::new_with_state(state.build());
    let query = "SELECT shop, CASE WHEN size = 1 THEN name WHEN a > b THEN 'more' END AS word FROM asking";
    let runtime = Runtime::new().unwrap();
    let [plain, here] = [&context, &guarded].map(|context| runtime.block_on(plan(context, query)));
    assert!(displayable(here.as_ref()).indent(false).to_string().contains(" OR "));
    let [expected, answered] = [plain, there(&here)].map(|plan| {
        let batches = runtime.block_on(collect(Arc::clone(&plan), context.task_ctx())).unwrap();
        in_order(&batches, &here)
    });
    assert!(expected == answered);
}

/// It counts what it reads, and in a slice that is not all there is.
#[test]
fn rows_that_are_counted_do_not_travel() {
    let context = session_of_asking(1, 2);
    let query = "SELECT shop FROM asking GROUP BY shop HAVING COUNT(*) > 3";
    let runtime = Runtime::new().unwrap();
    let rules = [&[Arc::new(FrequentGroupsRule::default()) as _][..], context.state().physical_optimizers()].concat();
    let state = SessionStateBuilder::new_from_existing(context.state());
    let counting = SessionContext::new_with_state(state.with_physical_optimizer_rules(rules).build());
    let plan = runtime.block_on(plan(&counting, query));
    assert!(displayable(plan.as_ref()).indent(false).to_string().contains("FrequentRowsExec"));
    let error = physical_plan_to_bytes_with_extension_codec(plan, &Codec::default()).unwrap_err();
    assert!(error.to_string().contains("FrequentRows"), "{error}");
}

#[test]
fn a_plan_of_another_version_is_refused_in_words() {
    let context = session_of_shops(1, 2, 1 << 16, true);
    let (_, query) = &queries("point-in-time/tests/cases/seen")[0];
    let plan = Runtime::new().unwrap().block_on(plan(&context, query));
    let bytes = physical_plan_to_bytes_with_extension_codec(plan, &Codec::of_version("selvedge-cluster/0")).unwrap();
    let state = selvedge_cluster::session(SessionConfig::new()).unwrap();
    let read = physical_plan_from_bytes_with_extension_codec(&bytes, &state.task_ctx(), &Codec::default());
    let error = read.unwrap_err().to_string();
    assert!(error.contains("made by selvedge-cluster/0") && error.contains("all machines need the same"), "{error}");
}
