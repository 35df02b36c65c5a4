//! The encoder of a build without the feature `encoder`: it cannot be loaded, and says so.

use std::{convert::Infallible, ops::ControlFlow, path::Path};

use super::EncoderError;

/// A sentence encoder. In this build none can exist.
#[derive(Debug)]
pub struct Encoder(Infallible);

impl Encoder {
    /// Always [`EncoderError::NotBuilt`].
    pub fn load(_folder: &Path) -> Result<Encoder, EncoderError> {
        Err(EncoderError::NotBuilt)
    }

    /// See the enabled encoder.
    pub fn version(&self) -> &str {
        match self.0 {}
    }

    /// See the enabled encoder.
    pub fn encode(&self, _text: &str) -> Result<Vec<f32>, EncoderError> {
        match self.0 {}
    }

    /// See the enabled encoder.
    pub fn encode_all(
        &self,
        _texts: &[String],
        _threads: usize,
        _on_done: impl FnMut(usize, Vec<f32>) -> ControlFlow<()>,
    ) -> Result<(), EncoderError> {
        match self.0 {}
    }
}
