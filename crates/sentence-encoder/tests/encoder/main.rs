//! The model that `make setup` fetches, and texts with the vectors that sentence-transformers gives them.

mod layers;
mod vectors;

use std::path::Path;
use std::sync::OnceLock;

use sentence_encoder::Encoder;

/// The model's folder.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.minilm");
const REFERENCE: &str = include_str!("data/minilm_reference.json");

/// Texts with the vectors that sentence-transformers gives them.
#[derive(serde::Deserialize)]
struct Reference {
    texts: Vec<String>,
    vectors: Vec<Vec<f64>>,
}

fn loaded() -> &'static Encoder {
    static ENCODER: OnceLock<Encoder> = OnceLock::new();
    ENCODER.get_or_init(|| Encoder::load(Path::new(MODEL)).expect("make setup"))
}

fn reference() -> Reference {
    serde_json::from_str(REFERENCE).unwrap()
}
