//! The scheduler: takes plans from clients, cuts them into stages, and hands their tasks to executors that ask for some.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::routing::get;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_server::{SchedulerGrpc, SchedulerGrpcServer};
use ballista_core::serde::protobuf::{
    CancelJobParams, CancelJobResult, CleanJobDataParams, CleanJobDataResult, CreateUpdateSessionParams,
    CreateUpdateSessionResult, ExecuteQueryParams, ExecuteQueryResult, ExecutorStoppedParams, ExecutorStoppedResult,
    GetJobMetricsParams, GetJobMetricsResult, GetJobStatusParams, GetJobStatusResult, HeartBeatParams, HeartBeatResult,
    PollWorkParams, PollWorkResult, RegisterExecutorParams, RegisterExecutorResult, RemoveSessionParams,
    RemoveSessionResult, UpdateTaskStatusParams, UpdateTaskStatusResult,
};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::create_scheduler;
use datafusion::execution::TaskContext;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use selvedge_project::error::Result;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::codec::Codec;
use crate::failure::Failure;
use crate::peers::Peers;
use crate::slices::Readable;
use crate::status::Ballista;
use crate::whole::Whole;
use crate::{LARGEST_PLAN, session, slices, status};

/// How a scheduler is started.
#[derive(Debug, Clone)]
pub struct Options {
    pub bind: IpAddr,
    pub port: u16,
    /// What plans may read.
    pub readable: Readable,
    pub peers: Peers,
    /// An executor that does not ask for so many seconds is taken for lost.
    pub lost_after: u64,
}

/// Runs a scheduler until `stop`.
pub async fn run(options: Options, stop: impl Future<Output = ()>) -> Result<()> {
    options.peers.refuse_open(options.bind)?;
    let address = SocketAddr::new(options.bind, options.port);
    let failed = |what: String| Failure::new(what, "choose another --port or --bind, or stop what listens there");
    let listener = TcpListener::bind(address).await.map_err(|e| failed(format!("{address}: {e}")))?;
    let config = SchedulerConfig {
        external_host: options.bind.to_string(),
        bind_host: options.bind.to_string(),
        bind_port: options.port,
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        // Ballista hears of a lost executor once the queries that it would patch are ended.
        executor_timeout_seconds: 3 * options.lost_after,
        expire_dead_executor_interval_seconds: options.lost_after,
        no_executors_grace_period_seconds: 3 * options.lost_after,
        grpc_server_max_decoding_message_size: LARGEST_PLAN as u32,
        grpc_server_max_encoding_message_size: LARGEST_PLAN as u32,
        grpc_client_max_message_size: LARGEST_PLAN as u32,
        override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
        override_session_builder: Some(Arc::new(session)),
        override_physical_codec: Some(Arc::new(Codec::default())),
        override_create_grpc_client_endpoint: Some(options.peers.endpoints()),
        use_tls: options.peers.have_certificates(),
        ..SchedulerConfig::default()
    };
    let broken = |e: ballista_core::error::BallistaError| failed(format!("the scheduler did not start: {e}"));
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(broken)?;
    let inner: Ballista = create_scheduler(cluster, Arc::new(config)).await.map_err(broken)?;
    let context = session(SessionConfig::new()).map_err(|e| failed(e.to_string()))?.task_ctx();
    let whole = Arc::new(Whole::default());
    let guarded = Guarded { inner: inner.clone(), readable: options.readable, context, whole: Arc::clone(&whole) };
    let service = SchedulerGrpcServer::new(guarded)
        .max_decoding_message_size(LARGEST_PLAN)
        .max_encoding_message_size(LARGEST_PLAN);
    let (told, known) = (inner.clone(), Arc::clone(&whole));
    let state = get(move || {
        let (told, known) = (told.clone(), Arc::clone(&known));
        async move { Json(status::of(&told, &known).await) }
    });
    let routes = Routes::new(service).into_axum_router().route(status::PATH, state);
    let silent = Duration::from_secs(options.lost_after);
    let served = tokio::select! {
        served = options.peers.serve(listener, routes.into(), stop) => served,
        () = whole.watch(&inner, silent) => Ok(()),
    };
    Ok(served.map_err(|e| failed(format!("the scheduler stopped: {e}")))?)
}

