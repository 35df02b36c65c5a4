//! What people run today for a list, on the same machine in the same run: Feast's feature server for the features of the
//! candidates, MLflow's model server for their scores (scripts/serving_peers.py).

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::load::{Found, without_pause};
use super::{Ask, ROOT};

const SECONDS: f64 = 8.0;
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
struct Peer {
    name: String,
    version: String,
    address: String,
    path: String,
    bodies: Vec<String>,
}

fn row(what: &str, address: &str, ask: Ask) -> (String, Found) {
    without_pause(address, AT_ONCE, 2.0, ask);
    let (alone, many) = (without_pause(address, 1, SECONDS / 2.0, ask), without_pause(address, AT_ONCE, SECONDS, ask));
    let row = format!(
        "| {what} | {:.1} | {:.1} | {:.0} | {:.1} | {} |\n",
        alone.percentile(50.0),
        alone.percentile(95.0),
        many.rate(),
        many.percentile(95.0),
        alone.failed + many.failed
    );
    (row, many)
}

/// The section of the page; `ours` are lists that are worked out anew.
pub fn section(python: &Path, address: &str, ours: Ask) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(python)
        .arg("scripts/serving_peers.py")
        .arg(Path::new(ROOT).join("work/frame.parquet"))
        .arg(folder.path())
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let peers: Vec<Peer> = lines.take(2).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let [feast, mlflow] = &peers[..] else { panic!("a peer does not start; see its log") };
    let mut section = format!(
        "\n## Beside what people run today\n\nThe part of a list that these do: Feast {} gives sixteen features, as they were last worked out, of one customer and 114 \
         articles; MLflow {} gives 114 scores of a logistic regression over sixteen columns. Neither works features out anew, keeps rules, or gives \
         reasons. One request after the other, by one who asks and by {AT_ONCE} at once.\n\n| what | alone: half within (ms) | 95 of 100 | {AT_ONCE} at once: answered a \
         second | 95 of 100 within (ms) | failed |\n|---|---:|---:|---:|---:|---:|\n",
        feast.version, mlflow.version
    );
    let (list, found) = row("a list worked out anew: features, scores, rules, reasons", address, ours);
    section += &list;
    let mut each = 0.0;
    for (peer, what) in [(feast, "features of the candidates"), (mlflow, "scores of the candidates")] {
        let ask = |number: usize| ("POST", peer.path.clone(), peer.bodies[number % peer.bodies.len()].clone());
        let (row, found) = row(&format!("{}: {what}", peer.name), &peer.address, &ask);
        section += &row;
        each += 1.0 / found.rate();
    }
    let theirs = 1.0 / each;
    let _ = write!(
        section,
        "\nTogether, one after the other on these two cores, they make {theirs:.0} such lists a second; this server makes {:.0}, which is {:.1} times as many.\n",
        found.rate(),
        found.rate() / theirs
    );
    drop(child.stdin.take());
    let _ = child.wait();
    section
}
