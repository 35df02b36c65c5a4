//! Every kind of instructions gives the same bits, and what they give is right.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use transformer::steps::{Attention, Bias, BiasGelu, BiasResidual, Norm, Span, Strips, exponentials, gelus, product};
use transformer::{Kind, Model, ModelError, Panels, Scratch};

#[path = "../examples/invented/mod.rs"]
mod invented;

use invented::{numbers, panels};

/// All numbers of the tokens, without what fills up the last panel.
fn bits(panels: &Panels) -> Vec<u32> {
    let tokens = (0..panels.tokens()).flat_map(|token| (0..panels.rows()).map(move |row| (row, token)));
    tokens.map(|(row, token)| panels.get(row, token).to_bits()).collect()
}

/// Holds what each kind makes to what plain Rust makes.
fn same_on_all_kinds(what: &str, make: impl Fn(Kind) -> Vec<u32>) {
    let kinds = Kind::all();
    assert_eq!(kinds[0], Kind::Portable);
    let expected = make(Kind::Portable);
    for kind in &kinds[1..] {
        assert!(make(*kind) == expected, "{what}: {kind:?} has other bits than plain Rust");
    }
}

#[test]
fn this_processor_has_more_than_plain_rust() {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        assert!(Kind::all().iter().any(|kind| matches!(kind, Kind::Avx2(_))));
    }
    if is_x86_feature_detected!("avx512f") {
        assert!(matches!(Kind::best(), Kind::Avx512(_)));
    }
}

#[test]
fn products_are_chains_of_fused_steps_in_order() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (rows, depth, tokens) in [(1, 1, 1), (12, 32, 32), (13, 7, 33), (40, 100, 65), (25, 1536, 31)] {
        let (left, right) = (numbers(&mut random, rows * depth, 1.0), panels(&mut random, depth, tokens, 3.0));
        let bias = numbers(&mut random, rows, 1.0);
        let strips = Strips::pack(&left, depth);
        let mut expected = Vec::new();
        for token in 0..tokens {
            for row in 0..rows {
                let chain = |sum: f32, k: usize| left[row * depth + k].mul_add(right.get(k, token), sum);
                expected.push(((0..depth).fold(0.0, chain) + bias[row]).to_bits());
            }
        }
        for kind in Kind::all() {
            let mut out = Panels::default();
            product(kind, &strips, &right, Bias(&bias), &mut out);
            assert!(bits(&out) == expected, "{rows} x {depth} x {tokens}: {kind:?}");
        }
    }
}

#[test]
fn every_step_has_the_same_bits_on_every_kind() {
    for seed in 0..12 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (rows, depth) = (random.gen_range(1..60), random.gen_range(1..90));
        let tokens = random.gen_range(1..140);
        let strips = Strips::pack(&numbers(&mut random, rows * depth, 1.0), depth);
        let (right, other) = (panels(&mut random, depth, tokens, 2.0), panels(&mut random, rows, tokens, 2.0));
        let (bias, weights) = (numbers(&mut random, rows, 1.0), numbers(&mut random, rows, 1.0));
        let made = |make: &dyn Fn(&mut Panels)| {
            let mut out = Panels::default();
            make(&mut out);
            bits(&out)
        };
        same_on_all_kinds("GELU", |kind| made(&|out| product(kind, &strips, &right, BiasGelu(&bias), out)));
        same_on_all_kinds("residual", |kind| {
            made(&|out| product(kind, &strips, &right, BiasResidual(&bias, &other), out))
        });
        same_on_all_kinds("norm", |kind| {
            made(&|out| {
                *out = other.clone();
                Norm::new(&weights, &bias).apply(kind, out);
            })
        });
        let (heads, size) = (random.gen_range(1..4), 4 * random.gen_range(1..9));
        let together = panels(&mut random, 3 * heads * size, tokens, 2.0);
        let start = random.gen_range(0..tokens);
        let span = Span { start, length: random.gen_range(1..=tokens - start) };
        same_on_all_kinds("attention", |kind| {
            made(&|out| {
                *out = Panels::zeros(heads * size, tokens);
                Attention::default().apply(kind, &together, heads, span, out);
            })
        });
    }
}