/// Ballista's scheduler, which runs whatever it is given, behind what is refused: everything but plans whose operators and
/// files are known.
struct Guarded {
    inner: Ballista,
    readable: Readable,
    context: Arc<TaskContext>,
    whole: Arc<Whole>,
}

impl Guarded {
    fn refuse(&self, asked: &ExecuteQueryParams) -> std::result::Result<(), Status> {
        let Some(Query::PhysicalPlan(message)) = &asked.query else {
            return Err(Status::permission_denied(
                "only plans that selvedge has made are answered here, no statements",
            ));
        };
        let plan = PhysicalPlanNode::try_decode(message)
            .and_then(|node| node.try_into_physical_plan(&self.context, &Codec::default()))
            .map_err(|e| Status::invalid_argument(e.to_string()))?;
        match slices::obstacle(&plan, &self.readable) {
            Some(obstacle) => Err(Status::permission_denied(format!("a plan is refused: {obstacle}"))),
            None => Ok(()),
        }
    }
}

type Answer<T> = std::result::Result<Response<T>, Status>;

#[tonic::async_trait]
impl SchedulerGrpc for Guarded {
    type ExecuteQueryPushStream = <Ballista as SchedulerGrpc>::ExecuteQueryPushStream;

    async fn execute_query_push(&self, asked: Request<ExecuteQueryParams>) -> Answer<Self::ExecuteQueryPushStream> {
        self.refuse(asked.get_ref())?;
        self.inner.execute_query_push(asked).await
    }

    async fn execute_query(&self, asked: Request<ExecuteQueryParams>) -> Answer<ExecuteQueryResult> {
        self.refuse(asked.get_ref())?;
        self.inner.execute_query(asked).await
    }

    async fn poll_work(&self, asked: Request<PollWorkParams>) -> Answer<PollWorkResult> {
        // Ballista takes for granted that these are there.
        let whole = asked.get_ref().metadata.as_ref().is_some_and(|executor| {
            executor.host.is_some() && executor.specification.is_some() && executor.os_info.is_some()
        });
        if !whole {
            return Err(Status::invalid_argument("an executor says what it is"));
        }
        let told = asked.get_ref();
        self.whole.before_told(&self.inner, &told.task_status).await;
        told.metadata.iter().for_each(|executor| self.whole.heard(&executor.id));
        SchedulerGrpc::poll_work(&self.inner, asked).await
    }

    async fn register_executor(&self, _: Request<RegisterExecutorParams>) -> Answer<RegisterExecutorResult> {
        Err(Status::unimplemented("executors of this cluster ask for work"))
    }

    async fn heart_beat_from_executor(&self, asked: Request<HeartBeatParams>) -> Answer<HeartBeatResult> {
        self.inner.heart_beat_from_executor(asked).await
    }

    async fn update_task_status(&self, asked: Request<UpdateTaskStatusParams>) -> Answer<UpdateTaskStatusResult> {
        self.whole.before_told(&self.inner, &asked.get_ref().task_status).await;
        SchedulerGrpc::update_task_status(&self.inner, asked).await
    }

    async fn create_update_session(
        &self,
        asked: Request<CreateUpdateSessionParams>,
    ) -> Answer<CreateUpdateSessionResult> {
        self.inner.create_update_session(asked).await
    }

    async fn remove_session(&self, asked: Request<RemoveSessionParams>) -> Answer<RemoveSessionResult> {
        self.inner.remove_session(asked).await
    }

    async fn get_job_status(&self, asked: Request<GetJobStatusParams>) -> Answer<GetJobStatusResult> {
        self.inner.get_job_status(asked).await
    }

    async fn get_job_metrics(&self, asked: Request<GetJobMetricsParams>) -> Answer<GetJobMetricsResult> {
        self.inner.get_job_metrics(asked).await
    }

    async fn executor_stopped(&self, asked: Request<ExecutorStoppedParams>) -> Answer<ExecutorStoppedResult> {
        self.whole.gone(&self.inner, &asked.get_ref().executor_id).await;
        self.inner.executor_stopped(asked).await
    }

    async fn cancel_job(&self, asked: Request<CancelJobParams>) -> Answer<CancelJobResult> {
        SchedulerGrpc::cancel_job(&self.inner, asked).await
    }

    async fn clean_job_data(&self, asked: Request<CleanJobDataParams>) -> Answer<CleanJobDataResult> {
        self.inner.clean_job_data(asked).await
    }
}
