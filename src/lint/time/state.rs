//! What is known of the rows at one place of a plan: which readings of tables each column and the rows depend on.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::{Column, DFSchemaRef};

use super::moment::{Moment, Scan};

/// Readings of tables whose time is not bounded by anything yet.  What is bounded by a moment counts as that moment's.
pub type Taint = BTreeSet<Scan>;

/// One column.
#[derive(Debug, Clone, Default)]
pub struct Value {
    pub taint: Taint,
    /// The row's time that it is, or is near.
    pub moment: Option<Moment>,
    /// The table's column that it is, unchanged.
    pub column: Option<(Scan, String)>,
}

/// The rows at one place of a plan.
#[derive(Debug, Clone)]
pub struct Rows {
    pub schema: DFSchemaRef,
    pub columns: Vec<Value>,
    /// What decides whether a row is there at all.
    pub exist: Taint,
    /// What decides how often a row is there.
    pub often: Taint,
}

/// What a condition says: the reading on the left counts as what stands on the right.
#[derive(Debug, Clone, Default)]
pub struct Facts(pub BTreeMap<Scan, Taint>);

impl Rows {
    pub fn value(&self, column: &Column) -> Option<Value> {
        self.schema.maybe_index_of_column(column).and_then(|place| self.columns.get(place)).cloned()
    }

    /// The rows for which the facts hold.
    pub fn given(mut self, facts: &Facts) -> Self {
        self.columns.iter_mut().for_each(|value| facts.apply(&mut value.taint));
        facts.apply(&mut self.exist);
        facts.apply(&mut self.often);
        self
    }

    /// Whether rows are there, and how often.
    pub fn count(&self) -> Taint {
        &self.exist | &self.often
    }
}

impl Facts {
    /// Replaces each reading that is bounded by what bounds it, until nothing changes.
    pub fn apply(&self, taint: &mut Taint) {
        let mut done = Taint::new();
        while let Some(scan) = taint.iter().copied().find(|scan| self.0.contains_key(scan) && !done.contains(scan)) {
            done.insert(scan);
            taint.remove(&scan);
            taint.extend(self.0.get(&scan).into_iter().flatten().filter(|by| !done.contains(by)));
        }
    }

    /// What holds when one of both holds.
    pub fn or(self, other: &Self) -> Self {
        let both = self.0.into_iter().filter_map(|(scan, by)| Some((scan, &by | other.0.get(&scan)?)));
        Self(both.collect())
    }
}
