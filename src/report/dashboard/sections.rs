//! The text of the dashboard, a section each.

use std::collections::BTreeMap;

use super::super::markdown::{count, counted, details, table};
use super::facts::{Facts, Place};
use super::words;
use crate::monitor::{Finding, State};
use crate::params::Monitor;

/// What was looked at, and as of when.
pub fn scope(facts: &Facts) -> String {
    let shop = facts.shop("click");
    let shown = shop.map_or(0, |shop| shop.shown);
    let span = |period| Some(format!("{} to {}", words::day(facts.first_day(period)?), words::day(facts.last_day(period)?)));
    let reference = span("reference").unwrap_or_default();
    let compared = match span("watched") {
        Some(watched) => format!("The days from {watched} are compared with those from {reference}."),
        None => format!("There are only the days from {reference}: nothing to compare them with yet."),
    };
    format!("{} were looked at, up to {} on the shop's clock. {compared}\n", counted(shown, "recommendation", "recommendations"), words::moment(&facts.as_of))
}

/// What happened, to whom, since when, how sure, what did not change, what to look at next.
pub fn first_screen(facts: &Facts, monitor: &Monitor) -> String {
    let changes = facts.changes();
    let Some(first) = changes.first() else {
        let quiet = "**Nothing changed that can be told from chance.**";
        let rows = vec![row("What did not change", unchanged(facts)), row("When we will know more", later(facts, None))];
        return format!("{quiet}\n\n{}\n", table(&["", ""], &rows));
    };
    let mut out = String::new();
    for change in &changes {
        out += &format!("**{}** {}. Confirmed.\n\n", words::change(change), words::verdict(change.state));
    }
    let mut rows = vec![
        row("To whom", whom(first)),
        row("How sure", sure(first, monitor)),
        row("What did not change", unchanged(facts)),
        row("What to look at next", next(facts, first)),
        row("When we will know more", later(facts, Some(first))),
    ];
    rows.retain(|row| !row[1].is_empty());
    out += &format!("{}\n", table(&["", ""], &rows));
    let cells = changes.iter().map(|change| {
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
            change.since.as_deref().map(words::day).unwrap_or_default(),
        ]
    });
    let headings = ["", "shown before#", "of these#", "in 100#", "shown since#", "of these#", "in 100#", "change in 100", "expected#", "since"];
    out + &format!("The figures behind it:\n\n{}\n", table(&headings, &cells.collect::<Vec<_>>()))
}

fn row(name: &str, text: String) -> Vec<String> {
    vec![format!("**{name}**"), text]
}

fn whom(change: &Finding) -> String {
    let name = words::who(change);
    let shown = counted(change.after_n, "recommendation", "recommendations");
    format!("{}: {shown} shown since, {} of them led to {}.", words::capital(&name), count(change.after_x), words::metric(&change.metric).to_lowercase())
}

fn sure(change: &Finding, monitor: &Monitor) -> String {
    let expected = change.expected_x.map_or(String::new(), |expected| {
        let like = if change.is_shop() { "had it gone on as before" } else { "had they moved like everyone else" };
        format!(" {expected:.0} would have been expected {like}; there were {}.", count(change.after_x))
    });
    let promise = match change.state {
        State::Clear => format!(" {}.", promise(monitor)),
        _ => " It may be chance: it does not reach the line for an alert.".to_owned(),
    };
    format!("{}.{expected}{promise}", words::verdict(change.state))
}

fn promise(monitor: &Monitor) -> String {
    format!("At most one report in {:.0} raises a false alarm", (1.0 / monitor.false_alarms).round())
}

/// The whole shop first, then the segments without change by column; what moved only along with an alert is named.
fn unchanged(facts: &Facts) -> String {
    let mut text = String::new();
    if let Some(shop) = facts.shop("click").filter(|shop| shop.state == State::None) {
        text += &format!("Clicks in the whole shop: {} in 100 before, {} since. ", words::cell(shop.before), words::cell(shop.after));
    }
    let quiet: Vec<&Finding> = facts.of("click", State::None).filter(|finding| !finding.is_shop()).collect();
    if !quiet.is_empty() {
        text += &format!("No change for {}. ", by_column(&quiet));
    }
    for finding in quiet.iter().filter(|finding| finding.explained_by.is_some()) {
        text += &format!("{} moved only because it contains these customers. ", words::capital(&words::who(finding)));
    }
    let early: Vec<&Finding> = facts.of("click", State::TooEarly).filter(|finding| !finding.is_shop()).collect();
    if !early.is_empty() {
        text += &format!("Too early to say for {}.", by_column(&early));
    }
    text.trim_end().to_owned()
}

