//! `reports/model.md`: how good the models are, in words first.

mod cohorts;
mod figures;
mod learning_curve;
mod technical;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::figures::{Figures, USED, comparison_chart, metrics_section, verdict};
use super::chart::{Caption, Interval, comparison, curve, reliability};
use super::markdown::{count, counted, picture, table};
use super::{Report, ReportError};
use crate::embeddings;
use crate::engine::Engine;
use crate::error::Result;
use crate::frame::TEST;
use crate::model::split::{TRAIN, VALIDATION};
use crate::project::Project;
use crate::sql::TableName;
use crate::train::{self, Fitted};

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
    let sides: Vec<Side> = engine.rows(&made("sides"))?;
    let fitted = train::load(project, USED)?;
    let missing = missing(&fitted, &sides, project.params.evaluate.enough as u64);
    let described = fitted.model.as_ref().is_none_or(|model| model.dimensions() > 0);
    let (headline, range) = verdict(&figures, missing.as_deref(), described);
    out += format!("**{headline}** {range}").trim_end();
    out += "\n\n";
    let mut charts = BTreeMap::new();
    let drawing = |chart| move |cause| ReportError::Chart { chart, cause };
    let compared = comparison_chart(&figures, &headline, length);
    charts.insert(COMPARISON, comparison::draw(&compared).map_err(drawing(COMPARISON))?);
    out += &format!("{}\n", picture(COMPARISON, &compared.caption.title));
    out += &metrics_section(&figures, missing.as_deref(), engine.rows(&made("lists"))?, length);
    let promises: Vec<Promise> = engine.rows(&made("promise"))?;
    let reliable = reliability_chart(engine.rows(&made("reliability"))?, &promises, missing.as_deref());
    charts.insert(RELIABILITY, reliability::draw(&reliable).map_err(drawing(RELIABILITY))?);
    out += &format!("## Does it promise too much?\n\n{}\n", picture(RELIABILITY, &reliable.caption.title));
    let learned = learning_curve::chart(&engine.rows::<learning_curve::Part>(&made("learning_curve"))?);
    charts.insert(CURVE, curve::draw(&learned).map_err(drawing(CURVE))?);
    out += &format!("## Would more data help?\n\n{}\n", picture(CURVE, &learned.caption.title));
    out += &sides_section(project, engine, sides)?;
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

/// A row of `evaluation.promise`.
#[derive(Deserialize)]
struct Promise {
    model: String,
    promised: Option<f64>,
    came: Option<f64>,
    give: Option<f64>,
}

/// What there is not enough of to say how good the model is.
fn missing(fitted: &Fitted, sides: &[Side], enough: u64) -> Option<String> {
    if let Some(why) = &fitted.too_early {
        return Some(format!("there is no model yet, because {why}"));
    }
    let test = sides.iter().find(|side| side.side == TEST);
    let (looks, kept) = test.map_or((0, 0), |side| (side.looks, side.kept_purchases));
    let others = looks - kept;
    (kept.min(others) < enough).then(|| {
        format!(
            "the test looks hold {} and {} without one; {enough} of each are needed",
            counted(kept, "kept purchase", "kept purchases"),
            counted(others, "look", "looks")
        )
    })
}

/// Whether as many kept purchases came as the model had promised.
fn promise_kept(promises: &[Promise], missing: Option<&str>) -> String {
    let used = promises.iter().find(|promise| promise.model == USED.name());
    let known = used.filter(|_| missing.is_none()).and_then(|used| Some((used.promised?, used.came?, used.give?)));
    let Some((promised, came, give)) = known else {
        let missing = missing.unwrap_or("there is no model yet");
        return format!("Too early to say whether the model promises too much: {missing}.");
    };
    let off = promised - came;
    let verdict = match off.abs() > give {
        true if off > 0.0 => "It promises too much",
        true => "It promises too little",
        false => "No sign that it promises too much or too little",
    };
    let chance = format!("chance alone takes them up to {give:.0} apart");
    format!("{verdict}: {promised:.0} kept purchases promised on all test looks, {came:.0} came; {chance}.")
}

fn reliability_chart(bins: Vec<Bin>, promises: &[Promise], missing: Option<&str>) -> reliability::Chart {
    let point = |bin: Bin| reliability::Bin {
        predicted: bin.predicted,
        observed: Interval::of(bin.happened, bin.low, bin.high),
        n: bin.looks,
    };
    let points: Vec<_> = bins.into_iter().filter(|bin| bin.model == USED.name()).map(point).collect();
    let caption = Caption {
        title: promise_kept(promises, missing),
        subtitle: "Test looks in groups of equal size, from the least to the most promising".into(),
        footnote: "Bars show the range that chance allows (19 times out of 20). On the line: promise kept. \
                   In words: the group that is furthest off."
            .into(),
    };
    reliability::Chart { caption, bins: points }
}

fn sides_section(project: &Project, engine: &Engine, sides: Vec<Side>) -> Result<String> {
    let row = |side: Side| {
        let share = 100.0 * side.kept_purchases as f64 / side.looks.max(1) as f64;
        vec![side.side, count(side.looks), count(side.kept_purchases), format!("{share:.1} in 100")]
    };
    // In their order in time, then what was left out.
    let mut sides = sides;
    sides.sort_by_key(|side| [TRAIN, VALIDATION, TEST].iter().position(|name| *name == side.side).unwrap_or(3));
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
