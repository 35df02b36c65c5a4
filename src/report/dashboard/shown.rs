//! What was shown: how the articles differ from those of the days before and of earlier seasons, in the shop's words, and
//! whether the catalogue changed or the choice among it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::markdown::{count, details, line_of};
use super::facts::{self, Facts};
use super::table;
use super::words;
use crate::engine::Engine;
use crate::error::Result;

/// Differences that are told in words, against each earlier span.
const MOST_SENTENCES: usize = 4;
/// The days before, to which those watched are held first.
const BEFORE: &str = "reference";

/// A row of `monitoring.shown_changes`.
#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "trait")]
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

/// A row of `monitoring.trait_words`.
#[derive(Debug, Deserialize)]
struct Words {
    #[serde(rename = "trait")]
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

/// What was shown, and how each trait is told.
pub struct Shown {
    changes: Vec<Change>,
    words: BTreeMap<String, Words>,
    descriptions: Vec<Descriptions>,
    /// The first day of the log that anything is compared with.
    first_day: Option<String>,
}

impl Shown {
    pub fn read(engine: &Engine) -> Result<Self> {
        let words: Vec<Words> = facts::table(engine, "trait_words")?;
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
        out += &format!("The articles shown from {watched}, against those shown from {reference}.\n\n");
        out += &self.told(BEFORE);
        out += &self.descriptions();
        let earlier: Vec<&str> = self.earlier();
        if earlier.is_empty() {
            let first = self.first_day.as_deref().map(words::day).unwrap_or_default();
            out += &format!(
                "The log begins on {first}, so there is no earlier season and no year before to compare with.\n\n"
            );
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
        out += "A difference counts once it is larger than days differ anyway (\"noticed from\"). \"On sale\" is what an even choice among all articles on sale would have shown. \"Between\" holds the true difference 95 times out of 100.\n\n";
        out += &format!("{}\n", table(&headings, &rows.map(|row| self.cells(row)).collect::<Vec<_>>()));
        out += &format!(
            "{}\n",
            table(
                &["looked at", "against", "values#", "changed#", "a little#", "no change#", "too early#"],
                &self.tally()
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

    /// What moved against a span, in sentences; what did not; and what it takes to say more.
    fn told(&self, against: &str) -> String {
        let moved: Vec<&Change> = self.of(against, "moved").collect();
        let mut out = String::new();
        for change in moved.iter().take(MOST_SENTENCES) {
            out += &format!("- {} {}\n", line_of(&self.sentence(change)), self.catalogue(change));
        }
        if moved.len() > MOST_SENTENCES {
            out += &format!("- {} more differences stand in the table.\n", moved.len() - MOST_SENTENCES);
        }
        let left: Vec<&Change> = self
            .changes
            .iter()
            .filter(|row| row.against == against && row.state == "no_change" && row.choice_moved)
            .collect();
        for change in left.iter().take(MOST_SENTENCES) {
            out += &format!("- {}\n", line_of(&self.left_behind(change)));
        }
        let quiet =
            self.changes.iter().filter(|row| row.against == against && self.is_number(row) && row.state != "moved");
        for number in quiet {
            out += &format!("- {}\n", self.unmoved(number));
        }
        let all = self.changes.iter().filter(|row| row.against == against).count();
        let early = self.of(against, "too_early").count();
        if let Some(nearest) = self.nearest(against).filter(|row| !self.is_number(row)) {
            out += &format!(
                "- Too early to say for {early} of {all}, shown too seldom. The nearest is {}: {}\n",
                line_of(&self.value(nearest)),
                missing(nearest)
            );
        }
        if moved.is_empty() && left.is_empty() && early < all {
            out.insert_str(
                0,
                "- Nothing else can be told from chance: brands, categories and all other values in the table below.\n",
            );
        }
        out + "\n"
    }

    /// Of what it is too early to speak of, that of which the least is missing.
    fn nearest<'a>(&'a self, against: &'a str) -> Option<&'a Change> {
        let share = |row: &Change| row.have.unwrap_or_default() as f64 / row.needed.unwrap_or(u64::MAX).max(1) as f64;
        self.of(against, "too_early")
            .max_by(|a, b| share(a).total_cmp(&share(b)).then_with(|| (&b.about, &b.value).cmp(&(&a.about, &a.value))))
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

    fn unit(&self, change: &Change) -> &str {
        self.words.get(&change.about).and_then(|words| words.unit.as_deref()).unwrap_or_default()
    }

    /// "dearer", or "fewer".
    fn direction(&self, change: &Change, step: f64) -> &str {
        self.words.get(&change.about).map_or("", |words| if step < 0.0 { &words.less } else { &words.more })
    }

    /// "12 euros dearer" of numbers, "7 more" of shares; from the figures as they are printed.
    fn step(&self, change: &Change, before: f64, after: f64) -> String {
        let printed = |value: f64| self.figure(change, value).replace('−', "-").parse::<f64>().unwrap_or(value);
        let gap = trimmed((printed(after) - printed(before)).abs());
        if gap == "0" {
            return "as before".to_owned();
        }
        let direction = self.direction(change, after - before);
        match self.unit(change) {
            "" => format!("{gap} {direction}"),
            unit => format!("{} {direction}", with_unit(&gap, unit)),
        }
    }

    /// A number to three digits, or a share of 100.
    fn figure(&self, change: &Change, value: f64) -> String {
        if self.is_number(change) { plain(value) } else { words::in_100(value).replace("<0.1", "0.1") }
    }

    /// "of category Shoes".
    fn value(&self, change: &Change) -> String {
        match self.words.get(&change.about).and_then(|words| words.before_value.as_deref()) {
            Some(before) => format!("{before} {}", change.value),
            None => change.value.clone(),
        }
    }

    fn sentence(&self, change: &Change) -> String {
        let (before, after) = (self.figure(change, change.before), self.figure(change, change.after));
        let (step, than) = (self.step(change, change.before, change.after), than(&change.against));
        match self.unit(change) {
            "" => {
                format!("Of 100 shown, {step} are {} than {than}: {after} instead of {before}.", self.value(change))
            }
            unit => format!("The articles shown are {step} than {than}: {after} instead of {before} {unit}."),
        }
    }

    /// Whether the catalogue changed, or the choice among it.
    fn catalogue(&self, change: &Change) -> String {
        let (before, after) = (self.figure(change, change.even_before), self.figure(change, change.even_after));
        let unit = match self.unit(change) {
            "" => " of 100".to_owned(),
            unit => format!(" {unit}"),
        };
        let on_sale = match before == after {
            true => format!("Those on sale are as before ({after}{unit})"),
            false => format!("Those on sale went from {before} to {after}{unit}"),
        };
        // As printed, so that a reader can follow.
        let alike = before != after && (change.even_after < change.even_before) == (change.after < change.before);
        match (change.choice_moved, alike) {
            (true, _) => format!("{on_sale}: the choice among them changed."),
            (false, true) => format!("{on_sale}: the catalogue changed, not the choice."),
            (false, false) => format!("{on_sale}: whether the choice changed cannot be told yet."),
        }
    }

    /// The catalogue moved, and what is shown did not follow.
    fn left_behind(&self, change: &Change) -> String {
        let (before, after) = (self.figure(change, change.even_before), self.figure(change, change.even_after));
        let shown = self.figure(change, change.after);
        match self.unit(change) {
            "" => format!(
                "Of 100 articles on sale, {after} are {} instead of {before}; of 100 shown, {shown}: the choice did not follow.",
                self.value(change)
            ),
            unit => format!(
                "The articles on sale went from {before} to {after} {unit}, those shown are at {shown}: the choice did not follow."
            ),
        }
    }

    /// A number that did not move, and the step that would have been noticed.
    fn unmoved(&self, change: &Change) -> String {
        let unit = self.unit(change);
        let name = words::heading(&change.about);
        let figures = format!(
            "{} {unit} {}, {} since",
            self.figure(change, change.before),
            than(&change.against),
            self.figure(change, change.after)
        );
        match (change.state.as_str(), change.noticed_from) {
            ("too_early", _) => format!("{name}: too early to say. {}", missing(change)),
            ("slight", _) => format!("{name}: {figures}. That is a little, but more than chance."),
            (_, Some(from)) => {
                format!("{name}: {figures}. No change; {} would have been noticed.", with_unit(&plain(from), unit))
            }
            _ => format!("{name}: {figures}. No change."),
        }
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

    /// One row a trait and span: of how many values what can be said.
    fn tally(&self) -> Vec<Vec<String>> {
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

    fn folded(&self) -> String {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        let rows = self.changes.iter().map(|row| {
            vec![
                row.about.clone(),
                row.value.clone(),
                row.against.clone(),
                format!("{} / {}", row.before_days, row.after_days),
                format!("{} / {}", count(row.before_shown), count(row.after_shown)),
                number(Some(row.before)),
                number(Some(row.after)),
                number(row.error),
                number(Some(row.choice_step)),
                number(row.choice_error),
                row.freedom.map_or("–".to_owned(), |freedom| format!("{freedom:.1}")),
                row.line.map_or("–".to_owned(), |line| format!("{line:.2}")),
                row.why.clone().unwrap_or_else(|| row.state.clone()),
            ]
        });
        let headings = [
            "trait",
            "value",
            "against",
            "days",
            "shown",
            "before#",
            "after#",
            "SE#",
            "choice step#",
            "SE#",
            "df#",
            "line#",
            "state",
        ];
        let mut body = "Means over recommendations; the standard error takes days as clusters, and never less than independent recommendations would vary. \
             The line is Student's t at the false-alarm share divided by all questions asked (what was shown, and what was chosen beyond the catalogue).\n\n"
            .to_owned();
        body += &table(&headings, &rows.collect::<Vec<_>>());
        let rows = self.descriptions.iter().map(|row| {
            vec![
                row.against.clone(),
                format!("{} / {}", row.before_days, row.after_days),
                format!("{:.2}", row.before),
                format!("{:.2}", row.after),
                number(row.error),
                row.catalogue.map_or("–".to_owned(), |value| format!("{value:.2}")),
                row.state.clone(),
            ]
        });
        let headings = [
            "against",
            "days",
            "cosine of its own days#",
            "cosine of the days watched#",
            "SE#",
            "cosine of what was on sale#",
            "state",
        ];
        body += &format!(
            "\nMean description vector of a day against that of the span's other days:\n\n{}",
            table(&headings, &rows.collect::<Vec<_>>())
        );
        details("Everything that was compared of what was shown, for the ML team", &body)
    }
}

/// How much is missing until something can be said.
fn missing(change: &Change) -> String {
    let (have, needed) = (change.have.unwrap_or_default(), change.needed.map_or("–".to_owned(), count));
    match change.why.as_deref() {
        Some("few_days" | "few_days_before") => format!("{} of {needed} days needed.", count(have)),
        _ => format!("{} of {needed} needed.", count(have)),
    }
}

/// What follows "than".
fn than(against: &str) -> String {
    match against {
        BEFORE => "before".to_owned(),
        "a year earlier" => against.to_owned(),
        season => format!("in {season}"),
    }
}

fn against(against: &str) -> String {
    if against == BEFORE { "the days before".to_owned() } else { against.to_owned() }
}

/// "1 euro", "12 euros".
fn with_unit(number: &str, unit: &str) -> String {
    let one = if number == "1" { unit.trim_end_matches('s') } else { unit };
    format!("{number} {one}")
}

/// Whole from ten on, one decimal below: nobody prices a catalogue to the cent.
fn plain(value: f64) -> String {
    let text = if value.abs() < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".to_owned(),
        short => short.replace('-', "−"),
    }
}

fn trimmed(gap: f64) -> String {
    let text = format!("{gap:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