/// "age group 18-24 and 35-44; region Berlin".
fn by_column(findings: &[&Finding]) -> String {
    let mut columns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for finding in findings {
        columns.entry(&finding.segment_column).or_default().push(finding.segment_value.clone());
    }
    columns.iter().map(|(column, values)| format!("{} {}", words::column(column), words::list(values))).collect::<Vec<_>>().join("; ")
}

/// Where the change shows and where it does not, as a hint at its cause.
fn next(facts: &Facts, change: &Finding) -> String {
    let own: Vec<&Place> = facts
        .places
        .iter()
        .filter(|place| place.segment_column == change.segment_column && place.segment_value == change.segment_value)
        .collect();
    let (Some(before), Some(after)) = (change.before, change.after) else { return String::new() };
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
        sentences.push(format!("So look first at what reached {} alone from {since} on: their pages, apps, mails and prices.", words::who(change)));
    }
    sentences.join(" ")
}

fn later(facts: &Facts, change: Option<&Finding>) -> String {
    let say = |finding: &Finding| {
        finding.known_on.as_deref().filter(|_| finding.state == State::TooEarly).map(|iso| {
            format!("{} of {}: on {}.", words::metric(&finding.metric), words::who(finding), words::day(iso))
        })
    };
    let mut sentences = Vec::new();
    for metric in ["purchase", "kept"] {
        let own = change.and_then(|change| {
            facts.findings.iter().find(|finding| {
                finding.metric == metric && finding.segment_column == change.segment_column && finding.segment_value == change.segment_value
            })
        });
        sentences.extend(own.filter(|own| !own.is_shop()).and_then(say));
        sentences.extend(facts.shop(metric).and_then(say));
    }
    sentences.join(" ")
}

/// The table of clicks, every segment.
pub fn clicks(facts: &Facts) -> String {
    let rows = facts.findings.iter().filter(|finding| finding.metric == "click").map(|finding| {
        vec![
            segment(finding),
            count(finding.before_n),
            words::cell(finding.before),
            range(finding.before_lower, finding.before_upper),
            count(finding.after_n),
            words::cell(finding.after),
            range(finding.after_lower, finding.after_upper),
            words::verdict(finding.state).to_owned(),
            letters(finding),
            remark(finding),
        ]
    });
    let headings = ["", "shown before#", "in 100#", "between", "shown since#", "in 100#", "between", "verdict", "status", ""];
    format!(
        "## Clicks, everyone looked at\n\nConfirmed: all clicks are known. \"Between\" holds the true rate 95 times out of 100.\n\n{}\n",
        table(&headings, &rows.collect::<Vec<_>>())
    )
}

/// Purchases and kept purchases: confirmed in one table, provisional in another.
pub fn purchases(facts: &Facts) -> String {
    let mut out = String::new();
    for metric in ["purchase", "kept"] {
        let name = words::metric(metric);
        let findings: Vec<&Finding> = facts.findings.iter().filter(|finding| finding.metric == metric).collect();
        let confirmed = findings.iter().map(|finding| {
            vec![
                segment(finding),
                count(finding.before_n),
                words::cell(finding.before),
                range(finding.before_lower, finding.before_upper),
                count(finding.after_n),
                words::cell(finding.after),
                words::verdict(finding.state).to_owned(),
                letters(finding),
                if finding.state == State::TooEarly { words::too_early(finding) } else { remark(finding) },
            ]
        });
        let headings = ["", "old enough before#", "in 100#", "between", "old enough since#", "in 100#", "verdict", "status", ""];
        out += &format!("## {name}, confirmed\n\nOnly recommendations that are old enough to be sure.\n\n{}\n", table(&headings, &confirmed.collect::<Vec<_>>()));
        let forecasts: Vec<Vec<String>> = findings
            .iter()
            .filter_map(|finding| {
                let (period, nowcast) = (facts.period(finding, "watched")?, facts.nowcast(finding, "watched")?);
                Some(vec![
                    segment(finding),
                    count(nowcast.shown),
                    count(nowcast.shown - period.pending.min(nowcast.shown)),
                    count(period.pending),
                    words::in_100(nowcast.provisional_rate),
                    range(Some(nowcast.provisional_lower), Some(nowcast.provisional_upper)),
                    "p e".to_owned(),
                ])
            })
            .collect();
        out += &format!("## {name}, provisional\n\n");
        let paused = facts.paces.iter().any(|pace| pace.z.is_some_and(|z| z.abs() > crate::monitor::PACE_LINE));
        out += &match (forecasts.is_empty(), paused) {
            (true, true) => "Customers decide at another pace than before, so nothing is forecast until the new pace is known.\n\n".to_owned(),
            (true, false) => "Nothing can be forecast yet: too few recommendations have been followed to the end.\n\n".to_owned(),
            (false, _) => format!(
                "What the open outcomes of the days since {} will come to, if customers go on deciding as they have. \"Between\" holds 90 of 100 such forecasts.\n\n{}\n",
                facts.first_day("watched").map(words::day).unwrap_or_default(),
                table(&["", "shown#", "known#", "open#", "in 100#", "between", "status"], &forecasts)
            ),
        };
    }
    out
}

