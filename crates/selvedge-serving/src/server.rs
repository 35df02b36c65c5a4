//! `selvedge serve`: starts, switches, refreshes, and stops when it is told to.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::{HeaderValue, Method, header};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use selvedge_engine::wait_for;
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

use tokio::net::TcpSocket;
use tower_http::cors::CorsLayer;

use super::access_log::AccessLog;
use super::door::Door;
use super::http::{App, Rates, router};
use super::keys::{KeyError, Ring};
use super::state::{Clock, Gathering, Open, Shared, watch};

/// How long a sender may take for what stands above a body, and a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes of what stands above a body.
const HEAD_BYTES: usize = 64 << 10;
/// Connections that may wait to be let in.
const KNOCKING: u32 = 4096;
/// How often it is looked whether another release is wanted.
const LOOKS: Duration = Duration::from_millis(200);
/// How often it is looked whether a day has passed, or much was answered.
const SEALS: Duration = Duration::from_secs(5);
/// How long requests that are being answered have, when the server is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    pub address: SocketAddr,
    pub playground: bool,
    /// By which clock.
    pub clock: Clock,
    /// Certificate and key, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where each request is written down, a line of JSON each; `-` is standard output.
    pub access_log: Option<PathBuf>,
    /// Origins, such as https://shop.example, whose pages may ask from a browser.
    pub origins: Vec<String>,
    /// How many files and connections the system lets this process open, where it says so.
    pub most_files: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("nobody can listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("{path} is no certificate or key: {cause}")]
    Tls { path: String, cause: std::io::Error },
    #[error("nothing can be written to {path}: {cause}")]
    AccessLog { path: String, cause: std::io::Error },
    #[error("'{0}' is no origin")]
    Origin(String),
    #[error("the server ended: {0}")]
    Ended(std::io::Error),
}

impl Advice for ServeError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => {
                Some("stop what listens there, or choose another with --address 127.0.0.1:8088".into())
            }
            Self::AccessLog { .. } => {
                Some("name a file in a folder that is there, or - for standard output: --access-log FILE".into())
            }
            Self::Tls { .. } => Some("give a certificate and its key as PEM files".into()),
            Self::Origin(_) => {
                Some("write what a browser calls the shop's pages: --origin https://shop.example".into())
            }
            Self::Ended(_) => None,
        }
    }
}

/// Serves until the process is told to stop (Ctrl-C or SIGTERM); what is being answered then is answered.
///
/// # Errors
/// Nothing to serve, an address that is taken, files that are damaged.
pub fn run(project: &Project, open: Open, options: &Options) -> Result<()> {
    let progress = Progress::start("serve");
    let keys = Ring::open(project.paths.root())?;
    if keys.now().are_none() && !options.address.ip().is_loopback() {
        return Err(KeyError::Open(options.address.to_string()).into());
    }
    let listen = |cause| ServeError::Listen { address: options.address, cause };
    let listener = wait_for(async { listening(options.address) })?.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let shared = Shared::open(project.clone(), open, options.clock, options.playground)?;
    // What a server left that was killed.
    sealed(&shared, shared.seal());
    let [events, cut, _] = shared.metrics.found();
    if cut > 0 {
        progress.say(format!("cut off {cut} bytes of an event that was being written when the last server ended; nobody had been told that it was kept"));
    }
    if keys.now().are_none() {
        progress.say("no keys: whoever is on this machine may ask; `selvedge key read` makes one".to_owned());
    }
    let serving = shared.state().serving.clone().unwrap_or_default();
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    progress.say(format!("release {serving}, {events} events; listening on {scheme}://{address}"));
    wait_for(serve(Arc::clone(&shared), keys, listener, options))??;
    sealed(&shared, shared.seal());
    Ok(())
}

/// Tells what became of sealing, a failure once while it lasts; all stays in the journals until it succeeds.
fn sealed(shared: &Shared, outcome: Result<bool>) {
    match outcome {
        Ok(true) => {
            shared.trouble("served", None);
            say("sealed what was served; `dvc repro` reads it".to_owned());
        }
        // Nothing was tried, or there was nothing.
        Ok(false) => {}
        Err(error) => {
            shared.trouble("served", Some(format!("what was served cannot be sealed: {}", error.in_a_line())));
        }
    }
}

/// Listens at an address, with room for a crowd that comes at once: whoever finds none waits a second to knock again.
fn listening(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(KNOCKING)?.into_std()
}

