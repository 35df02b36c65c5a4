//! The dashboard's pictures: one question each, the title is the answer.

use std::collections::BTreeMap;

use ::charts::{Caption, Interval, MOST, Picture, Tone, dumbbell, maturity, segment_line, small_multiples};

use super::facts::{Facts, Nowcast};
use super::sentences as say;
use super::verdicts::Story;
use super::{Pictures, tables, words};
use selvedge_monitoring::monitor::{Finding, State};
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

/// Segments that a title names.
const MOST_NAMES: usize = 4;

const ALERT: &str = "monitoring-alert.png";
const SEGMENTS: &str = "monitoring-segments.png";
const BEFORE_AFTER: &str = "monitoring-before-after.png";
const PURCHASES: &str = "monitoring-purchases.png";
const MATURITY: &str = "monitoring-maturity.png";

/// What changed: the first change by day, every segment, before and after.
pub fn changes(facts: &Facts, pictures: &mut Pictures) -> Result<()> {
    if let Some(chart) = alert(facts) {
        pictures.add(ALERT, &chart.caption.title, chart.png())?;
    }
    let chart = segments(facts);
    pictures.add(SEGMENTS, &chart.caption.title, chart.png())?;
    let chart = before_after(facts);
    pictures.add(BEFORE_AFTER, &chart.caption.title, chart.png())
}

/// What is known of purchases, and what is only forecast.
pub fn maturity(facts: &Facts, pictures: &mut Pictures) -> Result<()> {
    if let Some(chart) = purchases(facts) {
        pictures.add(PURCHASES, &chart.caption.title, chart.png())?;
    }
    let chart = known(facts);
    pictures.add(MATURITY, &chart.caption.title, chart.png())
}

/// The first change day by day; the whole shop's clicks where there is none.
fn alert(facts: &Facts) -> Option<segment_line::Chart> {
    let stories = facts.stories();
    let change = stories.first().map(Story::first);
    let finding = change.or_else(|| facts.shop("click"))?;
    let days: Vec<_> = facts.line(finding).collect();
    let reading = |day: &&super::facts::LineDay| segment_line::Reading {
        date: day.shown_on.clone(),
        n: day.mature,
        rate: day.confirmed_rate,
        trailing: day.confirmed_week,
        rest: day.confirmed_rest,
        state: if day.mature > 0 { segment_line::State::Confirmed } else { segment_line::State::Pending },
    };
    let usual = days
        .iter()
        .rev()
        .find_map(|day| Some(Interval { value: day.usual?, lower: day.usual_lower?, upper: day.usual_upper? }));
    let title = match (stories.first(), finding.state) {
        (Some(story), _) => story.sentence(),
        (None, State::TooEarly) => "Too early to say whether clicks in the whole shop changed.".to_owned(),
        _ => "No change in the whole shop's clicks stands out.".to_owned(),
    };
    let against = if finding.is_shop() { "" } else { ", against the rest of the shop" };
    Some(segment_line::Chart {
        caption: Caption {
            title,
            subtitle: format!("{} {}, by day{against}", words::metric(&finding.metric), words::for_whom(finding)),
            footnote: format!(
                "Figures: work/monitoring/lines.parquet. The pale band is where an average of 7 days usually lies while nothing changes; after a change the average begins anew.{}",
                facts.lack(&finding.metric)
            ),
        },
        measure: words::measure(&finding.metric).into(),
        before: usual,
        change: change.and_then(|change| {
            Some(segment_line::Change { date: change.since.clone()?, after: change.after?, tone: tone(change) })
        }),
        days: days.iter().map(reading).collect(),
        levels: Vec::new(),
    })
}

fn tone(finding: &Finding) -> Tone {
    match (finding.state, finding.before, finding.after) {
        (State::TooEarly, ..) => Tone::TooEarly,
        (State::Clear, Some(before), Some(after)) if after < before => Tone::Worse,
        (State::Clear, Some(_), Some(_)) => Tone::Better,
        _ => Tone::Same,
    }
}

/// What the pictures of all segments say.
fn verdict(facts: &Facts) -> String {
    let told: Vec<String> = clicks(facts).iter().map(Story::in_short).collect();
    match told.as_slice() {
        [] if facts.all_too_early("click") => "Too early to say whether any segment's clicks changed.".to_owned(),
        [] => "No change in anybody's clicks stands out.".to_owned(),
        some => say::NothingElse { changes: &words::list_up_to(some, MOST_NAMES) }.to_string(),
    }
}

/// The stories of clicks.
fn clicks(facts: &Facts) -> Vec<Story<'_>> {
    facts.stories().into_iter().filter(|story| story.first().metric == "click").collect()
}

