//! The sentence encoder: a text in, [`DIMENSIONS`] numbers of length one out.
//!
//! The model is all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"): WordPiece
//! tokens, at most 256 of them, six transformer layers, the mean over the tokens, scaled to length one.  rust-bert reads,
//! checks and tokenizes; `transformer` computes, with the same bits on every processor.

mod blocks;
mod encoder;
mod files;
mod serve;
mod weights;

use std::{io, path::PathBuf};

pub use encoder::Encoder;
pub use serve::{Request, serve};

/// Numbers in a text's vector.
pub const DIMENSIONS: usize = 384;

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    #[error("{}: cannot be read: {source}; `make setup` fetches the sentence model", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: not what the encoder expects: {reason}; `make setup` fetches the sentence model again", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: the sentence model cannot be loaded: {reason}", path.display())]
    Load { path: PathBuf, reason: String },
    #[error("the sentence model failed on {texts} texts: {reason}")]
    Encode { texts: usize, reason: String },
}
