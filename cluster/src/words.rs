//! What an object store says when it refuses, in words that hold no keys: what stores answer may repeat them.

use std::error::Error as _;

use object_store::Error;

/// What stands for the store where a file of this machine is meant.
pub const DISK: &str = "disk";

/// What happened, and what to do.
pub fn of(error: &Error, bucket: &str, endpoint: &str) -> (String, String) {
    let said = error.to_string();
    let code = code(&said);
    let shown = code.map(|code| format!(" ({code})")).unwrap_or_default();
    // What a listing is answered has no kind of its own.
    let refused = ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"];
    let is_refused = code.is_some_and(|code| refused.contains(&code)) || said.contains("status code: 403");
    match error {
        Error::Generic { store: DISK, source } => {
            (source.to_string(), "look at the disk and who may read the project's folder".into())
        }
        _ if code == Some("NoSuchBucket") => (
            format!("there is no bucket s3://{bucket} at {endpoint}"),
            "make it, or correct engine.cluster_storage in params.yaml".into(),
        ),
        Error::NotFound { path, .. } => (
            format!("s3://{bucket}/{path} is not in the object store"),
            "run again; if it happens again, look whether something removes young objects there".into(),
        ),
        _ if is_refused || matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => (
            format!("s3://{bucket} refuses these keys{shown}"),
            "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment or in the file of --keys, and at what their owner may do in the bucket".into(),
        ),
        _ if is_silent(error) => (
            format!("{endpoint}, where s3://{bucket} should be, gives no answer"),
            "look at AWS_ENDPOINT_URL and AWS_REGION, and whether this machine can reach it".into(),
        ),
        _ => (
            format!("s3://{bucket} at {endpoint} answers with an error{shown}"),
            "run again; if it happens again, ask who runs the object store".into(),
        ),
    }
}

/// The error's own name in what a store answers.
fn code(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (code.len() < 64 && code.chars().all(|c| c.is_ascii_alphanumeric())).then_some(code)
}

/// Whether nothing came back at all.
fn is_silent(error: &Error) -> bool {
    let first: Option<&(dyn std::error::Error + 'static)> = error.source();
    let causes = std::iter::successors(first, |error| (*error).source());
    let said: Vec<String> = causes.map(ToString::to_string).collect();
    let signs = ["error sending request", "Connect", "connect error", "dns error", "timed out"];
    let is_answer = said.iter().any(|said| said.contains("status code") || said.contains("error response"));
    !is_answer && said.iter().any(|said| signs.iter().any(|sign| said.contains(sign)))
}
