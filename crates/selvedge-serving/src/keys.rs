//! Keys of those who may ask: shown once, kept as a hash, compared in constant time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::journal;
use selvedge_project::error::{Advice, Result};

/// What is said where there were keys and their file is not there any more.
const GONE: &str =
    "work/serving/keys.json is gone; the keys that were read last count until it is back, or the server is stopped";

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
    /// Why the file that is there now is not the one that counts.
    trouble: Option<String>,
}

impl Ring {
    /// # Errors
    /// A file that cannot be read.
    pub fn open(root: &Path) -> Result<Self> {
        let file = written(root);
        let keys = Arc::new(Keys::read(root)?);
        let any = !keys.are_none();
        Ok(Self { root: root.to_owned(), seen: Mutex::new(Seen { file, keys, any, trouble: None }) })
    }

    /// The keys there are; where their file is gone or cannot be read, the last that were read.
    pub fn now(&self) -> Arc<Keys> {
        Arc::clone(&self.look().keys)
    }

    /// Names the key that was shown, where it allows something.  Where there never was any, whoever asks may, without a name; a
    /// door that had a lock does not open because its last key was taken out.
    pub fn allow(&self, shown: &str, right: Right) -> Option<String> {
        let seen = self.look();
        match seen.any {
            true => seen.keys.allow(shown, right).map(str::to_owned),
            false => Some(String::new()),
        }
    }

    /// Why the keys that count are not those of the file: it cannot be read, or is gone.
    pub fn trouble(&self) -> Option<String> {
        self.look().trouble.clone()
    }

    fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let file = written(&self.root);
        match file {
            None if seen.any => seen.trouble = Some(GONE.to_owned()),
            None => {}
            // The same file as before; one that could not be read is tried again.
            Some(_) if file == seen.file && seen.trouble.is_none() => {}
            Some(_) => match Keys::read(&self.root) {
                Ok(keys) => {
                    let any = seen.any || !keys.are_none();
                    *seen = Seen { file, keys: Arc::new(keys), any, trouble: None };
                }
                Err(error) => {
                    let words = error.to_string();
                    let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
                    seen.trouble = Some(format!("{first}; the keys that were read last count until it can be read"));
                }
            },
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

    /// Names the key that was shown, where it allows something.
    pub fn allow(&self, shown: &str, right: Right) -> Option<&str> {
        let (id, secret) = shown.split_once('.')?;
        let hash = hash(secret);
        let mut allowed = None;
        for key in &self.0 {
            let same = key.id.as_bytes().ct_eq(id.as_bytes()) & key.hash.as_bytes().ct_eq(hash.as_bytes());
            if bool::from(same) && key.rights.contains(&right) {
                allowed = Some(key.id.as_str());
            }
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
        assert!(ring.now().are_none() && ring.trouble().is_none());
        assert_eq!(ring.allow("", Right::Read).as_deref(), Some(""));
        let first = Keys::make(folder.path(), &[Right::Read]).unwrap();
        let allow = |shown: &str, right| ring.allow(shown, right).is_some();
        assert!(allow(&first, Right::Read));
        std::fs::remove_file(path(folder.path())).unwrap();
        assert!(allow(&first, Right::Read), "a file that is gone opens no door");
        assert!(ring.trouble().unwrap().contains("is gone"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        let second = Keys::make(folder.path(), &[Right::Write]).unwrap();
        assert!(allow(&second, Right::Write) && !allow(&first, Right::Read) && ring.trouble().is_none());
        let sound = std::fs::read(path(folder.path())).unwrap();
        std::fs::write(path(folder.path()), "[{").unwrap();
        assert!(allow(&second, Right::Write) && !allow("", Right::Write), "the last that were read count");
        assert!(ring.trouble().unwrap().contains("keys.json"), "and that they do is told");
        std::fs::write(path(folder.path()), sound).unwrap();
        assert!(allow(&second, Right::Write) && ring.trouble().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(path(folder.path()), "[]").unwrap();
        assert!(!allow(&second, Right::Write) && !allow("", Right::Read), "nor does the last that is taken out");
    }

    #[test]
    fn a_key_allows_what_it_was_made_for() {
        let folder = tempfile::tempdir().unwrap();
        let shown = Keys::make(folder.path(), &[Right::Read]).unwrap();
        let keys = Keys::read(folder.path()).unwrap();
        let (id, secret) = shown.split_once('.').unwrap();
        assert_eq!((keys.allow(&shown, Right::Read), keys.allow(&shown, Right::Write)), (Some(id), None));
        assert_eq!((keys.allow("", Right::Read), keys.allow(&shown[..shown.len() - 1], Right::Read)), (None, None));
        let kept = std::fs::read_to_string(path(folder.path())).unwrap();
        assert!(!kept.contains(secret), "the secret itself is kept nowhere");
    }
}
