//! The tables: everyone looked at, confirmed and provisional apart, with status letters.

use super::completeness::{LETTER, marked};
use super::facts::{Facts, LineDay};
use super::sentences as say;
use super::table;
use super::words;
use selvedge_monitoring::monitor::{Finding, State};
use selvedge_project::numbers::count;

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
    let headings =
        ["", "shown before#", "in 100#", "between", "shown since#", "in 100#", "between", "verdict", "status", ""];
    format!(
        "## Clicks, everyone looked at\n\nConfirmed: all clicks are known. {} \
         Customers who have not agreed to personalisation are counted in their groups like all others: no figure is of one customer.\n\n{}\n",
        say::RateBetween { what: "rate" },
        table(&headings, &rows.collect::<Vec<_>>())
    )
}

/// The days that are compared, and how much is known of their purchases.
pub fn days(facts: &Facts) -> String {
    let line: Vec<&LineDay> = facts.shop("purchase").map(|shop| facts.line(shop).collect()).unwrap_or_default();
    let row = |name: &str, own: &[&LineDay]| {
        let complete = own.iter().rfind(|day| is_complete(day)).map(|day| words::day(&day.shown_on));
        vec![
            name.to_owned(),
            own.first().map_or("–".to_owned(), |day| words::day(&day.shown_on)),
            own.last().map_or("–".to_owned(), |day| words::day(&day.shown_on)),
            count(own.len() as u64),
            count(own.iter().map(|day| day.shown).sum()),
            count(own.iter().map(|day| day.pending).sum()),
            complete.unwrap_or_else(|| "–".to_owned()),
        ]
    };
    let of = |period: &str| line.iter().copied().filter(|day| facts.is_of(&day.shown_on, period)).collect::<Vec<_>>();
    let rows = [row("before", &of("reference")), row("since", &of("watched")), row("all together", &line)];
    let headings = [
        "days",
        "from",
        "until",
        "with recommendations#",
        "shown#",
        "purchases still open#",
        "all purchases known until",
    ];
    format!("## The days compared\n\n{}\n", table(&headings, &rows))
}

/// Whether all purchases of a day's recommendations are known.
pub fn is_complete(day: &LineDay) -> bool {
    day.pending == 0 && day.mature == day.shown
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
                remark(finding),
            ]
        });
        let headings =
            ["", "old enough before#", "in 100#", "between", "old enough since#", "in 100#", "verdict", "status", ""];
        out += &format!(
            "## {name}, confirmed\n\nOnly recommendations that are old enough to be sure.\n\n{}\n",
            table(&headings, &confirmed.collect::<Vec<_>>())
        );
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
                    marked("p e", finding.incomplete),
                ])
            })
            .collect();
        out += &format!("## {name}, provisional\n\n");
        let paused =
            facts.paces.iter().any(|pace| pace.z.is_some_and(|z| z.abs() > selvedge_monitoring::monitor::PACE_LINE));
        out += &match (forecasts.is_empty(), paused) {
            (true, true) => {
                "Customers decide at another pace than before, so nothing is forecast until the new pace is known.\n\n"
                    .to_owned()
            }
            (true, false) => {
                "Nothing can be forecast yet: too few recommendations have been followed to the end.\n\n".to_owned()
            }
            (false, _) => format!(
                "{}\n\n{}\n",
                say::Forecasts { since: &facts.first_day("watched").map(words::day).unwrap_or_default() },
                table(&["", "shown#", "known#", "open#", "in 100#", "between", "status"], &forecasts)
            ),
        };
    }
    out
}

/// What the letters mean.
pub fn legend() -> String {
    format!(
        "Status: **p** provisional, **e** estimated, **b** break in the series, **u** low reliability (too few to tell a change from chance), **{LETTER}** rests on days that are not there in whole.\n\n"
    )
}

/// A segment at the start of a row; what changed is bold.
pub fn segment(finding: &Finding) -> String {
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
    let letters = match finding.state {
        State::Clear => "b",
        State::TooEarly => "u",
        State::Possible | State::WithShop | State::Unchanged | State::NotKnown => "",
    };
    marked(letters, finding.incomplete)
}

/// What stands beside a verdict.
fn remark(finding: &Finding) -> String {
    match (finding.state, &finding.explained_by) {
        (State::TooEarly, _) => words::too_early(finding),
        (_, Some(cause)) => format!("moved only because it contains {}", words::column(&cause.replace('=', " "))),
        (State::Clear, _) => words::span(finding),
        (State::Possible, _) => {
            let rivals: Vec<String> = finding.rivals().into_iter().map(words::rival).collect();
            let or = if rivals.is_empty() { String::new() } else { format!(", or {}", words::either(&rivals)) };
            format!("{}{or}.{}", words::span(finding), words::more_on(finding))
        }
        (State::NotKnown, _) => words::possible(finding),
        (State::WithShop | State::Unchanged, _) => String::new(),
    }
}