/// What the letters mean.
pub fn legend() -> String {
    "Status: **p** provisional, **e** estimated, **b** break in the series, **u** low reliability (too few to tell a change from chance).\n\n".to_owned()
}

/// Folded away: the methods and figures for the ML team.
pub fn methods(facts: &Facts, monitor: &Monitor) -> String {
    let mut body = format!(
        "Rest-adjusted scan over every stretch of watched days, overdispersion phi pooled over segments, then explain-away: the \
         segment with the largest |Z| fires when it passes the threshold, its customers are taken out of every table and the \
         scan is repeated. The threshold is the {} % quantile of max |Z| over {} shuffled histories of whole days (seed {}), \
         between {} and {}. {}. A stretch counts with enough expected clicks and misses. Intervals of rates are Wilson's; \
         provisional figures are discrete Kaplan-Meier over delay buckets with Greenwood's variance (purchases) or seeded \
         draws (kept). `selvedge sql` answers questions about every table in work/monitoring.\n\n",
        100.0 * (1.0 - monitor.false_alarms),
        count(monitor.permutations as u64),
        monitor.seed,
        monitor.threshold_floor,
        monitor.threshold_cap,
        promise(monitor)
    );
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let rows = facts.findings.iter().filter(|finding| finding.z.is_some()).map(|finding| {
        let last = facts.cusum.iter().rfind(|row| {
            row.metric == finding.metric && row.segment_column == finding.segment_column && row.segment_value == finding.segment_value
        });
        vec![
            finding.metric.clone(),
            segment(finding),
            number(finding.first_z),
            number(finding.z),
            number(finding.threshold),
            number(finding.possible_line),
            number(finding.phi),
            last.map_or("–".to_owned(), |row| format!("{:.2} ({})", row.cusum, row.shown_on)),
            finding.difference().map_or("–".to_owned(), |range| format!("{:.3} ({:.3}, {:.3})", range.point, range.lower, range.upper)),
        ]
    });
    let headings = ["metric", "segment", "Z first#", "Z last#", "threshold#", "possible from#", "phi#", "CUSUM", "difference (Newcombe)"];
    body += &table(&headings, &rows.collect::<Vec<_>>());
    if !facts.places.is_empty() {
        let rows = facts.places.iter().map(|place| {
            vec![
                format!("{} {}", words::column(&place.segment_column), place.segment_value),
                place.question.clone(),
                place.answer.clone(),
                count(place.before_n),
                words::cell(place.before),
                count(place.after_n),
                words::cell(place.after),
            ]
        });
        let headings = ["segment", "question", "answer", "shown before#", "in 100#", "shown since#", "in 100#"];
        body += &format!("\nWhere the change shows (monitoring.where_to_look):\n\n{}", table(&headings, &rows.collect::<Vec<_>>()));
    }
    for pace in &facts.paces {
        body += &format!("\nPace of {}s, lately against before: z {}. Beyond {} forecasts are withheld.\n", pace.stage, number(pace.z), crate::monitor::PACE_LINE);
    }
    details("Methods and figures for the ML team", &body)
}

/// A segment at the start of a row; what changed is bold.
fn segment(finding: &Finding) -> String {
    let name = match finding.is_shop() {
        true => "The whole shop".to_owned(),
        false => format!("{} {}", words::heading(&finding.segment_column), finding.segment_value),
    };
    if finding.state == State::Clear { format!("**{name}**") } else { name }
}

fn range(lower: Option<f64>, upper: Option<f64>) -> String {
    match (lower, upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", words::in_100(lower), words::in_100(upper)),
        _ => "–".to_owned(),
    }
}

fn letters(finding: &Finding) -> String {
    match finding.state {
        State::Clear => "b",
        State::TooEarly => "u",
        State::Possible | State::None => "",
    }
    .to_owned()
}

fn remark(finding: &Finding) -> String {
    match (finding.state, &finding.explained_by, &finding.since) {
        (State::TooEarly, ..) => words::too_early(finding),
        (_, Some(cause), _) => format!("moved only because it contains {}", words::column(&cause.replace('=', " "))),
        (_, _, Some(since)) => format!("since {}", words::day(since)),
        _ => String::new(),
    }
}
