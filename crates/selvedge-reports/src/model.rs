//! `reports/model.md`: how good the models are, in words first.

mod cohorts;
mod figures;
mod learning_curve;
mod promise;
mod technical;

use std::collections::BTreeMap;

use charts::Picture;
use serde::Deserialize;

use self::figures::{Figures, USED, comparison_chart, metrics_section, verdict};
use super::markdown::{picture, table};
use super::{Report, ReportError};
use models::outcomes::Outcomes;
use selvedge_engine::Engine;
use selvedge_features::embeddings;
use selvedge_learning::train::{self, Fitted};
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;
use selvedge_project::sql::label::{TEST, TRAIN, VALIDATION};

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
    let used = train::load(project, USED)?;
    let early = too_early(project, &used, &sides);
    let without = used.model.as_ref().is_some_and(|model| model.dimensions() == 0);
    let (headline, range) = verdict(&figures, early.as_deref(), without);
    out += format!("**{headline}** {range}").trim_end();
    out += "\n\n";
    let mut charts = BTreeMap::new();
    let drawing = |chart| move |cause| ReportError::Chart { chart, cause };
    let compared = comparison_chart(&figures, &headline, length);
    charts.insert(COMPARISON.into(), compared.png().map_err(drawing(COMPARISON))?);
    out += &format!("{}\n", picture(COMPARISON, &compared.caption.title));
    out += &metrics_section(project, &figures, engine.rows(&made("lists"))?, early.as_deref());
    let reliable = promise::chart(engine.rows(&made("reliability"))?, engine.rows(&made("promise"))?, early.as_deref());
    charts.insert(RELIABILITY.into(), reliable.png().map_err(drawing(RELIABILITY))?);
    out += &format!("## Does it promise too much?\n\n{}\n", picture(RELIABILITY, &reliable.caption.title));
    let learned =
        learning_curve::chart(&engine.rows::<learning_curve::Part>(&made("learning_curve"))?, early.as_deref());
    charts.insert(CURVE.into(), learned.png().map_err(drawing(CURVE))?);
    out += &format!("## Would more data help?\n\n{}\n", picture(CURVE, &learned.caption.title));
    out += &sides_section(project, engine, sides, &used)?;
    let references =
        if engine.open_if_made(&made("reference"))? { engine.rows(&made("reference"))? } else { Vec::new() };
    let steps = engine.rows(&made("reference_steps"))?;
    out += &cohorts::section(project, engine.rows(&made("by_cohort"))?, &references, &steps);
    out += &technical::section(project, &figures, length)?;
    Ok(Report { markdown: out, charts })
}

/// A row of `evaluation.sides`.
#[derive(Deserialize)]
struct Side {
    side: String,
    looks: u64,
    kept_purchases: u64,
}

/// Why nothing can be said of the used model yet: it is not fitted, or the test looks are too few.
fn too_early(project: &Project, used: &Fitted, sides: &[Side]) -> Option<String> {
    if let Some(why) = &used.too_early {
        return Some(format!("there is no model yet: {why}"));
    }
    let test = sides.iter().find(|side| side.side == TEST);
    let (looks, kept) = test.map_or((0, 0), |side| (side.looks, side.kept_purchases));
    let outcomes = Outcomes { kept: kept as usize, not: looks.saturating_sub(kept) as usize };
    let missing = outcomes.missing(project.params.evaluate.enough)?;
    Some(format!(
        "of {} {kept} led to a kept purchase; {missing} are missing",
        counted(looks, "test look", "test looks")
    ))
}

/// In the order of time; what is left out comes last.
fn sides_section(project: &Project, engine: &Engine, mut sides: Vec<Side>, used: &Fitted) -> Result<String> {
    let all = sides.iter().find(|side| side.side == TRAIN).map_or(0, |side| side.looks);
    let learned = used.model.as_ref().map_or(all, |model| model.trained_on().0 as u64);
    let place = |side: &Side| [TRAIN, VALIDATION, TEST].iter().position(|name| *name == side.side).unwrap_or(3);
    sides.sort_by_key(place);
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
    if learned < all {
        out += &format!(
            "\nOf the training looks it learned from {}, those of customers drawn by lot; `train.most_rows` in params.yaml says about how many.\n",
            count(learned)
        );
    }
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
