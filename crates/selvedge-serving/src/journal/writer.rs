//! The thread that writes a journal.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::JournalError;
use super::records::{framed, records_of};

/// Groups of records that are synced at once.
const AT_ONCE: usize = 1024;

pub type Done = oneshot::Sender<std::result::Result<(), JournalError>>;

/// What is to be done to a journal, and whom to tell.
pub enum Task {
    /// Records to put at the end.
    Append(Vec<Vec<u8>>, Done),
    /// Records to put in the place of all.
    Replace(Vec<Vec<u8>>, Done),
    /// What to put in the place of all that is there then; none: it stays.
    Rework(Rework, Done),
    /// Which records stay; the others are taken out.
    Keep(Keep, Done),
}

type Keep = Box<dyn Fn(&[u8]) -> bool + Send>;
type Rework = Box<dyn FnOnce(Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> + Send>;

/// Writes a journal.
pub struct Writer {
    file: File,
    path: PathBuf,
    shown: String,
    /// Of all that is acknowledged.
    length: u64,
}

impl Writer {
    /// Over a file of which so many bytes are whole records.
    pub fn new(file: File, path: &Path, shown: &str, length: u64) -> Self {
        Self { file, path: path.to_owned(), shown: shown.into(), length }
    }

    /// Does what is asked until nobody is left who asks.
    pub fn run(&mut self, tasks: &Receiver<Task>) {
        while let Ok(first) = tasks.recv() {
            let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
            for task in std::iter::once(first).chain(tasks.try_iter().take(AT_ONCE)) {
                match task {
                    Task::Append(records, done) => match framed(&records) {
                        Ok(more) => {
                            bytes.extend(more);
                            waiting.push(done);
                        }
                        Err(cause) => answer(done, Err(self.error(&cause))),
                    },
                    // Who replaces has seen everything acknowledged that was there before.
                    Task::Replace(records, done) => {
                        let replaced = framed(&records).and_then(|bytes| self.replace(|file| file.write_all(&bytes)));
                        answer(done, replaced.map_err(|cause| self.error(&cause)));
                    }
                    Task::Rework(work, done) => {
                        // What came before it is to be seen.
                        self.finish(&mut bytes, &mut waiting);
                        let reworked = self.rework(work);
                        answer(done, reworked.map_err(|cause| self.error(&cause)));
                    }
                    Task::Keep(stays, done) => {
                        self.finish(&mut bytes, &mut waiting);
                        let kept = self.keep(stays.as_ref());
                        answer(done, kept.map_err(|cause| self.error(&cause)));
                    }
                }
            }
            self.finish(&mut bytes, &mut waiting);
        }
    }

    /// Writes what is waiting, and tells those who wait.
    fn finish(&mut self, bytes: &mut Vec<u8>, waiting: &mut Vec<Done>) {
        let written = self.write(bytes).map_err(|cause| {
            // What is half written is no record; it is overwritten by the next.
            let _ = self.file.set_len(self.length);
            self.error(&cause)
        });
        bytes.clear();
        for done in waiting.drain(..) {
            answer(done, written.clone());
        }
    }

    /// Reads what is there.
    fn read(&mut self, seen: impl FnMut(&[u8])) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        records_of(&mut self.file, self.length, &self.shown, seen).map_err(std::io::Error::other)?;
        Ok(())
    }

    fn rework(&mut self, work: Rework) -> std::io::Result<()> {
        let mut records = Vec::new();
        self.read(|record| records.push(record.to_vec()))?;
        match work(records) {
            Some(records) => self.replace(|file| file.write_all(&framed(&records)?)),
            None => Ok(()),
        }
    }

    fn keep(&mut self, stays: &dyn Fn(&[u8]) -> bool) -> std::io::Result<()> {
        let mut all = true;
        self.read(|record| all = all && stays(record))?;
        if all {
            return Ok(());
        }
        let (mut old, length, shown) = (self.file.try_clone()?, self.length, self.shown.clone());
        self.replace(|file| {
            old.seek(SeekFrom::Start(0))?;
            let (mut out, mut written) = (BufWriter::new(file), Ok(()));
            let write = |record: &[u8]| {
                if written.is_ok() && stays(record) {
                    written = framed(&[record]).and_then(|bytes| out.write_all(&bytes));
                }
            };
            records_of(&mut old, length, &shown, write).map_err(std::io::Error::other)?;
            written.and_then(|()| out.flush())
        })
    }

    fn error(&self, cause: &std::io::Error) -> JournalError {
        JournalError::Disk { path: self.shown.clone(), cause: cause.to_string() }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Puts what `write` writes in the place of all, at once.
    fn replace(&mut self, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
        let scratch = self.path.with_extension("new");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&scratch)?;
        write(&mut file)?;
        file.sync_all()?;
        let length = file.metadata()?.len();
        std::fs::rename(&scratch, &self.path)?;
        sync_folder(&self.path)?;
        (self.file, self.length) = (file, length);
        Ok(())
    }
}

/// Makes sure that a file is still in its folder when the power comes back: what is acknowledged is of no use in a file that
/// nobody finds.
pub fn sync_folder(file: &Path) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn answer(done: Done, outcome: std::result::Result<(), JournalError>) {
    // Who asked may have gone away.
    let _ = done.send(outcome);
}
