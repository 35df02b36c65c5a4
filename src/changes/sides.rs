//! Both sides of a comparison: the definitions of a revision and those of the working tree, over the same materials.

use std::path::{Path, PathBuf};

use super::{ChangesError, git};
use crate::{embeddings, evaluate, features, frame, ingest, rank, recommend, train};
use selvedge_analysis::lineage::{Basis, Memory, Traces};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::Layer;

/// What a revision defines: everything that a stage reads and is no data.
const DEFINITIONS: [&str; 2] = ["sql", "params.yaml"];

/// One side: a project of its own in a folder for a while, all its stages run.
pub struct Side {
    pub project: Project,
    pub traces: Traces,
    /// Path -> text of everything that defines it, sorted.
    pub texts: Vec<(String, String)>,
}

/// A folder that is gone when this is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(project: &Project) -> Self {
        let folder = project.paths.work().join(".changes");
        // What an interrupted run left is of no use.
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The definitions of a commit.
pub fn of_commit(project: &Project, commit: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let files = git::files(project.paths.root(), commit, &DEFINITIONS)?;
    match files.iter().any(|(path, _)| path == "params.yaml") {
        true => Ok(files),
        false => Err(ChangesError::NoProjectThen { commit: commit.to_owned() }.into()),
    }
}

/// The definitions as they are now.
pub fn of_tree(project: &Project) -> Result<Vec<(String, Vec<u8>)>> {
    let root = project.paths.root();
    let mut waiting: Vec<PathBuf> = DEFINITIONS.iter().map(|name| root.join(name)).collect();
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|cause| disk(&path, cause))?;
            waiting.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        } else {
            let content = std::fs::read(&path).map_err(|cause| disk(&path, cause))?;
            files.push((project.paths.shown(&path), content));
        }
    }
    files.sort();
    Ok(files)
}

impl Side {
    /// Puts `files` and the working tree's materials into a folder and runs the stages up to the lists.
    pub fn run(tree: &Project, scratch: &Scratch, name: &str, files: &[(String, Vec<u8>)]) -> Result<Self> {
        let root = scratch.0.join(name);
        for (path, content) in files {
            write(&root.join(path), content)?;
        }
        copy(&tree.paths.materials(), &root.join("materials"))?;
        // Vectors are known by text and encoder, so remembered ones are as good as new ones.
        let vectors = tree.paths.embeddings().join("vectors.parquet");
        if vectors.is_file() {
            let content = std::fs::read(&vectors).map_err(|cause| disk(&vectors, cause))?;
            write(&root.join("work/embeddings/vectors.parquet"), &content)?;
        }
        let mut project = Project::open(Some(&root), tree.flow)?;
        project.params.embeddings.model = tree.params.embeddings.model.clone();
        project.params.engine = tree.params.engine.clone();
        ingest::run(&project)?;
        let project = project.as_ingested()?;
        embeddings::run(&project)?;
        features::run(&project)?;
        frame::run(&project)?;
        train::run(&project)?;
        rank::run(&project)?;
        evaluate::run(&project)?;
        recommend::run(&project, None)?;
        let traces = Traces::of(&project, Layer::FEATURES, Basis::Remembered(&Memory::default()))?;
        let text = |(path, content): &(String, Vec<u8>)| (path.clone(), String::from_utf8_lossy(content).into_owned());
        Ok(Self { project, traces, texts: files.iter().map(text).collect() })
    }

    /// The model's figures: `combined auc` -> value.
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let read = std::fs::read(self.project.paths.evaluation_json()).ok();
        let json: Option<serde_json::Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut found = Vec::new();
        for (model, metrics) in json.as_ref().and_then(|json| json.get("models")?.as_object()).into_iter().flatten() {
            for (metric, value) in metrics.as_object().into_iter().flatten() {
                found.extend(value.as_f64().map(|value| (format!("{model}: {metric}"), value)));
            }
        }
        found
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|cause| disk(folder, cause))?;
    Ok(std::fs::write(path, content).map_err(|cause| disk(path, cause))?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).map_err(|cause| disk(from, cause))?.flatten() {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            let content = std::fs::read(entry.path()).map_err(|cause| disk(&entry.path(), cause))?;
            write(&to.join(entry.file_name()), &content)?;
        }
    }
    Ok(())
}

fn disk(path: &Path, cause: std::io::Error) -> ChangesError {
    ChangesError::Disk { path: path.display().to_string(), cause }
}
