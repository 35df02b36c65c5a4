//! All models side by side: the headline, the picture and the table.

use std::collections::BTreeMap;

use charts::{Caption, Interval, Unit, comparison};
use serde::Deserialize;

use crate::markdown::{details, table};
use models::lists::ListMetric;
use models::metrics::Metric;
use selvedge_learning::train::Kind;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;

/// The model that is used.
pub const USED: Kind = Kind::USED;

/// One line of the table.
pub struct Line {
    /// Its name in tables.
    pub metric: &'static str,
    pub words: String,
    meaning: &'static str,
}

/// Every metric: over single looks, then over lists of `length` articles.
pub fn lines(length: usize) -> Vec<Line> {
    let looks = Metric::ALL.map(|metric| {
        let (words, meaning) = match metric {
            Metric::Auc => (
                "Right order (AUC)",
                "of 100 pairs of a look that led to a kept purchase and one that did not, so many are in the right order; guessing gives 50",
            ),
            Metric::AveragePrecision => (
                "At the top (AP)",
                "how many of the looks it ranks highest led to kept purchases, averaged over all depths; guessing gives the base rate",
            ),
            Metric::LogLoss => ("Surprise (log loss)", "how surprised the model is by what happened; lower is better"),
            Metric::Brier => {
                ("Squared error (Brier)", "mean squared distance of probability and outcome; lower is better")
            }
            Metric::CalibrationError => {
                ("Off by (calibration error)", "how far the promised and the actual shares are apart; lower is better")
            }
        };
        Line { metric: metric.name(), words: words.into(), meaning }
    });
    let lists = ListMetric::ALL.map(|metric| {
        let (words, meaning) = match metric {
            ListMetric::HitRate => {
                ("Lists that hit", "share of the lists that hold an article bought and kept that day")
            }
            ListMetric::Recall => {
                ("Found (recall)", "share of the articles bought and kept that day that the list holds")
            }
            ListMetric::Ndcg => (
                "Near the top (NDCG)",
                "the same, but the higher up the list the more it counts; 1 is the best order there is",
            ),
        };
        Line { metric: metric.name(), words: format!("{words}, {length} articles"), meaning }
    });
    looks.into_iter().chain(lists).collect()
}

/// A row of `evaluation.metrics`.
#[derive(Deserialize)]
pub struct Row {
    model: String,
    metric: String,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// The row of `evaluation.lists`.
#[derive(Deserialize, Default)]
pub struct Lists {
    lists: u64,
    customers: u64,
    articles: u64,
}

/// Every metric of every model: (model, metric) -> value and 95 % interval.
pub struct Figures(BTreeMap<(String, String), Interval>);

impl Figures {
    pub fn of_rows(rows: Vec<Row>) -> Self {
        let known = |row: Row| Some(((row.model, row.metric), Interval::of(row.value, row.low, row.high)?));
        Self(rows.into_iter().filter_map(known).collect())
    }

    pub fn of(&self, kind: Kind, metric: &str) -> Option<Interval> {
        self.0.get(&(kind.name().to_owned(), metric.to_owned())).copied()
    }

