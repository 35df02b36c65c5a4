//! A release: everything that decides an answer, sealed in a folder whose name is its hash.
//!
//! `work/releases/<hash>/` is a project of its own: params.yaml, sql/ and the tables of `work/` that lists are made from.  It
//! never changes; [`Release::open`] refuses one that did.

mod gates;
mod state;
mod switch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::state::{Canary, Change, State};
pub use self::switch::{Switch, roll_back};

use selvedge_learning::rank::{self, Which};
use selvedge_project::error::{Advice, Result, did_you_mean};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;

/// What of a project decides an answer.
const PARTS: [&str; 8] = [
    "params.yaml",
    "sql",
    "work/ingest",
    "work/split",
    "work/embeddings",
    "work/rank",
    "work/evaluation",
    "work/recommendations.parquet",
];
/// Names and sizes of a release's files.
const MANIFEST: &str = "release.json";

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("{path} is not there yet")]
    NotMade { path: String },
    #[error("{path}: {cause}")]
    Disk { path: String, cause: String },
    #[error("there is no release {name}")]
    Unknown { name: String, known: Vec<String> },
    #[error("{path} is not what was released: its hash differs")]
    Changed { path: String },
    #[error("nothing has been released yet")]
    None,
    #[error("there is no release before this one to go back to")]
    NoneBefore,
    #[error("the gate {gate} keeps the release back: {because}")]
    KeptBack { gate: String, because: String },
    #[error("'{text}' is no share of the requests")]
    NoShare { text: String },
}

impl Advice for ReleaseError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NotMade { .. } => "run `dvc repro` (or `selvedge run`) first".into(),
            Self::Disk { .. } => "free some space on the disk, or check that it may be written to".into(),
            Self::Unknown { name, known } => {
                did_you_mean(name, known.iter().map(String::as_str), "see `selvedge release list`")
            }
            Self::Changed { .. } => "build the release again with `selvedge release build`, or roll back to another".into(),
            Self::None => "build one with `selvedge release build`, then `selvedge release promote <hash>`".into(),
            Self::NoneBefore => "promote another with `selvedge release promote <hash>`".into(),
            Self::KeptBack { .. } => {
                "mend what the gate found, or say why it does not matter: `selvedge release promote <hash> --because \"…\"`".into()
            }
            Self::NoShare { .. } => "a share is from 0 to 1, such as 0.1, or 10% on the command line".into(),
        })
    }
}

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// SHA-256 by file, in their order.
    pub files: BTreeMap<String, String>,
    /// When the export was taken, on the shop's clock.
    pub exported_at: String,
    /// Names the ranking.
    pub ranking: String,
}

/// A sealed release.
#[derive(Debug, Clone)]
pub struct Release {
    pub hash: String,
    pub root: PathBuf,
    pub manifest: Manifest,
}

/// Where releases are kept.
pub fn folder(project: &Project) -> PathBuf {
    project.paths.work().join("releases")
}

fn disk(path: &Path, cause: impl ToString) -> ReleaseError {
    ReleaseError::Disk { path: path.to_string_lossy().into_owned(), cause: cause.to_string() }
}

/// Seals what `dvc repro` left; the same files give the same release.
///
/// # Errors
/// Stages that have not run, and disks.
pub fn build(project: &Project) -> Result<Release> {
    let fitted = rank::load(project, Which::Served)?;
    let ranking = if fitted.speaks() { fitted.version() } else { "none yet".to_owned() };
    let progress = Progress::start("release");
    let root = project.paths.root();
    let mut files = BTreeMap::new();
    for part in PARTS {
        let path = root.join(part);
        if !path.exists() {
            return Err(ReleaseError::NotMade { path: part.into() }.into());
        }
        for file in walked(&path)? {
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let bytes = std::fs::read(&file).map_err(|e| disk(&file, e))?;
            files.insert(name, hex(&Sha256::digest(&bytes)));
        }
    }
    let shop = &project.params.shop;
    let exported_at = shop.exported_at.with_timezone(&shop.timezone).format("%Y-%m-%d %H:%M:%S").to_string();
    let manifest = Manifest { files, exported_at, ranking };
    let hash = hash_of(&manifest);
    let target = folder(project).join(&hash);
    if !target.exists() {
        let scratch = folder(project).join(format!(".{hash}.new"));
        let _ = std::fs::remove_dir_all(&scratch);
        for name in manifest.files.keys() {
            let (from, to) = (root.join(name), scratch.join(name));
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent).map_err(|e| disk(parent, e))?;
            }
            std::fs::copy(&from, &to).map_err(|e| disk(&to, e))?;
        }
        let text = serde_json::to_vec_pretty(&manifest).map_err(|e| disk(&scratch, e))?;
        std::fs::write(scratch.join(MANIFEST), text).map_err(|e| disk(&scratch, e))?;
        std::fs::rename(&scratch, &target).map_err(|e| disk(&target, e))?;
    }
    progress.done(format!(
        "{hash}: {} files, ranking {}, export of {}",
        manifest.files.len(),
        manifest.ranking,
        manifest.exported_at
    ));
    Ok(Release { hash, root: target, manifest })
}

