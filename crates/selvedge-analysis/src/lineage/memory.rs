//! Traces that were worked out before, each under a seal of everything that decides it: nothing here can be stale.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::node::Uses;
use super::stamp::ROWS;
use super::tables::{ColumnTrace, TableTrace};

/// Seal -> what the view's columns are known by.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Memory(BTreeMap<String, Remembered>);

/// Column -> definition and fingerprint; under [`ROWS`] those of the rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Remembered(BTreeMap<String, (String, String)>);

impl Memory {
    /// What the file at `path` remembers; nothing where it is missing or damaged.
    pub fn read(path: &Path) -> Self {
        std::fs::read(path).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn get(&self, seal: &Digest) -> Option<&Remembered> {
        self.0.get(&seal.to_string()).filter(|remembered| remembered.whole())
    }

    pub(super) fn insert(&mut self, seal: Digest, table: &TableTrace) {
        let shown = |column: &ColumnTrace| (column.definition.to_string(), column.fingerprint.to_string());
        let columns = table.columns.iter().map(|(name, column)| (name.clone(), shown(column)));
        let remembered = columns.chain([(ROWS.to_owned(), shown(&table.rows))]).collect();
        self.0.insert(seal.to_string(), Remembered(remembered));
    }
}

impl Remembered {
    /// Whether every number can be read.
    fn whole(&self) -> bool {
        self.0.contains_key(ROWS) && self.0.values().all(|pair| trace(pair).is_some())
    }

    pub(super) fn columns(&self) -> BTreeMap<String, ColumnTrace> {
        let columns = self.0.iter().filter(|(name, _)| *name != ROWS);
        columns.filter_map(|(name, pair)| Some((name.clone(), trace(pair)?))).collect()
    }

    pub(super) fn rows(&self) -> ColumnTrace {
        let nothing = Digest::default();
        let rows = self.0.get(ROWS).and_then(trace);
        rows.unwrap_or(ColumnTrace { definition: nothing, fingerprint: nothing, own: Uses::new() })
    }
}

fn trace((definition, fingerprint): &(String, String)) -> Option<ColumnTrace> {
    let (definition, fingerprint) = (Digest::parse(definition)?, Digest::parse(fingerprint)?);
    Some(ColumnTrace { definition, fingerprint, own: Uses::new() })
}
