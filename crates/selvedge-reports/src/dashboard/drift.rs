//! What the model sees: how the latest looks differ from those it learned from, in the shop's words.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::markdown::{details, line_of};
use super::facts;
use super::sentences as say;
use super::table;
use super::words;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::count;
use selvedge_project::project::Project;
use selvedge_project::sql::Feature;

/// Differences that are told in words.
const MOST_SENTENCES: usize = 5;
/// A month with fewer looks says nothing of what is usual.
const ENOUGH_OF_A_MONTH: u64 = 30;

/// A row of `monitoring.drift_spans`.
#[derive(Debug, Deserialize)]
struct Span {
    side: String,
    first_day: String,
    last_day: String,
    looks: u64,
}

/// A row of `monitoring.drift_means`.
#[derive(Debug, Deserialize)]
struct Mean {
    feature: String,
    training: Option<f64>,
    latest: Option<f64>,
    training_missing: Option<f64>,
    latest_missing: Option<f64>,
    ks: Option<f64>,
    psi: Option<f64>,
    moved: bool,
    /// Apart too, but only as far as it was going while the model learned.
    goes_on: bool,
}

/// A row of `monitoring.drift_shares`.
#[derive(Debug, Deserialize)]
struct Share {
    feature: String,
    value: String,
    training: f64,
    latest: f64,
    distance: f64,
    psi: f64,
    moved: bool,
}

/// A row of `monitoring.drift_descriptions`.
#[derive(Debug, Deserialize)]
struct Description {
    feature: String,
    side: String,
    month: String,
    looks: u64,
    similarity: Option<f64>,
}

/// What differs, and what every feature means.
pub struct Drift {
    spans: Vec<Span>,
    means: Vec<Mean>,
    shares: Vec<Share>,
    descriptions: Vec<Description>,
    features: BTreeMap<String, Feature>,
}

impl Drift {
    pub fn read(project: &Project, engine: &Engine) -> Result<Self> {
        let declared = project.library.feature_columns().into_iter();
        Ok(Self {
            spans: facts::table_if_made(engine, "drift_spans")?,
            means: facts::table_if_made(engine, "drift_means")?,
            shares: facts::table_if_made(engine, "drift_shares")?,
            descriptions: facts::table_if_made(engine, "drift_descriptions")?,
            features: declared.map(|feature| (feature.name.clone(), feature)).collect(),
        })
    }

