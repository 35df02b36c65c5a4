//! Figures and alerts as they were first published, against what is told now.

use std::collections::BTreeMap;

use charts::vintages::{self, Figure, Week};
use charts::{Caption, Interval, Picture};
use serde::Deserialize;

use super::facts;
use super::sentences as say;
use super::table;
use super::{Pictures, words};
use selvedge_engine::Engine;
use selvedge_monitoring::monitor::{AlertLife, Finding};
use selvedge_project::error::Result;
use selvedge_project::numbers::count;

const CHART: &str = "monitoring-vintages.png";

/// A row of `monitoring.vintages`: what one report said of one week.
#[derive(Debug, Deserialize)]
struct Vintage {
    published_on: String,
    metric: String,
    week: String,
    first_day: String,
    shown: u64,
    confirmed: u64,
    so_far_rate: f64,
    confirmed_rate: Option<f64>,
    confirmed_lower: Option<f64>,
    confirmed_upper: Option<f64>,
    provisional_rate: Option<f64>,
    provisional_lower: Option<f64>,
    provisional_upper: Option<f64>,
}

/// What the reports so far have said.
pub struct History {
    vintages: Vec<Vintage>,
    lives: Vec<AlertLife>,
}

/// One week: the first report after its end, if there was one, and the latest.
struct Pair<'a> {
    first: Option<&'a Vintage>,
    now: &'a Vintage,
}

impl History {
    pub fn read(engine: &Engine) -> Result<Self> {
        Ok(Self { vintages: facts::table(engine, "vintages")?, lives: facts::table(engine, "alert_lives")? })
    }

    fn pairs(&self, metric: &str) -> Vec<Pair<'_>> {
        let mut weeks: BTreeMap<&str, Vec<&Vintage>> = BTreeMap::new();
        for row in self.vintages.iter().filter(|row| row.metric == metric) {
            weeks.entry(&row.week).or_default().push(row);
        }
        let latest = self.vintages.iter().map(|row| row.published_on.as_str()).max();
        weeks.into_values().filter_map(|rows| pair(&rows, latest?)).collect()
    }

    pub fn picture(&self, pictures: &mut Pictures) -> Result<()> {
        let pairs = self.pairs("purchase");
        let weeks = pairs.iter().map(|pair| Week {
            date: pair.now.first_day.clone(),
            n: pair.now.shown,
            first: pair.first.map(figure),
            now: Some(figure(pair.now)),
        });
        let chart = vintages::Chart {
            caption: Caption {
                title: sentence(&pairs),
                subtitle: "Purchases in the whole shop by week of the recommendation: as the first report after it had them, and now".into(),
                footnote: "Figures: work/monitoring/vintages.parquet, made again from what had happened by then. Dashed ranges hold 90 of 100 such forecasts.".into(),
            },
            measure: words::measure("purchase").into(),
            weeks: weeks.collect(),
        };
        pictures.add(CHART, &chart.caption.title, chart.png())
    }

    /// How an alert was first told, for the first screen; nothing where this report is the first.
    pub fn first_told(&self, change: &Finding) -> String {
        let life = self.lives.iter().rfind(|life| {
            life.metric == change.metric
                && life.segment_column == change.segment_column
                && life.segment_value == change.segment_value
                && life.withdrawn_on.is_none()
        });
        let Some((life, after)) = life.and_then(|life| Some((life, life.first_after?))) else { return String::new() };
        if self.vintages.iter().all(|row| row.published_on <= life.opened_on) {
            return "In this report for the first time.".to_owned();
        }
        let opened = words::day(date(&life.opened_on));
        let (then, now) = (words::in_100(after), words::cell(life.last_after));
        say::FirstTold { opened: &opened, then: &then, now: &now }.to_string()
    }

    pub fn tables(&self) -> String {
        let mut out = "## Alerts so far\n\n".to_owned();
        let reports: std::collections::BTreeSet<&str> =
            self.vintages.iter().map(|row| row.published_on.as_str()).collect();
        let days: Vec<String> = reports.iter().map(|moment| words::day(date(moment))).collect();
        out += &format!("{}\n\n", say::Reports { days: &words::list(&days) });
        if self.lives.is_empty() {
            out += "No report told of a change.\n\n";
        } else {
            let rows = self.lives.iter().map(|life| {
                let owner = life.owner.as_deref().unwrap_or("customers");
                let who = match life.segment_column.as_str() {
                    "shop" => "the whole shop".to_owned(),
                    column => format!("{owner} of {} {}", words::column(column), life.segment_value),
                };
                let moment = |moment: &Option<String>| {
                    moment.as_deref().map_or("–".to_owned(), |moment| words::day(date(moment)))
                };
                let step = |before: Option<f64>, after: Option<f64>| {
                    format!("{} to {}", words::cell(before), words::cell(after))
                };
                vec![
                    format!("{} of {who}", words::metric(&life.metric)),
                    status(&life.status).to_owned(),
                    words::day(date(&life.opened_on)),
                    step(life.first_before, life.first_after),
                    moment(&life.confirmed_on),
                    moment(&life.withdrawn_on),
                    life.why.clone().unwrap_or_default(),
                    step(life.last_before, life.last_after),
                ]
            });
            let headings =
                ["", "how sure", "first told", "then, in 100", "clear since", "taken back", "why", "told last, in 100"];
            out += &format!("{}\n", table(&headings, &rows.collect::<Vec<_>>()));
        }
        out += &format!("## As first published\n\n{}\n\n", sentence(&self.pairs("purchase")));
        for metric in ["purchase", "kept"] {
            let rows: Vec<Vec<String>> =
                self.pairs(metric).iter().flat_map(|pair| [pair.first, Some(pair.now)]).flatten().map(row).collect();
            let headings = [
                "week from",
                "published",
                "shown#",
                "known#",
                "come so far, in 100#",
                "confirmed, in 100#",
                "between",
                "provisional, in 100#",
                "between",
                "status",
            ];
            out += &format!("**{}**\n\n{}\n", words::metric(metric), table(&headings, &rows));
        }
        out
    }
}

