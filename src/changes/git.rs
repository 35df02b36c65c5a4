//! Files of a git revision, through the `git` program.

use std::path::Path;
use std::process::{Command, Stdio};

use super::ChangesError;

/// The commit a revision names.
pub fn commit(root: &Path, revision: &str) -> Result<String, ChangesError> {
    let wanted = format!("{revision}^{{commit}}");
    let found = run(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
    match found {
        Some(bytes) => Ok(String::from_utf8_lossy(&bytes).trim().to_owned()),
        None => Err(ChangesError::UnknownRevision { revision: revision.to_owned() }),
    }
}

/// The files of a commit under these paths, from the project's root: path and content.
pub fn files(root: &Path, commit: &str, paths: &[&str]) -> Result<Vec<(String, Vec<u8>)>, ChangesError> {
    let mut arguments = vec!["ls-tree", "-r", "-z", "--name-only", commit, "--"];
    arguments.extend(paths);
    let names = run(root, &arguments)?.unwrap_or_default();
    let names = String::from_utf8_lossy(&names).into_owned();
    let mut files = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let content = run(root, &["show", &format!("{commit}:./{name}")])?;
        files.push((name.to_owned(), content.unwrap_or_default()));
    }
    Ok(files)
}

/// What git prints; none where it refuses.
fn run(root: &Path, arguments: &[&str]) -> Result<Option<Vec<u8>>, ChangesError> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(ChangesError::NoGit)?;
    Ok(output.status.success().then_some(output.stdout))
}
