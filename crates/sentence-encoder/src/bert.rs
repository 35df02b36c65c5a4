//! The forward pass over the weights that rust-bert has loaded, in libtorch's fused operations.
//!
//! Texts are encoded in blocks: their tokens stand one below the other in exactly [`ROWS`] rows, with nothing between them
//! and zeros in what is left over.  Whatever is worked out row by row (the products with the weights, norms, GELU) runs over
//! the whole block, so that the weights, which no cache holds, are fetched once for many texts; whatever looks across rows
//! (attention, the mean) runs text by text.  So every operation has a shape that follows from the text alone, and its
//! vector has the same bits wherever in a block it stands and whatever stands beside it.

use std::collections::HashMap;
use std::path::Path;

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};

use crate::DIMENSIONS;

/// Rows of a block: with fewer, the weights are fetched and packed more often; with many more, what the products make leaves
/// the processor.  Measured on two cores: 256 to 1024 differ by a twelfth, 512 to 960 by a hundredth.
pub const ROWS: usize = 768;
/// BERT's own (Devlin et al. 2019); rust-bert has it in its code as well.
const EPSILON: f64 = 1e-12;
const WIDTH: i64 = DIMENSIONS as i64;
const FLOATS: (Kind, Device) = (Kind::Float, Device::Cpu);

/// A model over weights that it shares with others.
pub struct Bert {
    /// `vocabulary x 384`.
    words: Tensor,
    /// `places x 384`: of each place in a text.
    places: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
    scratch: Scratch,
}

/// Where the products of a block go, the same for every block: memory that is given back and asked for again comes empty
/// from the system, page by page.
struct Scratch {
    /// `rows x (3 * 384)`: queries, keys and values.
    together: Tensor,
    /// `rows x 384`.
    outer: Tensor,
    /// `rows x inner`.
    inner: Tensor,
}

/// One transformer layer (Vaswani et al. 2017).
struct Layer {
    heads: i64,
    /// Queries, keys and values in one product.
    attention_in: Dense,
    attention_out: Dense,
    attention_norm: Norm,
    up: Dense,
    down: Dense,
    norm: Norm,
}

struct Dense {
    weights: Tensor,
    bias: Tensor,
}

struct Norm {
    weights: Tensor,
    bias: Tensor,
}

/// Where a text's rows stand in a block.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: i64,
    length: i64,
}

impl Bert {
    /// The model over `weights`, which all models over them share.
    pub fn new(weights: &Weights) -> Result<Self, TchError> {
        let layers = (0..weights.layers).map(|number| Layer::new(weights, number));
        Ok(Self {
            words: weights.get("embeddings.word_embeddings.weight")?,
            places: weights.get("embeddings.position_embeddings.weight")?,
            norm: weights.norm("embeddings.LayerNorm")?,
            layers: layers.collect::<Result<_, TchError>>()?,
            scratch: Scratch::new(weights.inner)?,
        })
    }

    /// The vectors of the texts of one block: [`DIMENSIONS`] numbers of length one each.  Takes their tokens, at most
    /// [`ROWS`] together.
    pub fn vectors(&self, texts: &[&[i64]]) -> Result<Vec<Vec<f32>>, TchError> {
        tch::no_grad(|| {
            let (mut words, mut places, mut spans) = (Vec::with_capacity(ROWS), Vec::with_capacity(ROWS), Vec::new());
            for tokens in texts {
                spans.push(Span { start: words.len() as i64, length: tokens.len() as i64 });
                words.extend_from_slice(tokens);
                places.extend(0..tokens.len() as i64);
            }
            words.resize(ROWS, 0);
            places.resize(ROWS, 0);
            let mut rows = self.words.f_index_select(0, &Tensor::f_from_slice(&words)?)?;
            let _ = rows.f_add_(&self.places.f_index_select(0, &Tensor::f_from_slice(&places)?)?)?;
            let mut rows = self.norm.of(&rows)?;
            for layer in &self.layers {
                rows = layer.of(&rows, &spans, &self.scratch)?;
            }
            spans.iter().map(|span| span.vector(&rows)).collect()
        })
    }
}

impl Layer {
    fn new(weights: &Weights, number: i64) -> Result<Self, TchError> {
        let dense = |name: &str| weights.dense(&format!("encoder.layer.{number}.{name}"));
        let norm = |name: &str| weights.norm(&format!("encoder.layer.{number}.{name}"));
        Ok(Self {
            heads: weights.heads,
            attention_in: dense("attention.self")?,
            attention_out: dense("attention.output.dense")?,
            attention_norm: norm("attention.output.LayerNorm")?,
            up: dense("intermediate.dense")?,
            down: dense("output.dense")?,
            norm: norm("output.LayerNorm")?,
        })
    }

