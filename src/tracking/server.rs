//! An MLflow server's REST API (version 2.0): experiment, run, batches, artefacts through its proxy, end of the run.

use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use super::record::Record;

/// What the server takes in one batch.
const MOST_METRICS: usize = 1000;
const MOST_PARAMS: usize = 100;
/// Longer values are cut.
const LONGEST_PARAM: usize = 6000;

/// One server.
pub struct Server {
    uri: String,
    agent: ureq::Agent,
}

impl Server {
    pub fn new(uri: &str) -> Self {
        let agent =
            ureq::AgentBuilder::new().timeout_connect(Duration::from_secs(3)).timeout(Duration::from_secs(60)).build();
        Self { uri: uri.to_owned(), agent }
    }

    /// Sends a run whole; its id is remembered in `record` as soon as it has one.
    ///
    /// # Errors
    /// In words, for a warning: what was asked for and what came of it.
    pub fn send(
        &self,
        experiment: &str,
        record: &mut Record,
        read: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<String, String> {
        let (run, artefacts) = self.run(experiment, record)?;
        record.run_id = Some(run.clone());
        let metrics: Vec<Value> = record
            .metrics
            .iter()
            .map(|(key, value)| json!({"key": name(key), "value": value, "timestamp": record.started, "step": 0}))
            .collect();
        let params: Vec<Value> = record
            .params
            .iter()
            .map(|(key, value)| json!({"key": name(key), "value": value.chars().take(LONGEST_PARAM).collect::<String>()}))
            .collect();
        let tags: Vec<Value> = record.tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        self.post("runs/log-batch", &json!({"run_id": run, "tags": tags}))?;
        for params in params.chunks(MOST_PARAMS) {
            self.post("runs/log-batch", &json!({"run_id": run, "params": params}))?;
        }
        for metrics in metrics.chunks(MOST_METRICS) {
            self.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics}))?;
        }
        for artefact in &record.artefacts {
            let bytes = read(artefact).map_err(|cause| format!("reports/{artefact} cannot be read: {cause}"))?;
            let address = format!("{}/api/2.0/mlflow-artifacts/artifacts/{artefacts}/{artefact}", self.uri);
            let sent = self.agent.put(&address).set("Content-Type", kind(artefact)).send_bytes(&bytes);
            sent.map_err(|error| self.words(artefact, error))?;
        }
        let end = json!({"run_id": run, "status": "FINISHED", "end_time": Utc::now().timestamp_millis()});
        self.post("runs/update", &end)?;
        Ok(run)
    }

    /// The run's id and the place of its artefacts behind the server's proxy: begun now, or some time before.
    fn run(&self, experiment: &str, record: &Record) -> Result<(String, String), String> {
        let answer = match &record.run_id {
            Some(run) => self.begun(run)?,
            None => None,
        };
        let answer = match answer {
            Some(answer) => answer,
            None => {
                let experiment = self.experiment(experiment)?;
                let run = json!({"experiment_id": experiment, "start_time": record.started});
                self.post("runs/create", &run)?
            }
        };
        let of = |key: &str| answer.pointer(&format!("/run/info/{key}")).and_then(Value::as_str).map(str::to_owned);
        let (Some(run), Some(place)) = (of("run_id"), of("artifact_uri")) else {
            return Err(format!("{} answered without a run; is it an MLflow server?", self.uri));
        };
        let place = place.strip_prefix("mlflow-artifacts:").map(|rest| rest.trim_start_matches('/').to_owned());
        let place = place.ok_or_else(|| {
            format!("{} does not take artefacts itself; start it with --artifacts-destination", self.uri)
        })?;
        Ok((run, place))
    }

    /// A run that was begun before; none where the server knows it no more.
    fn begun(&self, run: &str) -> Result<Option<Value>, String> {
        match self.agent.get(&format!("{}/api/2.0/mlflow/runs/get", self.uri)).query("run_id", run).call() {
            Ok(answer) => self.read(answer).map(Some),
            Err(ureq::Error::Status(404, _)) => Ok(None),
            Err(error) => Err(self.words("runs/get", error)),
        }
    }

    /// The experiment's id; made where it is not there.
    fn experiment(&self, name: &str) -> Result<String, String> {
        let address = format!("{}/api/2.0/mlflow/experiments/get-by-name", self.uri);
        let answer = match self.agent.get(&address).query("experiment_name", name).call() {
            Ok(answer) => self.read(answer)?,
            Err(ureq::Error::Status(404, _)) => self.post("experiments/create", &json!({"name": name}))?,
            Err(error) => return Err(self.words("experiments/get-by-name", error)),
        };
        let id = answer.pointer("/experiment/experiment_id").or(answer.get("experiment_id"));
        let id = id.and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| format!("{} answered without an experiment; is it an MLflow server?", self.uri))
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value, String> {
        let answer = self.agent.post(&format!("{}/api/2.0/mlflow/{what}", self.uri)).send_json(body);
        self.read(answer.map_err(|error| self.words(what, error))?)
    }

    fn read(&self, answer: ureq::Response) -> Result<Value, String> {
        answer.into_json().map_err(|error| format!("{} answered with no JSON: {error}", self.uri))
    }

    fn words(&self, what: &str, error: ureq::Error) -> String {
        match error {
            ureq::Error::Status(code, answer) => {
                let text = answer.into_string().unwrap_or_default();
                let message = serde_json::from_str::<Value>(&text)
                    .ok()
                    .and_then(|answer| Some(answer.get("message")?.as_str()?.to_owned()));
                format!("{} refused {what} ({code}): {}", self.uri, message.unwrap_or(text))
            }
            ureq::Error::Transport(transport) => {
                format!("{} cannot be reached: {}", self.uri, transport.message().unwrap_or("no answer"))
            }
        }
    }
}

/// A name with the letters that MLflow allows.
fn name(key: &str) -> String {
    key.chars().map(|letter| if letter.is_alphanumeric() || "_-. /".contains(letter) { letter } else { '_' }).collect()
}

fn kind(artefact: &str) -> &'static str {
    match artefact.rsplit_once('.') {
        Some((_, "png")) => "image/png",
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    }
}
