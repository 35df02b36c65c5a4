//! Parse, call, print, exit: 0 done, 1 failed, 2 usage, 4 warnings only.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use selvedge::cli::Cli;

/// Plans are many small objects and columns few large ones; both cost less here than in the C library's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h: milliseconds before free memory goes back to the system, -1 for never.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    // Memory that a batch gave back serves the next: fresh pages of the system cost more than what is done with them.
    // SAFETY: no other thread is there yet, which is all that the call asks for.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    match Cli::parse().run() {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(1)
        }
    }
}
