//! `reports/model.md`: how good the models are, in words first.

use std::collections::BTreeMap;

use super::chart::{Caption, Interval, Unit, comparison, reliability};
use super::markdown::{count, counted, details, picture, table};
use super::rows::Rows;
use super::{Report, ReportError};
use crate::embeddings;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::metrics::Metric;
use crate::project::Project;
use crate::train::{self, Kind};

const COMPARISON: &str = "model-comparison.png";
const RELIABILITY: &str = "model-reliability.png";

/// What a metric is called in front of readers, and what it means.
fn words(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::Auc => (
            "Right order (AUC)",
            "of 100 pairs of a look that led to a kept purchase and one that did not, so many are in the right order; guessing gives 50",
        ),
        Metric::AveragePrecision => (
            "Kept purchases near the top (average precision)",
            "how many of the looks it ranks highest led to kept purchases, averaged over all depths; guessing gives the base rate",
        ),
        Metric::LogLoss => (
            "Surprise (log loss)",
            "how surprised the model is by what happened; lower is better",
        ),
        Metric::Brier => (
            "Squared error (Brier)",
            "mean squared distance of probability and outcome; lower is better",
        ),
        Metric::CalibrationError => (
            "Off by (calibration error)",
            "how far the promised and the actual shares are apart; lower is better",
        ),
    }
}

/// Every metric of every model: (model, metric) -> value and 95 % interval.
type Figures = BTreeMap<(String, String), Interval>;

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let figures = figures(&Rows::read(engine, "evaluation", "metrics")?)?;
    let sides = Rows::read(engine, "evaluation", "sides")?;
    let bins = Rows::read(engine, "evaluation", "reliability")?;
    let segments = Rows::read(engine, "evaluation", "by_segment")?;
    let mut out = String::from("# How good the model is\n\n");
    out += "The question it answers: when this customer looks at this article, will they buy it and keep it? \
            Every figure here is about looks that came after everything the model has learned from.\n\n";
    let verdict = verdict(&figures);
    out += &format!("**{verdict}**\n\n");
    let mut charts = BTreeMap::new();
    let drawing = |chart| move |cause| ReportError::Chart { chart, cause };
    let compared = comparison_chart(&figures, &verdict);
    charts.insert(COMPARISON, comparison::draw(&compared).map_err(drawing(COMPARISON))?);
    out += &format!("{}\n", picture(COMPARISON, &compared.caption.title));
    out += &metrics_section(&figures);
    let reliable = reliability_chart(&bins)?;
    charts.insert(RELIABILITY, reliability::draw(&reliable).map_err(drawing(RELIABILITY))?);
    out += &format!(
        "## Does it promise too much?\n\n{}\n",
        picture(RELIABILITY, &reliable.caption.title)
    );
    out += &sides_section(project, &sides)?;
    out += &segments_section(&segments)?;
    out += &technical_section(project)?;
    Ok(Report { markdown: out, charts })
}

fn figures(rows: &Rows) -> Result<Figures> {
    let (models, metrics) = (rows.texts("model")?, rows.texts("metric")?);
    let (values, lows, highs) = (rows.numbers("value")?, rows.numbers("low")?, rows.numbers("high")?);
    let mut figures = Figures::new();
    for row in 0..rows.len() {
        if let (Some(value), Some(lower), Some(upper)) = (values[row], lows[row], highs[row]) {
            figures.insert(
                (models[row].clone(), metrics[row].clone()),
                Interval { value, lower, upper },
            );
        }
    }
    Ok(figures)
}

fn figure(figures: &Figures, model: &str, metric: Metric) -> Option<Interval> {
    figures.get(&(model.to_owned(), metric.name().to_owned())).copied()
}

const DIFFERENCE: &str = "combined - tabular";

