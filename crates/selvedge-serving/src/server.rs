//! `selvedge serve`: starts, switches, refreshes, and stops when it is told to.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use selvedge_engine::wait_for;
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

use super::http::{App, router};
use super::keys::{KeyError, Ring};
use super::state::{Clock, Gathering, Open, Shared, watch};

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
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("nobody can listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("{path} is no certificate or key: {cause}")]
    Tls { path: String, cause: std::io::Error },
    #[error("the server ended: {0}")]
    Ended(std::io::Error),
}

impl Advice for ServeError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => {
                Some("stop what listens there, or choose another with --address 127.0.0.1:8088".into())
            }
            Self::Tls { .. } => Some("give a certificate and its key as PEM files".into()),
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
    let listener = TcpListener::bind(options.address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let shared = Shared::open(project.clone(), open, options.clock, options.playground)?;
    // What a server left that was killed.
    seal(shared.seal());
    let [events, cut, _] = shared.metrics.found();
    if cut > 0 {
        progress.say(format!("cut off {cut} bytes of an event that was being written when the last server ended; nobody had been told that it was kept"));
    }
    if keys.now().are_none() {
        progress.say("no keys: whoever is on this machine may ask; `selvedge key read` makes one".to_owned());
    }
    let serving = shared.state().serving.unwrap_or_default();
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    progress.say(format!("release {serving}, {events} events; listening on {scheme}://{address}"));
    wait_for(serve(Arc::clone(&shared), keys, listener, options))??;
    seal(shared.seal());
    Ok(())
}

/// Tells what became of sealing; where it failed, all stays in the journals until the next time.
fn seal(sealed: Result<bool>) {
    match sealed {
        Ok(true) => say("sealed what was served; `dvc repro` reads it".to_owned()),
        Ok(false) => {}
        Err(error) => say(format!("warning: what was served cannot be sealed: {}", error.to_string().trim())),
    }
}

async fn serve(shared: Arc<Shared>, keys: Ring, listener: TcpListener, options: &Options) -> Result<()> {
    let params = &shared.project.params.serve;
    let gathering = Gathering::start(Arc::clone(&shared), params.gather, params.at_most);
    let app = App {
        shared: Arc::clone(&shared),
        gathering,
        keys: Arc::new(keys),
        deadline: params.deadline,
        playground: options.playground,
    };
    tokio::spawn(follow(Arc::clone(&shared)));
    tokio::spawn(refresh(Arc::clone(&shared), params.refresh));
    tokio::spawn(keep_promises(Arc::clone(&shared), params.watch));
    tokio::spawn(seal_in_time(Arc::clone(&shared)));
    let handle = Handle::new();
    let told = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&told)).map_err(ServeError::Ended)?;
    }
    tokio::spawn(stop(handle.clone(), told));
    let service = router(app).into_make_service();
    let ended = match &options.tls {
        None => axum_server::from_tcp(listener).map_err(ServeError::Ended)?.handle(handle).serve(service).await,
        Some((certificate, key)) => {
            // Refused only where one was installed before, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let config = RustlsConfig::from_pem_file(certificate, key).await;
            let path = certificate.to_string_lossy().into_owned();
            let config = config.map_err(|cause| ServeError::Tls { path, cause })?;
            let server = axum_server::from_tcp_rustls(listener, config).map_err(ServeError::Ended)?;
            server.handle(handle).serve(service).await
        }
    };
    Ok(ended.map_err(ServeError::Ended)?)
}

/// Switches to the releases that are wanted, whoever wants them; one that cannot be loaded is told, and changes nothing.
async fn follow(shared: Arc<Shared>) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(LOOKS).await;
        let own = Arc::clone(&shared);
        let switched = tokio::task::spawn_blocking(move || own.switch()).await;
        match switched {
            Ok(Ok(true)) => {
                told.clear();
                say(format!("release {} serves", shared.state().serving.unwrap_or_default()));
            }
            Ok(Err(error)) if told != error.to_string() => {
                told = error.to_string();
                say(format!("warning: the releases stay as they are: {}", told.trim()));
            }
            _ => {}
        }
    }
}

/// Works out what is known of articles, again and again.
async fn refresh(shared: Arc<Shared>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let own = Arc::clone(&shared);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || own.refresh()).await {
            Progress::start("serve")
                .say(format!("warning: articles stay as they were known: {}", error.to_string().trim()));
        }
    }
}

/// Holds what is served against what is promised, again and again.
async fn keep_promises(shared: Arc<Shared>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let own = Arc::clone(&shared);
        match tokio::task::spawn_blocking(move || watch(&own)).await {
            Ok(Ok(Some(broken))) => {
                say(format!("release {} is taken back: {}", broken.release, broken.because));
            }
            Ok(Err(error)) => {
                say(format!("warning: what is promised cannot be looked at: {}", error.to_string().trim()));
            }
            _ => {}
        }
    }
}

/// Seals what was served, day by day.
async fn seal_in_time(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(SEALS).await;
        let own = Arc::clone(&shared);
        if let Ok(sealed) = tokio::task::spawn_blocking(move || own.seal_in_time()).await {
            seal(sealed);
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
