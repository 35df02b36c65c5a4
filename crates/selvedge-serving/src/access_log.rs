//! `selvedge serve --access-log FILE`: one line of JSON for each request, for whatever collects logs.
//!
//! A line names the pattern of the path, never who was asked for.  Lines are written by a thread of their own, so that no answer
//! waits for a disk; what it cannot keep up with is left out, counted, and told in a line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde::Serialize;

/// Lines that may wait to be written.
const WAITING: usize = 1 << 14;
/// No line waits longer in memory.
const FLUSHED: Duration = Duration::from_millis(200);

/// A request that was answered.
#[derive(Debug, Serialize)]
pub struct Access {
    /// When it was answered (UTC).
    pub at: String,
    pub method: &'static str,
    pub path: String,
    pub status: u16,
    pub seconds: f64,
}

/// Lines that were left out because they could not be written in time.
#[derive(Serialize)]
struct LeftOut {
    at: String,
    left_out: u64,
}

/// Where lines go to.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Writer>);

/// The thread that writes; it ends with the last who sends.
#[derive(Debug)]
struct Writer {
    lines: Option<SyncSender<Access>>,
    left_out: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    /// Waits until all is written.
    fn drop(&mut self) {
        drop(self.lines.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl AccessLog {
    /// Adds to a file; `-` is standard output.
    ///
    /// # Errors
    /// A file that cannot be opened or made.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let out: Box<dyn Write + Send> = match path.as_os_str() == "-" {
            true => Box::new(std::io::stdout()),
            false => Box::new(File::options().create(true).append(true).open(path)?),
        };
        let (lines, receiver) = sync_channel(WAITING);
        let left_out = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&left_out);
        let thread = std::thread::Builder::new().name("access-log".into());
        let thread = Some(thread.spawn(move || write(&receiver, out, &counted))?);
        Ok(Self(Arc::new(Writer { lines: Some(lines), left_out, thread })))
    }

    pub fn add(&self, method: &'static str, path: String, status: u16, seconds: f64) {
        let access = Access { at: now(), method, path, status, seconds };
        if self.0.lines.as_ref().is_some_and(|lines| lines.try_send(access).is_err()) {
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn now() -> String {
    Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Writes until nobody is left who sends.  What a full disk loses is counted too, and told once there is room again.
fn write(lines: &Receiver<Access>, out: Box<dyn Write + Send>, left_out: &AtomicU64) {
    let mut out = BufWriter::new(out);
    let mut flushed = Instant::now();
    loop {
        let received = lines.recv_timeout(FLUSHED.saturating_sub(flushed.elapsed()));
        if let Ok(access) = &received
            && put(&mut out, access).is_err()
        {
            left_out.fetch_add(1, Ordering::Relaxed);
        }
        let ended = received.err() == Some(RecvTimeoutError::Disconnected);
        if ended || flushed.elapsed() >= FLUSHED {
            let lost = left_out.swap(0, Ordering::Relaxed);
            if lost > 0 && put(&mut out, &LeftOut { at: now(), left_out: lost }).is_err() {
                left_out.fetch_add(lost, Ordering::Relaxed);
            }
            // What cannot be flushed stays in memory, and is tried again.
            let _ = out.flush();
            flushed = Instant::now();
        }
        if ended {
            return;
        }
    }
}

fn put(out: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)
}
