//! One folder, one writer: while a command writes into `work/`, `work/.lock` says who it is, and no other begins.
//!
//! The system gives the lock back when its process ends, however it ends, so nobody waits for the dead.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};

use crate::error::{Advice, Result};
use crate::paths::Paths;

/// Held by the command that writes; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another command writes into {folder}: {holder}")]
    Held { folder: String, holder: String },
    #[error("{path} cannot be written: {cause}")]
    Disk { path: String, cause: std::io::Error },
}

impl Advice for LockError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Held { .. } => "wait until it has ended, then run again; nothing was changed".into(),
            Self::Disk { .. } => "check that the folder may be written to".into(),
        })
    }
}

impl Lock {
    /// Takes the folder for `command`.
    ///
    /// # Errors
    /// Another process holds it; the error says which, and since when.
    pub fn take(paths: &Paths, command: &str) -> Result<Self> {
        let path = paths.lock();
        let disk = |cause| LockError::Disk { path: paths.shown(&path), cause };
        std::fs::create_dir_all(paths.work()).map_err(disk)?;
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: paths.shown(&paths.work()), holder: holder(&mut file) }.into());
            }
            Err(TryLockError::Error(cause)) => return Err(disk(cause).into()),
        }
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let words = format!("selvedge {command}, process {}, since {since}\n", std::process::id());
        let written =
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| file.write_all(words.as_bytes()));
        written.map_err(disk)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who reads it meanwhile takes it for the words of one who has just begun, and asks again.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Who holds the lock, in words; one who has just taken it may not have said so yet.
fn holder(file: &mut File) -> String {
    for _ in 0..20 {
        let mut words = String::new();
        if file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut words)).is_ok() && words.ends_with('\n')
        {
            return words.trim_end().to_owned();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    "it has not said who it is".to_owned()
}
