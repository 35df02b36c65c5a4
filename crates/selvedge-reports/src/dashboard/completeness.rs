//! Whether the data is there in whole: told before anything else, for a day that did not come looks like a fall.

use super::facts;
use super::sentences as say;
use super::table;
use super::words;
use selvedge_engine::Engine;
use selvedge_monitoring::monitor::{Incomplete, Lack};
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

/// The log of what was shown, and the shop's own events.
const LOG: &str = "recommendations";
const EVENTS: &str = "transactions";

/// The letter beside figures that rest on days that are not whole.
pub const LETTER: &str = "i";

/// What is not there in whole.
pub struct Completeness {
    rows: Vec<Incomplete>,
    /// The first day that is compared.
    since: Option<String>,
}

impl Completeness {
    pub fn read(engine: &Engine, first_day: Option<&str>) -> Result<Self> {
        let mut rows: Vec<Incomplete> = facts::table(engine, "completeness")?;
        // The log first, and what is nearest to today.
        rows.sort_by(|a, b| (&a.source, &b.last_day, &a.kind).cmp(&(&b.source, &a.last_day, &b.kind)));
        Ok(Self { rows, since: first_day.map(str::to_owned) })
    }

    fn of<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Incomplete> {
        self.rows.iter().filter(move |row| row.source == source)
    }

    /// Whether the days compared are not whole, of the log.
    pub fn lacks_log(&self) -> bool {
        self.of(LOG).any(|row| self.since.as_deref().is_some_and(|since| row.last_day.as_str() >= since))
    }

    /// Whether the shop's own events are not there in whole.
    pub fn lacks_events(&self) -> bool {
        self.of(EVENTS).next().is_some()
    }

    /// Above everything; nothing when all is well.
    pub fn first(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        // Not set as loud where nothing of what is compared rests on it.
        let mut out = match self.lacks_log() {
            true => "**Look at the data first: not every day is there in whole.**\n\n",
            false => "Not every day of the data is there in whole:\n\n",
        }
        .to_owned();
        for row in &self.rows {
            out += &format!("- {}\n", sentence(row));
        }
        let rests = match (self.lacks_log(), self.lacks_events()) {
            (true, true) => "All figures below",
            (true, false) => "The figures of recommendations",
            (false, true) => "The figures of collections and of what the model sees",
            (false, false) => return out + "\nNone of the days that are compared below is among them.\n\n",
        };
        out += &format!("\n{rests} rest on these days and are marked **{LETTER}**.");
        if self.of(LOG).next().is_none() {
            out += " What came of recommendations is read from their own log, in which every day is there.";
        }
        out + "\n\n"
    }

    /// What is told of days, as a table; where all is well, that it is.
    pub fn section(&self) -> String {
        let mut out = "## Is every day there\n\n".to_owned();
        if self.rows.is_empty() {
            return out
                + "No day is missing, none holds half or twice of what it should, and neither the log nor the shop's events end early.\n\n";
        }
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                vec![
                    words::capital(noun(row)),
                    verdict(row.state).to_owned(),
                    words::day(&row.first_day),
                    words::day(&row.last_day),
                    count(row.rows),
                    row.expected.map_or("–".to_owned(), count),
                    row.twins.map_or("–".to_owned(), count),
                ]
            })
            .collect();
        out += "\"Usual\" is what the same weekday had in the weeks around; days that were as odd a year earlier are the season's, and not told.\n\n";
        let headings = ["", "what", "from", "until", "came#", "usual#", "there twice#"];
        out + &format!("{}\n", table(&headings, &rows))
    }
}

/// The letter of a row that rests on such days, after those it has.
pub fn marked(letters: &str, incomplete: bool) -> String {
    match (letters.is_empty(), incomplete) {
        (_, false) => letters.to_owned(),
        (true, true) => LETTER.to_owned(),
        (false, true) => format!("{letters} {LETTER}"),
    }
}

/// A section that rests on such days says so below its heading.
pub fn noted(section: String, incomplete: bool) -> String {
    match section.split_once("\n\n") {
        Some((heading, body)) if incomplete => {
            format!("{heading}\n\nThis rests on days that are not there in whole (**{LETTER}**).\n\n{body}")
        }
        _ => section,
    }
}

fn noun(row: &Incomplete) -> &str {
    match (row.source.as_str(), row.kind.as_str()) {
        (LOG, "shown") => "recommendations",
        (LOG, "click") => "clicks on recommendations",
        (LOG, "purchase") => "purchases after recommendations",
        (LOG, "return") => "returns after recommendations",
        (_, "event") => "events in the shop",
        (_, "browse") => "looks in the shop's events",
        (_, "wishlist") => "wishes in the shop's events",
        (_, "purchase") => "purchases in the shop's events",
        (_, "return") => "returns in the shop's events",
        (_, other) => other,
    }
}

fn verdict(state: Lack) -> &'static str {
    match state {
        Lack::Missing => "Missing",
        Lack::Ended => "Ended",
        Lack::Partial => "In part",
        Lack::Twice => "Counted twice",
        Lack::Double => "Twice as many",
    }
}

fn sentence(row: &Incomplete) -> String {
    let (noun, came, usual) = (noun(row), &count(row.rows), &row.expected.map_or("–".to_owned(), count));
    let (first, last) = (&words::day(&row.first_day), &words::day(&row.last_day));
    let days = &match first == last {
        true => say::OnDay { day: first }.to_string(),
        false => say::OnDays { first, last }.to_string(),
    };
    match row.state {
        Lack::Missing => say::NoDays { noun, days, usual }.to_string(),
        Lack::Ended => say::NoMore { noun, since: first, usual, until: last }.to_string(),
        Lack::Partial => say::FewDays { came, noun, days, usual }.to_string(),
        Lack::Twice => {
            say::CountedTwice { came, noun, days, twins: &row.twins.map_or("–".to_owned(), count) }.to_string()
        }
        Lack::Double => say::TwiceAsMany { came, noun, days, usual }.to_string(),
    }
}
