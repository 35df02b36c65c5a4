//! Short hashes of structured things: parts cannot run into each other, and sets have no order.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// 128 bits of a SHA-256, shown as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest that was shown as `text`; none where it is no digest.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, place) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(text.get(place..place + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A digest being made, part by part.
pub struct Digester(Sha256);

impl Digester {
    /// `tag` tells apart what has the same parts.
    pub fn new(tag: &str) -> Self {
        Self(Sha256::new()).text(tag)
    }

    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    pub fn one(mut self, digest: Digest) -> Self {
        self.0.update(digest.0);
        self
    }

    /// Digests whose order means something.
    pub fn list(mut self, digests: impl IntoIterator<Item = Digest>) -> Self {
        let digests: Vec<Digest> = digests.into_iter().collect();
        self.0.update((digests.len() as u64).to_le_bytes());
        digests.into_iter().fold(self, Self::one)
    }

    /// Digests whose order means nothing.
    pub fn set(self, digests: impl IntoIterator<Item = Digest>) -> Self {
        let mut digests: Vec<Digest> = digests.into_iter().collect();
        digests.sort_unstable();
        self.list(digests)
    }

    pub fn end(self) -> Digest {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(self.0.finalize()).for_each(|(byte, hashed)| *byte = hashed);
        Digest(bytes)
    }
}
