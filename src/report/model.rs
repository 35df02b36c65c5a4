//! `reports/model.md`: how good the models are, in words first.

mod cohorts;
mod figures;
mod learning_curve;
mod technical;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::figures::{Figures, USED, comparison_chart, metrics_section, verdict};
use super::chart::{Caption, Interval, comparison, curve, reliability};
use super::markdown::{count, picture, table};
use super::{Report, ReportError};
use crate::embeddings;
use crate::engine::Engine;
use crate::error::Result;
use crate::project::Project;
use crate::sql::TableName;

const COMPARISON: &str = "model-comparison.png";
const RELIABILITY: &str = "model-reliability.png";
const CURVE: &str = "model-learning-curve.png";

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let length = project.params.evaluate.list_length;
    let made = |name| TableName::new("evaluation", name);
    let figures = Figures::of_rows(engine.rows(&made("metrics"))?);
    let mut out = String::from("# How good the model is\n\n");
    out += "The question it answers: when this customer looks at this article, will they buy it and keep it? \
            Every figure here is about looks that came after everything the model has learned from.\n\n";
    let (headline, range) = verdict(&figures);
    out += format!("**{headline}** {range}").trim_end();
    out += "\n\n";
    let mut charts = BTreeMap::new();
    let drawing = |chart| move |cause| ReportError::Chart { chart, cause };
    let compared = comparison_chart(&figures, &headline, length);
    charts.insert(COMPARISON, comparison::draw(&compared).map_err(drawing(COMPARISON))?);
    out += &format!("{}\n", picture(COMPARISON, &compared.caption.title));
    out += &metrics_section(&figures, engine.rows(&made("lists"))?, length);
    let reliable = reliability_chart(engine.rows(&made("reliability"))?);
    charts.insert(RELIABILITY, reliability::draw(&reliable).map_err(drawing(RELIABILITY))?);
    out += &format!("## Does it promise too much?\n\n{}\n", picture(RELIABILITY, &reliable.caption.title));
    let learned = learning_curve::chart(&engine.rows::<learning_curve::Part>(&made("learning_curve"))?);
    charts.insert(CURVE, curve::draw(&learned).map_err(drawing(CURVE))?);
    out += &format!("## Would more data help?\n\n{}\n", picture(CURVE, &learned.caption.title));
    out += &sides_section(project, engine, engine.rows(&made("sides"))?)?;
    let references =
        if engine.open_if_made(&made("reference"))? { engine.rows(&made("reference"))? } else { Vec::new() };
    let steps = engine.rows(&made("reference_steps"))?;
    out += &cohorts::section(project, engine.rows(&made("by_cohort"))?, &references, &steps);
    out += &technical::section(project, &figures, length)?;
    Ok(Report { markdown: out, charts })
}

/// A row of `evaluation.reliability`.
#[derive(Deserialize)]
struct Bin {
    model: String,
    looks: u64,
    #[serde(default)]
    predicted: f64,
    happened: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// A row of `evaluation.sides`.
#[derive(Deserialize)]
struct Side {
    side: String,
    looks: u64,
    kept_purchases: u64,
}

fn reliability_chart(bins: Vec<Bin>) -> reliability::Chart {
    let point = |bin: Bin| reliability::Bin {
        predicted: bin.predicted,
        observed: Interval::of(bin.happened, bin.low, bin.high),
        n: bin.looks,
    };
    let points: Vec<_> = bins.into_iter().filter(|bin| bin.model == USED.name()).map(point).collect();
    let held = points
        .iter()
        .filter(|bin| bin.observed.is_some_and(|o| o.lower <= bin.predicted && bin.predicted <= o.upper))
        .count();
    let caption = Caption {
        title: format!(
            "In {held} of {} groups of looks, as many led to kept purchases as the model had promised, give or take chance.",
            points.len()
        ),
        subtitle: "Test looks in groups of equal size, from the least to the most promising".into(),
        footnote: "Bars show the range that chance allows (19 times out of 20). On the line: promise kept.".into(),
    };
    reliability::Chart { caption, bins: points }
}

fn sides_section(project: &Project, engine: &Engine, sides: Vec<Side>) -> Result<String> {
    let row = |side: Side| {
        let share = 100.0 * side.kept_purchases as f64 / side.looks.max(1) as f64;
        vec![side.side, count(side.looks), count(side.kept_purchases), format!("{share:.1} in 100")]
    };
    let rows: Vec<Vec<String>> = sides.into_iter().map(row).collect();
    let shop = &project.params.shop;
    let mut out = String::from("## What it learned from\n\n");
    out += &format!(
        "Training comes first in time, then the looks on which penalty and dimensions were chosen, then the test. \
         A look counts only when its outcome was known at the end of its side, {} + {} days after it; younger ones are \
         left out on purpose.\n\n",
        shop.purchase_days.0, shop.return_days.0
    );
    out += &table(&["Side", "Looks#", "Kept purchases#", "Share#"], &rows);
    for fitted in embeddings::fitted_on(project, engine)? {
        out += &match fitted.reduction {
            Some(reduction) => format!(
                "\nThe descriptions in `{}` are reduced to {} numbers each, fitted on the {} distinct texts of the training \
                 side and only then applied to the {} that came later. The numbers keep {:.0} % of the differences \
                 between the training texts; how many of them a model reads was chosen on validation looks.\n",
                fitted.name,
                reduction.dimensions(),
                count(reduction.trained_on() as u64),
                count(fitted.later as u64),
                100.0 * reduction.explained().iter().sum::<f64>(),
            ),
            None => format!(
                "\nThe descriptions in `{}` are not used: too few of them are on the training side.\n",
                fitted.name
            ),
        };
    }
    Ok(out + "\n")
}
