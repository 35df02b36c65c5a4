//! All models side by side: the headline, the picture and the table.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::lists::ListMetric;
use crate::model::metrics::Metric;
use crate::report::chart::{Caption, Interval, Unit, comparison};
use crate::report::markdown::{count, counted, details, table};
use crate::train::Kind;

/// The model that is used.
pub const USED: Kind = Kind::Combined;

/// What a model is called in front of readers.
pub fn model_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Popularity => "article popularity",
        Kind::Tabular => "without descriptions",
        Kind::Descriptions => "descriptions only",
        Kind::Combined => "with descriptions",
    }
}

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

/// Whether the descriptions help: the headline, and what chance allows.  No claim without enough data: `missing` says what
/// is.
pub fn verdict(figures: &Figures, missing: Option<&str>, described: bool) -> (String, String) {
    let auc = |kind| figures.of(kind, Metric::Auc.name());
    let difference = figures.more_than(Kind::Tabular, Metric::Auc.name());
    let (Some(tabular), Some(combined), Some(difference)) = (auc(Kind::Tabular), auc(USED), difference) else {
        let missing = missing.unwrap_or("the test looks do not hold both outcomes yet");
        return (format!("Too early to say how good the model is: {missing}."), String::new());
    };
    if !described {
        let right = 100.0 * combined.value;
        let headline = format!(
            "The model puts {right:.1} of 100 pairs of looks into the right order; there are no descriptions to learn from."
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
                 the same ones for all models; how far two models are apart stands in the table."
            ),
        },
        models: Kind::ALL.iter().map(|kind| model_words(*kind).to_owned()).collect(),
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

pub fn metrics_section(figures: &Figures, missing: Option<&str>, lists: Vec<Lists>, length: usize) -> String {
    let lines = lines(length);
    let row = |line: &Line| {
        let mut cells = vec![line.words.clone()];
        cells.extend(Kind::ALL.iter().map(|kind| shown(figures.of(*kind, line.metric))));
        cells.push(signed(figures.more_than(Kind::Tabular, line.metric)));
        cells
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    let names = Kind::ALL.map(|kind| format!("{}#", capital(model_words(kind))));
    let mut headings = vec![""];
    headings.extend(names.iter().map(String::as_str));
    headings.push("What the descriptions add#");
    let Lists { lists: days, customers, articles } = lists.into_iter().next().unwrap_or_default();
    let hits = |kind| figures.of(kind, ListMetric::HitRate.name()).map(|rate| 100.0 * rate.value);
    let mut said = match (hits(USED), hits(Kind::Popularity)) {
        (Some(used), Some(popular)) => format!(
            "On {} of {} with a kept purchase, all articles on sale that day were ranked as the day began, {} a list. \
             The first {length} held what was bought and kept in {used:.0} of 100 lists; by popularity alone in \
             {popular:.0}{}.\n\n",
            counted(days, "day", "days"),
            counted(customers, "customer", "customers"),
            count(articles / days.max(1)),
            match figures.more_than(Kind::Popularity, ListMetric::HitRate.name()) {
                Some(more) if more.lower > 0.0 || more.upper < 0.0 => "",
                _ => ", and chance alone could make that difference",
            },
        ),
        _ => format!(
            "Too early to judge whole lists: {}.\n\n",
            missing.map_or_else(
                || format!("there are {} with a kept purchase in the test period", counted(days, "day", "days")),
                str::to_owned
            )
        ),
    };
    let meanings: Vec<String> = lines.iter().map(|line| format!("- {}: {}.", line.words, line.meaning)).collect();
    said += &format!(
        "{}\n{}\n",
        table(&headings, &rows),
        details("What these figures mean", &(meanings.join("\n") + "\n"))
    );
    said
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
