//! An object store in the place of a shared folder: who may read what, and what is refused in words.  That the bytes are the
//! same through a store that answers, scripts/cluster_test.py tests.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use object_store::path::Path as ObjectPath;
use selvedge_cluster::keys::Keys;
use selvedge_cluster::slices::{Readable, obstacle};
use selvedge_cluster::storage::{self, Location};
use selvedge_engine::elsewhere::Elsewhere;
use tokio::runtime::Runtime;

use crate::export::project;
use crate::failures::{says, words};
use crate::programs::{PROGRAM, Running, free_port};
use crate::random_plans::{plan, session_of_asking};
use crate::two_executors::client;

/// A plan over a file below `folder`, with an object of that name in its place.
async fn over_bucket(context: &SessionContext, folder: &Path, object: &str) -> Arc<dyn ExecutionPlan> {
    let path = folder.join("asked.parquet").to_str().unwrap().to_owned();
    context.table("asking").await.unwrap().write_parquet(&path, Default::default(), None).await.unwrap();
    context.register_parquet("file", &path, ParquetReadOptions::default()).await.unwrap();
    let plan = plan(context, "SELECT shop, COUNT(*) FROM file GROUP BY shop").await;
    let in_bucket = |node: Arc<dyn ExecutionPlan>| {
        let scan = node.downcast_ref::<DataSourceExec>().and_then(|scan| scan.data_source().downcast_ref());
        let Some(scan): Option<&FileScanConfig> = scan else { return Ok(Transformed::no(node)) };
        Ok(Transformed::yes(storage::in_bucket(scan, "shop", |_| ObjectPath::from(object)).unwrap()))
    };
    plan.transform_up(in_bucket).unwrap().data
}

#[test]
fn a_place_is_a_bucket_and_a_prefix() {
    let shown = |text| Location::parse(text).map(|location| location.to_string());
    assert_eq!(shown("s3://shop/cluster/a/").as_deref(), Some("s3://shop/cluster/a"));
    for bad in ["s3://shop", "s3://shop/", "shop/cluster", "/srv/shop", "s3:///cluster", "s3://key:secret@shop/cluster"]
    {
        assert_eq!(shown(bad), None, "{bad}");
    }
}

#[test]
fn objects_elsewhere_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let context = session_of_asking(1, 2);
    let plan = Runtime::new().unwrap().block_on(over_bucket(&context, folder.path(), "cluster/run/asked.parquet"));
    let readable = |text| Readable { storages: vec![Location::parse(text).unwrap()], ..Readable::default() };
    assert_eq!(obstacle(&plan, &readable("s3://shop/cluster")), None);
    for other in ["s3://shop/clu", "s3://shop/other", "s3://shops/cluster"] {
        let found = obstacle(&plan, &readable(other)).unwrap_or_default();
        assert!(found.contains("s3://shop/cluster/run/asked.parquet lies outside of the storages"), "{other}: {found}");
    }
    let folders = Readable { folders: vec!["/".into()], ..Readable::default() };
    assert!(obstacle(&plan, &folders).is_some(), "a folder is no bucket");
}

fn file_of_keys(folder: &Path, text: &str, mode: u32) -> std::path::PathBuf {
    let path = folder.join("keys");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn keys_are_read_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let whole = "# the store's\nAWS_ACCESS_KEY_ID=known\nexport AWS_SECRET_ACCESS_KEY=\"se=cret\"\n";
    let keys = Keys::new(Some(&file_of_keys(folder.path(), whole, 0o600))).unwrap();
    assert!(keys.bucket("shop").is_ok());
    let shown = format!("{keys:?}");
    assert!(!shown.contains("known") && !shown.contains("cret"), "{shown}");

    let refused = |text: &str, mode| Keys::new(Some(&file_of_keys(folder.path(), text, mode))).unwrap_err().to_string();
    assert!(refused(whole, 0o644).contains("others may read it") && refused(whole, 0o640).contains("chmod 600"));
    let said = refused("AWS_ACCESS_KEY_ID=known\nwJalrXUtnFEMI=\n", 0o600);
    assert!(said.contains("keys:2: this is no line such as NAME=value") && !said.contains("wJalr"), "{said}");

    let opened = |more: &str| {
        let keys = Keys::new(Some(&file_of_keys(folder.path(), &format!("{whole}{more}"), 0o600))).unwrap();
        keys.bucket("shop").map(|_| ()).map_err(|failure| failure.what)
    };
    assert!(opened("AWS_ENDPOINT_URL=http://127.0.0.1:9000\n").is_ok());
    assert!(opened("AWS_ENDPOINT_URL=https://storage.example.com\n").is_ok());
    let open = "AWS_ENDPOINT_URL=http://storage.example.com\n";
    assert!(opened(open).unwrap_err().contains("unencrypted"));
    assert!(opened(&format!("{open}AWS_ALLOW_HTTP=true\n")).is_ok());
    assert!(opened("AWS_ENDPOINT_URL=storage.example.com\n").unwrap_err().contains("is no address"));
    let none = Keys::default().bucket("shop").map(|_| ()).map_err(|failure| failure.what).unwrap_err();
    assert!(none.contains("there are no keys for s3://shop: AWS_ACCESS_KEY_ID"), "{none}");
}

/// An executor that has no keys, and a scheduler that lets nobody read that place.
#[test]
fn the_others_refuse_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start_with(folder.path(), &["--storage", "s3://shop/cluster"], 1, None);
    let (runtime, context) = (Runtime::new().unwrap(), session_of_asking(1, 2));
    let cluster = client(&running, Duration::from_secs(60));
    let ask = |object: &str| {
        let answer = runtime.block_on(async {
            let plan = over_bucket(&context, folder.path(), object).await;
            let answer = cluster.answer(plan, &context.state()).await;
            context.deregister_table("file").unwrap();
            answer
        });
        words(answer.map(|rows| rows.len()))
    };
    says(&ask("cluster/run/asked.parquet"), &["an executor has no keys to the object store", "--keys FILE"]);
    says(&ask("other/asked.parquet"), &["the scheduler lets nobody read engine.cluster_storage", "--storage"]);
    running.executors.clear();
}

/// What a client says that cannot write there.
fn exported(running: &Running, storage: &str, keys: &[(&str, &str)]) -> Output {
    let url = running.url();
    let lines = format!("  cluster: {url}\n  cluster_least_rows: 0\n  cluster_storage: {storage}\n");
    let folder = project(&lines);
    let mut program = Command::new(PROGRAM);
    program.args(["run", "--", "--root"]).arg(folder.path()).args(["run", "ingest", "features"]);
    program.envs(keys.iter().copied()).output().unwrap()
}

#[test]
fn a_store_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 1, None);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let keys = [("AWS_ACCESS_KEY_ID", "some-id"), ("AWS_SECRET_ACCESS_KEY", "some-secret")];
    let silent = [keys[0], keys[1], ("AWS_ENDPOINT_URL", &nowhere)];
    for (storage, keys, wanted) in [
        ("/srv/shop", &keys[..], &["params.yaml:", "no place of an object store", "s3://bucket/prefix"][..]),
        ("s3://shop/cluster", &[], &["params.yaml:", "there are no keys for s3://shop", "--keys FILE"]),
        ("s3://shop/cluster", &silent, &[&nowhere, "gives no answer", "AWS_ENDPOINT_URL"]),
    ] {
        let began = Instant::now();
        let ran = exported(&running, storage, keys);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(1), "{said}");
        says(&said, wanted);
        assert!(!said.contains("some-"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}
