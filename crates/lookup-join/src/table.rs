//! The rows that are looked up, by key.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::kernels::cmp::eq;
use datafusion::arrow::compute::{and, filter, take};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::physical_expr::PhysicalExprRef;
use hashbrown::HashTable;

/// No further row of the same hash.
const END: u32 = u32::MAX;

/// Rows that are found by the hash of their keys.
pub struct Table {
    pub rows: RecordBatch,
    keys: Vec<ArrayRef>,
    random: RandomState,
    /// The hash of some rows' keys, and the first of these rows.
    first: HashTable<(u64, u32)>,
    /// For every row the next of the same hash.
    next: Vec<u32>,
}

impl Table {
    pub fn new(rows: RecordBatch, keys: &[PhysicalExprRef]) -> Result<Self> {
        let count = u32::try_from(rows.num_rows()).ok().filter(|count| *count < END);
        let count = count.ok_or_else(|| exec_datafusion_err!("{} rows are too many to look up", rows.num_rows()))?;
        let random = RandomState::with_seed(0);
        let (keys, hashes) = hashed(&rows, keys, &random)?;
        let mut first = HashTable::<(u64, u32)>::with_capacity(rows.num_rows());
        let mut next = vec![END; rows.num_rows()];
        // From the last to the first, so that those of one hash are in their order.  A key without a value meets nothing.
        for row in (0..count).rev().filter(|row| keys.iter().all(|key| key.is_valid(*row as usize))) {
            let hash = hashes[row as usize];
            let mut known = first.entry(hash, |known| known.0 == hash, |known| known.0).or_insert((hash, END));
            next[row as usize] = std::mem::replace(&mut known.get_mut().1, row);
        }
        Ok(Self { rows, keys, random, first, next })
    }

    /// Bytes beside those of the rows.
    pub fn size(&self) -> usize {
        self.first.allocation_size() + self.next.len() * size_of::<u32>()
    }

    /// Rows that ask, by their keys.
    pub fn ask(&self, asking: &RecordBatch, keys: &[PhysicalExprRef]) -> Result<Asking> {
        let (keys, hashes) = hashed(asking, keys, &self.random)?;
        Ok(Asking { keys, hashes, row: 0 })
    }

    /// The next rows that ask, and the rows that they meet, as pairs in the order of those that ask; about `most` pairs.
    pub fn next(&self, asking: &mut Asking, most: usize) -> Result<Pairs> {
        let from = asking.row;
        let likely = most.min(asking.hashes.len() - from);
        let (mut rows, mut found) = (Vec::with_capacity(likely), Vec::with_capacity(likely));
        while asking.row < asking.hashes.len() && rows.len() < most {
            let hash = asking.hashes[asking.row];
            let mut place = self.first.find(hash, |known| known.0 == hash).map_or(END, |known| known.1);
            while place != END {
                rows.push(asking.row as u32);
                found.push(place);
                place = self.next[place as usize];
            }
            asking.row += 1;
        }
        let pairs = Pairs { from, to: asking.row, rows: rows.into(), found: found.into() };
        let mut same: Option<BooleanArray> = None;
        // Most often each row meets one.
        let one_each = pairs.are_one_each();
        for (own, asked) in self.keys.iter().zip(&asking.keys) {
            let asked = match one_each {
                true => asked.slice(from, pairs.to - from),
                false => take(asked, &pairs.rows, None)?,
            };
            let alike = eq(&take(own, &pairs.found, None)?, &asked)?;
            same = Some(same.map_or(Ok(alike.clone()), |same| and(&same, &alike))?);
        }
        match same {
            Some(same) => pairs.only(&same),
            None => Ok(pairs),
        }
    }
}

/// Rows of a batch that ask, from `row` on.
pub struct Asking {
    keys: Vec<ArrayRef>,
    hashes: Vec<u64>,
    row: usize,
}

impl Asking {
    pub fn is_done(&self) -> bool {
        self.row == self.hashes.len()
    }
}

/// What the rows `from..to` of a batch meet: pairs of such a row and a row of the table, in the order of the first.
pub struct Pairs {
    pub from: usize,
    pub to: usize,
    pub rows: UInt32Array,
    pub found: UInt32Array,
}

impl Pairs {
    /// Those for which `holds` is true.
    pub fn only(self, holds: &BooleanArray) -> Result<Self> {
        if holds.true_count() == holds.len() {
            return Ok(self);
        }
        let kept = |places: &UInt32Array| -> Result<UInt32Array> { Ok(filter(places, holds)?.as_primitive().clone()) };
        Ok(Self { rows: kept(&self.rows)?, found: kept(&self.found)?, ..self })
    }

    /// Whether every row that asks meets exactly one.
    fn are_one_each(&self) -> bool {
        self.rows.len() == self.to - self.from
            && self.rows.values().iter().copied().eq(self.from as u32..self.to as u32)
    }

    /// For every row that asks one that it meets, or NULL; None where a row meets several.
    pub fn one_each(&self) -> Option<UInt32Array> {
        if self.are_one_each() {
            return Some(self.found.clone());
        }
        if self.rows.values().windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        let mut pairs = self.rows.values().iter().zip(self.found.values()).peekable();
        let partner = |row: usize| pairs.next_if(|(asking, _)| **asking as usize == row).map(|(_, found)| *found);
        Some((self.from..self.to).map(partner).collect())
    }

    /// The pairs and, each in its place, the rows that meet none, with NULL.
    pub fn with_unmet(&self) -> (UInt32Array, UInt32Array) {
        let (mut rows, mut partners) = (Vec::new(), Vec::new());
        let mut pairs = self.rows.values().iter().zip(self.found.values()).peekable();
        for row in self.from as u32..self.to as u32 {
            let before = rows.len();
            while let Some((_, found)) = pairs.next_if(|(asking, _)| **asking == row) {
                rows.push(row);
                partners.push(Some(*found));
            }
            if rows.len() == before {
                rows.push(row);
                partners.push(None);
            }
        }
        (rows.into(), partners.into())
    }
}

/// The keys of every row, and their hashes.
fn hashed(rows: &RecordBatch, keys: &[PhysicalExprRef], random: &RandomState) -> Result<(Vec<ArrayRef>, Vec<u64>)> {
    let count = rows.num_rows();
    let keys: Vec<ArrayRef> = keys.iter().map(|key| key.evaluate(rows)?.into_array(count)).collect::<Result<_>>()?;
    let mut hashes = vec![0; count];
    create_hashes(&keys, random, &mut hashes)?;
    Ok((keys, hashes))
}