    fn span(&self, side: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.side == side)
    }

    pub fn section(&self) -> String {
        let mut out = "## What the model sees\n\n".to_owned();
        let (Some(training), Some(latest)) = (self.span("training"), self.span("latest")) else {
            return out
                + "There are no looks that the model learned from beside later ones, so there is nothing to compare.\n\n";
        };
        let days = |span: &Span| format!("{} to {}", words::day(&span.first_day), words::day(&span.last_day));
        out += &format!("{}\n\n", say::LooksCompared { latest: &days(latest), learned: &days(training) });
        let moved = self.moved();
        let sentences: Vec<String> = moved.iter().take(MOST_SENTENCES).map(Moved::sentence).collect();
        out += &match sentences.as_slice() {
            [] => "The latest looks are like those the model learned from.\n\n".to_owned(),
            some => format!("{}\n", some.concat()),
        };
        out += &self.descriptions_sentence();
        let sides = [training, latest].map(|span| {
            let name = if span.side == "training" { "learned from" } else { "latest" };
            vec![name.to_owned(), days(span), count(span.looks)]
        });
        out += &format!("{}\n", table(&["looks", "days", "how many#"], &sides));
        let rows = |moved: Vec<Moved>, what| {
            let rows: Vec<Vec<String>> = moved.into_iter().map(Moved::cells).collect();
            format!("{}\n", table(&[what, "", "learned from#", "latest#", "difference#"], &rows))
        };
        if !moved.is_empty() {
            out += &rows(moved, "what moved");
        }
        let going_on = self.numbers(|row| row.goes_on);
        if !going_on.is_empty() {
            out +=
                "These grew or shrank as they did while the model learned, because time goes on, and are no news:\n\n";
            out += &rows(going_on, "what went on as before");
        }
        out + &format!("{}\n", self.folded())
    }

    fn meaning(&self, feature: &str) -> String {
        let known = self.features.get(feature).map(|feature| feature.column.meaning.as_str());
        let short = known.and_then(|meaning| meaning.split([':', ',']).next()).unwrap_or(feature);
        words::capital(short.trim())
    }

    fn unit(&self, feature: &str) -> &str {
        self.features.get(feature).map_or("", |feature| feature.column.unit.as_str())
    }

    /// Told in words is what customers choose by.  What descriptions say has a sentence of its own, and a logarithm
    /// says nothing to people.
    fn is_told(&self, feature: &str) -> bool {
        self.features.get(feature).is_some_and(|feature| {
            feature.column.driver.is_some() && !feature.from_descriptions && !feature.column.unit.starts_with("log ")
        })
    }

    /// Features that are numbers and are told in words, of which this is so, the furthest first.
    fn numbers(&self, is: impl Fn(&Mean) -> bool) -> Vec<Moved> {
        let numbers = self.means.iter().filter(|row| is(row) && self.is_told(&row.feature)).filter_map(|row| {
            let (training, latest, unit) = (row.training?, row.latest?, self.unit(&row.feature));
            let more = if latest < training { "less" } else { "more" };
            Some(Moved {
                distance: row.ks.unwrap_or_default(),
                what: self.meaning(&row.feature),
                of_whom: "on average".into(),
                training: amount(training, unit),
                latest: amount(latest, unit),
                step: format!("{} {more}", amount((latest - training).abs(), unit)),
            })
        });
        sorted(numbers)
    }

    /// What moved and is told in words, the furthest first; a category by each value that moved.
    fn moved(&self) -> Vec<Moved> {
        let shares = self.shares.iter().filter(|row| row.moved && self.is_told(&row.feature)).map(|row| {
            let (training, latest) = (amount(row.training, "share"), amount(row.latest, "share"));
            let more = if row.latest < row.training { "less" } else { "more" };
            Moved {
                distance: (row.latest - row.training).abs(),
                what: words::heading(&row.feature),
                of_whom: row.value.clone(),
                training,
                latest,
                step: format!("{} {more}", amount((row.latest - row.training).abs(), "share")),
            }
        });
        sorted(self.numbers(|row| row.moved).into_iter().chain(shares))
    }

    /// The latest descriptions against the months of training, each against the whole of it.
    fn descriptions_sentence(&self) -> String {
        let latest = self.descriptions.iter().find(|row| row.side == "latest").and_then(|row| row.similarity);
        let months = self.descriptions.iter().filter(|row| row.side == "training" && row.looks >= ENOUGH_OF_A_MONTH);
        let furthest = months.filter_map(|row| row.similarity).reduce(f64::min);
        match (latest, furthest) {
            (Some(latest), Some(furthest)) if latest < furthest => "The descriptions of the articles looked at differ from those the model learned from, more than in any month of its training.\n\n".to_owned(),
            (Some(_), Some(_)) => "The descriptions of the articles looked at are like those the model learned from.\n\n".to_owned(),
            _ => "Too few descriptions are known to compare them.\n\n".to_owned(),
        }
    }

    fn folded(&self) -> String {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        let numbers = self.means.iter().map(|row| {
            vec![
                row.feature.clone(),
                number(row.training),
                number(row.latest),
                number(row.training_missing),
                number(row.latest_missing),
                number(row.ks),
                number(row.psi),
            ]
        });
        let headings = ["feature", "mean, training#", "latest#", "missing, training#", "latest#", "KS#", "PSI#"];
        let mut body = table(&headings, &numbers.collect::<Vec<_>>());
        let mut seen: BTreeMap<&str, &Share> = BTreeMap::new();
        for row in &self.shares {
            seen.entry(&row.feature).or_insert(row);
        }
        let texts = seen
            .values()
            .map(|row| vec![row.feature.clone(), format!("{:.2}", row.distance), format!("{:.2}", row.psi)]);
        body += &format!("\n{}", table(&["feature", "total variation#", "PSI#"], &texts.collect::<Vec<_>>()));
        let vectors = self.descriptions.iter().map(|row| {
            let month = if row.side == "latest" { "latest".to_owned() } else { row.month.clone() };
            vec![row.feature.clone(), month, count(row.looks), number(row.similarity)]
        });
        body += &format!(
            "\nMean vector of each month against the mean of all training looks:\n\n{}",
            table(&["feature", "month", "looks#", "cosine#"], &vectors.collect::<Vec<_>>())
        );
        details("How far every feature has drifted, for the ML team", &body)
    }
}

/// One thing that moved, in words.
struct Moved {
    distance: f64,
    what: String,
    /// "on average", or the value of a category.
    of_whom: String,
    training: String,
    latest: String,
    step: String,
}

impl Moved {
    fn sentence(&self) -> String {
        let whom = &line_of(&self.of_whom);
        let (what, step, latest, learned) = (&self.what, &self.step, &self.latest, &self.training);
        format!("- {}\n", say::FeatureMoved { what, whom, step, latest, learned })
    }

    fn cells(self) -> Vec<String> {
        vec![self.what, self.of_whom, self.training, self.latest, self.step]
    }
}

/// The furthest first; without what moved by so little that it reads the same.
fn sorted(moved: impl Iterator<Item = Moved>) -> Vec<Moved> {
    let mut all: Vec<Moved> = moved.filter(|moved| moved.training != moved.latest).collect();
    all.sort_by(|a, b| {
        b.distance.total_cmp(&a.distance).then_with(|| (&a.what, &a.of_whom).cmp(&(&b.what, &b.of_whom)))
    });
    all
}

/// A number with its unit; shares as hundredths.
fn amount(value: f64, unit: &str) -> String {
    match unit {
        "share" => format!("{} of 100", words::in_100_signed(value)),
        unit => format!("{} {unit}", plain(value)),
    }
}

/// Three digits, no more.
fn plain(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match short {
        "-0" | "" => "0".to_owned(),
        short => short.replace('-', "−"),
    }
}
