//! `scripts/reproduce.py` over a small history: a commit is held to its own dvc.lock, whatever became of it later.

use std::path::Path;
use std::process::{Command, Output};

use crate::shop::ROOT;

const RUN: &str =
    "mkdir -p out && tr a-z A-Z < words.txt > out/upper.txt && wc -c < words.txt | tr -d ' ' > size.txt\n";
const LOCK: &str = "schema: '2.0'
stages:
  upper:
    cmd: sh run.sh
    deps:
    - {path: words.txt, hash: md5, md5: 8d76ab93a1d8d5e6e248ad41f1cbf051}
    outs:
    - {path: out, hash: md5, md5: badec85e794ba98fe38ae2d9a3ca9f82.dir, nfiles: 1}
  size:
    cmd: sh run.sh
    outs:
    - {path: size.txt, hash: md5, md5: 1dcca23355272056f04fe8bf20edfce0}
";

fn git(repository: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).arg("-C").arg(repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn reproduce(repository: &Path, revision: &str) -> (Output, String) {
    let own = format!("{ROOT}/.venv/bin/python");
    let python = if Path::new(&own).exists() { own } else { "python3".to_owned() };
    let output = Command::new(python)
        .arg(format!("{ROOT}/scripts/reproduce.py"))
        .args([revision, "--run", "sh run.sh", "--root"])
        .arg(repository)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, words)
}

#[test]
fn a_commit_is_held_to_its_own_lock() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path();
    let write = |name: &str, text: &str| std::fs::write(repository.join(name), text).unwrap();
    let commit = |tag: &str| {
        git(repository, &["add", "-A"]);
        git(repository, &["commit", "-q", "-m", tag]);
        git(repository, &["tag", tag]);
    };
    git(repository, &["init", "-q"]);
    write(".gitignore", "out/\nsize.txt\n");
    write("words.txt", "wool\n");
    write("run.sh", RUN);
    commit("no-lock");
    write("dvc.lock", LOCK);
    commit("good");
    write("words.txt", "silk\n");
    commit("stale");
    write("words.txt", "wool\n");
    write("run.sh", "exit 3\n");
    commit("broken");

    let (output, words) = reproduce(repository, "good");
    assert!(output.status.success() && words.contains("all 3 hashes"), "{words}");
    let (output, words) = reproduce(repository, "stale");
    assert_eq!(output.status.code(), Some(1), "{words}");
    for expected in
        ["stage upper reads words.txt: dvc.lock says", "stage upper made out: dvc.lock says", "2 of 3 hashes"]
    {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(!words.contains("size.txt"), "{words}");
    for (revision, expected) in
        [("broken", "exit code 3"), ("no-lock", "has no dvc.lock"), ("nowhere", "name a commit of this repository")]
    {
        let (output, words) = reproduce(repository, revision);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(expected), "{words}");
    }
    let left = Command::new("git").arg("-C").arg(repository).args(["worktree", "list"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout).lines().count(), 1, "a checkout was left behind");
}
