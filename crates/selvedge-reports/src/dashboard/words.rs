//! One grammar for every sentence: slots that are filled from cells of the tables beside it.

use chrono::{Datelike, NaiveDate};

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

/// Who it is about: "customers of age group 25-34", "the whole shop".
pub fn who(finding: &Finding) -> String {
    if finding.is_shop() {
        return "the whole shop".to_owned();
    }
    let owner = finding.owner.as_deref().unwrap_or("customers");
    format!("{owner} of {} {}", column(&finding.segment_column), finding.segment_value)
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

/// How many fewer (or more) of 100, from the figures as they are printed, so that a reader can check the subtraction.
pub fn step(before: f64, after: f64) -> String {
    let printed = |share: f64| in_100(share).trim_start_matches('<').parse::<f64>().unwrap_or(share * 100.0);
    let gap = (printed(after) - printed(before)).abs();
    let text = format!("{gap:.1}");
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
        State::Clear => "Clear",
        State::Possible => "Possible",
        State::TooEarly => "Too early",
        State::None => "No change",
    }
}

/// The sentence of a change: what, for whom, from what to what, since when.
pub fn change(finding: &Finding) -> String {
    let (Some(before), Some(after), Some(since)) = (finding.before, finding.after, finding.since.as_deref()) else {
        return format!("{} for {} cannot be compared yet.", metric(&finding.metric), who(finding));
    };
    let verb = if after < before { "fell" } else { "rose" };
    let noun = metric(&finding.metric).to_lowercase();
    let span = match finding.until.as_deref() {
        Some(until) => format!("from {} to {}", day(since), day(until)),
        None => format!("since {}", day(since)),
    };
    format!(
        "{} for {} {verb} from {} to {} in 100 shown ({} {noun} in 100) {span}.",
        metric(&finding.metric),
        who(finding),
        in_100(before),
        in_100(after),
        step(before, after)
    )
}

/// Why nothing can be said yet, and what it takes.
pub fn too_early(finding: &Finding) -> String {
    let reason = match finding.why.as_deref() {
        Some("nothing_shown") => return "Nothing was shown to them.".to_owned(),
        Some("no_rest") => return "There is nobody else to compare them with.".to_owned(),
        Some("reference_not_complete") => "The days to compare with are not complete.",
        Some("no_reference") => "None of the days to compare with is old enough.",
        _ => "Too few outcomes are known.",
    };
    let needed = match (finding.have, finding.needed) {
        (have, Some(needed)) => format!(" {} of {needed} needed.", have.unwrap_or_default()),
        _ => String::new(),
    };
    let when =
        finding.known_on.as_deref().map(|iso| format!(" We will know more on {}.", day(iso))).unwrap_or_default();
    format!("{reason}{needed}{when}")
}

/// `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `a, b and 7 others`: no more than so many by name.
pub fn list_up_to(items: &[String], most: usize) -> String {
    let (told, left) = items.split_at(items.len().min(most));
    let others = (!left.is_empty()).then(|| counted(left.len() as u64, "other", "others"));
    list(&told.iter().cloned().chain(others).collect::<Vec<_>>())
}