/// Whether the descriptions help, in one or two sentences; no claim without enough data.
fn verdict(figures: &Figures) -> String {
    let auc = |model| figure(figures, model, Metric::Auc);
    let (Some(tabular), Some(combined), Some(difference)) = (auc("tabular"), auc("combined"), auc(DIFFERENCE)) else {
        return "Too early to say whether the descriptions help: the test looks do not hold both outcomes yet.".into();
    };
    let pairs = format!(
        "With the descriptions the model puts {:.1} of 100 pairs of looks into the right order, without them {:.1}",
        100.0 * combined.value,
        100.0 * tabular.value
    );
    let range = format!(
        "the difference lies between {:+.1} and {:+.1}",
        100.0 * difference.lower,
        100.0 * difference.upper
    );
    if difference.lower > 0.0 {
        format!("The descriptions help. {pairs}; {range}.")
    } else if difference.upper < 0.0 {
        format!("The descriptions hurt. {pairs}; {range}.")
    } else {
        format!("Too early to say whether the descriptions help. {pairs}, but {range}, so it could be chance.")
    }
}

fn comparison_chart(figures: &Figures, verdict: &str) -> comparison::Chart {
    let shown = [
        (Metric::Auc, Unit::Percent, comparison::Better::Higher),
        (Metric::AveragePrecision, Unit::Percent, comparison::Better::Higher),
        (Metric::LogLoss, Unit::Number(3), comparison::Better::Lower),
    ];
    let metrics = shown.map(|(metric, unit, better)| comparison::Metric {
        name: words(metric).0.into(),
        unit,
        better,
        scores: Kind::ALL
            .iter()
            .map(|kind| figure(figures, kind.name(), metric))
            .collect(),
    });
    comparison::Chart {
        caption: Caption {
            title: verdict.split_inclusive(". ").take(2).collect::<String>().trim().to_owned(),
            subtitle: "Both models on the same test looks, with the range that chance allows (19 times out of 20)".into(),
            footnote: "Log loss does not start at zero. Ranges: customers drawn again and again, the same ones for both models.".into(),
        },
        models: vec!["without descriptions".into(), "with descriptions".into()],
        metrics: metrics.into(),
    }
}

fn metrics_section(figures: &Figures) -> String {
    let shown = |interval: Option<Interval>, signed: bool| match interval {
        None => "too early".to_owned(),
        Some(i) if signed => format!("{:+.4} ({:+.4} to {:+.4})", i.value, i.lower, i.upper),
        Some(i) => format!("{:.4} ({:.4} to {:.4})", i.value, i.lower, i.upper),
    };
    let rows: Vec<Vec<String>> = Metric::ALL
        .iter()
        .map(|metric| {
            vec![
                words(*metric).0.to_owned(),
                shown(figure(figures, "tabular", *metric), false),
                shown(figure(figures, "combined", *metric), false),
                shown(figure(figures, DIFFERENCE, *metric), true),
            ]
        })
        .collect();
    let meanings: Vec<String> = Metric::ALL
        .iter()
        .map(|metric| format!("- {}: {}.", words(*metric).0, words(*metric).1))
        .collect();
    let headings = [
        "",
        "Without descriptions (tabular)#",
        "With descriptions (combined)#",
        "Difference#",
    ];
    format!(
        "{}\n{}\n",
        table(&headings, &rows),
        details("What these figures mean", &(meanings.join("\n") + "\n"))
    )
}

fn reliability_chart(bins: &Rows) -> Result<reliability::Chart> {
    let models = bins.texts("model")?;
    let (predicted, happened) = (bins.numbers("predicted")?, bins.numbers("happened")?);
    let (low, high, looks) = (bins.numbers("low")?, bins.numbers("high")?, bins.counts("looks")?);
    let mut points = Vec::new();
    for row in (0..bins.len()).filter(|row| models[*row] == Kind::Combined.name()) {
        let observed = match (happened[row], low[row], high[row]) {
            (Some(value), Some(lower), Some(upper)) => Some(Interval { value, lower, upper }),
            _ => None,
        };
        points.push(reliability::Bin {
            predicted: predicted[row].unwrap_or_default(),
            observed,
            n: looks[row],
        });
    }
    let held = points
        .iter()
        .filter(|bin| {
            bin.observed
                .is_some_and(|o| o.lower <= bin.predicted && bin.predicted <= o.upper)
        })
        .count();
    let caption = Caption {
        title: format!(
            "In {held} of {} groups of looks, as many led to kept purchases as the model had promised, give or take chance.",
            points.len()
        ),
        subtitle: "Test looks in groups of equal size, from the least to the most promising".into(),
        footnote: "Bars show the range that chance allows (19 times out of 20). On the line: promise kept.".into(),
    };
    Ok(reliability::Chart { caption, bins: points })
}

