//! What Ballista says while it works: warnings on standard error, or all of it.

use log::{LevelFilter, Log, Metadata, Record};

struct Plain;

impl Log for Plain {
    fn enabled(&self, about: &Metadata) -> bool {
        // It puts figures beside plans for people, and misses some of those of operators that it does not know.
        log::max_level() > LevelFilter::Warn || about.target() != "ballista_scheduler::display"
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        eprintln!("{:<5} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

/// From now on warnings, or everything of some weight, go to standard error.
pub fn start(verbose: bool) {
    let level = if verbose { LevelFilter::Info } else { LevelFilter::Warn };
    if log::set_logger(&Plain).is_ok() {
        log::set_max_level(level);
    }
}
