//! Random numbers by seed, purpose and index, never by thread.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::maths;

/// Stream `index` of ChaCha8 for what `purpose` names.
pub fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(mix(seed, purpose.bytes().map(u64::from)));
    random.set_stream(index);
    random
}

/// A number that looks drawn, the same for the same seed and parts: lots between ties, and which rows are taken.
pub fn mix(seed: u64, parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(split_mix(seed), |hash, part| split_mix(hash ^ part))
}

/// A draw of the normal distribution (Box and Muller 1958).
pub fn normal(random: &mut ChaCha8Rng, sd: f64) -> f64 {
    let (u, angle): (f64, f64) = (random.gen_range(f64::MIN_POSITIVE..1.0), random.gen_range(0.0..1.0));
    sd * (-2.0 * maths::ln(u)).sqrt() * maths::cos(std::f64::consts::TAU * angle)
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_its_purpose_and_index() {
        let first = |seed, purpose, index| stream(seed, purpose, index).r#gen::<u64>();
        let all = [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)];
        assert_eq!(all, [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)]);
        assert!((0..4).all(|a| (0..a).all(|b| all[a] != all[b])));
    }

    #[test]
    fn normal_draws_have_their_spread() {
        let mut random = stream(3, "normal", 0);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut random, 2.0)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.05 && (variance - 4.0).abs() < 0.15, "{mean} {variance}");
    }
}
