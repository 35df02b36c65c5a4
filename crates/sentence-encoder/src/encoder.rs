//! The encoder itself: rust-bert reads, checks and tokenizes, `transformer` computes.
//!
//! A text's vector has the same bits whatever was encoded before or beside it, on however many threads, on every processor
//! (see `transformer`).

use std::{
    fmt,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use rust_bert::pipelines::common::TokenizerOption;
use rust_tokenizers::tokenizer::TruncationStrategy;
use transformer::{Kind, Model, ModelError, Scratch};

use crate::EncoderError;
use crate::blocks::{BLOCK, blocks};
use crate::files::Files;

/// A sentence encoder.  Its weights take about 90 MB, however many threads encode at the same time.
pub struct Encoder {
    folder: PathBuf,
    tokenizer: TokenizerOption,
    /// Tokens of a text that are read.
    longest: usize,
    model: Model,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Encoder {
    /// Loads the model in `folder`, laid out as sentence-transformers saves it.
    ///
    /// # Errors
    /// A file that is missing, cannot be read, or is not what its name says; each names the path.
    pub fn load(folder: &Path) -> Result<Encoder, EncoderError> {
        let Files { weights, tokenizer, longest } = Files::read(folder)?;
        let load = |error: ModelError| EncoderError::Load { path: folder.to_owned(), reason: error.to_string() };
        let model = Model::new(weights, Kind::best()).map_err(load)?;
        Ok(Encoder { folder: folder.to_owned(), tokenizer, longest, model })
    }

    /// The vector of one text: [`DIMENSIONS`] numbers, length one.  Many texts are quicker together.
    ///
    /// An empty text has the vector of the two tokens that frame every text; whether that means anything is for the
    /// caller to say.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, EncoderError> {
        let mut found = Vec::new();
        self.encode_all(&[text.to_owned()], 1, |_, vector| {
            found = vector;
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Encodes `texts` on up to `threads` threads and calls `on_done(position, vector)` on the caller's thread for each
    /// as soon as it is ready, in no fixed order. The bits are those of [`Encoder::encode`], for any number of threads.
    ///
    /// Two cores are busy with two threads; more threads than cores are of no use.
    ///
    /// `ControlFlow::Break` ends the work early: texts already begun are dropped. So does the first error; what was
    /// reported before it stays good.
    pub fn encode_all(
        &self,
        texts: &[String],
        threads: usize,
        mut on_done: impl FnMut(usize, Vec<f32>) -> ControlFlow<()>,
    ) -> Result<(), EncoderError> {
        let tokens = self.tokens(texts);
        let lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
        let blocks = blocks(&lengths, BLOCK);
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads.max(1).min(blocks.len()) {
                let (send, next, blocks, tokens) = (send.clone(), &next, &blocks, &tokens);
                scope.spawn(move || {
                    let mut scratch = Scratch::default();
                    while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Nobody listens any more: the caller has had enough.
                        if send.send(self.block(block, tokens, &mut scratch)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            for done in receive {
                for (position, vector) in done? {
                    if on_done(position, vector).is_break() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }

    /// The words of each text by their numbers in the vocabulary, no more than are read.
    pub fn tokens(&self, texts: &[String]) -> Vec<Vec<i64>> {
        let tokens = self.tokenizer.encode_list(texts, self.longest, &TruncationStrategy::LongestFirst, 0);
        tokens.into_iter().map(|text| text.token_ids).collect()
    }

    /// What computes.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The vectors of one block with the positions of their texts.
    fn block(
        &self,
        block: &[usize],
        tokens: &[Vec<i64>],
        scratch: &mut Scratch,
    ) -> Result<Vec<(usize, Vec<f32>)>, EncoderError> {
        let texts: Vec<&[i64]> = block.iter().map(|position| tokens[*position].as_slice()).collect();
        let failed = |reason: String| EncoderError::Encode { texts: texts.len(), reason };
        let vectors = self.model.vectors(&texts, scratch).map_err(|error| failed(error.to_string()))?;
        if vectors.iter().flatten().any(|value| !value.is_finite()) {
            return Err(failed("not all numbers are finite".to_owned()));
        }
        Ok(block.iter().copied().zip(vectors).collect())
    }
}
