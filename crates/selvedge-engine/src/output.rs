//! Outputs that appear whole or not at all: written beside their place, renamed into it at the end.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::errors::ParquetError;
use serde::Serialize;

use super::query_error::plain;
use super::{Table, TableWriter, parquet};
use selvedge_project::error::{Advice, Result};
use selvedge_project::paths::Paths;

/// What a stage is about to leave behind.  Dropped without [`Staged::commit`], it leaves nothing, and the outputs of
/// the last good run stay as they were.
#[derive(Debug)]
pub struct Staged {
    paths: Paths,
    scratch: PathBuf,
    /// Where each finished file or folder goes; outputs may be written side by side.
    targets: Mutex<Vec<PathBuf>>,
    /// What is to be gone at the end.
    gone: Mutex<Vec<PathBuf>>,
    /// Tables on their way to the disk, at most [`SYNCING`]; the last are waited for at the end.
    syncing: Mutex<VecDeque<(PathBuf, JoinHandle<std::io::Result<()>>)>>,
}

/// Where each output goes, a line each, in the order of their numbers: what stands there when all are whole.
const JOURNAL: &str = "journal";

/// The journal's last line, without which it is none.
const JOURNAL_END: &str = "whole\n";

/// Every table on its way takes a thread and an open file.
const SYNCING: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{path} cannot be written: {cause}")]
    Disk { path: String, cause: String },
    #[error("{path} cannot be kept as Parquet: {cause}")]
    Type { path: String, cause: String },
}

impl Advice for WriteError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } => "free some space on the disk, or check that it lies in a folder that may be written to, then run again; the last outputs are kept".into(),
            Self::Type { .. } => "CAST the column to a number, a text, a date or a timestamp in the query that makes it".into(),
        })
    }
}

impl Staged {
    /// Prepares outputs of `stage`; what an interrupted run left is cleared away.
    pub fn new(paths: &Paths, stage: &str) -> Result<Self> {
        let scratch = paths.work().join(format!(".{stage}.new"));
        let staged = Self::at(paths, scratch);
        staged.clear();
        std::fs::create_dir_all(&staged.scratch).map_err(|e| staged.failed(&staged.scratch, e))?;
        Ok(staged)
    }

    fn at(paths: &Paths, scratch: PathBuf) -> Self {
        let (targets, gone, syncing) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { paths: paths.clone(), scratch, targets, gone, syncing }
    }

    fn failed(&self, path: &Path, cause: impl ToString) -> WriteError {
        WriteError::Disk { path: self.paths.shown(path), cause: cause.to_string() }
    }

    fn clear(&self) {
        // Nothing depends on leftovers: what cannot be removed now is overwritten or reported by the next write.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }

    /// A place inside the scratch folder for `target`; `target` itself is replaced at the end.
    fn beside(&self, target: &Path) -> PathBuf {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let number = targets.iter().position(|known| known == target).unwrap_or(targets.len());
        if number == targets.len() {
            targets.push(target.to_owned());
        }
        self.scratch.join(number.to_string())
    }

    /// A folder that will replace `target`.
    pub fn folder(&self, target: &Path) -> Result<PathBuf> {
        let folder = self.beside(target);
        std::fs::create_dir_all(&folder).map_err(|e| self.failed(target, e))?;
        Ok(folder)
    }

    /// Writes a table as Parquet into `target`'s folder or, without `name`, as `target` itself.
    pub fn table(&self, target: &Path, name: Option<&str>, table: &Table, notes: &[(&str, String)]) -> Result<()> {
        let path = match name {
            Some(name) => self.folder(target)?.join(format!("{name}.parquet")),
            None => self.beside(target),
        };
        let shown = name.map_or_else(|| target.to_owned(), |name| target.join(format!("{name}.parquet")));
        let file = parquet::write(&path, table, notes).map_err(|cause| self.unwritten(&shown, cause))?;
        self.sync(shown, file)
    }

    /// The table `name` in `target`'s folder, to be written some rows at a time; and the file it stands in until the end.
    /// `file` is the SQL file that its rows come from.
    pub fn writer<'a>(
        &'a self,
        target: &Path,
        name: &str,
        schema: SchemaRef,
        key: &'a [String],
        notes: &[(&str, String)],
        file: &'a str,
    ) -> Result<(TableWriter<'a>, PathBuf)> {
        let table = format!("{name}.parquet");
        let (path, target) = (self.folder(target)?.join(&table), target.join(&table));
        let created = parquet::Writer::create(&path, Arc::clone(&schema), key, notes);
        let writer = created.map_err(|cause| self.unwritten(&target, cause))?;
        Ok((TableWriter::new(self, target, writer, schema, key, file), path))
    }

