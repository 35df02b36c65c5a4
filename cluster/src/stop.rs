//! Ctrl-C: what this process asked of a cluster is cancelled there, and what it wrote for it is taken away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ballista_core::serde::protobuf::CancelJobParams;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use tokio::signal::unix::{SignalKind, signal};

use crate::logging::say;
use crate::peers::Peers;
use crate::status::{self, Cause};
use crate::storage;

/// So long a scheduler or a store is waited for.
const WITHIN: Duration = Duration::from_secs(8);

/// A query may be on its way to the scheduler: it is looked again so often, so long after each other.
const LOOKS: usize = 5;
const AGAIN: Duration = Duration::from_millis(300);

/// What is asked at the moment: a query's name, the scheduler's address, and how it is reached.
static ASKED: Mutex<BTreeMap<String, (String, Peers)>> = Mutex::new(BTreeMap::new());

/// From now on nothing more is asked.
static STOPS: AtomicBool = AtomicBool::new(false);

/// A query that a cluster works on.
#[derive(Debug)]
pub struct Asked(String);

/// In a process that is about to end nothing is asked any more, and nobody hears that what they asked was cancelled.
async fn unless_stopped() {
    if STOPS.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

impl Asked {
    pub async fn new(name: &str, address: &str, peers: &Peers) -> Self {
        unless_stopped().await;
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(name.to_owned(), (address.to_owned(), peers.clone()));
        Self(name.to_owned())
    }

    /// It is answered, or will not be.
    pub async fn done(self) {
        unless_stopped().await;
        ASKED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Ends this process in order when somebody stops it.
pub fn listen() {
    tokio::spawn(async {
        let code = tokio::select! {
            () = heard(SignalKind::interrupt()) => 130,
            () = heard(SignalKind::terminate()) => 143,
        };
        STOPS.store(true, Ordering::SeqCst);
        let again = async {
            tokio::select! { () = heard(SignalKind::interrupt()) => {}, () = heard(SignalKind::terminate()) => {} }
        };
        tokio::select! { () = leave() => {}, () = again => {} }
        std::process::exit(code);
    });
}

async fn heard(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => signal.recv().await.unwrap_or_default(),
        Err(_) => std::future::pending().await,
    }
}

/// Leaves nothing behind, and says so.
async fn leave() {
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut schedulers: BTreeMap<String, (Peers, Vec<String>)> = BTreeMap::new();
    for (name, (address, peers)) in asked {
        schedulers.entry(address).or_insert((peers, Vec::new())).1.push(name);
    }
    say("stopped: nothing is lost, the outputs of the last good run stay; run it again whenever you like");
    for (address, (peers, names)) in schedulers {
        let count = names.len();
        say(match tokio::time::timeout(WITHIN, cancel(&address, &peers, &names)).await {
            Ok(Ok(())) => {
                format!("{count} queries were cancelled at {address}; tasks that were begun end by themselves")
            }
            _ => format!(
                "{count} queries may go on at {address}, which did not answer: look at `selvedge-cluster status`"
            ),
        });
    }
    match tokio::time::timeout(WITHIN, storage::end()).await {
        Ok(said) => said.into_iter().for_each(say),
        Err(_) => {
            say("what was written to the object store may still be there; the first run a week later takes it away")
        }
    }
}

/// Cancels queries by their names.
async fn cancel(address: &str, peers: &Peers, names: &[String]) -> Result<(), Cause> {
    let channel = peers.endpoint(&status::authority(address))?.connect().await?;
    for _ in 0..LOOKS {
        let state = status::ask(&mut channel.clone()).await?;
        let ours = |query: &&status::Query| names.contains(&query.name) && query.is_open();
        for query in state.queries.iter().filter(ours) {
            let job_id = query.id.clone();
            SchedulerGrpcClient::new(channel.clone()).cancel_job(CancelJobParams { job_id }).await?;
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}
