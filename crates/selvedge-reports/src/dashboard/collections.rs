//! A new season: what can be said of each collection, at the age it has, and when more can be said.

use serde::Deserialize;

use super::super::markdown::line_of;
use super::completeness::marked;
use super::facts;
use super::sentences as say;
use super::table;
use super::words;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};

/// A row of `monitoring.collection_states`.
#[derive(Debug, Deserialize)]
struct Collection {
    season: String,
    launched_on: String,
    ends_on: String,
    previous: Option<String>,
    launched_in_between: Option<bool>,
    known_until: Option<String>,
    known_age: Option<u64>,
    looks: u64,
    mature: u64,
    confirmed_rate: Option<f64>,
    confirmed_lower: Option<f64>,
    confirmed_upper: Option<f64>,
    prior_n: u64,
    prior_rate: Option<f64>,
    needed: Option<u64>,
    state: String,
    enough_known_on: Option<String>,
}

/// Every collection there is.
pub struct Collections {
    rows: Vec<Collection>,
    /// The report's day.
    today: String,
}

impl Collections {
    /// `as_of` is the report's moment on the shop's clock.
    pub fn read(engine: &Engine, as_of: &str) -> Result<Self> {
        let mut rows: Vec<Collection> = facts::table(engine, "collection_states")?;
        rows.sort_by(|a, b| (&b.launched_on, &a.season).cmp(&(&a.launched_on, &b.season)));
        Ok(Self { rows, today: as_of.split(' ').next().unwrap_or_default().to_owned() })
    }

    /// Sentences on the collections that are in the shop or on their way, and a table of all.
    pub fn section(&self, incomplete: bool) -> String {
        let mut out = "## Collections at equal age\n\n".to_owned();
        if self.rows.is_empty() {
            return out + "The catalogue names no collections.\n\n";
        }
        let current: Vec<&Collection> = self.rows.iter().filter(|row| row.ends_on >= self.today).collect();
        if current.is_empty() {
            out += "No collection is on sale at present.\n\n";
        }
        for row in current {
            out += &format!("{}\n\n", line_of(&sentence(row, &self.today)));
        }
        let between: Vec<&Collection> = self.rows.iter().filter(|row| row.launched_in_between == Some(true)).collect();
        for row in &between {
            let (name, day) = (line_of(&row.season), words::day(&row.launched_on));
            out += &format!("{}\n\n", say::CollectionBetween { name: &name, day: &day });
        }
        if between.is_empty() {
            out += "No collection came into the shop in the middle of the days compared.\n\n";
        }
        let range = |lower: Option<f64>, upper: Option<f64>| match (lower, upper) {
            (Some(lower), Some(upper)) => format!("{} to {}", words::in_100(lower), words::in_100(upper)),
            _ => "–".to_owned(),
        };
        let rows = self.rows.iter().map(|row| {
            vec![
                row.season.clone(),
                words::day(&row.launched_on),
                count(row.looks),
                count(row.mature),
                words::cell(row.confirmed_rate),
                range(row.confirmed_lower, row.confirmed_upper),
                row.known_age.map_or("–".to_owned(), |days| days.to_string()),
                row.previous.clone().unwrap_or_else(|| "none".to_owned()),
                count(row.prior_n),
                words::cell(row.prior_rate),
                row.needed.map_or("–".to_owned(), count),
                row.enough_known_on.as_deref().map_or("–".to_owned(), words::day),
                state(&row.state).to_owned(),
                marked(if row.state == "provisional" || row.state == "prior_only" { "u" } else { "" }, incomplete),
            ]
        });
        let headings = [
            "collection",
            "in the shop since",
            "looks#",
            "known#",
            "bought, of 100#",
            "between",
            "to the age of, days#",
            "a year earlier",
            "its looks by that age#",
            "bought, of 100#",
            "looks needed#",
            "known on",
            "state",
            "status",
        ];
        out += "A look counts once its purchase window has passed, bought or not.\n\n";
        out + &format!("{}\n", table(&headings, &rows.collect::<Vec<_>>()))
    }
}

fn sentence(row: &Collection, today: &str) -> String {
    let name = row.season.as_str();
    let before = match (&row.previous, row.prior_rate) {
        (Some(previous), Some(rate)) => {
            let (name, looks, rate) = (previous, &counted(row.prior_n, "look", "looks"), &words::in_100(rate));
            match row.known_age {
                Some(_) => format!(" {}", say::CollectionBeforeAtAge { name, rate, looks }),
                None => format!(" {}", say::CollectionBefore { name, rate, looks }),
            }
        }
        _ => " There is no collection of the same time of year to hold it against.".to_owned(),
    };
    let later = row.enough_known_on.as_deref().map_or(String::new(), |day| match &row.known_until {
        Some(until) if day <= today => {
            format!(" {}", say::MoreWithEvents { day: &words::day(day), until: &words::day(until) })
        }
        _ => format!(" {}", say::MoreOn { day: &words::day(day) }),
    });
    let rate = &words::cell(row.confirmed_rate);
    match row.state.as_str() {
        "confirmed" => format!("{}{before}", say::CollectionConfirmed { name, rate }),
        "provisional" => {
            let looks = &counted(row.mature, "look", "looks");
            let needed = &row.needed.map_or("–".to_owned(), count);
            format!("{}{before}{later}", say::CollectionEarly { name, rate, looks, needed })
        }
        "prior_only" => format!("{}{before}{later}", say::CollectionNew { name }),
        _ => format!("{}{before}", say::CollectionWithout { name }),
    }
}

fn state(state: &str) -> &'static str {
    match state {
        "confirmed" => "Confirmed",
        "provisional" => "Provisional",
        "prior_only" => "Prior only",
        _ => "No data",
    }
}
