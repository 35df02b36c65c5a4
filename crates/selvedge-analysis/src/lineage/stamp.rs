//! What a stored table says of how it was made: notes in its Parquet metadata, the same bytes for the same meaning.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::digest::{Digest, Digester};
use selvedge_engine::stored_notes;

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
/// Bytes that are hashed at a time.
const PART: u64 = 1 << 24;

impl Stamp {
    /// As notes for [`selvedge_engine::Staged::table`].
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let json = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap_or_default();
        let mut notes = vec![
            ("fingerprints", json(&self.fingerprints)),
            ("meanings", json(&self.definitions)),
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
            definitions: map("meanings")?,
            materials: map("materials")?,
            parameters: map("parameters")?,
            version: notes.get("version").and_then(|version| version.parse().ok()).unwrap_or_default(),
        })
    }

    /// The version, where a column that was `stored` under it means something else by now.  A column more or less is no
    /// other meaning of those that were there.
    pub fn version_stayed(&self, stored: &Self) -> Option<u32> {
        let other = |(column, definition): (&String, &String)| {
            column != ROWS && stored.definitions.get(column).is_some_and(|stored| stored != definition)
        };
        let stayed = self.version > 0 && self.version == stored.version;
        (stayed && self.definitions.iter().any(other)).then_some(self.version)
    }

    /// What a column, or the rows, of the stored table is known by.
    pub fn known(&self, column: Option<&str>) -> Digest {
        let name = column.unwrap_or(ROWS);
        let found = self.fingerprints.get(name).and_then(|text| Digest::parse(text));
        found.unwrap_or_else(|| Digester::new("not there").text(name).end())
    }
}

/// What to say of a table of which [`Stamp::version_stayed`] found the version.
pub fn still_version(version: u32) -> String {
    format!("means something else, but is still version {version}; raise version in its header")
}

/// The SHA-256 of a file's bytes in hex; none where it cannot be read.
pub fn hash_of_file(path: &Path) -> Option<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut File::open(path).ok()?, &mut hash).ok()?;
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the bytes of a table that says nothing of itself are known by.  It is nothing for people to check, and so may be
/// a quicker hash, of the hashes of parts.
pub fn known_by_bytes(path: &Path) -> Option<String> {
    let part = |number: u64| {
        let (mut file, mut hash) = (File::open(path)?, blake3::Hasher::new());
        file.seek(SeekFrom::Start(number * PART))?;
        hash.update_reader(file.take(PART))?;
        std::io::Result::Ok(hash.finalize())
    };
    let parts = path.metadata().ok()?.len().div_ceil(PART);
    let hashes: Vec<_> = (0..parts).into_par_iter().map(part).collect::<Result<_, _>>().ok()?;
    let mut whole = blake3::Hasher::new();
    for hash in &hashes {
        whole.update(hash.as_bytes());
    }
    Some(whole.finalize().to_hex().to_string())
}
