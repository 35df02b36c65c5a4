//! A run sent to a real MLflow server and read back.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::{ROOT, Shop};

/// `mlflow server` of `.venv-mlflow`, ended with everything it started.
struct Server {
    process: Child,
    uri: String,
}

impl Server {
    fn start(folder: &Path, port: u16) -> Self {
        let made = Command::new("make").arg(".venv-mlflow/ready").current_dir(ROOT).output().unwrap();
        let words = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "make .venv-mlflow/ready failed, so there is no server to test with:\n{words}");
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let process = Command::new(Path::new(ROOT).join(".venv-mlflow/bin/mlflow"))
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.join("runs.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("artefacts"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self { process, uri: format!("http://127.0.0.1:{port}") };
        let started = Instant::now();
        while ureq::get(&format!("{}/health", server.uri)).call().is_err() {
            let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(180), "the server did not start:\n{log}");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn get(&self, what: &str) -> Value {
        ureq::get(&format!("{}/api/2.0/mlflow/{what}", self.uri)).call().unwrap().into_json().unwrap()
    }

    /// The runs of the experiment, the latest first.
    fn runs(&self) -> Vec<Value> {
        let experiment = self.get("experiments/get-by-name?experiment_name=selvedge");
        let id = &experiment["experiment"]["experiment_id"];
        let found: Value = ureq::post(&format!("{}/api/2.0/mlflow/runs/search", self.uri))
            .send_json(json!({"experiment_ids": [id], "order_by": ["attributes.start_time DESC"]}))
            .unwrap()
            .into_json()
            .unwrap();
        found["runs"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server starts workers of its own; all are in its group.
        let _ = Command::new("kill").args(["-TERM", "--", &format!("-{}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}

/// What the stages leave behind, as far as tracking looks at it.
fn shop_that_ran() -> Shop {
    let shop = Shop::new(3);
    shop.write(
        "reports/evaluation.json",
        r#"{"models": {"combined": {"auc": 0.625, "none yet": null}}, "by_age": [0.5, 2]}"#,
    );
    shop.write("reports/charts/picture.png", "not looked at here");
    shop.write("work/models/combined.json", "{}");
    shop
}

/// The value of a key in a list of `{key, value}`.
fn value<'a>(list: &'a Value, key: &str) -> &'a Value {
    let entry = list.as_array().and_then(|list| list.iter().find(|entry| entry["key"] == key));
    entry.map_or(&Value::Null, |entry| &entry["value"])
}

#[test]
fn runs_wait_for_the_server_and_can_be_read_back() {
    let shop = shop_that_ran();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    shop.replace("params.yaml", "uri: null", &format!("uri: http://127.0.0.1:{port}"));
    let words = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org"];
        let output = Command::new("git").arg("-C").arg(shop.path("")).args(who).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "Begin"]);
    let commit = git(&["rev-parse", "HEAD"]);

    // No server: a warning, and the run is kept as it was.
    let early = shop.run(&["track"]);
    assert_eq!(early.status.code(), Some(4), "{}", words(&early));
    assert!(words(&early).contains("cannot be reached"), "{}", words(&early));
    let waiting = shop.files("work/tracking/pending");
    assert_eq!(waiting.len(), 3, "record, evaluation and picture");
    let still = shop.run(&["track", "--pending"]);
    assert_eq!(still.status.code(), Some(4), "{}", words(&still));
    shop.write("reports/evaluation.json", r#"{"models": {"combined": {"auc": 0.75}}}"#);

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), port);
    shop.must(&["track", "--pending"]);
    assert!(shop.files("work/tracking/pending").is_empty());
    shop.must(&["track"]);

    // What cannot be sent does not hold up what can, and a run that the server knows no more is begun again.
    shop.write("work/tracking/pending/1/record.json", "{");
    let gone =
        r#"{"run_id": "0123", "started": 5, "params": {}, "metrics": {"gone": 1.0}, "tags": {}, "artefacts": []}"#;
    shop.write("work/tracking/pending/2/record.json", gone);
    let broken = shop.run(&["track", "--pending"]);
    assert_eq!(broken.status.code(), Some(4), "{}", words(&broken));
    assert!(words(&broken).contains("work/tracking/pending/1"), "{}", words(&broken));
    assert_eq!(shop.files("work/tracking/pending").len(), 1, "the broken one waits on");

    let mut runs = server.runs();
    let again = runs.pop().unwrap();
    assert_eq!(*value(&again["data"]["metrics"], "gone"), json!(1.0));
    assert_eq!(runs.len(), 2);
    for (run, auc) in runs.iter().zip([0.75, 0.625]) {
        assert_eq!(run["info"]["status"], "FINISHED");
        assert_eq!(*value(&run["data"]["metrics"], "models.combined.auc"), json!(auc));
        assert_eq!(*value(&run["data"]["params"], "recommend.per_customer"), json!("10"));
        assert_eq!(*value(&run["data"]["tags"], "mlflow.source.git.commit"), json!(commit));
        assert_eq!(value(&run["data"]["tags"], "fingerprint.models").as_str().map(str::len), Some(16));
        let artefacts = run["info"]["artifact_uri"].as_str().unwrap().replace("mlflow-artifacts:/", "");
        let picture = format!("{}/api/2.0/mlflow-artifacts/artifacts/{artefacts}/charts/picture.png", server.uri);
        assert_eq!(ureq::get(&picture).call().unwrap().into_string().unwrap(), "not looked at here");
    }
    assert_eq!(*value(&runs[1]["data"]["metrics"], "by_age.1"), json!(2.0));
}

#[test]
fn without_an_address_nothing_is_sent_or_kept() {
    let shop = shop_that_ran();
    shop.must(&["track"]);
    assert!(!shop.path("work/tracking").exists());
    let pending = shop.run(&["track", "--pending"]);
    let words = String::from_utf8_lossy(&pending.stderr).into_owned();
    assert_eq!(pending.status.code(), Some(1));
    assert!(words.contains("tracking.uri") && words.contains("make mlflow"), "{words}");
}

/// A server that is none: the run is kept all the same.
#[test]
fn a_strange_server_is_a_warning() {
    let shop = shop_that_ran();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    shop.replace("params.yaml", "uri: null", &format!("uri: http://{}", listener.local_addr().unwrap()));
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    });
    let output = shop.run(&["track"]);
    answering.join().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(shop.files("work/tracking/pending").len(), 3);
}
