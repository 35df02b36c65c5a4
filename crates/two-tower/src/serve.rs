//! The program: a task on its input, an answer on its output, until the input ends.

use std::io::{Read, Write};

use recommenders::deep::Message;

use crate::descent::FitError;
use crate::{session, towers};

/// Answers each task as soon as it is learned.
///
/// # Errors
/// Why a task could not be answered, in words for a user.  `Ok` where nobody listens any more.
pub fn serve(mut input: impl Read, mut output: impl Write) -> Result<(), String> {
    // More threads would add up in another order.
    tch::set_num_threads(1);
    while let Some(task) = Message::read(&mut input).map_err(|error| format!("a task cannot be read: {error}"))? {
        let learned = match task.name.as_str() {
            "towers" => towers(&task),
            "session" => session(&task),
            other => Err(FitError::NoTask(other.to_owned())),
        };
        let (answer, _) = learned.map_err(|error| error.to_string())?;
        if answer.write(&mut output).is_err() {
            break;
        }
    }
    Ok(())
}