async fn serve(shared: Arc<Shared>, keys: Ring, listener: TcpListener, options: &Options) -> Result<()> {
    let params = &shared.project.params.serve;
    let open = |path: &PathBuf| {
        let failed = |cause| ServeError::AccessLog { path: path.to_string_lossy().into_owned(), cause };
        AccessLog::open(path).map_err(failed)
    };
    let access_log = options.access_log.as_ref().map(open).transpose()?;
    let gathering = Gathering::start(Arc::clone(&shared), params.gather, params.at_most);
    let app = App {
        shared: Arc::clone(&shared),
        gathering,
        keys: Arc::new(keys),
        rates: Arc::new(Rates::new(params.rate)),
        deadline: params.deadline,
        playground: options.playground,
        access_log,
    };
    let cross = cross_origin(&options.origins)?;
    let places = places(params.connections, options.most_files);
    if places < params.connections {
        say(format!(
            "warning: the system lets this process open {} files, so there are places for {places} connections, not {} (serve.connections); raise it with `ulimit -n`",
            options.most_files.unwrap_or_default(),
            params.connections
        ));
    }
    tokio::spawn(follow(Arc::clone(&shared), Arc::clone(&app.keys)));
    tokio::spawn(refresh(Arc::clone(&shared), params.refresh));
    tokio::spawn(keep_promises(Arc::clone(&shared), params.watch));
    tokio::spawn(seal_in_time(Arc::clone(&shared)));
    let handle = Handle::new();
    let told = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&told)).map_err(ServeError::Ended)?;
    }
    tokio::spawn(stop(handle.clone(), told));
    let service = router(app).layer(cross).into_make_service();
    let door = Door::new(Arc::clone(&shared), places, options.tls.is_some());
    let server = axum_server::from_tcp(listener).map_err(ServeError::Ended)?.handle(handle).http1_only();
    let ended = match &options.tls {
        None => with_limits(server).acceptor(door).serve(service).await,
        Some((certificate, key)) => {
            // Refused only where one was installed before, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let config = RustlsConfig::from_pem_file(certificate, key).await;
            let path = certificate.to_string_lossy().into_owned();
            let config = config.map_err(|cause| ServeError::Tls { path, cause })?;
            with_limits(server).acceptor(RustlsAcceptor::new(config).acceptor(door)).serve(service).await
        }
    };
    ended.map_err(ServeError::Ended)?;
    shared.settle(Instant::now() + GRACE).await;
    say("stopped; what was asked before is answered and written down".to_owned());
    Ok(())
}

fn with_limits<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    server.http_builder().http1().header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    server.first_request_timeout(HEAD)
}

/// Places for connections: as many as are wanted, as far as the system has files for them and for what else is open.
fn places(wanted: usize, most_files: Option<u64>) -> usize {
    let most = most_files.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    wanted.min(most.saturating_sub(most.min(200) / 2)).max(1)
}

/// Which pages of other origins may ask from a browser: those that are named.
fn cross_origin(origins: &[String]) -> Result<CorsLayer> {
    let origin = |origin: &String| {
        let sound = origin.starts_with("http://") || origin.starts_with("https://");
        let value = origin.trim_end_matches('/').parse::<HeaderValue>().ok().filter(|_| sound);
        value.ok_or_else(|| ServeError::Origin(origin.clone()))
    };
    let origins = origins.iter().map(origin).collect::<std::result::Result<Vec<_>, _>>()?;
    let headers = [header::AUTHORIZATION, header::CONTENT_TYPE];
    Ok(CorsLayer::new().allow_origin(origins).allow_methods([Method::GET, Method::POST]).allow_headers(headers))
}

/// Switches to the releases that are wanted, whoever wants them; one that cannot be loaded is told, and changes nothing.  Looks
/// after the keys too.
async fn follow(shared: Arc<Shared>, keys: Arc<Ring>) {
    loop {
        tokio::time::sleep(LOOKS).await;
        shared.trouble("keys.json", keys.trouble());
        let own = Arc::clone(&shared);
        let switched = tokio::task::spawn_blocking(move || own.switch()).await;
        match switched {
            Ok(Ok(switched)) => {
                shared.trouble("releases", None);
                if switched {
                    say(format!("release {} serves", shared.state().serving.clone().unwrap_or_default()));
                }
            }
            Ok(Err(error)) => {
                let words = error.in_a_line();
                shared.trouble("releases", Some(format!("the releases stay as they are: {words}")));
            }
            Err(_) => {}
        }
    }
}

/// Works out what is known of articles, again and again: so often that what is known is no older than views let it be.
async fn refresh(shared: Arc<Shared>, every: Duration) {
    loop {
        tokio::time::sleep(shared.refreshed_within().map_or(every, |within| within.min(every))).await;
        let own = Arc::clone(&shared);
        match tokio::task::spawn_blocking(move || own.refresh()).await {
            Ok(Ok(())) => shared.trouble("articles", None),
            Ok(Err(error)) => {
                let words = error.in_a_line();
                shared.trouble("articles", Some(format!("articles stay as they were known: {words}")));
            }
            Err(_) => {}
        }
    }
}

/// Holds what is served against what is promised, again and again.
async fn keep_promises(shared: Arc<Shared>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let own = Arc::clone(&shared);
        match tokio::task::spawn_blocking(move || watch(&own)).await {
            Ok(Ok(broken)) => {
                shared.trouble("promises", None);
                if let Some(broken) = broken {
                    say(format!("release {} is taken back: {}", broken.release, broken.because));
                }
            }
            Ok(Err(error)) => {
                let words = error.in_a_line();
                shared.trouble("promises", Some(format!("what is promised cannot be looked at: {words}")));
            }
            Err(_) => {}
        }
    }
}

/// Seals what was served, day by day.
async fn seal_in_time(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(SEALS).await;
        let own = Arc::clone(&shared);
        if let Ok(outcome) = tokio::task::spawn_blocking(move || own.seal_in_time()).await {
            sealed(&shared, outcome);
        }
    }
}

fn say(words: String) {
    Progress::start("serve").say(words);
}

/// Waits until the process is told to stop.
async fn stop(handle: Handle<SocketAddr>, told: Arc<AtomicBool>) {
    while !told.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOKS).await;
    }
    handle.graceful_shutdown(Some(GRACE));
}
