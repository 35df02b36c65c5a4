//! What a run says while it works: a bar on a terminal, plain lines elsewhere; always on standard error.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Puts the answer to a question on standard output; a reader that stops early (`| head`) is no failure.
pub fn answer(bytes: &[u8]) -> std::io::Result<()> {
    match std::io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e),
        _ => Ok(()),
    }
}

/// One stage's voice.
pub struct Progress {
    stage: &'static str,
    started: Instant,
}

impl Progress {
    pub fn start(stage: &'static str) -> Self {
        Self { stage, started: Instant::now() }
    }

    /// A line that stays.
    pub fn say(&self, line: impl AsRef<str>) {
        eprintln!("{:<11} {}", self.stage, line.as_ref());
    }

    /// The stage's last line, with the seconds it took.
    pub fn done(&self, line: impl AsRef<str>) {
        self.say(format!("{} ({:.1} s)", line.as_ref(), self.started.elapsed().as_secs_f64()));
    }

    /// Time that the stage only waited for another does not count.
    pub fn leave_out(&mut self, waited: Duration) {
        self.started += waited;
    }

    /// Counts `total` units of a long step.
    pub fn steps(&self, total: u64, unit: &'static str) -> Steps {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(total).with_style(
                ProgressStyle::with_template("{prefix:<11} [{bar:30}] {pos} of {len} {msg}, {eta} left")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            ),
            false => ProgressBar::hidden(),
        };
        bar.set_prefix(self.stage);
        bar.set_message(unit);
        let now = Instant::now();
        Steps { stage: self.stage, unit, total, done: 0, bar, started: now, last_line: now }
    }
}

/// How far a long step has come.
pub struct Steps {
    stage: &'static str,
    unit: &'static str,
    total: u64,
    done: u64,
    bar: ProgressBar,
    started: Instant,
    last_line: Instant,
}

impl Steps {
    /// One more unit is done.  Without a terminal a line appears every ten seconds.
    pub fn advance(&mut self) {
        self.done += 1;
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_line.elapsed() >= Duration::from_secs(10) {
            let each = self.started.elapsed().as_secs_f64() / self.done as f64;
            let left = each * self.total.saturating_sub(self.done) as f64;
            eprintln!("{:<11} {} of {} {}, about {left:.0} s left", self.stage, self.done, self.total, self.unit);
            self.last_line = Instant::now();
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
