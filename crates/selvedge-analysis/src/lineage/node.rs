//! A value or a set of rows in the middle of a plan: what it means, and which columns it is made from.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::digest::{Digest, Digester};
use selvedge_project::sql::TableName;

/// How one column takes part in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its values are in the result.
    Value,
    /// It decides which rows or branches count.
    Filter,
    /// It brings rows together.
    JoinKey,
    /// It bounds the stretch of time, or orders and parts a window.
    Window,
}

impl Kind {
    pub fn words(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Filter => "filter",
            Self::JoinKey => "join key",
            Self::Window => "window",
        }
    }
}

/// A column of a table that a query reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub table: TableName,
    pub column: String,
}

/// The columns something is made from, and how.
pub type Uses = BTreeSet<(Arc<Source>, Kind)>;

/// A value, or a set of rows.
#[derive(Debug, Clone)]
pub struct Node {
    pub digest: Digest,
    pub uses: Uses,
}

impl Node {
    /// Made from nothing that is read.
    pub fn leaf(digest: Digest) -> Self {
        Self { digest, uses: Uses::new() }
    }

    /// Made from `parts`, whose order means something.
    pub fn list(tag: &str, parts: &[Self]) -> Self {
        Self { digest: Digester::new(tag).list(parts.iter().map(|part| part.digest)).end(), uses: uses(parts) }
    }

    /// Made from `parts`, whose order means nothing.
    pub fn set(tag: &str, parts: &[Self]) -> Self {
        Self { digest: Digester::new(tag).set(parts.iter().map(|part| part.digest)).end(), uses: uses(parts) }
    }

    /// The same with what else decides its meaning.
    pub fn with(self, detail: &str) -> Self {
        Self { digest: Digester::new("with").text(detail).one(self.digest).end(), ..self }
    }

    /// The same where its values are not in the result, but do this.
    pub fn doing(self, kind: Kind) -> Self {
        let to = |(source, was)| (source, if was == Kind::Value { kind } else { was });
        Self { uses: self.uses.into_iter().map(to).collect(), ..self }
    }
}

/// Everything that any of `parts` is made from.
pub fn uses(parts: &[Node]) -> Uses {
    parts.iter().flat_map(|part| part.uses.iter().cloned()).collect()
}
