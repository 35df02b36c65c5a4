//! Parse, call, print, exit: 0 done, 1 failed, 2 usage, 4 warnings only, 130 stopped by Ctrl-C.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use mimalloc::MiMalloc;
use selvedge::cli::Cli as Selvedge;
use selvedge_cluster::client::{self, Settings};
use selvedge_cluster::failure::Failure;
use selvedge_cluster::keys::Keys;
use selvedge_cluster::peers::Peers;
use selvedge_cluster::slices::Readable;
use selvedge_cluster::storage::{self, Location};
use selvedge_cluster::{certificates, executor, logging, scheduler, status, stop};
use selvedge_engine::wait_for;
use selvedge_project::error::{Outcome, Result};
use selvedge_project::progress::answer;
use tokio::signal::unix::{SignalKind, signal};

/// As `selvedge` has it: plans are many small objects and columns few large ones.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// selvedge's queries on several machines
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    /// Say what Ballista does, on standard error
    #[arg(long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take plans from clients and hand their tasks to executors
    Scheduler(SchedulerArgs),
    /// Ask a scheduler for tasks and run them
    Executor(ExecutorArgs),
    /// Run selvedge: queries over many rows go to the cluster of engine.cluster in params.yaml
    Run(RunArgs),
    /// What a scheduler does at the moment
    Status(StatusArgs),
    /// Make certificates by which the machines of a cluster know each other
    Certificates(CertificatesArgs),
}

#[derive(Debug, Args)]
struct Certified {
    /// The folder that `selvedge-cluster certificates` made, or a copy with what this machine needs of it
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
}

impl Certified {
    fn peers(&self, role: &str) -> Result<Peers> {
        Peers::new(self.certificates.as_deref(), role)
    }
}

#[derive(Debug, Args)]
struct WithKeys {
    /// A file of AWS_ACCESS_KEY_ID=…, AWS_SECRET_ACCESS_KEY=…, AWS_ENDPOINT_URL=… and the like, which open the object
    /// store of engine.cluster_storage [default: the environment]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl WithKeys {
    fn read(&self) -> Result<Keys> {
        Keys::new(self.keys.as_deref())
    }
}

fn storage_location(text: &str) -> std::result::Result<Location, String> {
    Location::parse(text).ok_or_else(|| "write s3://bucket/prefix".into())
}

#[derive(Debug, Args)]
struct SchedulerArgs {
    /// The address to listen at; one that other machines can reach needs --certificates
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    #[arg(long, default_value_t = 50050)]
    port: u16,
    /// A folder that plans may read: the project's; may be given again
    #[arg(long = "folder", value_name = "DIR", required_unless_present = "storages")]
    folders: Vec<PathBuf>,
    /// A place of an object store that plans may read: engine.cluster_storage; may be given again.  It needs no keys here
    #[arg(long = "storage", value_name = "s3://BUCKET/PREFIX", value_parser = storage_location)]
    storages: Vec<Location>,
    /// Seconds after which an executor that is silent is taken for lost
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(8..))]
    lost_after: u64,
    #[command(flatten)]
    certified: Certified,
}

#[derive(Debug, Args)]
struct ExecutorArgs {
    /// Where the scheduler is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50050")]
    scheduler: String,
    /// The address to listen at; one that other machines can reach needs --certificates
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    #[arg(long, default_value_t = 50051)]
    port: u16,
    /// What other machines call this one [default: the address of --bind]
    #[arg(long)]
    host: Option<String>,
    /// Tasks at a time [default: as many as the machine has processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    tasks: Option<u16>,
    /// Memory of all tasks together, in MiB [default: seven tenths of the machine's]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    memory: Option<u64>,
    /// Where rows wait until they are fetched [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    keys: WithKeys,
    #[command(flatten)]
    certified: Certified,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Seconds without any finished task after which a query is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    patience: u64,
    #[command(flatten)]
    keys: WithKeys,
    #[command(flatten)]
    certified: Certified,
    /// What selvedge is to do, as in `-- run` or `-- features`
    #[arg(last = true, required = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// Where the scheduler is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50050")]
    scheduler: String,
    #[command(flatten)]
    certified: Certified,
}

#[derive(Debug, Args)]
struct CertificatesArgs {
    /// Where they are written; it must be empty
    folder: PathBuf,
}

/// Waits until somebody wants this program to end.
async fn stopped() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => terminated.recv().await.unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn absolute(folder: &Path) -> PathBuf {
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// An answer, on standard output.
fn say(words: &str) -> Result<()> {
    let failed =
        |e: std::io::Error| Failure::new(format!("the answer cannot be written: {e}"), "look at where it goes");
    Ok(answer(words.as_bytes()).map_err(failed)?)
}

fn run(command: Command) -> Result<Outcome> {
    match command {
        Command::Scheduler(args) => {
            let options = scheduler::Options {
                bind: args.bind,
                port: args.port,
                readable: Readable {
                    folders: args.folders.iter().map(|folder| absolute(folder)).collect(),
                    storages: args.storages,
                },
                peers: args.certified.peers("scheduler")?,
                lost_after: args.lost_after,
            };
            wait_for(scheduler::run(options, stopped()))??;
        }
        Command::Executor(args) => {
            let processors = std::thread::available_parallelism().map_or(1, Into::into);
            let options = executor::Options {
                scheduler: args.scheduler,
                bind: args.bind,
                port: args.port,
                host: args.host.unwrap_or_else(|| args.bind.to_string()),
                tasks: args.tasks.map_or(processors, usize::from),
                memory: args.memory.map(|memory| memory << 20),
                scratch: args.scratch,
                peers: args.certified.peers("executor")?,
                keys: args.keys.read()?,
            };
            wait_for(executor::run(options))??;
        }
        Command::Run(args) => {
            let peers = args.certified.peers("client")?;
            let keys = args.keys.read()?;
            client::start(Settings { peers, keys, patience: Duration::from_secs(args.patience) });
            let name = OsString::from("selvedge");
            let selvedge = Selvedge::parse_from(std::iter::once(name).chain(args.arguments));
            wait_for(async { stop::listen() })?;
            let ran = selvedge.run();
            client::say_summary();
            wait_for(storage::end())?.into_iter().for_each(logging::say);
            return ran;
        }
        Command::Status(args) => {
            let peers = args.certified.peers("client")?;
            say(&wait_for(status::show(&args.scheduler, &peers))??)?;
        }
        Command::Certificates(args) => {
            certificates::make(&args.folder)?;
            let folder = args.folder.display();
            say(&format!(
                "{folder} holds ca.pem for all, and a certificate with its key for scheduler, executor and client\n"
            ))?;
        }
    }
    Ok(Outcome::Done)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.verbose);
    match run(cli.command) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(1)
        }
    }
}