/// Every release there is, the oldest first.
///
/// # Errors
/// A folder that cannot be read.
pub fn list(project: &Project) -> Result<Vec<Release>> {
    let folder = folder(project);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut releases = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| disk(&folder, e))? {
        let path = entry.map_err(|e| disk(&folder, e))?.path();
        let Ok(text) = std::fs::read_to_string(path.join(MANIFEST)) else { continue };
        let hash = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if hash.starts_with('.') {
            continue;
        }
        let manifest: Manifest = serde_json::from_str(&text).map_err(|e| disk(&path.join(MANIFEST), e))?;
        let made = path.join(MANIFEST).metadata().and_then(|file| file.modified()).map_err(|e| disk(&path, e))?;
        releases.push((made, Release { hash, root: path, manifest }));
    }
    releases.sort_by(|a, b| (a.0, &a.1.hash).cmp(&(b.0, &b.1.hash)));
    Ok(releases.into_iter().map(|(_, release)| release).collect())
}

impl Release {
    /// The release whose hash begins with `name`.
    ///
    /// # Errors
    /// None, or several.
    pub fn find(project: &Project, name: &str) -> Result<Self> {
        let releases = list(project)?;
        let known = releases.iter().map(|release| release.hash.clone()).collect();
        let mut found = releases.into_iter().filter(|release| !name.is_empty() && release.hash.starts_with(name));
        match (found.next(), found.next()) {
            (Some(release), None) => Ok(release),
            _ => Err(ReleaseError::Unknown { name: name.into(), known }.into()),
        }
    }

    /// Refuses a release that is not, byte for byte, what was sealed.
    ///
    /// # Errors
    /// The first file that differs.
    pub fn verify(&self) -> Result<()> {
        for (name, expected) in &self.manifest.files {
            let found = std::fs::read(self.root.join(name)).map(|bytes| hex(&Sha256::digest(&bytes)));
            if found.ok().as_ref() != Some(expected) {
                return Err(ReleaseError::Changed { path: format!("work/releases/{}/{name}", self.hash) }.into());
            }
        }
        match hash_of(&self.manifest) == self.hash {
            true => Ok(()),
            false => Err(ReleaseError::Changed { path: format!("work/releases/{}/{MANIFEST}", self.hash) }.into()),
        }
    }

    /// What differs to another release, file by file: `added`, `removed` or `changed`.
    pub fn diff(&self, other: &Self) -> Vec<(String, &'static str)> {
        let names = self.manifest.files.keys().chain(other.manifest.files.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        let what = |name: &String| match (self.manifest.files.get(name), other.manifest.files.get(name)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(_), Some(_)) => Some("changed"),
            (Some(_), None) => Some("removed"),
            _ => Some("added"),
        };
        names.into_iter().filter_map(|name| Some((name.clone(), what(name)?))).collect()
    }
}

fn hash_of(manifest: &Manifest) -> String {
    let mut hash = Sha256::new();
    for (name, sum) in &manifest.files {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(sum);
    }
    hex(&hash.finalize())[..16].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file at or under `path`, in the order of their names; what begins with a dot is nobody's.
fn walked(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|e| disk(path, e))?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if !entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            files.extend(walked(&entry)?);
        }
    }
    Ok(files)
}
