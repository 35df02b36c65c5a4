//! The weights that rust-bert has loaded, for the forward pass of `transformer`.

use std::collections::HashMap;
use std::path::Path;

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::{Device, TchError, Tensor, nn::VarStore};
use transformer::{DenseParts, LayerParts, NormParts, Parts};

use crate::DIMENSIONS;

/// Lets rust-bert build the model that `config` describes and fill it from the file, which checks every name and shape; then
/// takes the weights out.
pub fn load(config: &BertConfig, file: &Path) -> Result<Parts, TchError> {
    // Nothing here is worth the threads that libtorch would start.
    tch::set_num_threads(1);
    let mut store = VarStore::new(Device::Cpu);
    BertModel::<BertEmbeddings>::new(store.root(), config);
    store.load(file)?;
    let weights = Weights(store.variables());
    // A text here is always a first sentence.
    let sentence = weights.get("embeddings.token_type_embeddings.weight")?;
    let places = weights.get("embeddings.position_embeddings.weight")?;
    let with_sentence = |place: &[f32]| -> Vec<f32> { place.iter().zip(&sentence).map(|(a, b)| a + b).collect() };
    Ok(Parts {
        width: DIMENSIONS,
        heads: usize::try_from(config.num_attention_heads).unwrap_or_default(),
        words: weights.get("embeddings.word_embeddings.weight")?,
        places: places.chunks_exact(DIMENSIONS).flat_map(with_sentence).collect(),
        norm: weights.norm("embeddings.LayerNorm")?,
        layers: (0..config.num_hidden_layers).map(|number| weights.layer(number)).collect::<Result<_, _>>()?,
    })
}

/// Tensors by the names that BERT's files give them.
struct Weights(HashMap<String, Tensor>);

impl Weights {
    fn get(&self, name: &str) -> Result<Vec<f32>, TchError> {
        let missing = || TchError::TensorNameNotFound(name.to_owned(), "the model".to_owned());
        Vec::try_from(self.0.get(name).ok_or_else(missing)?.f_flatten(0, -1)?)
    }

    fn layer(&self, number: i64) -> Result<LayerParts, TchError> {
        let layer = format!("encoder.layer.{number}");
        let mut attention_in = DenseParts::default();
        for part in ["query", "key", "value"] {
            let DenseParts { weights, bias } = self.dense(&format!("{layer}.attention.self.{part}"))?;
            attention_in.weights.extend(weights);
            attention_in.bias.extend(bias);
        }
        Ok(LayerParts {
            attention_in,
            attention_out: self.dense(&format!("{layer}.attention.output.dense"))?,
            attention_norm: self.norm(&format!("{layer}.attention.output.LayerNorm"))?,
            up: self.dense(&format!("{layer}.intermediate.dense"))?,
            down: self.dense(&format!("{layer}.output.dense"))?,
            norm: self.norm(&format!("{layer}.output.LayerNorm"))?,
        })
    }

    fn dense(&self, name: &str) -> Result<DenseParts, TchError> {
        Ok(DenseParts { weights: self.get(&format!("{name}.weight"))?, bias: self.get(&format!("{name}.bias"))? })
    }

    fn norm(&self, name: &str) -> Result<NormParts, TchError> {
        Ok(NormParts { weights: self.get(&format!("{name}.weight"))?, bias: self.get(&format!("{name}.bias"))? })
    }
}
