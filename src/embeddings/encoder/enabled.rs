//! The encoder itself: rust-bert on libtorch.
//!
//! A text's vector has the same bits whatever was encoded before or beside it. So every text is a batch of its own:
//! in a larger batch a row's sums could be split differently, because BLAS picks its blocks by the shape of the whole
//! matrix. And every model runs on one torch thread; more texts at a time means more models, never more threads in one.

use std::{
    fmt, fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use rust_bert::{
    bert::BertConfig,
    pipelines::{
        common::ModelType,
        sentence_embeddings::{
            SentenceEmbeddingsConfig, SentenceEmbeddingsModel, SentenceEmbeddingsModulesConfig,
            SentenceEmbeddingsSentenceBertConfig, SentenceEmbeddingsTokenizerConfig, layers::PoolingConfig,
        },
    },
    resources::{LocalResource, ResourceProvider},
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tch::Device;

use super::{DIMENSIONS, EncoderError};

const WEIGHTS: &str = "model.safetensors";
const VOCABULARY: &str = "vocab.txt";
const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const SENTENCES: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer_config.json";

/// A sentence encoder: a pool of equal models, one for each thread that encodes at the same time.
///
/// A model takes about 90 MB. The first is loaded by [`Encoder::load`], a further one when a thread finds none idle.
pub struct Encoder {
    folder: PathBuf,
    version: String,
    idle: Mutex<Vec<SentenceEmbeddingsModel>>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("folder", &self.folder).field("version", &self.version).finish_non_exhaustive()
    }
}

impl Encoder {
    /// Loads the model in `folder`, laid out as sentence-transformers saves it.
    ///
    /// # Errors
    /// A file that is missing, cannot be read, or is not what its name says; each names the path.
    pub fn load(folder: &Path) -> Result<Encoder, EncoderError> {
        if !folder.is_dir() {
            return Err(EncoderError::Missing { path: folder.to_owned() });
        }
        let version = read(folder)?;
        let model = load_model(folder)?;
        Ok(Encoder { folder: folder.to_owned(), version, idle: Mutex::new(vec![model]) })
    }

    /// Names what decides the vectors: 16 hex digits of the SHA-256 over weights, vocabulary and settings.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The vector of one text: [`DIMENSIONS`] numbers, length one.
    ///
    /// An empty text has the vector of the two tokens that frame every text; whether that means anything is for the
    /// caller to say.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, EncoderError> {
        self.with_model(|model| encode(model, text))?
    }

    /// Encodes `texts` on up to `threads` threads and calls `on_done(position, vector)` on the caller's thread for each
    /// as soon as it is ready, in no fixed order. The bits are those of [`Encoder::encode`], for any number of threads.
    ///
    /// Two cores are busy with two threads; more threads than cores only cost memory.
    ///
    /// `ControlFlow::Break` ends the work early: texts already begun are dropped. So does the first error; what was
    /// reported before it stays good.
    pub fn encode_all(
        &self,
        texts: &[String],
        threads: usize,
        mut on_done: impl FnMut(usize, Vec<f32>) -> ControlFlow<()>,
    ) -> Result<(), EncoderError> {
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads.max(1).min(texts.len()) {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || {
                    let outcome = self.with_model(|model| {
                        while let Some((position, text)) = take(texts, next) {
                            // Nobody listens any more: the caller has had enough.
                            if send.send(encode(model, text).map(|vector| (position, vector))).is_err() {
                                break;
                            }
                        }
                    });
                    if let Err(error) = outcome {
                        let _ = send.send(Err(error));
                    }
                });
            }
            drop(send);
            for done in receive {
                let (position, vector) = done?;
                if on_done(position, vector).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Runs `work` with a model nobody else uses, loaded now if none is idle.
    fn with_model<T>(&self, work: impl FnOnce(&SentenceEmbeddingsModel) -> T) -> Result<T, EncoderError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let model = match waiting {
            Some(model) => model,
            None => load_model(&self.folder)?,
        };
        // Part of this number belongs to the thread (OpenMP) and part to the process (BLAS): everybody who encodes sets
        // both to one, and nothing else in this program sets them.
        tch::set_num_threads(1);
        let result = work(&model);
        idle().push(model);
        Ok(result)
    }
}

/// The next text nobody has taken.
fn take<'a>(texts: &'a [String], next: &AtomicUsize) -> Option<(usize, &'a str)> {
    let position = next.fetch_add(1, Ordering::Relaxed);
    texts.get(position).map(|text| (position, text.as_str()))
}

fn encode(model: &SentenceEmbeddingsModel, text: &str) -> Result<Vec<f32>, EncoderError> {
    let failed = |reason: String| EncoderError::Encode { bytes: text.len(), reason };
    let vectors = model.encode(&[text]).map_err(|error| failed(error.to_string()))?;
    match vectors.into_iter().next() {
        Some(vector) if vector.len() == DIMENSIONS => Ok(vector),
        Some(vector) => Err(failed(format!("{} numbers, not {DIMENSIONS}", vector.len()))),
        None => Err(failed("no vector".to_owned())),
    }
}

/// Reads every file once: proves that rust-bert can parse the settings (it would panic) and hashes all of them.
fn read(folder: &Path) -> Result<String, EncoderError> {
    let mut hash = Sha256::new();
    for (name, parse) in [
        (WEIGHTS, anything as fn(&[u8]) -> Result<(), String>),
        (VOCABULARY, anything),
        (CONFIG, json::<BertConfig>),
        (MODULES, json::<SentenceEmbeddingsModulesConfig>),
        (POOLING, json::<PoolingConfig>),
        (SENTENCES, json::<SentenceEmbeddingsSentenceBertConfig>),
        (TOKENIZER, json::<SentenceEmbeddingsTokenizerConfig>),
    ] {
        let path = folder.join(name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(EncoderError::Missing { path }),
            Err(source) => return Err(EncoderError::Unreadable { path, source }),
        };
        parse(&content).map_err(|reason| EncoderError::Malformed { path, reason })?;
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn anything(_content: &[u8]) -> Result<(), String> {
    Ok(())
}

fn json<T: DeserializeOwned>(content: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<T>(content).map(drop).map_err(|error| error.to_string())
}

fn load_model(folder: &Path) -> Result<SentenceEmbeddingsModel, EncoderError> {
    let file =
        |name: &str| -> Box<dyn ResourceProvider + Send> { Box::new(LocalResource { local_path: folder.join(name) }) };
    SentenceEmbeddingsModel::new(SentenceEmbeddingsConfig {
        modules_config_resource: file(MODULES),
        transformer_type: ModelType::Bert,
        transformer_config_resource: file(CONFIG),
        transformer_weights_resource: file(WEIGHTS),
        pooling_config_resource: file(POOLING),
        dense_config_resource: None,
        dense_weights_resource: None,
        sentence_bert_config_resource: file(SENTENCES),
        tokenizer_config_resource: file(TOKENIZER),
        tokenizer_vocab_resource: file(VOCABULARY),
        tokenizer_merges_resource: None,
        device: Device::Cpu,
        kind: None,
    })
    .map_err(|error| EncoderError::Load { path: folder.to_owned(), reason: error.to_string() })
}
