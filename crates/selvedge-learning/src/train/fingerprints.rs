//! What a fitted model was made from, so that an artefact says so itself.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::Layer;

/// Each 16 hex digits of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Of `work/frame.parquet`, byte for byte.
    pub data: String,
    /// Of the definitions in `sql/features` and `sql/labels`.
    pub features: String,
    /// Of the versions of the code that fits.
    pub code: String,
}

impl Fingerprints {
    /// As notes of a Parquet file.
    pub fn notes(&self) -> [(&'static str, String); 3] {
        [("data", self.data.clone()), ("features", self.features.clone()), ("code", self.code.clone())]
    }

    /// The same, decided by code of further versions too.
    pub fn with_versions(self, versions: &[u32]) -> Self {
        let versions: Vec<u8> = versions.iter().flat_map(|version| version.to_le_bytes()).collect();
        Self { code: hash(&[self.code.as_bytes(), &versions]), ..self }
    }

    /// Of the project as it is now.
    pub fn of(project: &Project) -> Result<Self> {
        let frame = project.paths.frame();
        let data = std::fs::read(&frame).map_err(|e| super::TrainError::Unreadable {
            path: project.paths.shown(&frame),
            stage: "frame",
            cause: e.to_string(),
        })?;
        let files = [Layer::FEATURES, Layer::LABELS].into_iter().flat_map(|layer| project.library.layer(layer));
        let definitions: Vec<&[u8]> = files.map(|file| file.text().as_bytes()).collect();
        let versions = format!("{} {}", super::VERSION, models::VERSION);
        Ok(Self { data: hash(&[&data]), features: hash(&definitions), code: hash(&[versions.as_bytes()]) })
    }
}

/// Of several texts, each closed off by its length.
pub fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
