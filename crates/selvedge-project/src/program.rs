//! A program that stands beside this one: `selvedge-encoder`, `selvedge-towers`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program, running; stopped when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    path: PathBuf,
}

impl Program {
    /// Starts the program of this name with these variables in its environment.
    ///
    /// # Errors
    /// Where it was looked for, and why it cannot be started.
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Result<Self, (PathBuf, io::Error)> {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let path = std::env::current_exe().map(|program| program.with_file_name(&name)).unwrap_or(name.into());
        let mut command = Command::new(&path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).envs(environment.iter().copied());
        match command.spawn() {
            Ok(child) => Ok(Self { child, path }),
            Err(error) => Err((path, error)),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it reads, and what it writes; each is there to be taken once.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// Its last words.
    pub fn reason(&mut self) -> String {
        let mut words = String::new();
        if let Some(errors) = &mut self.child.stderr {
            let _ = errors.read_to_string(&mut words);
        }
        match (words.trim(), self.child.wait()) {
            ("", Ok(status)) => format!("it ended with {status}"),
            ("", Err(error)) => error.to_string(),
            (words, _) => words.to_owned(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
