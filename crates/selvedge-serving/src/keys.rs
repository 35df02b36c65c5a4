//! Keys of those who may ask: shown once, kept as a hash, compared in constant time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::journal;
use selvedge_project::error::{Advice, Result};

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Lists and reasons.
    Read,
    /// Events.
    Write,
    /// Releases.
    Operate,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Key {
    id: String,
    /// SHA-256 of the secret: 256 random bits need no slow hash.
    hash: String,
    rights: Vec<Right>,
}

/// The keys there are.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {cause}")]
    Disk { path: String, cause: String },
    #[error("without keys only this machine may ask, and {0} is not of this machine alone")]
    Open(String),
}

impl Advice for KeyError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } => "check that the file can be read and written".into(),
            Self::Open(_) => "make a key with `selvedge key read` first, or listen on 127.0.0.1".into(),
        })
    }
}

/// The keys of a project as they are now: one that is made, or taken out of the file, counts at once.
#[derive(Debug)]
pub struct Ring {
    root: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// When the file was written, and how long it is: two keys can be made within one tick of its clock.
    file: Option<(SystemTime, u64)>,
    keys: Arc<Keys>,
    /// Whether there were ever any.
    any: bool,
}

impl Ring {
    /// # Errors
    /// A file that cannot be read.
    pub fn open(root: &Path) -> Result<Self> {
        let file = written(root);
        let keys = Arc::new(Keys::read(root)?);
        let any = !keys.are_none();
        Ok(Self { root: root.to_owned(), seen: Mutex::new(Seen { file, keys, any }) })
    }

    /// The keys there are; where their file is gone or cannot be read, the last that were read.
    pub fn now(&self) -> Arc<Keys> {
        Arc::clone(&self.look().keys)
    }

    /// Whether a key, as it was shown, allows something.  Where there never was any, whoever asks may; a door that had a lock
    /// does not open because its last key was taken out.
    pub fn allow(&self, shown: &str, right: Right) -> bool {
        let seen = self.look();
        !seen.any || seen.keys.allow(shown, right)
    }

    fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let file = written(&self.root);
        if file.is_some()
            && file != seen.file
            && let Ok(keys) = Keys::read(&self.root)
        {
            let any = seen.any || !keys.are_none();
            *seen = Seen { file, keys: Arc::new(keys), any };
        }
        seen
    }
}

fn written(root: &Path) -> Option<(SystemTime, u64)> {
    let file = path(root).metadata().ok()?;
    Some((file.modified().ok()?, file.len()))
}

fn path(root: &Path) -> PathBuf {
    journal::folder(root).join("keys.json")
}

fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Keys {
    /// The keys of a project; none where none was ever made.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let path = path(root);
        let disk = |cause: String| KeyError::Disk { path: "work/serving/keys.json".into(), cause };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self(serde_json::from_str(&text).map_err(|e| disk(e.to_string()))?)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(disk(e.to_string()).into()),
        }
    }

    /// Makes a key, which is shown this once.
    ///
    /// # Errors
    /// A disk, or a machine without random numbers.
    pub fn make(root: &Path, rights: &[Right]) -> Result<String> {
        let disk = |cause: String| KeyError::Disk { path: "work/serving/keys.json".into(), cause };
        let mut random = [0_u8; 40];
        let mut source = std::fs::File::open("/dev/urandom").map_err(|e| disk(e.to_string()))?;
        std::io::Read::read_exact(&mut source, &mut random).map_err(|e| disk(e.to_string()))?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (id, secret) = (hex(&random[..8]), hex(&random[8..]));
        let mut keys = Self::read(root)?;
        keys.0.push(Key { id: id.clone(), hash: hash(&secret), rights: rights.to_vec() });
        let path = path(root);
        std::fs::create_dir_all(journal::folder(root)).map_err(|e| disk(e.to_string()))?;
        let text = serde_json::to_vec_pretty(&keys.0).map_err(|e| disk(e.to_string()))?;
        let scratch = path.with_extension("new");
        std::fs::write(&scratch, text)
            .and_then(|()| std::fs::rename(&scratch, &path))
            .map_err(|e| disk(e.to_string()))?;
        Ok(format!("{id}.{secret}"))
    }

    /// Whether there is none.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key, as it was shown, allows something.
    pub fn allow(&self, shown: &str, right: Right) -> bool {
        let Some((id, secret)) = shown.split_once('.') else { return false };
        let hash = hash(secret);
        let mut allowed = false;
        for key in &self.0 {
            let same = key.id.as_bytes().ct_eq(id.as_bytes()) & key.hash.as_bytes().ct_eq(hash.as_bytes());
            allowed |= bool::from(same) && key.rights.contains(&right);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_as_soon_as_they_are_there_and_are_never_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let ring = Ring::open(folder.path()).unwrap();
        assert!(ring.now().are_none());
        let first = Keys::make(folder.path(), &[Right::Read]).unwrap();
        assert!(ring.now().allow(&first, Right::Read));
        std::fs::remove_file(path(folder.path())).unwrap();
        assert!(ring.now().allow(&first, Right::Read), "a file that is gone opens no door");
        std::thread::sleep(std::time::Duration::from_millis(20));
        let second = Keys::make(folder.path(), &[Right::Write]).unwrap();
        assert!(ring.now().allow(&second, Right::Write) && !ring.now().allow(&first, Right::Read));
        std::fs::write(path(folder.path()), "[]").unwrap();
        assert!(
            !ring.allow(&second, Right::Write) && !ring.allow("", Right::Read),
            "nor does the last that is taken out"
        );
    }

    #[test]
    fn a_key_allows_what_it_was_made_for() {
        let folder = tempfile::tempdir().unwrap();
        let shown = Keys::make(folder.path(), &[Right::Read]).unwrap();
        let keys = Keys::read(folder.path()).unwrap();
        assert!(keys.allow(&shown, Right::Read) && !keys.allow(&shown, Right::Write));
        assert!(!keys.allow("", Right::Read) && !keys.allow(&shown[..shown.len() - 1], Right::Read));
        let kept = std::fs::read_to_string(path(folder.path())).unwrap();
        assert!(!kept.contains(shown.split_once('.').unwrap().1), "the secret itself is kept nowhere");
    }
}
