//! Parse, call, print, exit: 0 done, 1 failed, 2 usage, 4 warnings only.

use std::process::ExitCode;

use clap::Parser;
use selvedge::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(1)
        }
    }
}
