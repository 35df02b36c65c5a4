//! An append-only file of checksummed records.  What is acknowledged is on disk; an end that was torn off by a crash is cut
//! off and told.
//!
//! A record is its length and the CRC-32 of its bytes, four bytes each with the lowest first, and its bytes.  Records that
//! arrive together are written and synced together (group commit).

mod records;
mod writer;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use selvedge_project::error::{Advice, Result};
use tokio::sync::oneshot;

pub use self::records::LONGEST;
use self::records::records_of;
use self::writer::{Task, Writer, sync_folder};

#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    #[error("{path} cannot be written: {cause}")]
    Disk { path: String, cause: String },
    #[error("{path} is damaged at byte {at}, before its end")]
    Damaged { path: String, at: usize },
}

impl Advice for JournalError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } => {
                "free some space on the disk, or check that it may be written to; nothing that was acknowledged is lost"
                    .into()
            }
            Self::Damaged { path, .. } => {
                format!("keep a copy of {path}, bring back the last good one from a backup, and check the disk")
            }
        })
    }
}

/// What was found when a journal was opened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    pub records: usize,
    /// Bytes of a record that was being written when the process ended; nobody had been told that it was kept.
    pub cut: usize,
}

/// A journal that is open for writing.  Its file is written by a thread of its own.
#[derive(Debug, Clone)]
pub struct Journal {
    sender: Sender<Task>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one; `seen` is given every record that is there, in their order.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that is damaged before its end.
    pub fn open(path: &Path, shown: &str, seen: impl FnMut(&[u8])) -> Result<(Self, Recovered)> {
        let disk = |cause: std::io::Error| JournalError::Disk { path: shown.into(), cause: cause.to_string() };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(disk)?;
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(disk)?;
        let all = file.metadata().map_err(disk)?.len();
        let (records, whole) = records_of(&mut file, all, shown, seen)?;
        if whole < all {
            file.set_len(whole).map_err(disk)?;
            file.sync_all().map_err(disk)?;
        }
        sync_folder(path).map_err(disk)?;
        let (sender, receiver) = channel();
        let mut writer = Writer::new(file, path, shown, whole);
        std::thread::Builder::new().name("journal".into()).spawn(move || writer.run(&receiver)).map_err(disk)?;
        Ok((Self { sender }, Recovered { records, cut: (all - whole) as usize }))
    }

    /// Puts records at the end; they are on disk when this is done, all of them or none.
    ///
    /// # Errors
    /// A disk that is full or gone, or a record that is too long: then none of the records is kept.
    pub async fn append(&self, records: Vec<Vec<u8>>) -> std::result::Result<(), JournalError> {
        let (done, kept) = oneshot::channel();
        self.sender.send(Task::Append(records, done)).map_err(|_| gone())?;
        kept.await.map_err(|_| gone())?
    }

    /// Puts records in the place of all that are there, at once; to be called where waiting is allowed.
    ///
    /// # Errors
    /// As [`Journal::append`]; then all stays as it was.
    pub fn replace(&self, records: Vec<Vec<u8>>) -> std::result::Result<(), JournalError> {
        let (done, kept) = oneshot::channel();
        self.sender.send(Task::Replace(records, done)).map_err(|_| gone())?;
        kept.blocking_recv().map_err(|_| gone())?
    }

    /// Gives all records to `work`, and puts what it returns in their place; nothing is written meanwhile.  To be called where
    /// waiting is allowed.
    ///
    /// # Errors
    /// As [`Journal::append`]; then all stays as it was.
    pub fn rework(
        &self,
        work: impl FnOnce(Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> + Send + 'static,
    ) -> std::result::Result<(), JournalError> {
        let (done, kept) = oneshot::channel();
        self.sender.send(Task::Rework(Box::new(work), done)).map_err(|_| gone())?;
        kept.blocking_recv().map_err(|_| gone())?
    }

    /// Takes out the records that do not stay; how many there are does not matter, one at a time is in memory.  Nothing is written
    /// meanwhile.  To be called where waiting is allowed.
    ///
    /// # Errors
    /// As [`Journal::append`]; then all stays as it was.
    pub fn keep(&self, stays: impl Fn(&[u8]) -> bool + Send + 'static) -> std::result::Result<(), JournalError> {
        let (done, kept) = oneshot::channel();
        self.sender.send(Task::Keep(Box::new(stays), done)).map_err(|_| gone())?;
        kept.blocking_recv().map_err(|_| gone())?
    }
}

fn gone() -> JournalError {
    JournalError::Disk { path: "the journal".into(), cause: "its thread has ended".into() }
}

/// A journal of a folder, as messages name it: a playground has its own.
pub fn shown(folder: &Path, file: &str) -> String {
    format!("work/{}/{file}", folder.file_name().unwrap_or_default().to_string_lossy())
}

/// Reads a journal that somebody else may be writing: the whole records there are.
///
/// # Errors
/// A file that cannot be read, or that is damaged before its end.
pub fn read(path: &Path, shown: &str, seen: impl FnMut(&[u8])) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let disk = |cause: std::io::Error| JournalError::Disk { path: shown.into(), cause: cause.to_string() };
    let mut file = File::open(path).map_err(disk)?;
    let all = file.metadata().map_err(disk)?.len();
    records_of(&mut file, all, shown, seen)?;
    Ok(())
}