fn segments(facts: &Facts) -> small_multiples::Chart {
    let of = |finding: &Finding| -> BTreeMap<&str, (Option<f64>, u64)> {
        let own = facts.chart_points.iter().filter(|row| {
            row.metric == "click"
                && row.segment_column == finding.segment_column
                && row.segment_value == finding.segment_value
        });
        own.map(|row| (row.first_day.as_str(), (row.confirmed_rate, row.mature))).collect()
    };
    let shop = facts.shop("click").map(of).unwrap_or_default();
    let dates: Vec<&str> = shop.keys().copied().collect();
    let rates = |own: &BTreeMap<&str, (Option<f64>, u64)>| {
        dates.iter().map(|date| own.get(date).and_then(|row| row.0)).collect()
    };
    let panel = |finding: &Finding| {
        let own = of(finding);
        small_multiples::Panel {
            // The value first: it is what tells panels apart when the name is cut.
            segment: format!("{} ({})", finding.segment_value, words::column(&finding.segment_column)),
            n: own.values().map(|row| row.1).sum(),
            rates: rates(&own),
            state: match tone(finding) {
                Tone::Worse => small_multiples::State::Alarm,
                Tone::Better => small_multiples::State::Better,
                Tone::TooEarly => small_multiples::State::TooEarly,
                _ => small_multiples::State::Quiet,
            },
        }
    };
    let all: Vec<&Finding> =
        facts.findings.iter().filter(|finding| finding.metric == "click" && !finding.is_shop()).collect();
    let longest = facts.chart_points.first().map(|row| (words::day(&row.first_day), words::day(&row.last_day)));
    small_multiples::Chart {
        caption: Caption {
            title: verdict(facts),
            subtitle: "Clicks of every segment, against the whole shop".into(),
            footnote: match longest {
                Some((first, last)) => format!(
                    "Figures: work/monitoring/chart_points.parquet. A point is a few days together; the first is {first} to {last}.{}{}",
                    left_out(all.len(), MOST),
                    facts.lack("click")
                ),
                None => String::new(),
            },
        },
        measure: words::measure("click").into(),
        shop: rates(&shop),
        panels: all.into_iter().take(MOST).map(panel).collect(),
        dates: dates.iter().map(|date| (*date).to_owned()).collect(),
    }
}

/// What a picture has no room for.
pub fn left_out(all: usize, most: usize) -> String {
    match all.saturating_sub(most) {
        0 => String::new(),
        left => format!(" {} more in the table.", count(left as u64)),
    }
}

/// The figures of what changed.
fn sides(facts: &Facts) -> String {
    let figures = |story: &Story| {
        let each: Vec<String> =
            story.of.iter().map(|of| format!("{} ({})", words::who(of), words::from_to(of))).collect();
        let changed = if story.is_clear { "Changed" } else { "May have changed" };
        match story.is_of_one() {
            true => say::Side { changed, figures: &each.concat() }.to_string(),
            false => say::SideOfOneOf { changed, figures: &words::either(&each) }.to_string(),
        }
    };
    let told: Vec<String> = clicks(facts).iter().map(figures).collect();
    match told.as_slice() {
        [] if facts.all_too_early("click") => "Nothing can be compared yet.".to_owned(),
        [] => "No segment's clicks stand out from what they were.".to_owned(),
        some => format!("{}.", some[..some.len().min(MOST_NAMES)].join("; ")),
    }
}

fn before_after(facts: &Facts) -> dumbbell::Chart {
    let interval = |value: Option<f64>, lower: Option<f64>, upper: Option<f64>| {
        Some(Interval { value: value?, lower: lower?, upper: upper? })
    };
    let mut groups: Vec<dumbbell::Group> = Vec::new();
    let mut findings: Vec<&Finding> =
        facts.findings.iter().filter(|finding| finding.metric == "click" && !finding.is_shop()).collect();
    let left_out = left_out(findings.len(), MOST);
    findings.truncate(MOST);
    findings.sort_by_key(|finding| (&finding.segment_column, &finding.segment_value));
    for finding in findings {
        let heading = words::heading(&finding.segment_column);
        let row = dumbbell::Row {
            segment: finding.segment_value.clone(),
            n: finding.after_n,
            before: interval(finding.before, finding.before_lower, finding.before_upper),
            after: interval(finding.after, finding.after_lower, finding.after_upper),
            tone: tone(finding),
            verdict: words::verdict(finding.state).to_lowercase(),
        };
        match groups.last_mut().filter(|group| group.heading == heading) {
            Some(group) => group.rows.push(row),
            None => groups.push(dumbbell::Group { heading, rows: vec![row] }),
        }
    }
    let span =
        |period| Some(format!("{} to {}", words::day(facts.first_day(period)?), words::day(facts.last_day(period)?)));
    let subtitle = match (span("reference"), span("watched")) {
        (Some(before), Some(after)) => format!("Clicks before ({before}) and after ({after})"),
        (Some(before), None) => format!("Clicks from {before}; nothing to compare with yet"),
        _ => String::new(),
    };
    dumbbell::Chart {
        caption: Caption {
            title: sides(facts),
            subtitle,
            footnote: format!(
                "Figures: work/monitoring/findings.parquet. The bars hold the true rate 95 times out of 100.{left_out}{}",
                facts.lack("click")
            ),
        },
        measure: words::measure("click").into(),
        groups,
        shop: facts.shop("click").and_then(|shop| shop.after),
    }
}