    fn of(&self, rows: &Tensor, spans: &[Span], scratch: &Scratch) -> Result<Tensor, TchError> {
        let taken = self.attention(rows, spans, scratch)?;
        let rows = self.attention_norm.of(&self.attention_out.of(&taken, &scratch.outer)?.f_add_(rows)?)?;
        let inner = self.up.of(&rows, &scratch.inner)?.f_gelu_("none")?;
        self.norm.of(&self.down.of(&inner, &scratch.outer)?.f_add_(&rows)?)
    }

    /// What every token takes from the others of its own text.
    fn attention(&self, rows: &Tensor, spans: &[Span], scratch: &Scratch) -> Result<Tensor, TchError> {
        let together = self.attention_in.of(rows, &scratch.together)?;
        let mut parts = Vec::with_capacity(spans.len() + 1);
        for Span { start, length } in spans {
            let heads = [1, *length, 3, self.heads, WIDTH / self.heads];
            let heads = together.f_narrow(0, *start, *length)?.f_view(heads)?.f_permute([2, 0, 3, 1, 4])?;
            let (queries, keys, values) = (heads.f_get(0)?, heads.f_get(1)?, heads.f_get(2)?);
            // Every token sees every other.  tch cannot say "no mask" here: libtorch refuses the one that it passes.
            let mask = Some(Tensor::f_zeros([*length, *length], FLOATS)?);
            let taken = Tensor::f_scaled_dot_product_attention(&queries, &keys, &values, mask, 0.0, false, None)?;
            parts.push(taken.f_transpose(1, 2)?.f_reshape([*length, WIDTH])?);
        }
        let used: i64 = spans.iter().map(|span| span.length).sum();
        parts.push(Tensor::f_zeros([ROWS as i64 - used, WIDTH], FLOATS)?);
        Tensor::f_cat(&parts, 0)
    }
}

impl Scratch {
    fn new(inner: i64) -> Result<Self, TchError> {
        let of = |width: i64| Tensor::f_zeros([ROWS as i64, width], FLOATS);
        Ok(Self { together: of(3 * WIDTH)?, outer: of(WIDTH)?, inner: of(inner)? })
    }
}

impl Span {
    /// The mean over the text's tokens, scaled to length one.
    fn vector(&self, rows: &Tensor) -> Result<Vec<f32>, TchError> {
        let mean = rows.f_narrow(0, self.start, self.length)?.f_mean_dim(0, false, Kind::Float)?;
        Vec::try_from(mean.f_div(&mean.f_norm()?.f_clamp_min(1e-12)?)?)
    }
}

impl Dense {
    /// Writes the product into `out`.
    fn of(&self, rows: &Tensor, out: &Tensor) -> Result<Tensor, TchError> {
        rows.f_linear_out(out, &self.weights, Some(&self.bias))
    }
}

impl Norm {
    fn of(&self, rows: &Tensor) -> Result<Tensor, TchError> {
        rows.f_layer_norm(WIDTH, Some(&self.weights), Some(&self.bias), EPSILON, false)
    }
}

/// The weights by the names that BERT's files give them.
pub struct Weights {
    layers: i64,
    heads: i64,
    /// Numbers of a token between `up` and `down`.
    inner: i64,
    named: HashMap<String, Tensor>,
}

impl Weights {
    /// Lets rust-bert build the model that `config` describes and fill it from the file, which checks every name and
    /// shape; then brings together what is only ever used together.
    pub fn load(config: &BertConfig, file: &Path) -> Result<Self, TchError> {
        let mut store = VarStore::new(Device::Cpu);
        BertModel::<BertEmbeddings>::new(store.root(), config);
        store.load(file)?;
        store.freeze();
        let mut weights = Self {
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            inner: config.intermediate_size,
            named: store.variables(),
        };
        for (layer, kind) in (0..weights.layers).flat_map(|layer| [(layer, "weight"), (layer, "bias")]) {
            let attention = format!("encoder.layer.{layer}.attention.self");
            let of = |name: &str| weights.get(&format!("{attention}.{name}.{kind}"));
            let three = Tensor::f_cat(&[of("query")?, of("key")?, of("value")?], 0)?;
            weights.named.insert(format!("{attention}.{kind}"), three);
        }
        // A text here is always a first sentence.
        let sentence = weights.get("embeddings.token_type_embeddings.weight")?.f_get(0)?;
        let places = "embeddings.position_embeddings.weight";
        weights.named.insert(places.into(), weights.get(places)?.f_add(&sentence)?);
        Ok(weights)
    }

    fn get(&self, name: &str) -> Result<Tensor, TchError> {
        let found = self.named.get(name).map(Tensor::shallow_clone);
        found.ok_or_else(|| TchError::TensorNameNotFound(name.to_owned(), "the model".to_owned()))
    }

    fn dense(&self, name: &str) -> Result<Dense, TchError> {
        Ok(Dense { weights: self.get(&format!("{name}.weight"))?, bias: self.get(&format!("{name}.bias"))? })
    }

    fn norm(&self, name: &str) -> Result<Norm, TchError> {
        Ok(Norm { weights: self.get(&format!("{name}.weight"))?, bias: self.get(&format!("{name}.bias"))? })
    }
}
