#![cfg(not(feature = "encoder"))]
use std::path::Path;

use selvedge::embeddings::encoder::Encoder;

#[test]
fn a_build_without_an_encoder_says_how_to_get_one() {
    let error = Encoder::load(Path::new(".minilm")).unwrap_err().to_string();
    assert!(
        error.contains("`cargo build --release`, without `--no-default-features`"),
        "{error}"
    );
}
