//! What a stored table says of how it was made: notes in its Parquet metadata, the same bytes for the same meaning.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::digest::{Digest, Digester};
use crate::engine::stored_notes;

/// The meaning of a table, of the files it was made from, and of the program that made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Column -> fingerprint; under [`ROWS`] that of the rows.
    pub fingerprints: BTreeMap<String, String>,
    /// Column -> definition; under [`ROWS`] that of the rows.
    pub definitions: BTreeMap<String, String>,
    /// CSV -> SHA-256.
    pub materials: BTreeMap<String, String>,
    /// `$parameter` -> the literal it stood for.
    pub parameters: BTreeMap<String, String>,
    /// The header's version; 0 for a table that has none.
    pub version: u32,
}

/// The key of what decides which rows there are.
pub const ROWS: &str = "*";

impl Stamp {
    /// As notes for [`crate::engine::Staged::table`].
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let json = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap_or_default();
        let mut notes = vec![
            ("fingerprints", json(&self.fingerprints)),
            ("definitions", json(&self.definitions)),
            ("materials", json(&self.materials)),
            ("parameters", json(&self.parameters)),
        ];
        if self.version > 0 {
            notes.push(("version", self.version.to_string()));
        }
        notes
    }

    /// What the file at `path` says; none where there is no file, or where it says nothing.
    pub fn read(path: &Path) -> Option<Self> {
        let notes = stored_notes(path)?;
        let map = |name: &str| serde_json::from_str(notes.get(name)?).ok();
        Some(Self {
            fingerprints: map("fingerprints")?,
            definitions: map("definitions")?,
            materials: map("materials")?,
            parameters: map("parameters")?,
            version: notes.get("version").and_then(|version| version.parse().ok()).unwrap_or_default(),
        })
    }

    /// What a column, or the rows, of the stored table is known by.
    pub fn known(&self, column: Option<&str>) -> Digest {
        let name = column.unwrap_or(ROWS);
        let found = self.fingerprints.get(name).and_then(|text| Digest::parse(text));
        found.unwrap_or_else(|| Digester::new("not there").text(name).end())
    }
}

/// The SHA-256 of a file's bytes in hex; none where it cannot be read.
pub fn hash_of_file(path: &Path) -> Option<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut File::open(path).ok()?, &mut hash).ok()?;
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the bytes of a table that says nothing of itself are known by; it is nothing for people to check, and so may
/// be another hash, which reads a large table ten times as fast.
pub fn known_by_bytes(path: &Path) -> Option<String> {
    let mut hash = blake3::Hasher::new();
    hash.update_reader(File::open(path).ok()?).ok()?;
    Some(hash.finalize().to_hex().to_string())
}
