//! One run as it is sent: parameters, metrics, tags and the names of its artefacts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{TrackingError, files_under};
use selvedge_project::error::Result;
use selvedge_project::project::Project;

/// What is known of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// On the server, once it has been begun there.
    pub run_id: Option<String>,
    /// Milliseconds since 1970.
    pub started: i64,
    pub params: BTreeMap<String, String>,
    /// `models.combined.auc` …: every number in `reports/evaluation.json`.
    pub metrics: BTreeMap<String, f64>,
    pub tags: BTreeMap<String, String>,
    /// Files under `reports/`.
    pub artefacts: Vec<String>,
}

impl Record {
    /// The state that the stages have left.
    pub fn of(project: &Project) -> Result<Self> {
        let path = project.paths.evaluation_json();
        let unreadable = |cause: String| TrackingError::Unreadable { path: project.paths.shown(&path), cause };
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(e.to_string()))?;
        let evaluation: Value = serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
        let mut metrics = BTreeMap::new();
        numbers("", &evaluation, &mut metrics);
        let charts = files_under(&project.paths.charts()).into_iter().map(|name| format!("charts/{name}"));
        let artefacts = ["evaluation.json".to_owned()].into_iter().chain(charts).collect();
        let (params, tags) = (project.params.flat(), tags(project));
        Ok(Self { run_id: None, started: Utc::now().timestamp_millis(), params, metrics, tags, artefacts })
    }

    /// A run that was kept; `shown` is its folder in errors.
    pub fn load(file: &Path, shown: &str) -> Result<Self> {
        let unreadable = |cause: String| TrackingError::Unreadable { path: shown.to_owned(), cause };
        let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
        Ok(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?)
    }

    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

/// Every number in `value`, named by the way to it.
fn numbers(name: &str, value: &Value, found: &mut BTreeMap<String, f64>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Number(number) => found.extend(number.as_f64().map(|number| (name.to_owned(), number))),
        Value::Object(keys) => keys.iter().for_each(|(key, value)| numbers(&below(key), value, found)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| numbers(&below(&at.to_string()), value, found));
        }
        _ => (),
    }
}

/// Fingerprints of what the run was made from and of what it made, and the commit.
fn tags(project: &Project) -> BTreeMap<String, String> {
    let paths = &project.paths;
    let folders =
        [("data", paths.ingest()), ("features", paths.features()), ("models", paths.models()), ("sql", paths.sql())];
    let made =
        folders.into_iter().filter_map(|(name, folder)| Some((format!("fingerprint.{name}"), fingerprint(&folder)?)));
    let mut tags: BTreeMap<String, String> = made.collect();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(paths.root()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A project that is no git repository has no commit.
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        tags.insert("mlflow.source.git.commit".into(), commit);
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|lines| !lines.is_empty());
        tags.insert("git.changed_since_commit".into(), changed.to_string());
    }
    tags
}

/// 16 hex digits of a SHA-256 over a folder's files, names and bytes; none without files.
fn fingerprint(folder: &Path) -> Option<String> {
    let names = files_under(folder);
    let mut hash = Sha256::new();
    for name in &names {
        let bytes = std::fs::read(folder.join(name)).ok()?;
        hash.update(format!("{name}\n{}\n", bytes.len()));
        hash.update(bytes);
    }
    let digits = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (!names.is_empty()).then_some(digits)
}
