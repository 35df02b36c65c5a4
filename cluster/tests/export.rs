//! The client's export, here and on two executors: every file of `work/` the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{PROGRAM, Running};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The product's project without the sentence model, which is another program's, with more lines below `engine:`.
pub fn project(engine: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["sql", "materials"] {
        let copied = Command::new("cp").arg("-r").arg(Path::new(ROOT).join(part)).arg(folder.path()).status().unwrap();
        assert!(copied.success());
    }
    let params = std::fs::read_to_string(Path::new(ROOT).join("params.yaml")).unwrap();
    let params =
        params.replace("model: .minilm", "model: null").replace("\nengine:\n", &format!("\nengine:\n{engine}"));
    std::fs::write(folder.path().join("params.yaml"), params).unwrap();
    folder
}

/// What a run says.
pub fn run(project: &Path, stages: &[&str]) -> String {
    let mut program = Command::new(PROGRAM);
    let ran = program.args(["run", "--", "--root"]).arg(project).arg("run").args(stages).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    said
}

fn files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>, root: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found, root);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn the_clients_export_makes_the_same_files() {
    let stages = ["ingest", "embeddings", "features", "frame", "monitor"];
    let here = project("");
    let said = run(here.path(), &stages);
    assert!(!said.contains("cluster "), "{said}");
    let there = project("  cluster: http://127.0.0.1:PORT\n  cluster_least_rows: 0\n");
    let running = Running::start(there.path(), 2, None);
    let params = there.path().join("params.yaml");
    let text = std::fs::read_to_string(&params).unwrap().replace("PORT", &running.port.to_string());
    std::fs::write(&params, text).unwrap();
    let said = run(there.path(), &stages);
    let sent =
        said.lines().find_map(|line| line.strip_prefix("cluster     ")?.split_once(" queries were answered there"));
    let sent: usize = sent.unwrap_or_else(|| panic!("{said}")).0.parse().unwrap();
    assert!(sent > 50, "{said}");
    let [expected, found] = [&here, &there].map(|project| {
        let mut found = BTreeMap::new();
        files(&project.path().join("work"), &mut found, project.path());
        found
    });
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    let differ: Vec<_> =
        expected.iter().filter(|(name, bytes)| found[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}\n{said}");
}

/// What would run where is said before it runs.
#[test]
fn the_plan_says_where() {
    let there = project("  cluster: http://127.0.0.1:50050\n");
    let ingested = project("");
    run(ingested.path(), &["ingest", "embeddings", "features"]);
    std::fs::rename(ingested.path().join("work"), there.path().join("work")).unwrap();
    let said = |least: &str| {
        let params = there.path().join("params.yaml");
        let text = std::fs::read_to_string(&params).unwrap();
        std::fs::write(&params, text.replace("\nengine:\n", &format!("\nengine:\n  cluster_least_rows: {least}\n")))
            .unwrap();
        let mut program = Command::new(PROGRAM);
        let said =
            program.args(["run", "--", "--root"]).arg(there.path()).args(["plan", "--verbose"]).output().unwrap();
        std::fs::write(&params, text).unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    let few = said("100000000");
    assert!(few.contains("runs here, because it reads") && !few.contains("runs in the cluster"), "{few}");
    let all = said("0");
    assert!(all.contains("runs in the cluster") && !all.contains("runs here"), "{all}");
}
