//! Experiment tracking: what a run was made with and how good it was, sent to an MLflow server.
//!
//! Off unless `tracking.uri` is set.  A server that cannot be reached stops nothing: the run is kept with its charts under
//! `work/tracking/pending` and sent later by `selvedge track --pending`, into the same run where it had been begun.

mod record;
mod server;

use std::path::{Path, PathBuf};

use self::record::Record;
use self::server::Server;
use selvedge_engine::Staged;
use selvedge_project::error::{Advice, Outcome, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

/// The file of a pending run that is not an artefact.
const RECORD: &str = "record.json";

#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, cause: String },
    #[error("tracking.uri is not set, so there is no server to send runs to")]
    Off,
}

impl Advice for TrackingError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "run `selvedge run` first; a broken pending run may be deleted".into(),
            Self::Off => "`make mlflow` starts a server; write its address to tracking.uri in params.yaml".into(),
        })
    }
}

/// Sends the present state: parameters, `reports/evaluation.json`, fingerprints, git commit, charts.
pub fn run(project: &Project) -> Result<Outcome> {
    let progress = Progress::start("track");
    let Some(uri) = &project.params.tracking.uri else {
        progress.say("off: tracking.uri is not set in params.yaml");
        return Ok(Outcome::Done);
    };
    let mut record = Record::of(project)?;
    let read = |name: &str| std::fs::read(project.paths.reports().join(name)).map_err(|e| e.to_string());
    match Server::new(uri).send(&project.params.tracking.experiment, &mut record, read) {
        Ok(run) => {
            progress.done(format!("run {run} is on {uri}"));
            Ok(Outcome::Done)
        }
        Err(cause) => {
            keep(project, &record)?;
            progress.say(format!("warning: {cause}"));
            progress.say("the run is kept; send it later with `selvedge track --pending`");
            Ok(Outcome::Warnings)
        }
    }
}

/// Sends the runs that no server has taken yet, oldest first.  One that cannot be sent waits on, and the rest go on.
pub fn send_pending(project: &Project) -> Result<Outcome> {
    let progress = Progress::start("track");
    let uri = project.params.tracking.uri.as_ref().ok_or(TrackingError::Off)?;
    let waiting = pending(project)?;
    let mut sent = 0;
    for folder in &waiting {
        match send_one(project, uri, folder) {
            Ok(run) => {
                sent += 1;
                progress.say(format!("run {run}, kept since, is on {uri}"));
            }
            Err(cause) => progress.say(format!("warning: {}: {cause}", project.paths.shown(folder))),
        }
    }
    progress.done(format!("{sent} sent, {} waiting", waiting.len() - sent));
    Ok(if sent == waiting.len() { Outcome::Done } else { Outcome::Warnings })
}

/// Sends one waiting run and forgets it.
///
/// # Errors
/// In words, for a warning.
fn send_one(project: &Project, uri: &str, folder: &Path) -> std::result::Result<String, String> {
    let file = folder.join(RECORD);
    let mut record = Record::load(&file, &project.paths.shown(&file)).map_err(|error| error.to_string())?;
    let read = |name: &str| std::fs::read(folder.join(flat(name))).map_err(|e| e.to_string());
    match Server::new(uri).send(&project.params.tracking.experiment, &mut record, read) {
        Ok(run) => {
            std::fs::remove_dir_all(folder).map_err(|e| format!("it is on {uri} and cannot be removed: {e}"))?;
            Ok(run)
        }
        Err(cause) => {
            // What has been begun on the server is gone on with the next time.
            std::fs::write(file, record.json()).map_err(|e| e.to_string())?;
            Err(cause)
        }
    }
}

/// The folders of waiting runs; their names begin with the time.
fn pending(project: &Project) -> Result<Vec<PathBuf>> {
    let folder = project.paths.pending();
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable =
        |e: std::io::Error| TrackingError::Unreadable { path: project.paths.shown(&folder), cause: e.to_string() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
    }
    found.retain(|path| path.join(RECORD).is_file());
    found.sort();
    Ok(found)
}

/// Writes a run and its artefacts to `work/tracking/pending`, whole or not at all.
fn keep(project: &Project, record: &Record) -> Result<()> {
    let folder = project.paths.pending().join(format!("{}", record.started));
    let staged = Staged::new(&project.paths, "track")?;
    staged.file(&folder, Some(RECORD), &record.json())?;
    for name in &record.artefacts {
        let path = project.paths.reports().join(name);
        let bytes = std::fs::read(&path)
            .map_err(|e| TrackingError::Unreadable { path: project.paths.shown(&path), cause: e.to_string() })?;
        staged.file(&folder, Some(&flat(name)), &bytes)?;
    }
    staged.commit()
}

/// An artefact's file in a pending run's folder.
fn flat(name: &str) -> String {
    name.replace('/', "--")
}

/// Files under `folder`, as names from it, sorted; none where it is missing.
fn files_under(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match path.is_dir() {
            true => names.extend(files_under(&path).into_iter().map(|below| format!("{name}/{below}"))),
            false => names.push(name),
        }
    }
    names.sort();
    names
}
