//! What Ballista says while it works: warnings on standard error, or all of it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{LevelFilter, Log, Metadata, Record};

use selvedge_project::progress::Progress;

/// What is said again and again is said once in so long.
const AGAIN: Duration = Duration::from_secs(30);

/// The last line, and when it was written.
struct Plain(Mutex<Option<(String, Instant)>>);

impl Log for Plain {
    fn enabled(&self, about: &Metadata) -> bool {
        // It puts figures beside plans for people, and misses some of those of operators that it does not know.
        log::max_level() > LevelFilter::Warn || about.target() != "ballista_scheduler::display"
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = format!("{:<5} {}: {}", record.level(), record.target(), record.args());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(said, when)| *said != line || when.elapsed() > AGAIN) {
            eprintln!("{line}");
            *last = Some((line, Instant::now()));
        }
    }

    fn flush(&self) {}
}

static LOGGER: Plain = Plain(Mutex::new(None));

/// From now on warnings, or everything of some weight, go to standard error.
pub fn start(verbose: bool) {
    let level = if verbose { LevelFilter::Info } else { LevelFilter::Warn };
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
}

/// A line of a run.
pub fn say(words: impl AsRef<str>) {
    Progress::start("cluster").say(words);
}