/// How sure an alert is; whether figures are final has other words.
fn status(status: &str) -> &'static str {
    match status {
        "confirmed" => "Clear",
        "withdrawn" => "Taken back",
        _ => "May be chance",
    }
}

fn pair<'a>(rows: &[&'a Vintage], latest: &str) -> Option<Pair<'a>> {
    let now = rows.iter().copied().find(|row| row.published_on == latest)?;
    // A report in the middle of the week had not seen all of it.
    let most = rows.iter().map(|row| row.shown).max()?;
    let first = rows.iter().copied().find(|row| row.shown == most && row.published_on != latest);
    Some(Pair { first, now })
}

/// The day of a moment.
fn date(moment: &str) -> &str {
    moment.split(' ').next().unwrap_or(moment)
}

fn figure(row: &Vintage) -> Figure {
    match (row.confirmed_rate, row.provisional_rate, row.provisional_lower, row.provisional_upper) {
        (Some(rate), ..) => Figure::Confirmed(rate),
        (None, Some(value), Some(lower), Some(upper)) => Figure::Provisional(Interval { value, lower, upper }),
        _ => Figure::SoFar(row.so_far_rate),
    }
}

/// How far the forecasts of whole weeks have moved since.
fn sentence(pairs: &[Pair]) -> String {
    let moved = pairs.iter().filter_map(|pair| {
        let then = pair.first?.provisional_rate?;
        Some((then, pair.now.confirmed_rate.or(pair.now.provisional_rate)?, pair))
    });
    let furthest = moved.max_by(|a, b| (a.1 - a.0).abs().total_cmp(&(b.1 - b.0).abs()));
    match furthest {
        Some((then, now, pair)) => {
            let (week, then, now) = (words::day(&pair.now.first_day), words::points(then), words::points(now));
            say::FirstFigure { week: &week, then: &then, now: &now }.to_string()
        }
        None => "No week could be forecast at its end yet; first figures are what had come so far.".to_owned(),
    }
}

fn row(row: &Vintage) -> Vec<String> {
    let range = |lower: Option<f64>, upper: Option<f64>| match (lower, upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", words::points(lower), words::points(upper)),
        _ => "–".to_owned(),
    };
    let points = |share: Option<f64>| share.map_or("–".to_owned(), words::points);
    vec![
        words::day(&row.first_day),
        words::day(date(&row.published_on)),
        count(row.shown),
        count(row.confirmed),
        words::points(row.so_far_rate),
        points(row.confirmed_rate),
        range(row.confirmed_lower, row.confirmed_upper),
        points(row.provisional_rate),
        range(row.provisional_lower, row.provisional_upper),
        match figure(row) {
            Figure::Confirmed(_) => "",
            Figure::Provisional(_) => "p e",
            Figure::SoFar(_) => "p u",
        }
        .to_owned(),
    ]
}
