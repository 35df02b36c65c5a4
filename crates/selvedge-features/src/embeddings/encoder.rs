//! The sentence encoder as the stages know it: the program `selvedge-encoder`, which stands beside this one, because it links
//! to libtorch (see `crates/sentence-encoder`).

use std::io::{self, BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use selvedge_project::error::Advice;
use selvedge_project::program::Program;

/// Numbers in a text's vector.
pub const DIMENSIONS: usize = 384;

/// Raise it when the same files give vectors with other bits: those remembered are then made again.
const VERSION: u32 = 3;

/// What in a model's folder, laid out as sentence-transformers saves it, decides its vectors.
pub const FILES: [&str; 7] = [
    "model.safetensors",
    "vocab.txt",
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
];

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    #[error("{}: not found", path.display())]
    MissingFile { path: PathBuf },
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: the sentence encoder cannot be started: {source}", path.display())]
    NoProgram { path: PathBuf, source: io::Error },
    #[error("the sentence encoder gave up: {reason}")]
    GaveUp { reason: String },
}

impl Advice for EncoderError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::MissingFile { .. } => Some("`make setup` fetches the sentence model".into()),
            Self::NoProgram { .. } => Some(
                "build it with `cargo build --release`, without `--no-default-features`, and keep it beside selvedge"
                    .into(),
            ),
            Self::Unreadable { .. } | Self::GaveUp { .. } => None,
        }
    }
}

/// A sentence encoder over one model.
#[derive(Debug)]
pub struct Encoder<'a> {
    folder: &'a Path,
    version: String,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a Path,
    threads: usize,
    texts: &'a [String],
}

impl<'a> Encoder<'a> {
    /// The encoder over the model in `folder`.  Nothing is started yet.
    ///
    /// # Errors
    /// A file of the model that is missing or cannot be read.
    pub fn new(folder: &'a Path) -> Result<Self, EncoderError> {
        let mut hash = Sha256::new_with_prefix(VERSION.to_le_bytes());
        for name in FILES {
            let path = folder.join(name);
            let content = match std::fs::read(&path) {
                Ok(content) => content,
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(EncoderError::MissingFile { path }),
                Err(source) => return Err(EncoderError::Unreadable { path, source }),
            };
            hash.update(name);
            hash.update((content.len() as u64).to_le_bytes());
            hash.update(&content);
        }
        let version = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { folder, version })
    }

    /// Names what decides the vectors: 16 hex digits of the SHA-256 over weights, vocabulary, settings and [`VERSION`].
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Encodes `texts` on up to `threads` threads and calls `on_done(position, vector)` for each as soon as its
    /// [`DIMENSIONS`] numbers are ready, in no fixed order.  `ControlFlow::Break` ends the work early; what was reported
    /// before an error stays good.
    pub fn encode_all(
        &self,
        texts: &[String],
        threads: usize,
        mut on_done: impl FnMut(usize, Vec<f32>) -> ControlFlow<()>,
    ) -> Result<(), EncoderError> {
        if texts.is_empty() {
            return Ok(());
        }
        let start = Program::start("selvedge-encoder", &[]);
        let mut program = start.map_err(|(path, source)| EncoderError::NoProgram { path, source })?;
        let (input, output) = program.pipes();
        // Dropped at once, so that the program knows that it has heard all.  If it does not listen, its own words say why.
        if let Some(input) = input {
            let _ = serde_json::to_writer(io::BufWriter::new(input), &Request { model: self.folder, threads, texts });
        }
        let mut answers = output.map(BufReader::new);
        let mut left = texts.len();
        let mut answer = [0; 4 + 4 * DIMENSIONS];
        while left > 0 && answers.as_mut().is_some_and(|answers| answers.read_exact(&mut answer).is_ok()) {
            let (position, vector) = answer.split_at(4);
            let numbers = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
            let position = u32::from_le_bytes(numbers(position)) as usize;
            let vector = vector.chunks_exact(4).map(|value| f32::from_le_bytes(numbers(value))).collect();
            if position >= texts.len() {
                break;
            }
            left -= 1;
            if on_done(position, vector).is_break() {
                return Ok(());
            }
        }
        if left == 0 { Ok(()) } else { Err(EncoderError::GaveUp { reason: program.reason() }) }
    }
}
