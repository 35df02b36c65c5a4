//! Vectors are those of sentence-transformers, and their bits follow from the text alone.

use std::{fmt::Write, fs, ops::ControlFlow, path::Path};

use sentence_encoder::{DIMENSIONS, Encoder, EncoderError};
use sha2::{Digest, Sha256};

use crate::{MODEL, loaded, reference};

/// What decides a model's vectors; the first two are no JSON.
const FILES: [&str; 7] = [
    "model.safetensors",
    "vocab.txt",
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
];

/// Bits, so that two vectors are equal only where nothing at all differs.
fn bits(vector: &[f32]) -> Vec<u32> {
    vector.iter().map(|value| value.to_bits()).collect()
}

fn one_by_one(texts: &[String]) -> Vec<Vec<u32>> {
    texts.iter().map(|text| bits(&loaded().encode(text).unwrap())).collect()
}

#[test]
fn vectors_are_those_of_sentence_transformers() {
    let reference = reference();
    for (text, expected) in reference.texts.iter().zip(&reference.vectors) {
        let found: Vec<f64> = loaded().encode(text).unwrap().into_iter().map(f64::from).collect();
        assert_eq!(found.len(), DIMENSIONS);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&found, &found) - 1.0).abs() < 1e-5, "the length of {text:?} is not 1");
        let cosine = dot(&found, expected) / (dot(&found, &found) * dot(expected, expected)).sqrt();
        assert!(cosine >= 0.999_999_9, "{text:?}: {cosine}");
    }
}

/// The vectors' bytes, as they are on every processor.  Who changes them on purpose raises the encoder's version
/// (`src/embeddings/encoder.rs`) and writes what this test prints into the file.
#[test]
fn bits_are_the_same_on_every_processor() {
    let mut found = String::new();
    for (place, vector) in (0..).zip(one_by_one(&reference().texts)) {
        let hash = Sha256::digest(vector.iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<u8>>());
        writeln!(found, "{place:2} {hash:x}").unwrap();
    }
    assert!(found == include_str!("data/vectors.sha256"), "the texts' vectors have other bits here:\n{found}");
}

#[test]
fn bits_do_not_depend_on_what_came_before() {
    let texts = reference().texts;
    let forward = one_by_one(&texts);
    let mut backward = one_by_one(&texts.iter().rev().cloned().collect::<Vec<_>>());
    backward.reverse();
    assert_eq!(forward, backward);
    // Another instance, which has encoded nothing.
    let fresh = Encoder::load(Path::new(MODEL)).unwrap();
    assert_eq!(bits(&fresh.encode(&texts[23]).unwrap()), forward[23]);
}

/// A text's rows stand elsewhere in their block, beside others, whenever another text is left out or repeated.
#[test]
fn bits_do_not_depend_on_neighbours() {
    let texts = reference().texts;
    let expected = one_by_one(&texts);
    for left_out in 1..5 {
        let kept: Vec<usize> = (0..texts.len()).filter(|position| position % 5 != left_out).collect();
        let order: Vec<usize> = kept.iter().rev().chain(&kept[left_out..]).copied().collect();
        let chosen: Vec<String> = order.iter().map(|position| texts[*position].clone()).collect();
        let on_done = |place: usize, vector: Vec<f32>| {
            let position = order[place];
            assert!(bits(&vector) == expected[position], "without each {left_out}th: {:?}", texts[position]);
            ControlFlow::Continue(())
        };
        loaded().encode_all(&chosen, 2, on_done).unwrap();
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let texts = reference().texts;
    let expected = one_by_one(&texts);
    for threads in [0, 1, 2, 3] {
        let mut found = vec![Vec::new(); texts.len()];
        let on_done = |position: usize, vector: Vec<f32>| {
            found[position] = bits(&vector);
            ControlFlow::Continue(())
        };
        loaded().encode_all(&texts, threads, on_done).unwrap();
        assert!(found == expected, "{threads} threads");
    }
}

#[test]
fn encoding_can_be_stopped_and_what_was_done_stays() {
    let texts = reference().texts;
    let mut done = 0;
    loaded()
        .encode_all(&texts, 2, |_, _| {
            done += 1;
            if done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
    assert_eq!(done, 3);
    loaded().encode_all(&[], 2, |_, _| panic!("no texts, no vectors")).unwrap();
}

/// The model's folder, with links to its files.
fn copied_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for file in FILES {
        std::os::unix::fs::symlink(Path::new(MODEL).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

#[test]
fn files_that_are_not_there_or_not_right_are_named() {
    for file in FILES {
        let folder = copied_model();
        let path = folder.path().join(file);
        fs::remove_file(&path).unwrap();
        assert!(Encoder::load(folder.path()).is_err());
        fs::write(&path, "not what it should be").unwrap();
        match Encoder::load(folder.path()) {
            Err(EncoderError::Malformed { path: named, .. }) => assert!(named == path && file.ends_with("json")),
            Err(EncoderError::Load { .. }) => assert!(FILES[..2].contains(&file)),
            other => panic!("{file}: {other:?}"),
        }
    }
}
