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
    /// How the times of two readings lie in each row.
    pub lags: Vec<Lag>,
    /// Readings whose rows stand here one by one, neither grouped nor looked up by their key.
    pub single: Taint,
}

/// In each row the time of `of` is at most so many seconds after that of `after`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    pub of: Scan,
    pub after: Scan,
    pub seconds: f64,
}

/// What a condition says: the reading on the left counts as what stands on the right.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub by: BTreeMap<Scan, Taint>,
    pub lags: Vec<Lag>,
    /// Readings of which the whole key is given: one row for each row beside it.
    pub named: Taint,
}

impl Rows {
    pub fn value(&self, column: &Column) -> Option<Value> {
        self.schema.maybe_index_of_column(column).and_then(|place| self.columns.get(place)).cloned()
    }

    /// The rows for which the facts hold.
    pub fn given(mut self, facts: &Facts) -> Self {
        self.columns.iter_mut().for_each(|value| facts.apply(&mut value.taint));
        facts.apply(&mut self.exist);
        facts.apply(&mut self.often);
        // A row without a partner of an outer join is held to nothing.
        let own = self.all();
        self.lags.extend(facts.lags.iter().filter(|lag| own.contains(&lag.of)));
        self.single.retain(|scan| !facts.named.contains(scan));
        self
    }

    /// Every reading that the rows depend on.
    pub fn all(&self) -> Taint {
        self.columns.iter().flat_map(|value| &value.taint).copied().chain(self.count()).collect()
    }

    /// Whether the time of a reading is one of `times`, or lies within a lag after one of them.
    pub fn is_near(&self, scan: Scan, times: &[Scan]) -> bool {
        times.contains(&scan) || self.lags.iter().any(|lag| lag.of == scan && times.contains(&lag.after))
    }

    /// Whether rows are there, and how often.
    pub fn count(&self) -> Taint {
        &self.exist | &self.often
    }
}

impl Facts {
    pub fn of(scan: Scan, by: &Taint) -> Self {
        Self { by: [(scan, by.clone())].into(), ..Self::default() }
    }

    /// Replaces each reading that is bounded by what bounds it, until nothing changes.
    pub fn apply(&self, taint: &mut Taint) {
        let mut done = Taint::new();
        while let Some(scan) = taint.iter().copied().find(|scan| self.by.contains_key(scan) && !done.contains(scan)) {
            done.insert(scan);
            taint.remove(&scan);
            taint.extend(self.by.get(&scan).into_iter().flatten().filter(|by| !done.contains(by)));
        }
    }

    /// What holds when one of both holds.
    pub fn or(self, other: &Self) -> Self {
        let both = self.by.into_iter().filter_map(|(scan, by)| Some((scan, &by | other.by.get(&scan)?)));
        // A lag that only one of both says may not hold.
        Self { by: both.collect(), ..Self::default() }
    }
}
