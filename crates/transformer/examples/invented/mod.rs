//! An invented model and invented texts, the same on every machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use transformer::{DenseParts, LayerParts, NormParts, Panels, Parts};

const WIDTH: usize = 48;
const INNER: usize = 100;
const WORDS: usize = 50;
const PLACES: usize = 70;

/// Numbers between `-size` and `size`.
pub fn numbers(random: &mut ChaCha8Rng, count: usize, size: f32) -> Vec<f32> {
    (0..count).map(|_| random.gen_range(-size..size)).collect()
}

/// The same, laid out by tokens.
pub fn panels(random: &mut ChaCha8Rng, rows: usize, tokens: usize, size: f32) -> Panels {
    let mut panels = Panels::zeros(rows, tokens);
    for row in 0..rows {
        for token in 0..tokens {
            panels.set(row, token, random.gen_range(-size..size));
        }
    }
    panels
}

/// Two layers of three heads.
pub fn model() -> Parts {
    let random = &mut ChaCha8Rng::seed_from_u64(7);
    let words = numbers(random, WORDS * WIDTH, 1.0);
    let places = numbers(random, PLACES * WIDTH, 0.3);
    let norm = norm(random);
    let layers = (0..2).map(|_| layer(random)).collect();
    Parts { width: WIDTH, heads: 3, words, places, norm, layers }
}

/// Of one token, of as many as the model reads, and between.
pub fn texts() -> Vec<Vec<i64>> {
    let random = &mut ChaCha8Rng::seed_from_u64(8);
    let of = |length: usize| (0..length).map(|_| random.gen_range(0..WORDS as i64)).collect();
    [1, 12, 5, PLACES, 33, 32, 2].map(of).to_vec()
}

fn layer(random: &mut ChaCha8Rng) -> LayerParts {
    LayerParts {
        attention_in: dense(random, WIDTH, 3 * WIDTH),
        attention_out: dense(random, WIDTH, WIDTH),
        attention_norm: norm(random),
        up: dense(random, WIDTH, INNER),
        down: dense(random, INNER, WIDTH),
        norm: norm(random),
    }
}

fn dense(random: &mut ChaCha8Rng, inputs: usize, outputs: usize) -> DenseParts {
    DenseParts { weights: numbers(random, inputs * outputs, 0.2), bias: numbers(random, outputs, 0.2) }
}

fn norm(random: &mut ChaCha8Rng) -> NormParts {
    let weights = numbers(random, WIDTH, 0.2).into_iter().map(|value| 1.0 + value).collect();
    NormParts { weights, bias: numbers(random, WIDTH, 0.2) }
}
