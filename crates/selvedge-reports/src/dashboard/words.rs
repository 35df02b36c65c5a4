//! One grammar for every sentence: slots that are filled from cells of the tables beside it.

use chrono::{Datelike, NaiveDate};

use super::sentences as say;
use selvedge_monitoring::monitor::{Finding, State};
use selvedge_project::numbers::counted;

/// What a customer did, at the start of a sentence.
pub fn metric(metric: &str) -> &'static str {
    match metric {
        "click" => "Clicks",
        "purchase" => "Purchases",
        _ => "Kept purchases",
    }
}

/// What is counted, as it stands above an axis.
pub fn measure(metric: &str) -> &'static str {
    match metric {
        "click" => "clicked, of 100 recommendations shown",
        "purchase" => "bought, of 100 recommendations shown",
        _ => "bought and kept, of 100 recommendations shown",
    }
}

/// A column's name as words: `age_group` is "age group".
pub fn column(name: &str) -> String {
    name.replace('_', " ")
}

/// The same at the start of a line.
pub fn heading(name: &str) -> String {
    capital(&column(name))
}

/// A text as a sentence begins.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Who it is about: "customers of age group 25-34", "the whole shop", "everyone else" once others have been told.
pub fn who(finding: &Finding) -> String {
    if finding.is_shop() {
        return if finding.is_rest { "everyone else" } else { "the whole shop" }.to_owned();
    }
    let owner = finding.owner.as_deref().unwrap_or("customers");
    format!("{owner} of {} {}", column(&finding.segment_column), finding.segment_value)
}

/// The same inside a sentence: "for customers of age group 25-34", "in the whole shop".
pub fn for_whom(finding: &Finding) -> String {
    let preposition = if finding.is_shop() && !finding.is_rest { "in" } else { "for" };
    format!("{preposition} {}", who(finding))
}

/// One who may have changed instead: "age group 35-44", "the whole shop".
pub fn rival((column_name, value): (&str, &str)) -> String {
    match column_name {
        "shop" => "the whole shop".to_owned(),
        name => format!("{} {value}", column(name)),
    }
}

/// A share as natural frequency: whole numbers of 100, one decimal below ten.
pub fn in_100(share: f64) -> String {
    let value = share * 100.0;
    // Less than that is nothing, left over from a subtraction.
    if value > 1e-9 && value < 0.05 {
        return "<0.1".to_owned();
    }
    let text = if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The same, with a dash where there is nothing.
pub fn cell(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), in_100)
}

/// The same for a share that may be below nothing.
pub fn in_100_signed(share: f64) -> String {
    let sign = if share < 0.0 { "−" } else { "" };
    format!("{sign}{}", in_100(share.abs()))
}

/// A share in hundredths to one decimal, for figures that differ by less than one of 100.
pub fn points(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A share in hundredths as it is printed.
pub fn printed(share: f64) -> f64 {
    in_100(share).trim_start_matches('<').parse().unwrap_or(share * 100.0)
}

/// How many fewer (or more) of 100, from the figures as they are printed, so that a reader can check the subtraction; no finer
/// than the coarser of the two.
pub fn step(before: f64, after: f64) -> String {
    let (before_printed, after_printed) = (printed(before), printed(after));
    let gap = (after_printed - before_printed).abs();
    let whole = before_printed.max(after_printed) >= 10.0 && gap >= 1.0;
    let text = if whole { format!("{gap:.0}") } else { format!("{gap:.1}") };
    let number = text.strip_suffix(".0").unwrap_or(&text);
    format!("{number} {}", if after < before { "fewer" } else { "more" })
}

/// `2031-09-21` as "21 September 2031"; anything else as it stands.
pub fn day(iso: &str) -> String {
    NaiveDate::parse_from_str(iso, "%Y-%m-%d")
        .map_or_else(|_| iso.to_owned(), |day| format!("{} {}", day.day(), day.format("%B %Y")))
}

/// `2026-10-01 00:00:00` as "1 October 2026, 00:00".
pub fn moment(text: &str) -> String {
    match text.split_once(' ') {
        Some((date, time)) => format!("{}, {}", day(date), time.rsplit_once(':').map_or(time, |(minutes, _)| minutes)),
        None => day(text),
    }
}

/// The verdict in the words of the reports.
pub fn verdict(state: State) -> &'static str {
    match state {
        State::Clear => "Changed",
        State::Possible => "May have changed",
        State::WithShop => "With the shop",
        State::Unchanged => "Unchanged",
        State::NotKnown | State::TooEarly => "Cannot be told yet",
    }
}