/// Where the journals of a project are.
pub fn folder(root: &Path) -> PathBuf {
    root.join("work").join("serving")
}

/// Where those of its playground are: what is played is nobody's behaviour.
pub fn played(root: &Path) -> PathBuf {
    root.join("work").join("playground")
}

#[cfg(test)]
mod tests {
    use super::records::HEAD;
    use super::*;

    fn begun() -> (tempfile::TempDir, tokio::runtime::Runtime) {
        (tempfile::tempdir().unwrap(), tokio::runtime::Builder::new_current_thread().build().unwrap())
    }

    fn kept(path: &Path) -> (Vec<Vec<u8>>, Recovered) {
        let mut records = Vec::new();
        let (_, recovered) = Journal::open(path, "log", |record| records.push(record.to_vec())).unwrap();
        (records, recovered)
    }

    /// Cut at any byte, the whole records before it are there, the rest is told, and writing goes on behind them.
    #[test]
    fn a_torn_end_is_cut_off() {
        let (folder, runtime) = begun();
        let path = folder.path().join("log");
        let records: Vec<Vec<u8>> = (0..5_usize).map(|n| vec![n as u8; 3 * n + 1]).collect();
        let (journal, _) = Journal::open(&path, "log", |_| ()).unwrap();
        for record in &records {
            runtime.block_on(journal.append(vec![record.clone()])).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let ends: Vec<usize> = (0..=5).map(|n| (0..n).map(|n| HEAD + 3 * n + 1).sum()).collect();
            let count = ends.iter().filter(|end| **end <= length).count() - 1;
            let (found, recovered) = kept(&path);
            assert_eq!(found, records[..count]);
            assert_eq!(recovered, Recovered { records: count, cut: length - ends[count] });
            let (journal, _) = Journal::open(&path, "log", |_| ()).unwrap();
            runtime.block_on(journal.append(vec![b"more".to_vec()])).unwrap();
            assert_eq!(kept(&path).0.last().unwrap(), b"more");
        }
    }

    #[test]
    fn records_are_replaced_at_once_and_a_longer_one_than_can_be_read_is_refused() {
        let (folder, runtime) = begun();
        let path = folder.path().join("log");
        let (journal, _) = Journal::open(&path, "log", |_| ()).unwrap();
        runtime.block_on(journal.append(vec![b"first".to_vec(), b"second".to_vec()])).unwrap();
        journal.replace(vec![b"third".to_vec()]).unwrap();
        runtime.block_on(journal.append(vec![b"not for long".to_vec()])).unwrap();
        journal.rework(|records| (records.len() == 2).then(|| records[..1].to_vec())).unwrap();
        journal.rework(|records| (records.len() == 2).then(Vec::new)).unwrap();
        runtime.block_on(journal.append(vec![b"out".to_vec(), b"fifth".to_vec()])).unwrap();
        journal.keep(|record| record != b"out").unwrap();
        journal.keep(|_| true).unwrap();
        let refused = runtime.block_on(journal.append(vec![b"small".to_vec(), vec![0; LONGEST + 1]])).unwrap_err();
        assert!(refused.to_string().contains("of at most"), "{refused}");
        runtime.block_on(journal.append(vec![b"fourth".to_vec()])).unwrap();
        assert_eq!(kept(&path).0, [b"third".to_vec(), b"fifth".to_vec(), b"fourth".to_vec()]);
    }

    #[test]
    fn damage_before_the_end_is_refused() {
        let (folder, runtime) = begun();
        let path = folder.path().join("log");
        let (journal, _) = Journal::open(&path, "log", |_| ()).unwrap();
        runtime.block_on(journal.append(vec![b"first".to_vec(), b"second".to_vec()])).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEAD] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = Journal::open(&path, "log", |_| ()).unwrap_err();
        assert!(error.to_string().contains("log is damaged at byte 0"), "{error}");
    }

    /// A length that no record has hides what follows it, and is damage; zeros at the end are what a crash leaves.
    #[test]
    fn a_length_that_no_record_has_is_damage_and_zeros_at_the_end_are_none() {
        let (folder, runtime) = begun();
        let path = folder.path().join("log");
        let (journal, _) = Journal::open(&path, "log", |_| ()).unwrap();
        runtime.block_on(journal.append(vec![b"first".to_vec(), b"second".to_vec()])).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0_u32, LONGEST as u32 + 1, u32::MAX] {
            let mut bytes = whole.clone();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            std::fs::write(&path, bytes).unwrap();
            assert!(Journal::open(&path, "log", |_| ()).unwrap_err().to_string().contains("damaged at byte 0"));
        }
        for zeros in [1, 7, 8, 9, 100_000] {
            std::fs::write(&path, [whole.clone(), vec![0; zeros]].concat()).unwrap();
            let (found, recovered) = kept(&path);
            assert_eq!((found, recovered.cut), (vec![b"first".to_vec(), b"second".to_vec()], zeros));
        }
    }
}
