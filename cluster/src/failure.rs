//! What went wrong in the cluster, and what to do about it.

use datafusion::error::DataFusionError;
use selvedge_engine::elsewhere::NoAnswer;
use selvedge_project::error::Advice;

/// An error of the programs themselves.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    pub what: String,
    pub advice: String,
}

impl Failure {
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }
}

impl Advice for Failure {
    fn advice(&self) -> Option<String> {
        Some(self.advice.clone())
    }
}

/// The same for who asked a query.
pub fn no_answer(what: impl Into<String>, advice: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(NoAnswer { what: what.into(), advice: advice.into() }))
}

/// What a message of the cluster holds, what it means, and what to do.
const KNOWN: &[(&[&str], &str, &str)] = &[
    (
        &["an executor was lost", "rows of an executor were lost", "or executor at"],
        "executors were lost while they worked on a query, again and again",
        "look at what they wrote to standard error, and whether the kernel ended them: they may need less --memory or fewer --tasks",
    ),
    (
        &["all machines need the same", "is not of this cluster's version", "protocol version mismatch"],
        "the programs of the cluster are of different versions",
        "install the same `selvedge-cluster` on every machine",
    ),
    (
        &["there are no keys for s3://"],
        "an executor has no keys to the object store",
        "start executors with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in their environment, or with --keys FILE",
    ),
    (
        &["refuses these keys"],
        "the object store refuses an executor's keys",
        "look at what is in the environment of the executors, or in the file of their --keys",
    ),
    (
        &["where s3://", "and rows would go there unencrypted"],
        "an executor cannot reach the object store",
        "look at AWS_ENDPOINT_URL and AWS_REGION of the executors, and whether their machines can reach it",
    ),
    (
        &["lies outside of the storages that the cluster may read"],
        "the scheduler lets nobody read engine.cluster_storage",
        "start it with --storage and what stands for engine.cluster_storage in params.yaml",
    ),
    (
        &["is not in the object store"],
        "an object is gone from the object store",
        "run again; if it happens again, look whether something removes young objects there",
    ),
    (
        &["Resources exhausted", "ResourcesExhausted"],
        "a task in the cluster had too little memory",
        "start executors with a larger --memory or fewer --tasks, or set engine.partitions to a larger number",
    ),
    (
        &["No space left on device", "StorageFull", "FileTooLarge", "File too large"],
        "an executor's disk is full",
        "free space where its --scratch lies, then run again; the last outputs are kept",
    ),
    (
        &["No such file or directory", "not found: No such", "NotFound"],
        "an executor cannot see a file",
        "give every machine of the cluster the project's folder under the same path",
    ),
    (
        &["Permission denied"],
        "an executor may not read a file",
        "start the executor as a user who may read the project's folder",
    ),
    (
        &["No executors available", "no executors"],
        "the cluster has no executor",
        "start some with `selvedge-cluster executor`, and look at `selvedge-cluster status`",
    ),
    (
        &[
            "CertificateRequired",
            "certificate required",
            "InvalidCertificate",
            "UnknownIssuer",
            "BadCertificate",
            "received corrupt message",
        ],
        "the scheduler does not take this machine's certificate",
        "give all machines certificates of one folder: `selvedge-cluster certificates`",
    ),
    (
        &["tcp connect error", "Connection refused", "ConnectError"],
        "no scheduler answers",
        "start it with `selvedge-cluster scheduler`, or set engine.cluster to null",
    ),
    (
        &[
            "Stream closed",
            "h2 protocol error",
            "error reading a body",
            "broken pipe",
            "connection reset",
            "transport error",
            "Broken pipe",
        ],
        "the scheduler was lost while it worked on a query",
        "start it again and run this again; the last outputs are kept",
    ),
];

/// An error of the cluster at `address` in words.
pub fn in_words(address: &str, error: &DataFusionError) -> DataFusionError {
    let message = error.to_string();
    let known = KNOWN.iter().find(|(signs, ..)| signs.iter().any(|sign| message.contains(sign)));
    let (what, advice) = match known {
        Some((_, what, advice)) => (*what, *advice),
        None => ("a query failed", "look at what the executors wrote to standard error"),
    };
    let cause = short(&message);
    no_answer(format!("the cluster at {address}: {what} ({cause})"), advice)
}

/// The message's last part, on one line, without what it came through.
fn short(message: &str) -> String {
    const LONGEST: usize = 300;
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = line.char_indices().rev().nth(LONGEST - 1).map_or(0, |(at, _)| at);
    if start == 0 { line } else { format!("… {}", &line[start..]) }
}
