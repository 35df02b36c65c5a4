//! What a user sees when something goes wrong: what happened, and what to do about it.

use std::fmt;
use std::process::ExitCode;

/// The result of everything that can fail in front of a user.
pub type Result<T> = std::result::Result<T, Error>;

/// A module's own error kind; `advice` says what to do, where there is something to do.
pub trait Advice: std::error::Error + Send + Sync + 'static {
    /// One sentence in the imperative, without a full stop at the end.
    fn advice(&self) -> Option<String> {
        None
    }
}

/// Any module's error on its way to the user.
#[derive(Debug)]
pub struct Error {
    cause: Box<dyn std::error::Error + Send + Sync>,
    advice: Option<String>,
}

impl<E: Advice> From<E> for Error {
    fn from(cause: E) -> Self {
        let advice = cause.advice();
        Self { cause: Box::new(cause), advice }
    }
}

impl Error {
    /// What to do, where there is something to do.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// What happened and what to do about it, in one line.
    pub fn in_a_line(&self) -> String {
        let words = self.to_string();
        let lines = words.lines().map(|line| line.trim().trim_start_matches("error: ").trim_start_matches("do: "));
        lines.collect::<Vec<_>>().join("; ")
    }
}

/// Several errors of one kind, told together.
#[derive(Debug, thiserror::Error)]
#[error("{what}:{}", all.iter().map(|error| indented(error)).collect::<String>())]
struct Several {
    what: String,
    all: Vec<Error>,
}

fn indented(error: &Error) -> String {
    let words = error.to_string();
    words.trim_start_matches("error: ").lines().map(|line| format!("\n  {line}")).collect()
}

impl Advice for Several {}

impl Error {
    /// No error, the one there is, or all of them in one message that begins with `what`, given how many there are.
    ///
    /// # Errors
    /// `all` is not empty.
    pub fn together(mut all: Vec<Self>, what: impl Fn(usize) -> String) -> Result<()> {
        match all.len() {
            0 => Ok(()),
            1 => all.pop().map_or(Ok(()), Err),
            count => Err(Several { what: what(count), all }.into()),
        }
    }
}

/// The one printer: `error: what happened`, then `  do: what to do`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.cause)?;
        match &self.advice {
            Some(advice) => write!(f, "\n  do: {advice}"),
            None => Ok(()),
        }
    }
}

/// The names most like a mistyped one, for "did you mean"; at most three, best first.
pub fn near_names<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `did you mean a, b or c?`, or `fallback` where nothing is near.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>, fallback: &str) -> String {
    match near_names(wanted, known).as_slice() {
        [] => fallback.to_owned(),
        [one] => format!("did you mean {one}?"),
        [first @ .., last] => format!("did you mean {} or {last}?", first.join(", ")),
    }
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Done, with something to look at.
    Warnings,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Warnings => Self::from(4),
        }
    }
}
