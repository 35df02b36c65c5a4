//! What the ML team asks: what was tried, what a model is made from, how it differs from the others.

use super::figures::{Figures, lines, signed};
use crate::markdown::{details, table};
use selvedge_learning::train::{self, Kind};
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;

pub fn section(project: &Project, figures: &Figures, length: usize) -> Result<String> {
    let mut body = differences(figures, length);
    for kind in Kind::ALL {
        let fitted = train::load(project, kind)?;
        let Some(model) = &fitted.model else {
            body +=
                &format!("**{}**: too early: {}.\n\n", kind.name(), fitted.too_early.as_deref().unwrap_or_default());
            continue;
        };
        let (rows, positives) = model.trained_on();
        let dimensions = match model.dimensions() {
            0 => String::new(),
            dimensions => format!(", {dimensions} dimensions of each description"),
        };
        body += &format!(
            "**{}**: {}{dimensions}, L2 penalty {}, fitted on {} ({} with a kept purchase), columns `{}`, made from data \
             `{}`, features `{}`, code `{}`.\n\n",
            kind.name(),
            counted(model.terms().len() as u64, "term", "terms"),
            model.alpha(),
            counted(rows as u64, "look", "looks"),
            count(positives as u64),
            model.fingerprint(),
            fitted.made_from.data,
            fitted.made_from.features,
            fitted.made_from.code,
        );
        body += &format!("{}\n", tried(&fitted.tried));
        let mut terms: Vec<_> = model.terms().iter().collect();
        terms.sort_by(|a, b| b.coefficient.abs().total_cmp(&a.coefficient.abs()).then(a.name.cmp(&b.name)));
        let strongest: Vec<Vec<String>> =
            terms.iter().take(15).map(|term| vec![term.name.clone(), format!("{:+.4}", term.coefficient)]).collect();
        body +=
            &format!("{}\n", table(&["Strongest terms", "Coefficient (log-odds per standard deviation)#"], &strongest));
    }
    body += "Intervals: 95 %, paired bootstrap over customers, seeded (`evaluate` in params.yaml).\n";
    Ok(details("For the ML team: differences, penalties, terms, methods", &body))
}

/// What the used model has more than each other one.
fn differences(figures: &Figures, length: usize) -> String {
    let others = Kind::others();
    let rows: Vec<Vec<String>> = lines(length)
        .iter()
        .map(|line| {
            let mut cells = vec![line.words.clone()];
            cells.extend(others.iter().map(|other| signed(figures.more_than(*other, line.metric))));
            cells
        })
        .collect();
    let names: Vec<String> = others.iter().map(|other| format!("than {}#", other.words())).collect();
    let headings: Vec<&str> =
        std::iter::once("What the combined model has more …").chain(names.iter().map(String::as_str)).collect();
    format!("{}\n", table(&headings, &rows))
}

/// Log loss on validation looks: a line for each penalty, a column for each number of dimensions.
fn tried(tried: &[train::Tried]) -> String {
    let mut dimensions: Vec<usize> = tried.iter().map(|tried| tried.dimensions).collect();
    dimensions.dedup();
    let mut alphas: Vec<f64> = Vec::new();
    for one in tried {
        if !alphas.contains(&one.alpha) {
            alphas.push(one.alpha);
        }
    }
    let cell = |alpha: f64, dimensions: usize| {
        let found = tried.iter().find(|tried| tried.alpha == alpha && tried.dimensions == dimensions);
        found.map_or(String::new(), |tried| format!("{:.5}", tried.log_loss))
    };
    let row = |alpha: &f64| {
        let mut cells = vec![format!("{alpha}")];
        cells.extend(dimensions.iter().map(|dimensions| cell(*alpha, *dimensions)));
        cells
    };
    let rows: Vec<Vec<String>> = alphas.iter().map(row).collect();
    let name = |dimensions: &usize| match dimensions {
        0 => "Log loss on validation looks#".to_owned(),
        dimensions => format!("… with {dimensions} dimensions#"),
    };
    let names: Vec<String> = dimensions.iter().map(name).collect();
    let mut headings = vec!["Penalty tried#"];
    headings.extend(names.iter().map(String::as_str));
    table(&headings, &rows)
}
