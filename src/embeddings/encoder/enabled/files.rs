//! What stands in a model's folder, laid out as sentence-transformers saves it: read once, checked, hashed.

use std::{fs, io, path::Path};

use rust_bert::{
    Activation,
    bert::BertConfig,
    pipelines::{
        common::{ModelType, TokenizerOption},
        sentence_embeddings::{
            SentenceEmbeddingsModulesConfig, SentenceEmbeddingsSentenceBertConfig, SentenceEmbeddingsTokenizerConfig,
            layers::PoolingConfig,
        },
    },
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::super::{DIMENSIONS, EncoderError};
use super::bert::{ROWS, Weights};

const WEIGHTS: &str = "model.safetensors";
const VOCABULARY: &str = "vocab.txt";
const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const SENTENCES: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer_config.json";
/// Raise it when the same files give vectors with other bits: those remembered are then made again.
const VERSION: u32 = 2;

/// A model's folder, read.
pub struct Files {
    /// Names what decides the vectors: 16 hex digits of the SHA-256 over weights, vocabulary, settings and [`VERSION`].
    pub version: String,
    pub weights: Weights,
    pub tokenizer: TokenizerOption,
    /// Tokens of a text that are read; the rest is cut off.
    pub longest: usize,
}

impl Files {
    pub fn read(folder: &Path) -> Result<Self, EncoderError> {
        let mut hash = Sha256::new_with_prefix(VERSION.to_le_bytes());
        content(folder, WEIGHTS, &mut hash)?;
        content(folder, VOCABULARY, &mut hash)?;
        let config: BertConfig = json(folder, CONFIG, &mut hash)?;
        let modules: SentenceEmbeddingsModulesConfig = json(folder, MODULES, &mut hash)?;
        let pooling: PoolingConfig = json(folder, POOLING, &mut hash)?;
        let sentences: SentenceEmbeddingsSentenceBertConfig = json(folder, SENTENCES, &mut hash)?;
        let tokenizer: SentenceEmbeddingsTokenizerConfig = json(folder, TOKENIZER, &mut hash)?;

        let (width, heads, longest) = (config.hidden_size, config.num_attention_heads, sentences.max_seq_length);
        let only_mean = pooling.pooling_mode_mean_tokens
            && !(pooling.pooling_mode_cls_token || pooling.pooling_mode_max_tokens)
            && !pooling.pooling_mode_mean_sqrt_len_tokens;
        let scaled =
            modules.clone().validate().is_ok_and(|all| all.has_normalization() && all.dense_module().is_none());
        let most = ROWS.min(usize::try_from(config.max_position_embeddings).unwrap_or_default());
        for (fine, name, reason) in [
            (width == DIMENSIONS as i64, CONFIG, format!("hidden_size is {width}, not {DIMENSIONS}")),
            (heads > 0 && width % heads == 0, CONFIG, format!("{width} numbers cannot be split over {heads} heads")),
            (matches!(config.hidden_act, Activation::gelu), CONFIG, "hidden_act is not gelu".into()),
            (only_mean, POOLING, "it pools in another way than by the mean over all tokens".into()),
            (scaled, MODULES, "its modules are not Transformer, Pooling and Normalize".into()),
            (longest <= most, SENTENCES, format!("max_seq_length is {longest}, more than {most}")),
        ] {
            if !fine {
                return Err(EncoderError::Malformed { path: folder.join(name), reason });
            }
        }

        let load = |reason: String| EncoderError::Load { path: folder.to_owned(), reason };
        let weights = Weights::load(&config, &folder.join(WEIGHTS)).map_err(|error| load(error.to_string()))?;
        let lower_case = tokenizer.do_lower_case.unwrap_or(sentences.do_lower_case);
        let vocabulary = folder.join(VOCABULARY);
        let tokenizer = TokenizerOption::from_file(
            ModelType::Bert,
            &vocabulary.to_string_lossy(),
            None,
            lower_case,
            tokenizer.strip_accents,
            tokenizer.add_prefix_space,
        )
        .map_err(|error| load(error.to_string()))?;
        let version = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { version, weights, tokenizer, longest })
    }
}

/// A file's bytes, which go into `hash` with the file's name.
fn content(folder: &Path, name: &str, hash: &mut Sha256) -> Result<Vec<u8>, EncoderError> {
    let path = folder.join(name);
    let content = match fs::read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(EncoderError::Missing { path }),
        Err(source) => return Err(EncoderError::Unreadable { path, source }),
    };
    hash.update(name);
    hash.update((content.len() as u64).to_le_bytes());
    hash.update(&content);
    Ok(content)
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str, hash: &mut Sha256) -> Result<T, EncoderError> {
    let content = content(folder, name, hash)?;
    serde_json::from_slice(&content)
        .map_err(|error| EncoderError::Malformed { path: folder.join(name), reason: error.to_string() })
}
