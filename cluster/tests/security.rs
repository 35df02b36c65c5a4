//! Who is answered, and what is not.

use std::process::Command;
use std::time::Duration;

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{ExecuteQueryParams, GetJobStatusParams};
use datafusion_proto::bytes::{logical_plan_to_bytes, physical_plan_to_bytes_with_extension_codec};
use selvedge_cluster::codec::Codec;
use selvedge_cluster::peers::Peers;
use tokio::runtime::Runtime;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

use crate::programs::{PROGRAM, Process, Running};
use crate::random_plans::{plan, session_of_shops};

fn certificates() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(PROGRAM).arg("certificates").arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn submission(query: Query) -> Request<ExecuteQueryParams> {
    let session_id = "stranger".to_owned();
    let mut request = Request::new(ExecuteQueryParams { query: Some(query), session_id, ..Default::default() });
    ballista_core::version::insert_version_header(request.metadata_mut());
    request
}

#[test]
fn an_open_door_is_refused() {
    for arguments in [&["scheduler", "--bind", "0.0.0.0", "--folder", "."][..], &["executor", "--bind", "0.0.0.0"]] {
        let mut process = Process::start(arguments);
        assert_eq!(process.ended(Duration::from_secs(10)), Some(1));
        let said = process.said();
        assert!(said.contains("there are no certificates") && said.contains("selvedge-cluster certificates"), "{said}");
    }
}

#[test]
fn with_certificates_only_who_has_one_is_answered() {
    let (folder, ours, theirs) = (tempfile::tempdir().unwrap(), certificates(), certificates());
    let running = Running::start(folder.path(), 1, Some(ours.path()));
    assert!(running.status().contains("executor 127.0.0.1"));
    for (what, other) in [("without", None), ("of another cluster", Some(theirs.path()))] {
        let mut asked = Command::new(PROGRAM);
        asked.args(["status", "--scheduler", &running.url()]);
        if let Some(folder) = other {
            asked.arg("--certificates").arg(folder);
        }
        let answer = asked.output().unwrap();
        assert_eq!(answer.status.code(), Some(1), "{what}");
        assert!(answer.stdout.is_empty());
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(said.contains("gives no answer") && said.contains("do: "), "{what}: {said}");
    }
    // An executor's door too.
    let port = running
        .status()
        .lines()
        .find_map(|line| Some(line.strip_prefix("executor 127.0.0.1:")?.split(':').next()?.to_owned()));
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", port.unwrap())).unwrap();
    let fetched = Runtime::new().unwrap().block_on(async {
        let channel = endpoint.connect().await.map_err(|e| e.to_string())?;
        let mut client = arrow_flight::flight_service_client::FlightServiceClient::new(channel);
        client.list_actions(Request::new(arrow_flight::Empty {})).await.map(|_| ()).map_err(|e| e.to_string())
    });
    assert!(fetched.is_err());
}

#[test]
fn certificates_are_never_written_over() {
    let folder = certificates();
    let before = std::fs::read(folder.path().join("client.key")).unwrap();
    let again = Command::new(PROGRAM).arg("certificates").arg(folder.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read(folder.path().join("client.key")).unwrap(), before);
    use std::os::unix::fs::PermissionsExt;
    let mode = folder.path().join("client.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "others may not read a key");
}

/// Somebody with a client of his own, and with ours; statements, and plans that write or read what they may not.
#[test]
fn a_stranger_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 1, None);
    let context = session_of_shops(1, 2, 1 << 16, true);
    let target = folder.path().join("stolen.parquet");
    let copy = format!("COPY (SELECT shop FROM grain) TO '{}'", target.display());
    let secret = tempfile::tempdir().unwrap();
    let secret = secret.path().join("secret.parquet").to_str().unwrap().to_owned();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let stranger = Endpoint::from_shared(running.url()).unwrap().connect().await.unwrap();
        let refused: Status =
            SchedulerGrpcClient::new(stranger).get_job_status(GetJobStatusParams::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        assert!(refused.message().contains("is not of this cluster's version"), "{refused}");

        let ours = Peers::default().endpoint(&format!("127.0.0.1:{}", running.port)).unwrap().connect().await.unwrap();
        let mut ours = SchedulerGrpcClient::new(ours);
        let statement = context.state().create_logical_plan("CREATE TABLE t AS SELECT 1 AS one").await.unwrap();
        let statement = logical_plan_to_bytes(&statement).map(|bytes| bytes.to_vec()).unwrap_or_default();
        let writes = plan(&context, &copy).await;
        let grain = context.table("grain").await.unwrap();
        grain.write_parquet(&secret, Default::default(), None).await.unwrap();
        context.register_parquet("secret", &secret, Default::default()).await.unwrap();
        let reads = plan(&context, "SELECT shop FROM secret").await;
        let bytes = |plan| physical_plan_to_bytes_with_extension_codec(plan, &Codec::default()).unwrap().to_vec();
        for (query, wanted) in [
            (Query::LogicalPlan(statement), "no statements"),
            (Query::PhysicalPlan(bytes(writes)), "DataSinkExec"),
            (Query::PhysicalPlan(bytes(reads)), "outside of the folders"),
        ] {
            let refused = ours.execute_query(submission(query.clone())).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
            assert!(refused.message().contains(wanted), "{refused}");
            let refused = ours.execute_query_push(submission(query)).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        }
    });
    assert!(!target.exists());
}
