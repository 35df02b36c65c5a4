//! The model: word and place of each token, the layers, the mean over the tokens.

use crate::attention::{Attention, Span};
use crate::norm::Norm;
use crate::panels::{Panels, Strips};
use crate::processor::Kind;
use crate::product::{Bias, BiasGelu, BiasResidual, product};

/// Weights as a checkpoint has them, matrices row by row.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Numbers of a token.
    pub width: usize,
    pub heads: usize,
    /// `vocabulary x width`.
    pub words: Vec<f32>,
    /// `places x width`, what the kind of sentence adds included.
    pub places: Vec<f32>,
    pub norm: NormParts,
    pub layers: Vec<LayerParts>,
}

/// Weights of one transformer layer.
#[derive(Debug, Clone, Default)]
pub struct LayerParts {
    /// Queries, keys and values, one below the other.
    pub attention_in: DenseParts,
    pub attention_out: DenseParts,
    pub attention_norm: NormParts,
    pub up: DenseParts,
    pub down: DenseParts,
    pub norm: NormParts,
}

/// Weights (`outputs x inputs`) and bias (`outputs`) of a product.
#[derive(Debug, Clone, Default)]
pub struct DenseParts {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Weights and bias of a norm, `width` each.
#[derive(Debug, Clone, Default)]
pub struct NormParts {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Why there is no model, or no vector.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelError {
    #[error("{what} has {found} numbers, not {expected}")]
    Shape { what: String, found: usize, expected: usize },
    #[error("{width} numbers cannot be split over {heads} heads")]
    Heads { width: usize, heads: usize },
    #[error("the token {token} is not one of {words}")]
    Token { token: i64, words: usize },
    #[error("a text of {tokens} tokens, at least 1 and at most {most} are read")]
    Length { tokens: usize, most: usize },
}

/// A model, its weights laid out for products.  Shared by threads; each has its own [`Scratch`].
#[derive(Debug)]
pub struct Model {
    kind: Kind,
    width: usize,
    heads: usize,
    words: Vec<f32>,
    places: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    attention_in: Dense,
    attention_out: Dense,
    attention_norm: Norm,
    up: Dense,
    down: Dense,
    norm: Norm,
}

#[derive(Debug)]
struct Dense {
    weights: Strips,
    bias: Vec<f32>,
}

/// What a thread computes in, the same memory for every block.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: Panels,
    /// Queries, keys and values.
    together: Panels,
    taken: Panels,
    /// After attention.
    between: Panels,
    inner: Panels,
    attention: Attention,
}

impl Model {
    /// Checks that all shapes fit.
    ///
    /// # Errors
    /// The first that does not.
    pub fn new(parts: Parts, kind: Kind) -> Result<Self, ModelError> {
        let Parts { width, heads, words, places, norm: first, layers } = parts;
        if heads == 0 || width == 0 || width % heads != 0 {
            return Err(ModelError::Heads { width, heads });
        }
        for (what, numbers) in [("the words", &words), ("the places", &places)] {
            let whole = numbers.len() / width * width;
            fits(what, numbers.len(), whole.max(width))?;
        }
        let norm = norm("the first norm", &first, width)?;
        let layers = layers.iter().enumerate().map(|(number, layer)| Layer::new(number, layer, width));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Self { kind, width, heads, words, places, norm, layers })
    }

    /// The vectors of texts, given as tokens: `width` numbers each, the mean over the tokens of the last layer, scaled to
    /// length one.  A text's bits depend on nothing but itself and the weights.
    ///
    /// # Errors
    /// A token that is no word, a text without tokens or with more than the model has places for.
    pub fn vectors(&self, texts: &[&[i64]], scratch: &mut Scratch) -> Result<Vec<Vec<f32>>, ModelError> {
        self.watched(texts, scratch, |_, _| ())
    }

    /// As [`Model::vectors`]; `watch(number, rows)` sees what enters the first layer (0) and what leaves each (1, 2, …), the
    /// tokens of all texts one after the other.
    pub fn watched(
        &self,
        texts: &[&[i64]],
        scratch: &mut Scratch,
        mut watch: impl FnMut(usize, &Panels),
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let spans = self.embed(texts, &mut scratch.rows)?;
        self.norm.apply(self.kind, &mut scratch.rows);
        watch(0, &scratch.rows);
        for (number, layer) in (1..).zip(&self.layers) {
            layer.apply(self.kind, self.heads, &spans, scratch);
            watch(number, &scratch.rows);
        }
        Ok(spans.iter().map(|span| vector(&scratch.rows, *span)).collect())
    }

