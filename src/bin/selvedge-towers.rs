//! Learns deep models for lists, started by `selvedge rank`.  A program of its own because libtorch takes a quarter of a second
//! to start, which every other command would pay too.

use std::process::ExitCode;

fn main() -> ExitCode {
    match two_tower::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(1)
        }
    }
}
