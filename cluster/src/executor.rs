//! An executor: asks the scheduler for tasks, runs them, and keeps their rows until who wants them has fetched them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::flight_service::BallistaFlightService;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use selvedge_project::error::Result;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::buckets::Buckets;
use crate::codec::Codec;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::peers::Peers;
use crate::status::authority;
use crate::{LARGEST_PLAN, session};

/// How an executor is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the scheduler is.
    pub scheduler: String,
    pub bind: IpAddr,
    pub port: u16,
    /// What other machines call this one.
    pub host: String,
    /// Tasks at a time.
    pub tasks: usize,
    /// Memory of all tasks together; none: seven tenths of the machine's.
    pub memory: Option<u64>,
    /// Where rows wait for being fetched.
    pub scratch: Option<PathBuf>,
    pub peers: Peers,
    /// What opens buckets that plans read.
    pub keys: Keys,
}

/// Runs an executor until it is stopped.
pub async fn run(options: Options) -> Result<()> {
    options.peers.refuse_open(options.bind)?;
    let failed = |what: String| Failure::new(what, "look at --scheduler, --port and --scratch");
    let scratch = match &options.scratch {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| tempfile::tempdir_in(folder)),
        None => tempfile::tempdir(),
    };
    let scratch = scratch.map_err(|e| failed(format!("there is no place for rows that wait: {e}")))?;
    let scheduler = authority(&options.scheduler);
    let (host, port) = scheduler.rsplit_once(':').unwrap_or((&scheduler, "50050"));
    let scheduler_port = port
        .parse()
        .map_err(|_| failed(format!("{} is no address such as http://127.0.0.1:50050", options.scheduler)))?;
    let functions = session(SessionConfig::new()).map_err(|e| failed(e.to_string()))?;
    let buckets: Arc<dyn ObjectStoreRegistry> = Arc::new(Buckets::new(options.keys));
    let spills = scratch.path().to_owned();
    let (peers, settings) = (options.peers.clone(), options.peers.clone());
    let config = ExecutorProcessConfig {
        bind_host: options.bind.to_string(),
        external_host: Some(options.host),
        port: options.port,
        scheduler_host: host.to_owned(),
        scheduler_port,
        scheduler_connect_timeout_seconds: 60,
        vcores: options.tasks,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        work_dir: Some(scratch.path().to_string_lossy().into_owned()),
        memory_pool_size: options.memory,
        grpc_max_decoding_message_size: LARGEST_PLAN as u32,
        grpc_max_encoding_message_size: LARGEST_PLAN as u32,
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&functions))),
        override_config_producer: Some(Arc::new(move || with_peers(SessionConfig::new_with_ballista(), &settings))),
        override_runtime_producer: Some(Arc::new(move |_: &SessionConfig| {
            let runtime = RuntimeEnvBuilder::new().with_temp_file_path(spills.clone());
            runtime.with_object_store_registry(Arc::clone(&buckets)).build_arc()
        })),
        override_physical_codec: Some(Arc::new(Codec::default())),
        override_create_grpc_client_endpoint: Some(options.peers.endpoints()),
        override_arrow_flight_service: Some(Arc::new(move |folder, address, mut stop, _| {
            let peers = peers.clone();
            tokio::spawn(async move { flight(folder, address, &peers, stop.recv()).await })
        })),
        ..ExecutorProcessConfig::default()
    };
    let ran = start_executor_process(Arc::new(config)).await;
    Ok(ran.map_err(|e| failed(format!("the executor stopped: {e}")))?)
}

/// Settings under which rows are fetched from other machines of the cluster.
pub fn with_peers(config: SessionConfig, peers: &Peers) -> SessionConfig {
    config
        .with_ballista_grpc_client_max_message_size(LARGEST_PLAN)
        .with_ballista_use_tls(peers.have_certificates())
        .with_ballista_override_create_grpc_client_endpoint(peers.endpoints())
}

/// Gives rows to who fetches them.
async fn flight(
    folder: String,
    address: SocketAddr,
    peers: &Peers,
    stop: impl Future<Output = ()>,
) -> std::result::Result<(), BallistaError> {
    let listener = TcpListener::bind(address).await?;
    let service = FlightServiceServer::new(BallistaFlightService::new(folder))
        .max_decoding_message_size(LARGEST_PLAN)
        .max_encoding_message_size(LARGEST_PLAN);
    peers.serve(listener, Routes::new(service), stop).await.map_err(BallistaError::TonicError)
}