    /// Word plus place of every token.
    fn embed(&self, texts: &[&[i64]], rows: &mut Panels) -> Result<Vec<Span>, ModelError> {
        let (words, places) = (self.words.len() / self.width, self.places.len() / self.width);
        rows.shape(self.width, texts.iter().map(|tokens| tokens.len()).sum());
        let (mut spans, mut start) = (Vec::with_capacity(texts.len()), 0);
        for tokens in texts {
            let length = tokens.len();
            if length == 0 || length > places {
                return Err(ModelError::Length { tokens: length, most: places });
            }
            for (place, (token, at)) in self.places.chunks_exact(self.width).zip(tokens.iter().zip(start..)) {
                let word = usize::try_from(*token).ok().filter(|word| *word < words);
                let word = word.ok_or(ModelError::Token { token: *token, words })?;
                let word = &self.words[word * self.width..][..self.width];
                for (row, (word, place)) in word.iter().zip(place).enumerate() {
                    rows.set(row, at, word + place);
                }
            }
            spans.push(Span { start, length });
            start += length;
        }
        Ok(spans)
    }
}

impl Layer {
    fn new(number: usize, parts: &LayerParts, width: usize) -> Result<Self, ModelError> {
        let name = |part: &str| format!("{part} of layer {number}");
        let inner = parts.up.bias.len();
        Ok(Self {
            attention_in: Dense::new(&name("attention_in"), &parts.attention_in, width, 3 * width)?,
            attention_out: Dense::new(&name("attention_out"), &parts.attention_out, width, width)?,
            attention_norm: norm(&name("attention_norm"), &parts.attention_norm, width)?,
            up: Dense::new(&name("up"), &parts.up, width, inner)?,
            down: Dense::new(&name("down"), &parts.down, inner, width)?,
            norm: norm(&name("norm"), &parts.norm, width)?,
        })
    }

    /// `scratch.rows` in, `scratch.rows` out.
    fn apply(&self, kind: Kind, heads: usize, spans: &[Span], scratch: &mut Scratch) {
        let Scratch { rows, together, taken, between, inner, attention } = scratch;
        product(kind, &self.attention_in.weights, rows, Bias(&self.attention_in.bias), together);
        taken.shape(rows.rows(), rows.tokens());
        for span in spans {
            attention.apply(kind, together, heads, *span, taken);
        }
        product(kind, &self.attention_out.weights, taken, BiasResidual(&self.attention_out.bias, rows), between);
        self.attention_norm.apply(kind, between);
        product(kind, &self.up.weights, between, BiasGelu(&self.up.bias), inner);
        product(kind, &self.down.weights, inner, BiasResidual(&self.down.bias, between), rows);
        self.norm.apply(kind, rows);
    }
}

impl Dense {
    fn new(what: &str, parts: &DenseParts, inputs: usize, outputs: usize) -> Result<Self, ModelError> {
        fits(&format!("the bias {what}"), parts.bias.len(), outputs.max(1))?;
        fits(&format!("the weights {what}"), parts.weights.len(), outputs * inputs)?;
        Ok(Self { weights: Strips::pack(&parts.weights, inputs), bias: parts.bias.clone() })
    }
}

fn norm(what: &str, parts: &NormParts, width: usize) -> Result<Norm, ModelError> {
    fits(what, parts.weights.len(), width)?;
    fits(what, parts.bias.len(), width)?;
    Ok(Norm::new(&parts.weights, &parts.bias))
}

fn fits(what: &str, found: usize, expected: usize) -> Result<(), ModelError> {
    if found == expected { Ok(()) } else { Err(ModelError::Shape { what: what.to_owned(), found, expected }) }
}

/// The mean over the tokens of a span, scaled to length one.
fn vector(rows: &Panels, span: Span) -> Vec<f32> {
    let mean = |row: usize| {
        let mut sum = 0.0_f32;
        rows.runs(row, span.start, span.length, |_, numbers| numbers.iter().for_each(|value| sum += value));
        sum / span.length as f32
    };
    let mean: Vec<f32> = (0..rows.rows()).map(mean).collect();
    let mut square = 0.0_f32;
    mean.iter().for_each(|value| square += value * value);
    let length = square.sqrt().max(1e-12);
    mean.iter().map(|value| value / length).collect()
}