/// Which way it went.
pub fn verb(finding: &Finding) -> &'static str {
    match (finding.before, finding.after) {
        (Some(before), Some(after)) if after < before => "fell",
        _ => "rose",
    }
}

/// "may have fallen".
pub fn participle(verb: &str) -> &'static str {
    if verb == "fell" { "fallen" } else { "risen" }
}

/// "since 21 September 2026", or from when to when where it is over.
pub fn span(finding: &Finding) -> String {
    match (finding.since.as_deref(), finding.until.as_deref()) {
        (Some(since), Some(until)) => format!("from {} to {}", day(since), day(until)),
        (Some(since), None) => format!("since {}", day(since)),
        (None, _) => String::new(),
    }
}

/// "28 to 12 in 100 shown since 21 September 2026".
pub fn from_to(finding: &Finding) -> String {
    let (before, after) = (cell(finding.before), cell(finding.after));
    say::FromTo { before: &before, after: &after, span: &span(finding) }.to_string()
}

/// The sentence of a change: what, for whom, from what to what, since when.
pub fn change(finding: &Finding) -> String {
    let (Some(before), Some(after)) = (finding.before, finding.after) else {
        return format!("{} {} cannot be compared yet.", metric(&finding.metric), for_whom(finding));
    };
    let moved = match finding.state {
        State::Clear => verb(finding).to_owned(),
        _ => format!("may have {}", participle(verb(finding))),
    };
    let what = metric(&finding.metric);
    say::Change {
        what,
        whom: &for_whom(finding),
        moved: &moved,
        before: &in_100(before),
        after: &in_100(after),
        step: &format!("{} {}", step(before, after), what.to_lowercase()),
        span: &span(finding),
    }
    .to_string()
}

/// How far a rate may have moved, where nothing stands out: "anything from 20 % fewer to 31 % more is possible".
pub fn possible(finding: &Finding) -> String {
    let percent = |share: f64| format!("{:.0} % {}", (share * 100.0).abs(), if share < 0.0 { "fewer" } else { "more" });
    match (finding.moved_lower, finding.moved_upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", percent(lower), percent(upper)),
        _ => String::new(),
    }
}

/// Why nothing can be said yet, and what it takes.
pub fn too_early(finding: &Finding) -> String {
    let reason = match finding.why.as_deref() {
        Some("nothing_shown") => return "Nothing was shown to them.".to_owned(),
        Some("no_rest") => return "They are the whole shop: there is nobody else to compare them with.".to_owned(),
        Some("reference_not_complete") => "The days to compare with are not complete.",
        Some("no_reference") => "None of the days to compare with is old enough.",
        _ => "Too few outcomes are known.",
    };
    let needed = match (finding.have, finding.needed) {
        (have, Some(needed)) => format!(" {} of {needed} needed.", have.unwrap_or_default()),
        _ => String::new(),
    };
    format!("{reason}{needed}{}", more_on(finding))
}

/// " We will know more on 4 October 2026."
pub fn more_on(finding: &Finding) -> String {
    finding.known_on.as_deref().map(|iso| format!(" We will know more on {}.", day(iso))).unwrap_or_default()
}

/// `a, b and c`.
pub fn list(items: &[String]) -> String {
    joined(items, "and")
}

/// `a, b or c`.
pub fn either(items: &[String]) -> String {
    joined(items, "or")
}

fn joined(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// `a, b and 7 others`: no more than so many by name.
pub fn list_up_to(items: &[String], most: usize) -> String {
    let (told, left) = items.split_at(items.len().min(most));
    let others = (!left.is_empty()).then(|| counted(left.len() as u64, "other", "others"));
    list(&told.iter().cloned().chain(others).collect::<Vec<_>>())
}
