//! What was shown: how the articles differ from those of the days before and of earlier seasons, in the shop's words, and
//! whether the catalogue changed or the choice among it.

mod folded;
mod sentences;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::sentences::missing;
use super::facts::{self, Facts};
use super::sentences as say;
use super::table;
use super::words;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

/// The days before, to which those watched are held first.
const BEFORE: &str = "reference";

/// A row of `monitoring.shown_changes`.
#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "attribute")]
    about: String,
    /// Empty for a number.
    value: String,
    against: String,
    place: u64,
    before_days: u64,
    after_days: u64,
    before_shown: u64,
    after_shown: u64,
    before: f64,
    after: f64,
    step_lower: Option<f64>,
    step_upper: Option<f64>,
    even_before: f64,
    even_after: f64,
    choice_step: f64,
    error: Option<f64>,
    choice_error: Option<f64>,
    freedom: Option<f64>,
    line: Option<f64>,
    noticed_from: Option<f64>,
    distance: Option<f64>,
    state: String,
    choice_moved: bool,
    why: Option<String>,
    have: Option<u64>,
    needed: Option<u64>,
}

/// A row of `monitoring.attribute_words`.
#[derive(Debug, Deserialize)]
struct Words {
    #[serde(rename = "attribute")]
    about: String,
    unit: Option<String>,
    more: String,
    less: String,
    before_value: Option<String>,
}

/// A row of `monitoring.description_changes`.
#[derive(Debug, Deserialize)]
struct Descriptions {
    against: String,
    before_days: u64,
    after_days: u64,
    before: f64,
    after: f64,
    catalogue: Option<f64>,
    error: Option<f64>,
    state: String,
}

/// A row of `monitoring.shown_spans`.
#[derive(Debug, Deserialize)]
struct Day {
    shown_on: String,
}

/// What was shown, and how each attribute is told.
pub struct Shown {
    changes: Vec<Change>,
    words: BTreeMap<String, Words>,
    descriptions: Vec<Descriptions>,
    /// The first day of the log that anything is compared with.
    first_day: Option<String>,
}

impl Shown {
    pub fn read(engine: &Engine) -> Result<Self> {
        let words: Vec<Words> = facts::table(engine, "attribute_words")?;
        let days: Vec<Day> = facts::table(engine, "shown_spans")?;
        let mut changes: Vec<Change> = facts::table(engine, "shown_changes")?;
        changes.sort_by(|a, b| {
            let far = |change: &Change| change.distance.unwrap_or_default();
            a.place
                .cmp(&b.place)
                .then(far(b).total_cmp(&far(a)))
                .then_with(|| (&a.about, &a.value).cmp(&(&b.about, &b.value)))
        });
        Ok(Self {
            changes,
            words: words.into_iter().map(|words| (words.about.clone(), words)).collect(),
            descriptions: facts::table_if_made(engine, "description_changes")?,
            first_day: days.into_iter().map(|day| day.shown_on).min(),
        })
    }