    /// Why a table cannot be written.
    pub(super) fn unwritten(&self, target: &Path, cause: ParquetError) -> WriteError {
        match cause {
            ParquetError::NYI(cause) => WriteError::Type { path: self.paths.shown(target), cause },
            ParquetError::External(cause) => self.failed(target, cause),
            other => self.failed(target, plain(&other.to_string())),
        }
    }

    /// Sends a written table on its way to the disk.
    pub(super) fn sync(&self, target: PathBuf, file: File) -> Result<()> {
        let syncing =
            std::thread::Builder::new().spawn(move || file.sync_all()).map_err(|e| self.failed(&target, e))?;
        self.syncing.lock().unwrap_or_else(PoisonError::into_inner).push_back((target, syncing));
        self.wait_for_disk(SYNCING)
    }

    /// Waits until at most `left` tables are on their way.
    fn wait_for_disk(&self, left: usize) -> Result<()> {
        let mut syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        while syncing.len() > left
            && let Some((table, synced)) = syncing.pop_front()
        {
            let synced = synced.join().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
            synced.map_err(|e| self.failed(&table, e))?;
        }
        Ok(())
    }

    /// Keeps the table `name` of `target`'s folder as it is, byte for byte.
    pub fn keep(&self, target: &Path, name: &str) -> Result<()> {
        let file = format!("{name}.parquet");
        let (old, new) = (target.join(&file), self.folder(target)?.join(&file));
        std::fs::copy(&old, &new).map(|_| ()).map_err(|e| self.failed(&old, e).into())
    }

    /// Writes bytes as `target`, or as `target/name`.
    pub fn file(&self, target: &Path, name: Option<&str>, bytes: &[u8]) -> Result<()> {
        let path = match name {
            Some(name) => self.folder(target)?.join(name),
            None => self.beside(target),
        };
        std::fs::write(&path, bytes).map_err(|e| self.failed(target, e).into())
    }

    /// Writes `value` as readable JSON, as `target` or as `target/name`.
    pub fn json(&self, target: &Path, name: Option<&str>, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|e| self.failed(target, e))?;
        text.push(b'\n');
        self.file(target, name, &text)
    }

    /// Takes a file away once everything is in its place: what an earlier run left there and this one cannot make.
    pub fn without(&self, target: &Path) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
    }

    /// Finishes what a run was killed in the midst of putting into its place, and clears away what others left half done.  Only
    /// who holds the lock may.
    pub fn clear_up(paths: &Paths) -> Result<()> {
        for entry in std::fs::read_dir(paths.work()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') || !name.ends_with(".new") {
                continue;
            }
            // Dropped at the end, it clears its folder away.
            let staged = Self::at(paths, entry.path());
            let Ok(journal) = std::fs::read_to_string(staged.scratch.join(JOURNAL)) else { continue };
            let whole = journal.strip_suffix(JOURNAL_END).unwrap_or_default();
            for (number, target) in whole.lines().enumerate() {
                if staged.scratch.join(number.to_string()).exists() {
                    staged.put(number, &paths.root().join(target))?;
                }
            }
        }
        Ok(())
    }

    /// Puts everything into its place.
    pub fn commit(self) -> Result<()> {
        self.wait_for_disk(0)?;
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let journal: String = targets.iter().map(|target| self.paths.shown(target) + "\n").collect();
        let path = self.scratch.join(JOURNAL);
        std::fs::write(&path, journal + JOURNAL_END).map_err(|e| self.failed(&path, e))?;
        targets.iter().enumerate().try_for_each(|(number, target)| self.put(number, target))?;
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let remove = |target: &PathBuf| match std::fs::remove_file(target) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(self.failed(target, e).into()),
            _ => Ok(()),
        };
        gone.iter().try_for_each(remove)
    }

    fn put(&self, number: usize, target: &Path) -> Result<()> {
        let new = self.scratch.join(number.to_string());
        let old = self.scratch.join(format!("{number}.old"));
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|e| self.failed(parent, e))?;
        }
        if target.exists() {
            std::fs::rename(target, &old).map_err(|e| self.failed(target, e))?;
        }
        std::fs::rename(&new, target).map_err(|e| {
            let _ = std::fs::rename(&old, target);
            self.failed(target, e).into()
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.clear();
    }
}
