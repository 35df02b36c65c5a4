//! The same of a file that memory has no room for: texts are counted by lots of their hashes, as many at a time as there is
//! room for.

use std::hash::BuildHasher;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use rayon::prelude::*;

use super::{Profile, Seen, is_given};
use selvedge_engine::RawSpool;
use selvedge_project::error::Result;

/// A column whose texts are counted.
struct Column {
    name: String,
    /// Its place in a batch.
    place: usize,
    seen: Seen,
    /// Texts of one lot of hashes, and which of how many it is: 2 to that power.
    texts: Texts,
    lot: u64,
    power: u32,
    /// Whether the lot was too large.
    full: bool,
}

/// Distinct texts in the order in which they were met, and how often each was.
#[derive(Default)]
struct Texts {
    letters: String,
    ends: Vec<usize>,
    counts: Vec<u32>,
    places: HashTable<u32>,
}

impl Texts {
    fn get(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.letters[start..self.ends[place]]
    }

    fn add(&mut self, hash: u64, text: &str, hasher: &FixedState) {
        if let Some(place) = self.places.find(hash, |place| self.get(*place as usize) == text) {
            self.counts[*place as usize] += 1;
            return;
        }
        let place = self.counts.len() as u32;
        self.letters.push_str(text);
        self.ends.push(self.letters.len());
        self.counts.push(1);
        let (letters, ends) = (&self.letters, &self.ends);
        let known = |place: &u32| {
            let place = *place as usize;
            hasher.hash_one(&letters[place.checked_sub(1).map_or(0, |before| ends[before])..ends[place]])
        };
        self.places.insert_unique(hash, place, known);
    }

    /// About how many bytes they take.
    fn size(&self) -> usize {
        self.letters.capacity() + self.ends.capacity() * 8 + self.counts.capacity() * 4 + self.places.capacity() * 5
    }
}

impl Column {
    fn take(&mut self, texts: &StringArray, room: usize, hasher: &FixedState) {
        if self.full {
            return;
        }
        for text in texts.iter().flatten().filter(is_given) {
            let hash = hasher.hash_one(text);
            // The table takes the lowest bits and the highest for itself.
            if (hash >> LOT_BITS) & ((1 << self.power) - 1) == self.lot {
                self.texts.add(hash, text, hasher);
            }
        }
        self.full = self.texts.size() > room && self.power < MOST_POWERS;
    }

    /// Looks at the texts of a lot, or cuts it in two where it was too large; says whether another is left.
    fn turn(&mut self) -> bool {
        let texts = std::mem::take(&mut self.texts);
        if std::mem::take(&mut self.full) {
            self.power += 1;
            return true;
        }
        for (place, count) in texts.counts.iter().enumerate() {
            self.seen.add(texts.get(place), i64::from(*count));
        }
        // The other half of every lot that was cut in two comes before the rest.
        loop {
            if self.power == 0 {
                return false;
            }
            let half = 1 << (self.power - 1);
            if self.lot & half == 0 {
                self.lot |= half;
                return true;
            }
            self.lot &= !half;
            self.power -= 1;
        }
    }
}

/// Where the bits begin that say to which lot a hash belongs, and how many there are.
const LOT_BITS: u32 = 32;
const MOST_POWERS: u32 = 16;

/// Looks at every column of a file; about `room` bytes are taken.
pub fn profiles_of(csv: &str, raw: &RawSpool, room: usize) -> Result<Vec<Profile>> {
    let hasher = FixedState::default();
    let fields = raw.rows.schema().fields().iter().enumerate().filter(|(_, field)| field.name() != "line");
    let mut columns: Vec<Column> = fields
        .map(|(place, field)| Column {
            name: field.name().clone(),
            place,
            seen: Seen::of(raw.lines.count),
            texts: Texts::default(),
            lot: 0,
            power: 0,
            full: false,
        })
        .collect();
    let mut left: Vec<usize> = (0..columns.len()).collect();
    while !left.is_empty() {
        let room = room / left.len();
        let mut counting: Vec<&mut Column> =
            columns.iter_mut().enumerate().filter(|(at, _)| left.contains(at)).map(|(_, column)| column).collect();
        raw.each(|batch: RecordBatch| {
            let counting = counting.par_iter_mut().with_max_len(1);
            counting.for_each(|column| column.take(batch.column(column.place).as_string(), room, &hasher));
        })?;
        let more: Vec<bool> = counting.par_iter_mut().map(|column| column.turn()).collect();
        left = left.into_iter().zip(more).filter_map(|(at, more)| more.then_some(at)).collect();
    }
    Ok(columns.into_iter().map(|column| column.seen.profile(csv, &column.name)).collect())
}
