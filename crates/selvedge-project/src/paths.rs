//! Every folder and file name of a project, from its root.

use std::path::{Path, PathBuf};

use crate::error::{Advice, Result};

/// The file that makes a folder a project.
pub const PARAMS: &str = "params.yaml";

/// Where a project's files are.
#[derive(Debug, Clone)]
pub struct Paths {
    root: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum PathError {
    #[error("{} is not a project: it has no {PARAMS}", .0.display())]
    NotAProject(PathBuf),
    #[error("no {PARAMS} in {} or in any folder above it", .0.display())]
    NoProjectAbove(PathBuf),
    #[error("the current folder cannot be read: {0}")]
    NoCurrentFolder(std::io::Error),
}

impl Advice for PathError {
    fn advice(&self) -> Option<String> {
        Some("go to the project's folder, or name it with --root DIR".into())
    }
}

impl Paths {
    /// The project in `root`, or, where none is given, the nearest folder upwards that has a params.yaml.
    pub fn find(root: Option<&Path>) -> Result<Self> {
        if let Some(root) = root {
            return match root.join(PARAMS).is_file() {
                true => Ok(Self { root: root.to_owned() }),
                false => Err(PathError::NotAProject(root.to_owned()).into()),
            };
        }
        let here = std::env::current_dir().map_err(PathError::NoCurrentFolder)?;
        match here.ancestors().find(|folder| folder.join(PARAMS).is_file()) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(PathError::NoProjectAbove(here).into()),
        }
    }

    /// `path` as a user knows it: from the root, with forward slashes.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn params(&self) -> PathBuf {
        self.root.join(PARAMS)
    }

    pub fn sql(&self) -> PathBuf {
        self.root.join("sql")
    }

    /// Cases of feature views.
    pub fn cases(&self) -> PathBuf {
        self.root.join("tests").join("features")
    }

    pub fn materials(&self) -> PathBuf {
        self.root.join("materials")
    }

    /// What `selvedge serve` seals: what was answered, and what customers did then.
    pub fn served(&self) -> PathBuf {
        self.materials().join("served")
    }

    /// Until when the served log is among the sources; there once it is.
    pub fn served_until(&self) -> PathBuf {
        self.ingest().join("served.json")
    }

    /// Stage outputs; git-ignored, kept by DVC.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Says who writes into `work/`.
    pub fn lock(&self) -> PathBuf {
        self.work().join(".lock")
    }

    /// Typed sources, set-aside rows and counts of surprises.
    pub fn ingest(&self) -> PathBuf {
        self.work().join("ingest")
    }

    /// Where training ends and testing begins.
    pub fn split(&self) -> PathBuf {
        self.work().join("split")
    }

    pub fn embeddings(&self) -> PathBuf {
        self.work().join("embeddings")
    }

    /// Vectors put aside while the rest is being made; gone once `embeddings` is whole.
    pub fn embedding_parts(&self) -> PathBuf {
        self.work().join("embedding_parts")
    }

    pub fn grain(&self) -> PathBuf {
        self.work().join("grain")
    }

    pub fn features(&self) -> PathBuf {
        self.work().join("features")
    }

    /// What the features stage remembers of its plans; only speed depends on it.
    pub fn plan_memory(&self) -> PathBuf {
        self.work().join(".plans.json")
    }

    pub fn frame(&self) -> PathBuf {
        self.work().join("frame.parquet")
    }

    pub fn models(&self) -> PathBuf {
        self.work().join("models")
    }

    /// Rankings of shelves.
    pub fn rank(&self) -> PathBuf {
        self.work().join("rank")
    }

    pub fn predictions(&self) -> PathBuf {
        self.work().join("predictions.parquet")
    }

    /// Metric tables over the predictions.
    pub fn evaluation(&self) -> PathBuf {
        self.work().join("evaluation")
    }

    /// What drives the score, by group of customers and over time.
    pub fn drivers(&self) -> PathBuf {
        self.work().join("drivers")
    }

    /// What the lists of recommendations show.
    pub fn exposure(&self) -> PathBuf {
        self.work().join("exposure")
    }

    pub fn recommendations(&self) -> PathBuf {
        self.work().join("recommendations.parquet")
    }

    /// Runs that no tracking server has taken yet.
    pub fn pending(&self) -> PathBuf {
        self.work().join("tracking").join("pending")
    }

    pub fn monitoring(&self) -> PathBuf {
        self.work().join("monitoring")
    }

    /// What the fire drills found.
    pub fn drill(&self) -> PathBuf {
        self.work().join("drill")
    }

    /// What people read: markdown, JSON and charts, committed.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// Metrics in DVC's reach.
    pub fn evaluation_json(&self) -> PathBuf {
        self.reports().join("evaluation.json")
    }

    /// Every metric and segment looked at, for programs.
    pub fn alerts_json(&self) -> PathBuf {
        self.reports().join("alerts.json")
    }

    /// Every alert's life over the reports so far.
    pub fn alert_history_json(&self) -> PathBuf {
        self.reports().join("alert-history.json")
    }

    /// The standing drills and how they went, for programs.
    pub fn drills_json(&self) -> PathBuf {
        self.reports().join("drills.json")
    }

    pub fn charts(&self) -> PathBuf {
        self.reports().join("charts")
    }
}
