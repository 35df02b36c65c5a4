//! The first screen: what happened, to whom, since when, how sure, what did not change, what to look at next.

use std::collections::BTreeMap;

use super::super::markdown::line_of;
use super::facts::{Facts, Place};
use super::history::History;
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
            format!("{of_many} from {} to {}", words::day(first), words::day(last))
        })
    };
    let compared = match (facts.span("reference"), facts.span("watched")) {
        (Some(_), Some(_)) => {
            let are = if facts.first_day("watched") == facts.last_day("watched") { "is" } else { "are" };
            let (watched, reference) = (days("watched", "The days"), days("reference", "those"));
            format!("{} {are} compared with {}.", watched.unwrap_or_default(), reference.unwrap_or_default())
        }
        (Some(only), None) => match facts.days.len() {
            1 => format!("There is only {}: nothing to compare it with yet.", words::day(&facts.days[0].shown_on)),
            _ => format!("There are only the days from {only}: nothing to compare them with yet."),
        },
        (None, _) => String::new(),
    };
    format!(
        "{} {} looked at, up to {} on the shop's clock. {compared}\n",
        counted(shown, "recommendation", "recommendations"),
        if shown == 1 { "was" } else { "were" },
        words::moment(&facts.as_of)
    )
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
        out += &format!("{sentence} {} The figures are final.\n\n", story.how_sure());
    }
    let one = first.is_of_one().then(|| first.first());
    let told_first = one.map(|one| history.first_told(one)).unwrap_or_default();
    let mut rows = vec![
        row("To whom", first.of.iter().map(|of| whom(of)).collect::<Vec<_>>().join(" ")),
        row("How sure", sure(first, monitor)),
        row("How it was first told", told_first),
        row("With the shop", with_shop(facts)),
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
    format!(
        "{}: {shown} shown since, {} of them led to {}.",
        words::capital(&name),
        count(change.after_x),
        words::metric(&change.metric).to_lowercase()
    )
}

fn sure(story: &Story, monitor: &Monitor) -> String {
    let mut out = story.how_sure().to_owned();
    if story.is_of_one()
        && let Some(expected) = story.first().expected_x
    {
        let change = story.first();
        let like = if change.is_shop() { "had it gone on as before" } else { "had they moved like everyone else" };
        out += &format!(" {expected:.0} would have been expected {like}; there were {}.", count(change.after_x));
    }
    out + &match story.is_clear {
        true => format!(" {}.", promise(monitor)),
        false => " It does not reach the line for an alert.".to_owned(),
    }
}

pub fn promise(monitor: &Monitor) -> String {
    format!("At most one report in {:.0} raises a false alarm", (1.0 / monitor.false_alarms).round())
}

/// The segments in a state, by column; the whole shop is told by itself.
fn named(facts: &Facts, state: State) -> Option<String> {
    let segments: Vec<&Finding> = facts.of("click", state).filter(|finding| !finding.is_shop()).collect();
    (!segments.is_empty()).then(|| by_column(&segments))
}

/// What a change that is worth telling is, in words: "by 33 %".
fn worth(monitor: &Monitor) -> String {
    format!("by {:.0} %", monitor.worth_telling * 100.0)
}

/// What a change worth telling can be ruled out for, the whole shop first.
fn unchanged(facts: &Facts, monitor: &Monitor) -> String {
    let mut text = String::new();
    if let Some(shop) = facts.shop("click").filter(|shop| shop.state == State::Unchanged) {
        text += &format!(
            "Clicks in the whole shop: {} in 100 before, {} since. ",
            words::cell(shop.before),
            words::cell(shop.after)
        );
    }
    if let Some(names) = named(facts, State::Unchanged) {
        text += &format!("Unchanged for {names}. ");
    }
    if !text.is_empty() {
        text += &format!("A change {} or more can be ruled out. ", worth(monitor));
    }
    for finding in facts.findings.iter().filter(|finding| finding.metric == "click" && finding.explained_by.is_some()) {
        text += &match finding.is_shop() {
            true => "The whole shop moved only because it contains these customers. ".to_owned(),
            false => {
                format!("{} moved only because it contains these customers. ", words::capital(&words::who(finding)))
            }
        };
    }
    text.trim_end().to_owned()
}

fn with_shop(facts: &Facts) -> String {
    named(facts, State::WithShop).map(|names| format!("They moved as the whole shop did: {names}.")).unwrap_or_default()
}

/// What does not stand out though a change worth telling cannot be ruled out, and what there is too little of.
fn not_known(facts: &Facts, monitor: &Monitor) -> String {
    let mut text = String::new();
    if let Some(shop) = facts.shop("click").filter(|shop| shop.state == State::NotKnown) {
        text += &format!("The whole shop: {}. ", words::possible(shop));
    }
    if let Some(names) = named(facts, State::NotKnown) {
        text += &format!("A change {} cannot be ruled out yet for {names}. ", worth(monitor));
    }
    if let Some(names) = named(facts, State::TooEarly) {
        text += &format!("Too early to say for {names}.");
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
    let verb = if after < before { "fell" } else { "rose" };
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
            _ => sentences.push(format!("By {question}, it {verb} everywhere but for {}.", words::list(&not))),
        }
    }
    if !everywhere.is_empty() {
        sentences.insert(0, format!("It {verb} whatever the {}.", words::list(&everywhere)));
        let since = change.since.as_deref().map(words::day).unwrap_or_default();
        sentences.push(match change.is_shop() {
            true => format!("So look first at what reached everyone from {since} on: pages, apps, mails and prices."),
            false => format!(
                "So look first at what reached {} alone from {since} on: their pages, apps, mails and prices.",
                words::who(change)
            ),
        });
    }
    sentences.join(" ")
}

fn later(facts: &Facts, story: Option<&Story>) -> String {
    let say = |finding: &Finding| {
        finding.known_on.as_deref().filter(|_| finding.state == State::TooEarly).map(|iso| {
            format!("{} of {}: on {}.", words::metric(&finding.metric), words::who(finding), words::day(iso))
        })
    };
    let mut sentences = Vec::new();
    if let Some(story) = story.filter(|story| !story.is_loud()) {
        let what = if story.is_of_one() { "Whether it is chance" } else { "Which of them it is" };
        let known = story.first().known_on.as_deref();
        sentences.extend(known.map(|iso| format!("{what}: on {}, if it goes on as it has.", words::day(iso))));
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
