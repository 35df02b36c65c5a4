//! What goes wrong, in words, and within its time.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use selvedge_cluster::client::Cluster;
use selvedge_engine::elsewhere::{Elsewhere, NoAnswer};
use tokio::runtime::Runtime;

use crate::export::{project, run};
use crate::programs::{PROGRAM, Process, Running, free_port, wait_until};
use crate::random_plans::{plan, session_of_asking};
use crate::two_executors::client;

/// Slow enough to be stopped in the middle.
const SLOW: &str =
    "SELECT COUNT(*) FROM asking a CROSS JOIN asking b CROSS JOIN known c WHERE a.size + b.size + c.size = 1";
const QUICK: &str = "SELECT shop, COUNT(*) FROM asking GROUP BY shop";

async fn ask(cluster: &Cluster, context: &SessionContext, query: &str) -> Result<usize> {
    let plan = plan(context, query).await;
    let rows = cluster.answer(Arc::clone(&plan), &context.state()).await?;
    Ok(rows.iter().map(|batch| batch.num_rows()).sum())
}

/// What happened, and what to do.
pub fn words(answer: Result<usize>) -> String {
    let error = answer.unwrap_err();
    let datafusion::error::DataFusionError::External(cause) = &error else { panic!("{error}") };
    let NoAnswer { what, advice } = cause.downcast_ref().unwrap_or_else(|| panic!("{error}"));
    format!("{what}\n{advice}")
}

pub fn says(words: &str, wanted: &[&str]) {
    assert!(wanted.iter().all(|wanted| words.contains(wanted)), "{words}");
}

#[test]
fn no_scheduler() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), 0, None);
    running.scheduler.kill();
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let cluster = client(&running, Duration::from_secs(60));
    let began = Instant::now();
    let words = words(runtime.block_on(ask(&cluster, &context, QUICK)));
    says(&words, &["no scheduler answers", &running.url(), "`selvedge-cluster scheduler`"]);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn no_executor() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 0, None);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let words = words(runtime.block_on(ask(&client(&running, Duration::from_secs(60)), &context, QUICK)));
    says(&words, &["there is no executor", "`selvedge-cluster executor`"]);
}

/// The scheduler is killed: an error at once; started again, with executors that have been there all along, it answers.
#[test]
fn a_killed_scheduler() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), 1, None);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let cluster = Arc::new(client(&running, Duration::from_secs(60)));
    let asked = runtime.spawn({
        let (cluster, context) = (Arc::clone(&cluster), context.clone());
        async move { ask(&cluster, &context, SLOW).await }
    });
    std::thread::sleep(Duration::from_secs(2));
    running.scheduler.kill();
    let began = Instant::now();
    says(&words(runtime.block_on(asked).unwrap()), &["the scheduler was lost", "run this again"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // The slow task is of nobody any longer.
    running.executors.clear();
    running.start_scheduler();
    running.start_executor(&[]);
    running.wait_for_executors(1);
    assert!(runtime.block_on(ask(&cluster, &context, QUICK)).unwrap() > 0);
}

#[test]
fn patience_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 1, None);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let words = words(runtime.block_on(ask(&client(&running, Duration::from_secs(3)), &context, SLOW)));
    says(&words, &["no task of a query was finished for 3 seconds", "--patience"]);
}

#[test]
fn too_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), 0, None);
    running.start_executor(&["--memory", "1"]);
    running.wait_for_executors(1);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let query = "SELECT shop, name, size, a, b, COUNT(*) FROM (SELECT * FROM asking UNION ALL SELECT shop + 1, a, b, name, size FROM asking) GROUP BY shop, name, size, a, b ORDER BY name, size";
    let words = words(runtime.block_on(ask(&client(&running, Duration::from_secs(60)), &context, query)));
    says(&words, &["too little memory", "--memory"]);
}

/// As on a machine that does not have the project's folder.
#[test]
fn a_file_that_an_executor_cannot_see() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 1, None);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let path = running.folder.join("asked.parquet").to_str().unwrap().to_owned();
    let answer = runtime.block_on(async {
        let asking = context.table("asking").await.unwrap();
        asking.write_parquet(&path, Default::default(), None).await.unwrap();
        context.register_parquet("file", &path, Default::default()).await.unwrap();
        let plan = plan(&context, "SELECT shop, COUNT(*) FROM file GROUP BY shop").await;
        std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)).unwrap();
        client(&running, Duration::from_secs(60)).answer(plan, &context.state()).await
    });
    says(&words(answer.map(|rows| rows.len())), &["an executor cannot see a file", "under the same path"]);
}

/// As on a disk where no file can have more than 8 KiB.
#[test]
fn a_disk_that_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), 0, None);
    let arguments = ["executor", "--scheduler", &running.url(), "--port", &free_port().to_string()].map(str::to_owned);
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$@\"";
    running.executors.push(Process::of(Command::new("sh").args(["-c", script, "sh", PROGRAM]).args(arguments)));
    running.wait_for_executors(1);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let query = "SELECT shop, name, size, COUNT(*), MIN(a), MAX(b) FROM asking GROUP BY shop, name, size";
    let words = words(runtime.block_on(ask(&client(&running, Duration::from_secs(60)), &context, query)));
    says(&words, &["an executor's disk is full", "--scratch"]);
}

/// Ctrl-C: nobody works any longer for who is gone.
#[test]
fn ctrl_c_cancels_what_was_asked() {
    let there = project("  cluster: http://127.0.0.1:PORT\n  cluster_least_rows: 0\n");
    let running = Running::start(there.path(), 1, None);
    let params = there.path().join("params.yaml");
    let text = std::fs::read_to_string(&params).unwrap().replace("PORT", &running.port.to_string());
    std::fs::write(&params, text).unwrap();
    run(there.path(), &["ingest"]);
    let slow = "SELECT COUNT(*) FROM sources.transactions a CROSS JOIN sources.transactions b WHERE a.event_time < b.event_time";
    let mut asking =
        Process::of(Command::new(PROGRAM).args(["run", "--", "--root"]).arg(there.path()).args(["sql", slow]));
    wait_until(Duration::from_secs(30), || running.status().contains(": runs,"));
    let began = Instant::now();
    asking.interrupt();
    assert_eq!(asking.ended(Duration::from_secs(20)), Some(130), "{}", asking.said());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    says(&asking.said(), &["nothing is lost", "1 queries were cancelled"]);
    let status = running.status();
    assert!(!status.contains(": runs,") && !status.contains(": waits,"), "{status}");
}