    /// What the used model has more than `other`.
    pub fn more_than(&self, other: Kind, metric: &str) -> Option<Interval> {
        self.0.get(&(format!("{} - {}", USED.name(), other.name()), metric.to_owned())).copied()
    }
}

/// Whether the descriptions help: the headline, and what chance allows.  No claim while it is too `early`, or when the
/// model reads no descriptions because it is `without` them.
pub fn verdict(figures: &Figures, early: Option<&str>, without: bool) -> (String, String) {
    let auc = |kind| figures.of(kind, Metric::Auc.name());
    let difference = figures.more_than(Kind::Tabular, Metric::Auc.name());
    let (Some(tabular), Some(combined), Some(difference)) = (auc(Kind::Tabular), auc(USED), difference) else {
        let why = early.unwrap_or("the models are not judged yet");
        return (format!("Too early to say whether the descriptions help: {why}."), String::new());
    };
    if without {
        let headline = format!(
            "There are no descriptions to learn from; without them the model puts {:.1} of 100 pairs of looks into the \
             right order.",
            100.0 * combined.value
        );
        return (headline, String::new());
    }
    let pairs = format!(
        "with them the model puts {:.1} of 100 pairs of looks into the right order, without them {:.1}.",
        100.0 * combined.value,
        100.0 * tabular.value
    );
    let (lower, upper) = (100.0 * difference.lower, 100.0 * difference.upper);
    let range = format!("The true difference lies between {lower:+.1} and {upper:+.1}, 19 times out of 20");
    if difference.lower > 0.0 {
        (format!("The descriptions help: {pairs}"), format!("{range}."))
    } else if difference.upper < 0.0 {
        (format!("The descriptions hurt: {pairs}"), format!("{range}."))
    } else {
        let headline = format!("Too early to say whether the descriptions help: {pairs}");
        (headline, format!("{range}, so it could be chance."))
    }
}

pub fn comparison_chart(figures: &Figures, headline: &str, length: usize) -> comparison::Chart {
    let shown = [
        (Metric::Auc.name(), Unit::Percent, "Right order"),
        (Metric::AveragePrecision.name(), Unit::Percent, "At the top"),
        (ListMetric::HitRate.name(), Unit::Percent, "Lists that hit"),
    ];
    let metrics = shown.map(|(metric, unit, name)| comparison::Metric {
        name: name.into(),
        unit,
        better: comparison::Better::Higher,
        scores: Kind::ALL.iter().map(|kind| figures.of(*kind, metric)).collect(),
    });
    comparison::Chart {
        caption: Caption {
            title: headline.to_owned(),
            subtitle: "All models on the same test looks, with the range that chance allows (19 times out of 20)"
                .into(),
            footnote: format!(
                "Right order: of all pairs (AUC); guessing gives 50. At the top: average precision. Lists: of {length} \
                 articles, one for each customer and day with a kept purchase. Ranges: customers drawn again and again, \
                 the same ones for all models; the table tells better how far two are apart."
            ),
        },
        models: Kind::ALL.iter().map(|kind| kind.words().to_owned()).collect(),
        metrics: metrics.into(),
    }
}

/// A figure with its range.
pub fn shown(interval: Option<Interval>) -> String {
    interval.map_or("too early".into(), |i| format!("{:.4} ({:.4} to {:.4})", i.value, i.lower, i.upper))
}

/// A difference with its range.
pub fn signed(interval: Option<Interval>) -> String {
    interval.map_or("too early".into(), |i| format!("{:+.4} ({:+.4} to {:+.4})", i.value, i.lower, i.upper))
}

pub fn metrics_section(project: &Project, figures: &Figures, lists: Vec<Lists>, early: Option<&str>) -> String {
    let length = project.params.evaluate.list_length;
    let lines = lines(length);
    let row = |line: &Line| {
        let mut cells = vec![line.words.clone()];
        cells.extend(Kind::ALL.iter().map(|kind| shown(figures.of(*kind, line.metric))));
        cells.push(signed(figures.more_than(Kind::Tabular, line.metric)));
        cells
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    let names = Kind::ALL.map(|kind| format!("{}#", capital(kind.words())));
    let mut headings = vec![""];
    headings.extend(names.iter().map(String::as_str));
    headings.push("What the descriptions add#");
    let Lists { lists: days, customers, articles } = lists.into_iter().next().unwrap_or_default();
    let hits = |kind| figures.of(kind, ListMetric::HitRate.name()).map(|rate| 100.0 * rate.value);
    let mut said = match (hits(USED), hits(Kind::Popularity)) {
        (Some(used), Some(popular)) => format!(
            "On {} of {} with a kept purchase, all articles on sale that day that ship to the customer were ranked as \
             the day began (in UTC), {} a list. The first {length} held what was bought and kept in {used:.0} of 100 \
             lists; by popularity alone in {popular:.0}.{}\n\n",
            counted(days, "day", "days"),
            counted(customers, "customer", "customers"),
            count(articles / days.max(1)),
            figures.more_than(Kind::Popularity, ListMetric::HitRate.name()).map_or(String::new(), doubt),
        ),
        _ => {
            let enough = project.params.evaluate.enough as u64;
            let few = || {
                let lists = counted(days, "list is", "lists are");
                format!("{lists} known to have led to a kept purchase, {} are missing", enough.saturating_sub(days))
            };
            let why = if days < enough { few() } else { early.unwrap_or("there is no model yet").to_owned() };
            format!("Too early to judge whole lists: {why}.\n\n")
        }
    };
    let meanings: Vec<String> = lines.iter().map(|line| format!("- {}: {}.", line.words, line.meaning)).collect();
    said += &format!(
        "{}\n{}\n",
        table(&headings, &rows),
        details("What these figures mean", &(meanings.join("\n") + "\n"))
    );
    said
}

/// Whether chance alone could make a difference of lists.
fn doubt(more: Interval) -> String {
    let words = match more.lower > 0.0 || more.upper < 0.0 {
        true => "That difference is more than chance makes",
        false => "Chance alone could make that difference",
    };
    let [value, lower, upper] = [more.value, more.lower, more.upper].map(|rate| 100.0 * rate);
    format!(" {words} ({value:+.1} of 100 lists; {lower:+.1} to {upper:+.1}).")
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
