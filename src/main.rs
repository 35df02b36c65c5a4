//! Parse, call, print, exit: 0 done, 1 failed, 2 usage, 4 warnings only, 130 stopped by Ctrl-C.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use selvedge::cli::Cli;

/// Plans are many small objects and columns few large ones; both cost less here than in the C library's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h: milliseconds before free memory goes back to the system, -1 for never.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// What Ctrl-C is answered with: outputs are written beside and renamed, so there is nothing to put right.
extern "C" fn interrupted(_: libc::c_int) {
    const WORDS: &[u8] =
        b"\nstopped: nothing is lost, the outputs of the last good run stay; run it again whenever you like\n";
    // SAFETY: both calls may be made from a handler of signals, and the words live as long as the program.
    unsafe {
        libc::write(libc::STDERR_FILENO, WORDS.as_ptr().cast(), WORDS.len());
        libc::_exit(130);
    }
}

fn main() -> ExitCode {
    // Memory that a batch gave back serves the next: fresh pages of the system cost more than what is done with them.
    // SAFETY: no other thread is there yet, which is all that the call asks for.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    // SAFETY: the handler does nothing but what a handler may.
    unsafe { libc::signal(libc::SIGINT, interrupted as *const () as libc::sighandler_t) };
    match Cli::parse().run() {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(1)
        }
    }
}
