//! The operators' random plans, here and on two executors: equal bit for bit, whatever happens to one of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use selvedge_cluster::client::{Cluster, Settings};
use selvedge_cluster::keys::Keys;
use selvedge_cluster::peers::Peers;
use selvedge_engine::elsewhere::Elsewhere;
use tokio::runtime::Runtime;

use crate::programs::Running;
use crate::random_plans::{in_order, plan, queries, session_of_asking, session_of_shops};
use crate::shops::SHOPS;

pub fn client(running: &Running, patience: Duration) -> Cluster {
    let settings = Settings { peers: Peers::default(), keys: Keys::default(), patience };
    Cluster::new(&running.url(), running.folder.clone(), running.folder.join("scratch"), 0, settings)
}

/// The answers of a query here and there.
fn both(runtime: &Runtime, cluster: &Cluster, context: &SessionContext, query: &str) -> Result<[RecordBatch; 2]> {
    runtime.block_on(async {
        let plan = plan(context, query).await;
        assert_eq!(cluster.stays(&plan), None, "{query}");
        let here = collect(Arc::clone(&plan), context.task_ctx()).await?;
        let there = cluster.answer(Arc::clone(&plan), &context.state()).await?;
        Ok([in_order(&here, &plan), in_order(&there, &plan)])
    })
}

#[test]
fn random_plans_answer_as_here() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 2, None);
    let cluster = client(&running, Duration::from_secs(60));
    let runtime = Runtime::new().unwrap();
    let mut cases = 0;
    for (seed, partitions, small) in [(1, 2, 1 << 16), (2, 3, 1 << 16), (3, 8, 0)] {
        let context = session_of_shops(seed, partitions, small, true);
        for (file, query) in queries("point-in-time/tests/cases/seen") {
            let [here, there] = both(&runtime, &cluster, &context, &query).unwrap();
            assert!(here == there, "{}, {partitions} partitions", file.display());
            cases += SHOPS;
        }
    }
    assert!(cases >= 17_000, "{cases} cases");
}

#[test]
fn lookups_and_joins_of_every_kind_answer_as_here() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 2, None);
    let cluster = client(&running, Duration::from_secs(60));
    let runtime = Runtime::new().unwrap();
    for partitions in [2, 3] {
        let context = session_of_asking(7, partitions);
        for (file, query) in queries("lookup-join/tests/cases") {
            // What is left alone is held whole in each slice, and so not sent.
            if query.starts_with("-- left alone") || query.replace("LEFT JOIN", "").contains("JOIN") {
                continue;
            }
            let [here, there] = both(&runtime, &cluster, &context, &query).unwrap();
            assert!(here == there, "{}, {partitions} partitions", file.display());
        }
        // Now dealt out by key, as selvedge has it where there is a cluster.
        context.state_ref().write().config_mut().options_mut().optimizer.repartition_joins = true;
        for query in [
            "SELECT a.*, k.name AS found FROM asking a LEFT JOIN often k ON k.shop = a.shop AND k.size = a.size",
            "SELECT a.*, k.name AS found FROM asking a JOIN often k ON k.shop = a.shop AND k.size = a.size",
            "SELECT shop, COUNT(*), MIN(name) FROM asking GROUP BY shop HAVING COUNT(*) > 3",
            "SELECT shop, row_number() OVER (PARTITION BY shop ORDER BY name, size, a, b) AS n FROM asking",
            "SELECT shop FROM asking UNION ALL SELECT size FROM often UNION ALL SELECT MAX(a) FROM known",
            "SELECT a.size, (SELECT MAX(size) FROM known) AS most FROM asking a",
            "SELECT a.*, k.name AS found FROM asking a FULL JOIN often k ON k.shop = a.shop AND k.size = a.size",
            "SELECT k.* FROM often k WHERE EXISTS (SELECT 1 FROM asking a WHERE a.shop = k.shop)",
            "SELECT k.* FROM often k WHERE NOT EXISTS (SELECT 1 FROM asking a WHERE a.size = k.size AND a.shop = k.shop)",
            "SELECT k.* FROM often k RIGHT JOIN known a ON a.shop = k.shop",
        ] {
            let [here, there] = both(&runtime, &cluster, &context, query).unwrap();
            assert!(here == there, "{query}, {partitions} partitions");
            assert!(here.num_rows() > 0);
        }
    }
}

/// At ten moments of a query an executor is killed, and another comes.
#[test]
fn a_killed_executor_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), 2, None);
    let runtime = Runtime::new().unwrap();
    let context = session_of_shops(2, 4, 0, true);
    let (_, query) =
        queries("point-in-time/tests/cases/seen").into_iter().find(|(file, _)| file.ends_with("windows.sql")).unwrap();
    let cluster = client(&running, Duration::from_secs(60));
    let began = Instant::now();
    let [expected, _] = both(&runtime, &cluster, &context, &query).unwrap();
    let usual = began.elapsed();
    for kill in 0..10 {
        let cluster = client(&running, Duration::from_secs(60));
        let asked = runtime.spawn({
            let (context, query) = (context.clone(), query.clone());
            async move {
                let plan = plan(&context, &query).await;
                let there = cluster.answer(Arc::clone(&plan), &context.state()).await;
                there.map(|there| in_order(&there, &plan))
            }
        });
        std::thread::sleep(usual * kill / 9);
        // The one that has been there for longer.
        running.executors.remove(0).kill();
        running.start_executor(&[]);
        let found = runtime.block_on(asked).unwrap().unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        let rows = [expected.num_rows(), found.num_rows()];
        assert!(expected == found, "kill {kill}: {rows:?} rows");
    }
}
