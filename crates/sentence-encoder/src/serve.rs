//! The encoder as a program of its own: a request on its input, an answer for each text on its output.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Encoder;

/// What is asked: one JSON object.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The model's folder.
    pub model: PathBuf,
    /// Threads to encode on.
    pub threads: usize,
    pub texts: Vec<String>,
}

/// Reads a [`Request`] until `input` ends and answers each text as soon as its vector is ready: the text's position (u32),
/// then its [`crate::DIMENSIONS`] numbers (f32), all little-endian.  The answers come in no fixed order.
///
/// # Errors
/// Why not all texts could be answered, in words for a user.  `Ok` where nobody listens any more.
pub fn serve(mut input: impl Read, mut output: impl Write) -> Result<(), String> {
    let mut asked = Vec::new();
    input.read_to_end(&mut asked).map_err(|error| error.to_string())?;
    let request: Request = serde_json::from_slice(&asked).map_err(|error| error.to_string())?;
    let encoder = Encoder::load(&request.model).map_err(|error| error.to_string())?;
    encoder
        .encode_all(&request.texts, request.threads, |position, vector| {
            let mut answer = (position as u32).to_le_bytes().to_vec();
            answer.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
            match output.write_all(&answer).and_then(|()| output.flush()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })
        .map_err(|error| error.to_string())
}
