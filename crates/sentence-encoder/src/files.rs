//! What stands in a model's folder, laid out as sentence-transformers saves it: read and checked.

use std::{fs, path::Path};

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
use transformer::Parts;

use crate::blocks::BLOCK;
use crate::{DIMENSIONS, EncoderError, weights};

const WEIGHTS: &str = "model.safetensors";
const VOCABULARY: &str = "vocab.txt";
const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const SENTENCES: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer_config.json";

/// A model's folder, read.
pub struct Files {
    pub weights: Parts,
    pub tokenizer: TokenizerOption,
    /// Tokens of a text that are read; the rest is cut off.
    pub longest: usize,
}

impl Files {
    pub fn read(folder: &Path) -> Result<Self, EncoderError> {
        let config: BertConfig = json(folder, CONFIG)?;
        let modules: SentenceEmbeddingsModulesConfig = json(folder, MODULES)?;
        let pooling: PoolingConfig = json(folder, POOLING)?;
        let sentences: SentenceEmbeddingsSentenceBertConfig = json(folder, SENTENCES)?;
        let tokenizer: SentenceEmbeddingsTokenizerConfig = json(folder, TOKENIZER)?;

        let (width, heads, longest) = (config.hidden_size, config.num_attention_heads, sentences.max_seq_length);
        let only_mean = pooling.pooling_mode_mean_tokens
            && !(pooling.pooling_mode_cls_token || pooling.pooling_mode_max_tokens)
            && !pooling.pooling_mode_mean_sqrt_len_tokens;
        let scaled =
            modules.clone().validate().is_ok_and(|all| all.has_normalization() && all.dense_module().is_none());
        let most = BLOCK.min(usize::try_from(config.max_position_embeddings).unwrap_or_default());
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
        let weights = weights::load(&config, &folder.join(WEIGHTS)).map_err(|error| load(error.to_string()))?;
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
        Ok(Self { weights, tokenizer, longest })
    }
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, EncoderError> {
    let path = folder.join(name);
    let content = fs::read(&path).map_err(|source| EncoderError::Unreadable { path: path.clone(), source })?;
    serde_json::from_slice(&content).map_err(|error| EncoderError::Malformed { path, reason: error.to_string() })
}
