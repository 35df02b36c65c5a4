//! The sentence encoder: a text in, [`DIMENSIONS`] numbers of length one out.
//!
//! The model is all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"): WordPiece
//! tokens, at most 256 of them, six transformer layers, the mean over the tokens, scaled to length one.
//!
//! Built without the feature `encoder`, nothing links to libtorch, the API stays the same and `Encoder::load` says what
//! is missing. So callers carry no `cfg`.

use std::{io, path::PathBuf};

#[cfg(not(feature = "encoder"))]
mod disabled;
#[cfg(feature = "encoder")]
mod enabled;

#[cfg(not(feature = "encoder"))]
pub use disabled::Encoder;
#[cfg(feature = "encoder")]
pub use enabled::Encoder;

/// Numbers in a text's vector.
pub const DIMENSIONS: usize = 384;

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    #[error(
        "this build has no sentence encoder; build it with `cargo build --release`, without `--no-default-features`"
    )]
    NotBuilt,
    #[error("{}: not found; `make setup` fetches the sentence model", path.display())]
    Missing { path: PathBuf },
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: not what the encoder expects: {reason}; `make setup` fetches the sentence model again", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: the sentence model cannot be loaded: {reason}", path.display())]
    Load { path: PathBuf, reason: String },
    #[error("the sentence model failed on {texts} texts: {reason}")]
    Encode { texts: usize, reason: String },
}
