//! The sentences of what was shown, each from the row of its change.

use super::super::{sentences as say, words};
use super::{BEFORE, Change, Shown};
use crate::markdown::line_of;
use selvedge_project::numbers::count;

/// Differences that are told in words, against each earlier span.
const MOST_SENTENCES: usize = 4;

impl Shown {
    /// What moved against a span, in sentences; what did not; and what it takes to say more.
    pub(super) fn told(&self, against: &str) -> String {
        let moved: Vec<&Change> = self.of(against, "moved").collect();
        let mut out = String::new();
        for change in moved.iter().take(MOST_SENTENCES) {
            out += &format!("- {} {}\n", line_of(&self.sentence(change)), self.catalogue(change));
        }
        if moved.len() > MOST_SENTENCES {
            let more = (moved.len() - MOST_SENTENCES).to_string();
            out += &format!("- {}\n", say::MoreDifferences { more: &more });
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
            let said = say::ValuesTooEarly {
                early: &early.to_string(),
                all: &all.to_string(),
                nearest: &line_of(&self.value(nearest)),
                missing: &missing(nearest),
            };
            out += &format!("- {said}\n");
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
    pub(super) fn nearest<'a>(&'a self, against: &'a str) -> Option<&'a Change> {
        let share = |row: &Change| row.have.unwrap_or_default() as f64 / row.needed.unwrap_or(u64::MAX).max(1) as f64;
        self.of(against, "too_early")
            .max_by(|a, b| share(a).total_cmp(&share(b)).then_with(|| (&b.about, &b.value).cmp(&(&a.about, &a.value))))
    }

    pub(super) fn unit(&self, change: &Change) -> &str {
        self.words.get(&change.about).and_then(|words| words.unit.as_deref()).unwrap_or_default()
    }

    /// "dearer", or "fewer".
    fn direction(&self, change: &Change, step: f64) -> &str {
        self.words.get(&change.about).map_or("", |words| if step < 0.0 { &words.less } else { &words.more })
    }

    /// "12 euros dearer" of numbers, "7 more" of shares; from the figures as they are printed.
    pub(super) fn step(&self, change: &Change, before: f64, after: f64) -> String {
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
    pub(super) fn figure(&self, change: &Change, value: f64) -> String {
        if self.is_number(change) { plain(value) } else { words::in_100(value).replace("<0.1", "0.1") }
    }

    /// "of category Shoes".
    pub(super) fn value(&self, change: &Change) -> String {
        match self.words.get(&change.about).and_then(|words| words.before_value.as_deref()) {
            Some(before) => format!("{before} {}", change.value),
            None => change.value.clone(),
        }
    }

    pub(super) fn sentence(&self, change: &Change) -> String {
        let (before, after) = (&self.figure(change, change.before), &self.figure(change, change.after));
        let (step, than) = (&self.step(change, change.before, change.after), &than(&change.against));
        match self.unit(change) {
            "" => say::ShareMoved { step, value: &self.value(change), than, after, before }.to_string(),
            unit => say::MeanMoved { step, than, after, before, unit }.to_string(),
        }
    }

    /// Whether the catalogue changed, or the choice among it.
    pub(super) fn catalogue(&self, change: &Change) -> String {
        let (before, after) = (&self.figure(change, change.even_before), &self.figure(change, change.even_after));
        let unit = match self.unit(change) {
            "" => "of 100",
            unit => unit,
        };
        // As printed, so that a reader can follow.
        let alike = before != after && (change.even_after < change.even_before) == (change.after < change.before);
        let choice = match (change.choice_moved, alike) {
            (true, _) => "the choice among them changed",
            (false, true) => "the catalogue changed, not the choice",
            (false, false) => "whether the choice changed cannot be told yet",
        };
        match before == after {
            true => say::OnSaleAsBefore { figure: after, unit, choice }.to_string(),
            false => say::OnSaleMoved { before, after, unit, choice }.to_string(),
        }
    }

    /// The catalogue moved, and what is shown did not follow.
    fn left_behind(&self, change: &Change) -> String {
        let (before, after) = (&self.figure(change, change.even_before), &self.figure(change, change.even_after));
        let shown = &self.figure(change, change.after);
        match self.unit(change) {
            "" => say::ShareLeftBehind { after, value: &self.value(change), before, shown }.to_string(),
            unit => say::MeanLeftBehind { before, after, unit, shown }.to_string(),
        }
    }

    /// A number that did not move, and the step that would have been noticed.
    fn unmoved(&self, change: &Change) -> String {
        let unit = self.unit(change);
        let what = &words::heading(&change.about);
        let (before, after) = (&self.figure(change, change.before), &self.figure(change, change.after));
        let figures = say::MeanFigures { what, before, unit, than: &than(&change.against), after };
        match (change.state.as_str(), change.noticed_from) {
            ("too_early", _) => say::MeanTooEarly { what, missing: &missing(change) }.to_string(),
            ("slight", _) => format!("{figures} That is a little, but more than chance."),
            (_, Some(from)) => {
                format!("{figures} {}", say::NoticedFrom { step: &with_unit(&plain(from), unit) })
            }
            _ => format!("{figures} No change."),
        }
    }
}

/// How much is missing until something can be said.
pub(super) fn missing(change: &Change) -> String {
    let (have, needed) = (change.have.unwrap_or_default(), change.needed.map_or("–".to_owned(), count));
    match change.why.as_deref() {
        Some("few_days" | "few_days_before") => format!("{} of {needed} days needed.", count(have)),
        _ => format!("{} of {needed} recommendations needed.", count(have)),
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