    fn of<'a>(&'a self, against: &'a str, state: &'a str) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |row| row.against == against && row.state == state)
    }

    /// For the first screen: what moved furthest, or that nothing did.  Nothing while there is nothing to compare.
    pub fn in_short(&self) -> String {
        if let Some(first) = self.of(BEFORE, "moved").next() {
            return format!("{} {}", self.sentence(first), self.catalogue(first));
        }
        match self.of(BEFORE, "no_change").next() {
            Some(_) => "The articles shown are like those before, as far as can be told.".to_owned(),
            None => String::new(),
        }
    }

    pub fn section(&self, facts: &Facts) -> String {
        let mut out = "## What was shown\n\n".to_owned();
        let (Some(watched), Some(reference)) = (facts.span("watched"), facts.span("reference")) else {
            return out + "There are no days to compare yet, so nothing can be said of what was shown.\n\n";
        };
        out += &format!("{}\n\n", say::ShownSpans { since: &watched, before: &reference });
        out += &self.told(BEFORE);
        out += &self.descriptions();
        let earlier: Vec<&str> = self.earlier();
        if earlier.is_empty() {
            let first = self.first_day.as_deref().map(words::day).unwrap_or_default();
            out += &format!("{}\n\n", say::NoEarlierSeason { first: &first });
        }
        for against in &earlier {
            out += &format!("**Against {against}**\n\n{}", self.told(against));
        }
        let rows = self.changes.iter().filter(|row| self.is_told(row));
        let headings = [
            "what",
            "against",
            "before#",
            "since#",
            "difference#",
            "between",
            "noticed from#",
            "on sale before#",
            "on sale since#",
            "verdict",
            "status",
        ];
        out += &format!(
            "A difference counts once it is larger than days differ anyway (\"noticed from\"). \"On sale\" is what an even choice among all articles on sale would have shown. {}\n\n",
            say::RateBetween { what: "difference" }
        );
        out += &format!("{}\n", table(&headings, &rows.map(|row| self.cells(row)).collect::<Vec<_>>()));
        out += &format!(
            "{}\n",
            table(
                &["looked at", "against", "values#", "changed#", "a little#", "no change#", "too early#"],
                &self.counts()
            )
        );
        out + &format!("{}\n", self.folded())
    }

    /// The spans beside the days before, the nearest first.
    fn earlier(&self) -> Vec<&str> {
        let mut spans: Vec<&str> =
            self.changes.iter().map(|row| row.against.as_str()).filter(|span| *span != BEFORE).collect();
        spans.dedup();
        spans
    }

    fn is_told(&self, row: &Change) -> bool {
        self.is_number(row)
            || matches!(row.state.as_str(), "moved" | "slight")
            || row.choice_moved
            || self.nearest(&row.against).is_some_and(|near| std::ptr::eq(near, row))
    }

    fn is_number(&self, change: &Change) -> bool {
        change.value.is_empty()
    }

    fn descriptions(&self) -> String {
        let Some(row) = self.descriptions.iter().find(|row| row.against == BEFORE) else {
            return "No descriptions have been read, so their wording is not compared.\n\n".to_owned();
        };
        match row.state.as_str() {
            "moved" => "The descriptions of the articles shown differ from those before, more than one day differs from another.\n\n",
            "no_change" => "The descriptions of the articles shown read like those before.\n\n",
            _ => "It is too early to compare the descriptions of the articles shown.\n\n",
        }
        .to_owned()
    }

    fn cells(&self, change: &Change) -> Vec<String> {
        let range = match (change.step_lower, change.step_upper) {
            (Some(lower), Some(upper)) => format!("{} to {}", self.signed(change, lower), self.signed(change, upper)),
            _ => "–".to_owned(),
        };
        let figure = |value: f64| self.figure(change, value);
        let unit = if self.is_number(change) { format!(", {}", self.unit(change)) } else { ", of 100".to_owned() };
        vec![
            format!(
                "{}{unit}",
                if self.is_number(change) {
                    words::heading(&change.about)
                } else {
                    words::capital(&self.value(change))
                }
            ),
            against(&change.against),
            figure(change.before),
            figure(change.after),
            self.step(change, change.before, change.after),
            range,
            change.noticed_from.map_or("–".to_owned(), figure),
            figure(change.even_before),
            figure(change.even_after),
            match (change.state.as_str(), change.choice_moved) {
                ("moved", true) => "Choice changed".to_owned(),
                ("moved", false) => "Changed".to_owned(),
                ("slight", _) => "A little".to_owned(),
                ("too_early", _) => format!("Too early. {}", missing(change)),
                (_, true) => "Did not follow".to_owned(),
                _ => "No change".to_owned(),
            },
            match change.state.as_str() {
                "moved" => "b",
                "too_early" => "u",
                _ => "",
            }
            .to_owned(),
        ]
    }

    fn signed(&self, change: &Change, value: f64) -> String {
        let sign = if value < 0.0 { "−" } else { "" };
        format!("{sign}{}", self.figure(change, value.abs()).trim_start_matches('−'))
    }

    /// One row an attribute and span: of how many values what can be said.
    fn counts(&self) -> Vec<Vec<String>> {
        let mut rows: BTreeMap<(u64, &str, &str), [u64; 5]> = BTreeMap::new();
        for change in &self.changes {
            let counts = rows.entry((change.place, &change.against, &change.about)).or_default();
            counts[0] += 1;
            let place = match change.state.as_str() {
                "moved" => 1,
                "slight" => 2,
                "no_change" => 3,
                _ => 4,
            };
            counts[place] += 1;
        }
        let mut out: Vec<Vec<String>> = Vec::new();
        let mut totals: BTreeMap<(u64, &str), [u64; 5]> = BTreeMap::new();
        let cells = |about: String, span: &str, counts: [u64; 5]| {
            [about, against(span)].into_iter().chain(counts.map(count)).collect::<Vec<_>>()
        };
        for ((place, span, about), counts) in rows {
            let total = totals.entry((place, span)).or_default();
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
            out.push(cells(words::heading(about), span, counts));
        }
        out.extend(totals.into_iter().map(|((_, span), counts)| cells("All together".into(), span, counts)));
        out
    }
}

fn against(against: &str) -> String {
    if against == BEFORE { "the days before".to_owned() } else { against.to_owned() }
}
