//! What became of the rows of the log, counted.

use std::collections::BTreeMap;

use crate::ingest::tables::{Aside, Count};

const WAITS: &str = "kept in the log; the next export may know it";
/// What becomes of rows of the log that are not used, by its code: what was found and what was done.
const CODES: [(&str, &str, &str); 16] = [
    ("again", "an event whose id stands in the log already", "counted once"),
    (
        "in_the_export",
        "what the export holds too: its id, its order, or the same within a moment",
        "the export's row counts",
    ),
    ("unknown_customer", "no such customer in the export", WAITS),
    (
        "without_consent",
        "a customer who has not agreed to personalisation (any more)",
        "not used; nothing of it is written down",
    ),
    (
        "robot",
        "more looks, and faster, than a person can make, in one visit or in many that follow each other",
        "the visits are set aside, the customer stays",
    ),
    ("unknown_product", "no article with this number, or of this season, in the export", WAITS),
    ("not_on_sale", "no article of this number was on sale at that moment", WAITS),
    ("several_on_sale", "several articles of this number were on sale at that moment", "not used"),
    ("order_twice", "a second purchase of the same article under the same order number", "the first purchase is kept"),
    ("return_without_order", "a return of an order that is not there by then", WAITS),
    ("return_again", "a return of an article of an order of which all pieces came back before", "not used"),
    ("id_of_another", "an id that the export gives to another customer's event", "not used"),
    (
        "no_such_list",
        "an article seen or clicked in a list that the log does not hold, or that did not show it",
        "not used",
    ),
    ("unsound", "an event that no table could make true", "not used"),
    ("shadow", "the answer of a release that nobody saw", "not used"),
    ("not_seen", "a place of a list that was not on the screen", "not used"),
];

/// Those that events meet …
pub(super) const OF_EVENTS: [&str; 14] = [
    "again",
    "in_the_export",
    "unknown_customer",
    "without_consent",
    "robot",
    "unknown_product",
    "not_on_sale",
    "several_on_sale",
    "order_twice",
    "return_without_order",
    "return_again",
    "id_of_another",
    "no_such_list",
    "unsound",
];
/// … and places of lists.
pub(super) const OF_SHOWN: [&str; 6] =
    ["shadow", "unknown_customer", "without_consent", "unknown_product", "in_the_export", "not_seen"];

/// What was used and what not.
#[derive(Default)]
pub struct Told {
    pub aside: Vec<Aside>,
    pub counts: Vec<Count>,
    /// The same in words.
    pub said: Vec<String>,
}

impl Told {
    pub(super) fn tally(&mut self, file: &str, tally: &Tally, codes: &[&str]) {
        self.counts.extend(tally.counts(file, codes));
        self.said.push(tally.in_words(file));
    }
}

/// Rows that went in, and those of them that are not used, by their code.
#[derive(Default)]
pub(super) struct Tally {
    pub rows: usize,
    aside: BTreeMap<&'static str, (usize, i64)>,
}

impl Tally {
    pub fn aside(&mut self, code: &'static str, line: i64) {
        self.aside.entry(code).or_insert((0, line)).0 += 1;
    }

    fn kept(&self) -> usize {
        self.rows - self.aside.values().map(|(rows, _)| rows).sum::<usize>()
    }

    /// One line for every code, those that nobody met included.
    fn counts(&self, file: &str, codes: &[&str]) -> Vec<Count> {
        let count = |kind, code: &str, rows: usize, first_line| Count {
            csv: file.into(),
            kind,
            code: code.into(),
            column: None,
            rows: rows as i64,
            first_line,
            found: CODES.iter().find(|(known, ..)| *known == code).map(|(_, found, _)| (*found).to_owned()),
            done: CODES.iter().find(|(known, ..)| *known == code).map(|(.., done)| (*done).to_owned()),
        };
        let mut counts = vec![count("rows", "rows", self.rows, None), count("kept", "kept", self.kept(), None)];
        counts.extend(codes.iter().map(|code| {
            let met = self.aside.get(code);
            count("set_aside", code, met.map_or(0, |(rows, _)| *rows), met.map(|(_, line)| *line))
        }));
        counts
    }

    fn in_words(&self, file: &str) -> String {
        let mut words = format!("{file}: {} rows, {} used", self.rows, self.kept());
        for (code, (rows, _)) in &self.aside {
            let found = CODES.iter().find(|(known, ..)| known == code).map_or(*code, |(_, found, _)| found);
            words += &format!("; {rows} not: {found}");
        }
        words
    }
}

/// The code that is written as `text`.
pub(super) fn code(text: &str) -> &'static str {
    CODES.iter().find(|(known, ..)| *known == text).map_or("unsound", |(known, ..)| known)
}
