//! What each step gives on this processor, as hashes: `scripts/processors.py` compares them between processors.
//!
//! It names the kinds of instructions that it used on the error output; all of them must give the same.

use std::process::ExitCode;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use transformer::steps::{Attention, Bias, BiasGelu, BiasResidual, Norm, Span, Strips, exponentials, gelus, product};
use transformer::{Kind, Model, Panels, Scratch};

mod invented;

use invented::{numbers, panels};

fn main() -> ExitCode {
    let kinds = Kind::all();
    let names: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    eprintln!("instructions: {}", names.join(", "));
    let all: Vec<Vec<(&str, String)>> = kinds.iter().map(|kind| steps(*kind)).collect();
    for (name, hash) in &all[0] {
        println!("{name:<28} {hash}");
    }
    for (kind, hashes) in kinds.iter().zip(&all) {
        if *hashes != all[0] {
            eprintln!("{kind}: {hashes:?}");
            return ExitCode::from(1);
        }
    }
    ExitCode::SUCCESS
}

/// Each step by name with the hash of all that it gives.
fn steps(kind: Kind) -> Vec<(&'static str, String)> {
    // The shapes of all-MiniLM-L6-v2, for a text of 40 tokens.
    let (width, inner, heads, tokens) = (384, 1536, 12, 40);
    let random = &mut ChaCha8Rng::seed_from_u64(1);
    let dense = |random: &mut ChaCha8Rng, inputs: usize, outputs: usize| {
        (Strips::pack(&numbers(random, inputs * outputs, 0.1), inputs), numbers(random, outputs, 0.1))
    };
    let mut rows = panels(random, width, tokens, 2.0);
    let mut found = Vec::new();
    let mut out = Panels::default();

    let (weights, bias) = dense(random, width, 3 * width);
    product(kind, &weights, &rows, Bias(&bias), &mut out);
    found.push(("product", hash(&out)));
    let together = out.clone();

    out.shape(width, tokens);
    Attention::default().apply(kind, &together, heads, Span { start: 0, length: tokens }, &mut out);
    found.push(("attention", hash(&out)));
    let taken = out.clone();

    let (weights, bias) = dense(random, width, width);
    product(kind, &weights, &taken, BiasResidual(&bias, &rows), &mut out);
    found.push(("product and residual", hash(&out)));

    Norm::new(&numbers(random, width, 1.0), &numbers(random, width, 1.0)).apply(kind, &mut out);
    found.push(("layer norm", hash(&out)));
    rows.clone_from(&out);

    let (weights, bias) = dense(random, width, inner);
    product(kind, &weights, &rows, BiasGelu(&bias), &mut out);
    found.push(("product and GELU", hash(&out)));

    let mut sweep: Vec<[f32; 16]> = numbers(random, 1 << 12, 20.0).as_chunks().0.to_vec();
    gelus(kind, &mut sweep);
    found.push(("GELU", hash_of(sweep.iter().flatten().copied())));
    sweep.iter_mut().flatten().for_each(|value| *value = -value.abs());
    exponentials(kind, &mut sweep);
    found.push(("exponential", hash_of(sweep.iter().flatten().copied())));

    let vectors = Model::new(invented::model(), kind).map(|model| {
        let texts = invented::texts();
        let texts: Vec<&[i64]> = texts.iter().map(Vec::as_slice).collect();
        model.vectors(&texts, &mut Scratch::default())
    });
    if let Ok(Ok(vectors)) = vectors {
        found.push(("a model's vectors", hash_of(vectors.into_iter().flatten())));
    }
    found
}

fn hash(panels: &Panels) -> String {
    let tokens = 0..panels.tokens();
    hash_of(tokens.flat_map(|token| (0..panels.rows()).map(move |row| panels.get(row, token))))
}

/// The first half of the SHA-256 of the numbers' bytes.
fn hash_of(numbers: impl Iterator<Item = f32>) -> String {
    let mut hash = Sha256::new();
    numbers.for_each(|value| hash.update(value.to_le_bytes()));
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
