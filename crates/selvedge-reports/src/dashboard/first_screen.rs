//! The first screen: what happened, to whom, since when, how sure, what did not change, what to look at next.

use std::collections::BTreeMap;

use super::super::markdown::line_of;
use super::facts::{Facts, Place};
use super::history::History;
use super::sentences as say;
use super::shown::Shown;
use super::table;
use super::verdicts::Story;
use super::words;
use selvedge_monitoring::monitor::{Finding, State};
use selvedge_project::numbers::{count, counted};
use selvedge_project::params::Monitor;

/// So many recommendations without a click (or without one that is missing) are no chance.
const ODD_FROM: u64 = 100;
/// Names of one column in a sentence; more are counted.
const MOST_NAMES: usize = 12;

/// What was looked at, and as of when.
pub fn scope(facts: &Facts) -> String {
    let shop = facts.shop("click");
    let shown = shop.map_or(0, |shop| shop.shown);
    let days = |period: &str, of_many: &str| {
        let (first, last) = (facts.first_day(period)?, facts.last_day(period)?);
        Some(if first == last {
            words::day(first)
        } else {
            say::Days { the: of_many, first: &words::day(first), last: &words::day(last) }.to_string()
        })
    };
    let compared = match (facts.span("reference"), facts.span("watched")) {
        (Some(_), Some(_)) => {
            let are = if facts.first_day("watched") == facts.last_day("watched") { "is" } else { "are" };
            let (watched, reference) = (days("watched", "The days"), days("reference", "those"));
            let (since, before) = (watched.unwrap_or_default(), reference.unwrap_or_default());
            say::Compared { since: &since, are, before: &before }.to_string()
        }
        (Some(_), None) => {
            let day = |day: Option<&str>| day.map(words::day).unwrap_or_default();
            let (first, last) = (day(facts.first_day("reference")), day(facts.last_day("reference")));
            match facts.days.len() {
                1 => say::OnlyDay { day: &first }.to_string(),
                _ => say::OnlyDays { first: &first, last: &last }.to_string(),
            }
        }
        (None, _) => String::new(),
    };
    let were = if shown == 1 { "was" } else { "were" };
    let scope = say::Scope {
        recommendations_were: &format!("{} {were}", counted(shown, "recommendation", "recommendations")),
        until: &words::moment(&facts.as_of),
        compared: &compared,
    };
    format!("{scope}\n")
}

/// What happened, to whom, since when, how sure, what did not change, what to look at next.
pub fn first_screen(facts: &Facts, history: &History, shown: &Shown, monitor: &Monitor) -> String {
    let stories = facts.stories();
    let Some(first) = stories.first() else {
        let quiet = match (clicked(facts), facts.all_too_early("click")) {
            (Some(0), _) => "**Nothing that was shown was clicked. Look first whether clicks are still written down.**",
            (Some(1), _) => {
                "**Everything that was shown was clicked. Look first whether clicks are written down rightly.**"
            }
            (_, true) => "**It is too early to say whether anything changed.**",
            (_, false) => "**No change stands out.**",
        };
        let mut rows = vec![
            row("What did not change", unchanged(facts, monitor)),
            row("What cannot be told yet", not_known(facts, monitor)),
            row("What was shown", shown.in_short()),
            row("When we will know more", later(facts, None)),
        ];
        rows.retain(|row| !row[1].is_empty());
        return format!("{quiet}\n\n{}\n", table(&["", ""], &rows));
    };
    let mut out = String::new();
    for story in &stories {
        // What may be chance is not set as loud as what is clear.
        let sentence = line_of(&story.sentence());
        let sentence = if story.is_loud() { format!("**{sentence}**") } else { sentence };
        out += &format!("{}\n\n", say::Told { change: &sentence, how_sure: story.how_sure() });
    }
    let one = first.is_of_one().then(|| first.first());
    let told_first = one.map(|one| history.first_told(one)).unwrap_or_default();
    let mut rows = vec![
        row("To whom", first.of.iter().map(|of| whom(of)).collect::<Vec<_>>().join(" ")),
        row("How sure", sure(first, monitor)),
        row("How it was first told", told_first),
        row("With the shop", with_shop(facts)),
        row("What moved along", moved_along(facts)),
        row("What did not change", unchanged(facts, monitor)),
        row("What cannot be told yet", not_known(facts, monitor)),
        row("What was shown", shown.in_short()),
        row("What to look at next", one.map(|one| next(facts, one)).unwrap_or_default()),
        row("When we will know more", later(facts, Some(first))),
    ];
    rows.retain(|row| !row[1].is_empty());
    out += &format!("{}\n", table(&["", ""], &rows));
    let changes = stories.iter().flat_map(|story| story.of.iter().copied());
    let cells = changes.map(|change| {
        let noun = words::metric(&change.metric).to_lowercase();
        vec![
            format!("{} of {}", words::metric(&change.metric), words::who(change)),
            count(change.before_n),
            count(change.before_x),
            words::cell(change.before),
            count(change.after_n),
            count(change.after_x),
            words::cell(change.after),
            match (change.before, change.after) {
                (Some(before), Some(after)) => format!("{} {noun}", words::step(before, after)),
                _ => "–".to_owned(),
            },
            change.expected_x.map_or("–".to_owned(), |expected| format!("{expected:.0}")),
            match (change.since.as_deref().map(words::day), change.until.as_deref().map(words::day)) {
                (Some(since), Some(until)) => format!("{since} to {until}"),
                (since, _) => since.unwrap_or_default(),
            },
        ]
    });
    let headings = [
        "",
        "shown before#",
        "of these#",
        "in 100#",
        "shown since#",
        "of these#",
        "in 100#",
        "change in 100",
        "expected#",
        "since",
    ];
    out + &format!("The figures behind it:\n\n{}\n", table(&headings, &cells.collect::<Vec<_>>()))
}