/// A text's bits are the same wherever it stands and whatever stands beside it, and what was left in the scratch is no part
/// of them.
#[test]
fn a_text_depends_on_nothing_but_itself() {
    let (parts, texts) = (invented::model(), invented::texts());
    let texts: Vec<&[i64]> = texts.iter().map(Vec::as_slice).collect();
    let mut of_plain_rust = Vec::new();
    for kind in Kind::all() {
        let model = Model::new(parts.clone(), kind).unwrap();
        let alone = |text: &&[i64]| model.vectors(&[text], &mut Scratch::default()).unwrap().remove(0);
        let expected: Vec<Vec<f32>> = texts.iter().map(alone).collect();
        let mut scratch = Scratch::default();
        assert!(model.vectors(&texts, &mut scratch).unwrap() == expected, "{kind:?}");
        let backwards: Vec<&[i64]> = texts.iter().rev().copied().collect();
        let mut found = model.vectors(&backwards, &mut scratch).unwrap();
        found.reverse();
        assert!(found == expected, "{kind:?}");
        if kind == Kind::Portable {
            of_plain_rust = expected;
        } else {
            assert!(expected == of_plain_rust, "{kind:?}");
        }
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let fine = invented::model();
    let model = Model::new(fine.clone(), Kind::best()).unwrap();
    let vectors = |tokens: &[i64]| model.vectors(&[tokens], &mut Scratch::default()).unwrap_err();
    let words = fine.words.len() / fine.width;
    assert_eq!(vectors(&[1, words as i64]), ModelError::Token { token: words as i64, words });
    assert_eq!(vectors(&[-1]), ModelError::Token { token: -1, words });
    let most = fine.places.len() / fine.width;
    assert_eq!(vectors(&vec![1; most + 1]), ModelError::Length { tokens: most + 1, most });
    assert_eq!(vectors(&[]), ModelError::Length { tokens: 0, most });
    let broken = |change: fn(&mut transformer::Parts)| {
        let mut parts = fine.clone();
        change(&mut parts);
        Model::new(parts, Kind::best()).unwrap_err().to_string()
    };
    assert!(broken(|parts| parts.heads = 5).contains("cannot be split over 5 heads"));
    assert!(broken(|parts| parts.words.truncate(1)).contains("the words"));
    assert!(broken(|parts| parts.norm.bias.truncate(1)).contains("the first norm"));
    assert!(broken(|parts| parts.layers[1].up.weights.truncate(1)).contains("the weights up of layer 1"));
    assert!(broken(|parts| parts.layers[0].attention_in.bias.truncate(1)).contains("the bias attention_in of layer 0"));
}

/// The largest distance of `found` from the truth, in units of `unit`.
fn worst(numbers: impl Iterator<Item = f32>, of: impl Fn(&mut [[f32; 16]]), truth: impl Fn(f64, f64) -> f64) -> f64 {
    let (mut worst, mut some) = (0.0_f64, Vec::new());
    let mut check = |some: &mut Vec<f32>| {
        while !some.len().is_multiple_of(16) {
            some.push(some[0]);
        }
        let mut found: Vec<[f32; 16]> = some.as_chunks().0.to_vec();
        of(&mut found);
        for (x, found) in some.drain(..).zip(found.iter().flatten()) {
            worst = worst.max(truth(f64::from(x), f64::from(*found)));
        }
    };
    for number in numbers {
        some.push(number);
        if some.len() == 1 << 14 {
            check(&mut some);
        }
    }
    if !some.is_empty() {
        check(&mut some);
    }
    worst
}

/// Every `step`-th of the numbers between these two of one sign.
fn between(from: f32, to: f32, step: u32) -> impl Iterator<Item = f32> {
    (from.to_bits()..=to.to_bits()).step_by(step as usize).map(f32::from_bits)
}

#[test]
fn the_exponential_is_good_to_the_last_bit() {
    let off = |x: f64, found: f64| {
        let truth = libm::exp(x);
        let ulp = f64::from(f32::from_bits((truth as f32).to_bits() + 1)) - f64::from(truth as f32);
        (found - truth).abs() / ulp
    };
    let worst = worst(between(-0.0, -87.0, 97), |numbers| exponentials(Kind::best(), numbers), off);
    assert!(worst <= 1.1, "{worst}");
    let mut least = [[-88.0, -1e30, f32::MIN, f32::NEG_INFINITY, 0.0, -0.0, -1e-40, -1.0]; 2].concat();
    let least: &mut [[f32; 16]] = least.as_chunks_mut().0;
    exponentials(Kind::best(), least);
    assert!(least[0][..4].iter().all(|value| *value > 0.0 && *value < 2e-38), "{least:?}");
    assert!(least[0][4..7] == [1.0; 3] && (least[0][7] - 0.367_879_44).abs() < 1e-7, "{least:?}");
}

#[test]
fn gelu_is_exact_to_rounding() {
    let off = |x: f64, found: f64| {
        let truth = x * libm::erfc(-x / std::f64::consts::SQRT_2) / 2.0;
        (found - truth).abs() / x.abs().max(1e-30)
    };
    for (from, to) in [(1e-30, 1000.0), (-1e-30, -1000.0)] {
        let worst = worst(between(from, to, 97), |numbers| gelus(Kind::best(), numbers), off);
        assert!(worst <= 9e-8, "{worst}");
    }
}
