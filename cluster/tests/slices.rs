//! What does not come out the same in slices is found, a case of each planted.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{EmptyRecordBatchStream, displayable};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use frequent_groups::FrequentGroupsRule;
use selvedge_cluster::slices::{Readable, obstacle};
use tokio::runtime::Runtime;

use crate::random_plans::{plan, queries, session_of_asking, session_of_shops};

fn of(context: &SessionContext, query: &str, folders: &[PathBuf]) -> (String, Option<String>) {
    let plan = Runtime::new().unwrap().block_on(plan(context, query));
    let readable = Readable { folders: folders.to_vec(), storages: Vec::new() };
    (displayable(plan.as_ref()).indent(false).to_string(), obstacle(&plan, &readable))
}

#[test]
fn what_is_not_safe_is_named() {
    let sliced = session_of_shops(1, 2, 1 << 16, true);
    let asking = session_of_asking(1, 2);
    let rules = [&[Arc::new(FrequentGroupsRule::default()) as _][..], asking.state().physical_optimizers()].concat();
    let counting = SessionStateBuilder::new_from_existing(asking.state()).with_physical_optimizer_rules(rules).build();
    let counting = SessionContext::new_with_state(counting);
    for (context, query, operator, wanted) in [
        (
            &counting,
            "SELECT shop FROM asking GROUP BY shop HAVING COUNT(*) > 3",
            "FrequentRowsExec",
            "FrequentRowsExec",
        ),
        (&asking, "SELECT k.* FROM asking a RIGHT JOIN known k ON k.shop = a.shop", "CollectLeft", "one side whole"),
        (
            &asking,
            "SELECT * FROM known k WHERE k.shop NOT IN (SELECT shop FROM asking)",
            "CollectLeft",
            "one side whole",
        ),
        (&sliced, "SELECT k.* FROM kinds k LEFT JOIN grain g ON g.a < k.rank", "NestedLoopJoinExec", "by no key"),
        (
            &sliced,
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n",
            "RecursiveQueryExec",
            "RecursiveQueryExec",
        ),
        (
            &sliced,
            "SELECT 'none' AS label, 0 AS n UNION ALL SELECT label, a AS n FROM grain",
            "PlaceholderRowExec",
            "come from no table",
        ),
        (&sliced, "COPY (SELECT shop FROM grain) TO '/tmp/never-written.parquet'", "DataSinkExec", "DataSinkExec"),
        (&sliced, "EXPLAIN SELECT shop FROM grain", "ExplainExec", "ExplainExec"),
    ] {
        let (shown, found) = of(context, query, &[]);
        assert!(shown.contains(operator), "{query}\n{shown}");
        assert!(found.as_ref().is_some_and(|found| found.contains(wanted)), "{query}: {found:?}\n{shown}");
    }
}

#[test]
fn files_elsewhere_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let context = session_of_shops(1, 2, 1 << 16, true);
    let path = folder.path().join("grain.parquet").to_str().unwrap().to_owned();
    Runtime::new().unwrap().block_on(async {
        let grain = context.table("grain").await.unwrap();
        grain.write_parquet(&path, Default::default(), None).await.unwrap();
        context.register_parquet("file", &path, ParquetReadOptions::default()).await.unwrap();
    });
    let query = "SELECT shop FROM file";
    assert_eq!(of(&context, query, &[folder.path().to_owned()]).1, None);
    for other in [folder.path().join("gra"), PathBuf::from("/somewhere")] {
        let found = of(&context, query, &[other]).1;
        assert!(found.as_ref().is_some_and(|found| found.contains(&*path) && found.contains("outside")), "{found:?}");
    }
}

/// What a cluster is for is not refused.
#[test]
fn the_operators_cases_have_no_obstacle() {
    let context = session_of_shops(1, 4, 1 << 16, true);
    for (file, query) in queries("point-in-time/tests/cases/seen") {
        let (shown, found) = of(&context, &query, &[]);
        assert_eq!(found, None, "{}\n{shown}", file.display());
    }
}

/// Rows that were put aside while a file was read are on the disk of who read them.
#[test]
fn rows_that_are_kept_here_stay() {
    let context = session_of_asking(1, 2);
    let schema = Arc::new(Schema::new(vec![Field::new("shop", DataType::Int64, false)]));
    let kept = StreamingTable::try_new(Arc::clone(&schema), vec![Arc::new(Kept(schema))]).unwrap();
    context.register_table("kept", Arc::new(kept)).unwrap();
    let (shown, found) = of(&context, "SELECT shop, COUNT(*) FROM kept GROUP BY shop", &[]);
    assert!(shown.contains("StreamingTableExec"), "{shown}");
    assert!(found.as_ref().is_some_and(|found| found.contains("StreamingTableExec")), "{found:?}");
}

#[derive(Debug)]
struct Kept(SchemaRef);

impl PartitionStream for Kept {
    fn schema(&self) -> &SchemaRef {
        &self.0
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        Box::pin(EmptyRecordBatchStream::new(Arc::clone(&self.0)))
    }
}