/// 0 where nothing was clicked, 1 where everything was; only of logs that could show otherwise.
fn clicked(facts: &Facts) -> Option<u64> {
    let shop = facts.shop("click")?;
    let (shown, clicks) = (shop.before_n + shop.after_n, shop.before_x + shop.after_x);
    match clicks {
        _ if shown < ODD_FROM => None,
        0 => Some(0),
        all if all == shown => Some(1),
        _ => None,
    }
}

fn row(name: &str, text: String) -> Vec<String> {
    vec![format!("**{name}**"), text]
}

fn whom(change: &Finding) -> String {
    let name = words::who(change);
    let shown = counted(change.after_n, "recommendation", "recommendations");
    say::ToWhom {
        who: &words::capital(&name),
        recommendations: &shown,
        when: if change.until.is_some() { "on these days" } else { "since" },
        did: &count(change.after_x),
        what: &words::metric(&change.metric).to_lowercase(),
    }
    .to_string()
}

fn sure(story: &Story, monitor: &Monitor) -> String {
    let mut out = story.how_sure().to_owned();
    if story.is_of_one()
        && let Some(expected) = story.first().expected_x
    {
        let change = story.first();
        let had_they = if change.is_shop() { "had it gone on as before" } else { "had they moved like everyone else" };
        let (expected, came) = (format!("{expected:.0}"), count(change.after_x));
        out += &format!(" {}", say::Expected { expected: &expected, had_they, came: &came });
    }
    out += &match story.is_clear {
        true => format!(" {}.", promise(monitor)),
        false => " It does not reach the line for an alert.".to_owned(),
    };
    if story.first().incomplete {
        out += " But the days compared are not there in whole: see above.";
    }
    out
}

pub fn promise(monitor: &Monitor) -> String {
    let reports = format!("{:.0}", (1.0 / monitor.false_alarms).round());
    say::FalseAlarms { reports: &reports }.to_string()
}

/// The segments in a state, by column; the whole shop is told by itself, and so is who moved along.
fn named(facts: &Facts, state: State) -> Option<String> {
    let is_own = |finding: &&Finding| !finding.is_shop() && finding.explained_by.is_none();
    let segments: Vec<&Finding> = facts.of("click", state).filter(is_own).collect();
    (!segments.is_empty()).then(|| by_column(&segments))
}

/// What a change that is worth telling is: "33 %".
fn worth(monitor: &Monitor) -> String {
    format!("{:.0} %", monitor.worth_telling * 100.0)
}

/// What a change worth telling can be ruled out for, the whole shop first.
fn unchanged(facts: &Facts, monitor: &Monitor) -> String {
    let mut text = String::new();
    if let Some(shop) = facts.shop("click").filter(|shop| shop.state == State::Unchanged) {
        let (before, since) = (words::cell(shop.before), words::cell(shop.after));
        text += &format!("{} ", say::ShopUnchanged { before: &before, since: &since });
    }
    if let Some(names) = named(facts, State::Unchanged) {
        text += &format!("{} ", say::Unchanged { names: &names });
    }
    if !text.is_empty() {
        text += &format!("{} ", say::RuledOut { change: &worth(monitor) });
    }
    text.trim_end().to_owned()
}