fn sides_section(project: &Project, sides: &Rows) -> Result<String> {
    let (names, looks, kept) = (
        sides.texts("side")?,
        sides.counts("looks")?,
        sides.counts("kept_purchases")?,
    );
    let rows: Vec<Vec<String>> = (0..sides.len())
        .map(|row| {
            vec![
                names[row].clone(),
                count(looks[row]),
                count(kept[row]),
                format!("{:.1} in 100", 100.0 * kept[row] as f64 / looks[row].max(1) as f64),
            ]
        })
        .collect();
    let mut out = String::from("## What it learned from\n\n");
    out += "Training comes first in time, then the looks on which the strength of the penalty was chosen, then the test. \
            A look counts only when its outcome was known at the end of its side; younger ones are left out on purpose.\n\n";
    out += &table(&["Side", "Looks#", "Kept purchases#", "Share#"], &rows);
    for line in embeddings::fitted_on(project)? {
        out += &format!("\n{line}\n");
    }
    Ok(out + "\n")
}

fn segments_section(segments: &Rows) -> Result<String> {
    let (groups, values) = (segments.texts("segment")?, segments.texts("value")?);
    let (looks, kept, expected) = (
        segments.counts("looks")?,
        segments.counts("kept_purchases")?,
        segments.numbers("combined_expected")?,
    );
    let rows: Vec<Vec<String>> = (0..segments.len())
        .map(|row| {
            let expected = expected[row].map_or(String::new(), |expected| format!("{expected:.0}"));
            vec![
                groups[row].clone(),
                values[row].clone(),
                count(looks[row]),
                count(kept[row]),
                expected,
            ]
        })
        .collect();
    let headings = ["Group", "", "Test looks#", "Kept purchases#", "The model expected#"];
    Ok(format!("## By group of customers\n\n{}\n", table(&headings, &rows)))
}

fn technical_section(project: &Project) -> Result<String> {
    let mut body = String::new();
    for kind in Kind::ALL {
        let fitted = train::load(project, kind)?;
        let (rows, positives) = fitted.model.trained_on();
        body += &format!(
            "**{}**: {} terms, L2 penalty {}, fitted on {} ({} with a kept purchase), columns `{}`.\n\n",
            kind.name(),
            fitted.model.terms().len(),
            fitted.model.alpha(),
            counted(rows as u64, "look", "looks"),
            count(positives as u64),
            fitted.model.fingerprint(),
        );
        let tried: Vec<Vec<String>> = fitted
            .tried
            .iter()
            .map(|(alpha, loss)| vec![format!("{alpha}"), format!("{loss:.5}")])
            .collect();
        body += &format!(
            "{}\n",
            table(&["Penalty tried#", "Log loss on validation looks#"], &tried)
        );
        let mut terms: Vec<_> = fitted.model.terms().iter().collect();
        terms.sort_by(|a, b| {
            b.coefficient
                .abs()
                .total_cmp(&a.coefficient.abs())
                .then(a.name.cmp(&b.name))
        });
        let strongest: Vec<Vec<String>> = terms
            .iter()
            .take(15)
            .map(|term| vec![term.name.clone(), format!("{:+.4}", term.coefficient)])
            .collect();
        body += &format!(
            "{}\n",
            table(
                &["Strongest terms", "Coefficient (log-odds per standard deviation)#"],
                &strongest
            )
        );
    }
    body += "Intervals: 95 %, paired bootstrap over customers, seeded (`evaluate` in params.yaml).\n";
    Ok(details("For the ML team: penalties, terms, methods", &body))
}