/// Purchases in the whole shop by day: confirmed, then provisional.
fn purchases(facts: &Facts) -> Option<segment_line::Chart> {
    let shop = facts.shop("purchase")?;
    let forecast = |date: &str| facts.nowcast(shop, date);
    let state = |nowcast: Option<&Nowcast>, mature: u64| match nowcast {
        Some(row) => {
            segment_line::State::Provisional { lower: Some(row.provisional_lower), upper: Some(row.provisional_upper) }
        }
        None if mature > 0 => segment_line::State::Confirmed,
        None => segment_line::State::Pending,
    };
    let days: Vec<segment_line::Reading> = facts
        .line(shop)
        .map(|day| {
            let nowcast = forecast(&day.shown_on);
            segment_line::Reading {
                date: day.shown_on.clone(),
                n: day.shown,
                rate: nowcast.map_or(day.confirmed_rate, |row| Some(row.provisional_rate)),
                trailing: None,
                rest: None,
                state: state(nowcast, day.mature),
            }
        })
        .collect();
    let mature = |day: &&super::facts::LineDay| day.mature == day.shown && forecast(&day.shown_on).is_none();
    let reference: Vec<_> =
        facts.line(shop).filter(mature).filter(|day| facts.is_of(&day.shown_on, "reference")).collect();
    let confirmed = match (reference.first(), reference.last(), shop.before) {
        (Some(first), Some(last), Some(value)) => Some(segment_line::Level {
            from: first.shown_on.clone(),
            until: last.shown_on.clone(),
            value,
            name: "confirmed:".into(),
            is_provisional: false,
        }),
        _ => None,
    };
    let expected = match (facts.first_day("watched"), facts.last_day("watched"), facts.nowcast(shop, "watched")) {
        (Some(from), Some(until), Some(row)) => Some(segment_line::Level {
            from: from.to_owned(),
            until: until.to_owned(),
            value: row.provisional_rate,
            name: "expected:".into(),
            is_provisional: true,
        }),
        _ => None,
    };
    let levels = confirmed.into_iter().chain(expected).collect();
    let known = &words::cell(shop.before);
    let title = match facts.nowcast(shop, "watched") {
        Some(row) => {
            // As printed, so that a reader can follow.
            let is_within = |before| {
                words::printed(row.provisional_lower) <= words::printed(before)
                    && words::printed(before) <= words::printed(row.provisional_upper)
            };
            say::PurchasesForecast {
                known,
                forecast: &words::in_100(row.provisional_rate),
                lower: &words::in_100(row.provisional_lower),
                upper: &words::in_100(row.provisional_upper),
                alike: if shop.before.is_some_and(is_within) { say::NO_CHANGE } else { "" },
            }
            .to_string()
        }
        None => say::Purchases { known }.to_string(),
    };
    Some(segment_line::Chart {
        caption: Caption {
            title,
            subtitle: "Purchases in the whole shop, by day of the recommendation".into(),
            footnote: format!(
                "Figures: work/monitoring/lines.parquet and nowcasts.parquet. Dashed days are forecasts: their purchases are not all known yet.{}",
                facts.lack("purchase")
            ),
        },
        measure: words::measure("purchase").into(),
        days,
        before: None,
        change: None,
        levels,
    })
}

/// How much is known of each day's purchases.
fn known(facts: &Facts) -> maturity::Chart {
    let shop = facts.shop("purchase");
    let days: Vec<_> = shop.map(|shop| facts.line(shop).collect()).unwrap_or_default();
    let open: u64 = days.iter().map(|day| day.pending).sum();
    let shown: u64 = days.iter().map(|day| day.shown).sum();
    let until = days.iter().rfind(|day| tables::is_complete(day)).map(|day| day.shown_on.clone());
    let complete = until.as_deref().map_or("No day's purchases are all known yet".to_owned(), |until| {
        say::KnownUntil { day: &words::day(until) }.to_string()
    });
    maturity::Chart {
        caption: Caption {
            title: say::StillOpen { known: &complete, open: &count(open), shown: &count(shown) }.to_string(),
            subtitle: "Recommendations by day and by whether it is known if they were bought".into(),
            footnote: "Figures: work/monitoring/daily.parquet. Known: bought, dismissed, or too old to be bought."
                .into(),
        },
        measure: "recommendations shown that day".into(),
        known_until: until,
        days: days
            .iter()
            .map(|day| maturity::Shown {
                date: day.shown_on.clone(),
                confirmed: day.shown - day.pending.min(day.shown),
                pending: day.pending,
            })
            .collect(),
    }
}