/// Who moved because who changed is among them.
fn moved_along(facts: &Facts) -> String {
    let along = facts.findings.iter().filter(|finding| finding.metric == "click" && finding.explained_by.is_some());
    let told = along.map(|finding| {
        format!("{} moved only because it contains these customers.", words::capital(&words::who(finding)))
    });
    told.collect::<Vec<_>>().join(" ")
}

fn with_shop(facts: &Facts) -> String {
    named(facts, State::WithShop).map(|names| say::WithShop { names: &names }.to_string()).unwrap_or_default()
}

/// What does not stand out though a change worth telling cannot be ruled out, and what there is too little of.
fn not_known(facts: &Facts, monitor: &Monitor) -> String {
    let mut text = String::new();
    let open = |shop: &&Finding| shop.state == State::NotKnown && shop.explained_by.is_none();
    if let Some(shop) = facts.shop("click").filter(open) {
        text += &format!("{} ", say::ShopPossible { range: &words::possible(shop) });
    }
    if let Some(names) = named(facts, State::NotKnown) {
        text += &format!("{} ", say::NotRuledOut { change: &worth(monitor), names: &names });
    }
    if let Some(names) = named(facts, State::TooEarly) {
        text += &say::TooEarly { names: &names }.to_string();
    }
    text.trim_end().to_owned()
}

/// "age group 18-24 and 35-44; region Berlin".
fn by_column(findings: &[&Finding]) -> String {
    let mut columns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in findings {
        columns.entry(&finding.segment_column).or_default().push(finding.segment_value.clone());
    }
    columns
        .iter()
        .map(|(column, values)| format!("{} {}", words::column(column), words::list_up_to(values, MOST_NAMES)))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Where the change shows and where it does not, as a hint at its cause.
fn next(facts: &Facts, change: &Finding) -> String {
    let own: Vec<&Place> = facts
        .places
        .iter()
        .filter(|place| place.enough && place.segment_column == change.segment_column)
        .filter(|place| place.segment_value == change.segment_value)
        .collect();
    let (Some(before), Some(after)) = (change.before, change.after) else {
        return String::new();
    };
    let moved = |place: &&&Place| matches!((place.before, place.after), (Some(b), Some(a)) if (a < b) == (after < before) && a != b);
    let moved_as = if after < before { "fell" } else { "rose" };
    let mut questions: Vec<&str> = own.iter().map(|place| place.question.as_str()).collect();
    questions.dedup();
    let mut sentences = Vec::new();
    let mut everywhere = Vec::new();
    for question in questions {
        let answers: Vec<&&Place> = own.iter().filter(|place| place.question == question).collect();
        let not: Vec<String> = answers.iter().filter(|place| !moved(place)).map(|place| place.answer.clone()).collect();
        match not.len() {
            0 if answers.len() > 1 => everywhere.push(question.to_owned()),
            0 => {}
            _ => {
                let but = say::EverywhereBut { question, moved: moved_as, not: &words::list(&not) };
                sentences.push(but.to_string());
            }
        }
    }
    if !everywhere.is_empty() {
        let whatever = say::Everywhere { moved: moved_as, questions: &words::list(&everywhere) };
        sentences.insert(0, whatever.to_string());
        let since = &change.since.as_deref().map(words::day).unwrap_or_default();
        sentences.push(match change.is_shop() {
            true => say::LookAtEveryone { since }.to_string(),
            false => say::LookAt { who: &words::who(change), since }.to_string(),
        });
    }
    sentences.join(" ")
}

fn later(facts: &Facts, story: Option<&Story>) -> String {
    let say = |finding: &Finding| {
        finding.known_on.as_deref().filter(|_| finding.state == State::TooEarly).map(|iso| {
            let what = words::metric(&finding.metric);
            say::KnownOn { what, who: &words::who(finding), day: &words::day(iso) }.to_string()
        })
    };
    let mut sentences = Vec::new();
    if let Some(story) = story.filter(|story| !story.is_loud()) {
        let what = if story.is_of_one() { "Whether it is chance" } else { "Which of them it is" };
        let known = story.first().known_on.as_deref();
        sentences.extend(known.map(|iso| say::KnownOnIfItGoesOn { what, day: &words::day(iso) }.to_string()));
    }
    for metric in ["purchase", "kept"] {
        let own = story.and_then(|story| {
            let change = story.first();
            facts.findings.iter().find(|finding| {
                finding.metric == metric
                    && finding.segment_column == change.segment_column
                    && finding.segment_value == change.segment_value
            })
        });
        sentences.extend(own.filter(|own| !own.is_shop()).and_then(say));
        sentences.extend(facts.shop(metric).and_then(say));
    }
    sentences.join(" ")
}
