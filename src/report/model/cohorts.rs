//! The used model on groups of looks: by what the customer and the article had behind them, and by who the customer is.

use serde::Deserialize;

use super::figures::{USED, signed};
use crate::error::Result;
use crate::model::metrics::Metric;
use crate::project::Project;
use crate::report::chart::Interval;
use crate::report::markdown::{count, table};
use crate::report::rows::Rows;
use crate::train::Kind;

/// The group that is not about known outcomes; it has a section of its own.
const WITHOUT_WAITING: &str = "counted without waiting";

/// The rows of `evaluation.by_cohort`.
struct Cohorts {
    cohort: Vec<String>,
    members: Vec<String>,
    model: Vec<String>,
    metric: Vec<String>,
    looks: Vec<u64>,
    kept: Vec<u64>,
    expected: Vec<Option<f64>>,
    intervals: Vec<Option<Interval>>,
}

impl Cohorts {
    fn read(rows: &Rows) -> Result<Self> {
        let (values, lows, highs) = (rows.numbers("value")?, rows.numbers("low")?, rows.numbers("high")?);
        let interval = |row: usize| match (values[row], lows[row], highs[row]) {
            (Some(value), Some(lower), Some(upper)) => Some(Interval { value, lower, upper }),
            _ => None,
        };
        Ok(Self {
            cohort: rows.texts("cohort")?,
            members: rows.texts("members")?,
            model: rows.texts("model")?,
            metric: rows.texts("metric")?,
            looks: rows.counts("looks")?,
            kept: rows.counts("kept_purchases")?,
            expected: rows.numbers("expected")?,
            intervals: (0..rows.len()).map(interval).collect(),
        })
    }

    /// The row of one model and metric in each group, in the groups' order.
    fn of(&self, model: &str, metric: Metric) -> Vec<usize> {
        let wanted = |row: &usize| self.model[*row] == model && self.metric[*row] == metric.name();
        (0..self.cohort.len()).filter(wanted).collect()
    }

    fn interval(&self, like: usize, model: &str, metric: Metric) -> Option<Interval> {
        let same = |row: &usize| self.cohort[*row] == self.cohort[like] && self.members[*row] == self.members[like];
        self.of(model, metric).into_iter().find(same).and_then(|row| self.intervals[row])
    }
}

/// Another tool's figures, counted without waiting.
#[derive(Debug, Deserialize)]
pub struct Reference {
    name: String,
    auc: f64,
    average_precision: f64,
}

/// The section, from `evaluation.by_cohort` and the tools to be held against.
pub fn section(project: &Project, rows: &Rows, references: &[Reference]) -> Result<String> {
    let cohorts = Cohorts::read(rows)?;
    let enough = project.params.evaluate.enough as u64;
    let mut out = String::from("## By group\n\n");
    out += &format!(
        "Right order: of 100 pairs of looks within the group, so many are in the right order. Where a group has fewer than \
         {enough} kept purchases it is too early to say; how many are missing is written there.\n\n"
    );
    let mut groups: Vec<Vec<String>> = Vec::new();
    for row in cohorts.of(USED.name(), Metric::Auc) {
        if cohorts.cohort[row] == WITHOUT_WAITING {
            continue;
        }
        let kept = cohorts.kept[row];
        let order = match cohorts.intervals[row] {
            Some(auc) => {
                format!("{:.0} ({:.0} to {:.0})", 100.0 * auc.value, 100.0 * auc.lower, 100.0 * auc.upper)
            }
            None => match enough.checked_sub(kept).filter(|missing| *missing > 0) {
                Some(missing) => format!("too early, {missing} missing"),
                None => "too early".to_owned(),
            },
        };
        let difference = cohorts.interval(row, &format!("{} - {}", USED.name(), Kind::Tabular.name()), Metric::Auc);
        let difference = difference.map_or(String::new(), |more| {
            format!("{:+.0} ({:+.0} to {:+.0})", 100.0 * more.value, 100.0 * more.lower, 100.0 * more.upper)
        });
        groups.push(vec![
            cohorts.cohort[row].clone(),
            cohorts.members[row].clone(),
            count(cohorts.looks[row]),
            count(kept),
            cohorts.expected[row].map_or(String::new(), |expected| format!("{expected:.0}")),
            order,
            difference,
        ]);
    }
    let headings =
        ["Group", "", "Test looks#", "Kept purchases#", "The model expected#", "Right order#", "Descriptions add#"];
    out += &format!("{}\n", table(&headings, &groups));
    Ok(out + &without_waiting(&cohorts, references))
}

/// The same models counted as tools do that do not wait for outcomes, so that their figures can be held side by side.
fn without_waiting(cohorts: &Cohorts, references: &[Reference]) -> String {
    let metrics = [Metric::Auc, Metric::AveragePrecision, Metric::LogLoss];
    let of_group = |row: &usize| cohorts.cohort[*row] == WITHOUT_WAITING;
    let Some(row) = cohorts.of(USED.name(), Metric::Auc).into_iter().find(of_group) else { return String::new() };
    let cells = |kind: Kind| -> Vec<String> {
        let figure = |metric| cohorts.interval(row, kind.name(), metric);
        let mut cells = vec![super::figures::model_words(kind).to_owned()];
        cells.extend(metrics.map(|metric| super::figures::shown(figure(metric))));
        cells
    };
    let mut rows: Vec<Vec<String>> = Kind::ALL.into_iter().map(cells).collect();
    let name = format!("{} - {}", USED.name(), Kind::Tabular.name());
    let mut last = vec!["what the descriptions add".to_owned()];
    last.extend(metrics.map(|metric| signed(cohorts.interval(row, &name, metric))));
    rows.push(last);
    let figure = |figure: f64| format!("{figure:.4}");
    let other = |tool: &Reference| vec![tool.name.clone(), figure(tool.auc), figure(tool.average_precision), "".into()];
    rows.extend(references.iter().map(other));
    let used = |metric| cohorts.interval(row, USED.name(), metric);
    let against = |found: Option<Interval>, other: f64| match found {
        None => "too early to say".to_owned(),
        Some(found) => {
            let words = match () {
                () if found.lower > other => "better",
                () if found.upper < other => "worse",
                () => "no clear difference, because chance alone makes as much",
            };
            format!("{:.4} against {other:.4}, {words}", found.value)
        }
    };
    let verdicts = references.iter().map(|tool| {
        format!(
            "Held against {}: right order {}; at the top {}. Its figures are its own: by its own rule of what counts as \
             kept, and after learning from every look up to the test. The model here learned only from looks whose \
             outcome was known when validation began, so it had fewer to learn from and nothing that came later.\n\n",
            tool.name,
            against(used(Metric::Auc), tool.auc),
            against(used(Metric::AveragePrecision), tool.average_precision),
        )
    });
    let verdicts: String = verdicts.collect();
    format!(
        "## Held against tools that do not wait\n\nMany tools judge a model on every look since testing began and take an \
         outcome that is still open for a no (or for a yes, before the parcel can come back). Counted that way, over {} looks, \
         the same models have these figures. Use them only to compare with such a tool.\n\n{verdicts}{}\n",
        count(cohorts.looks[row]),
        table(&["", "Right order (AUC)#", "At the top (AP)#", "Surprise (log loss)#"], &rows)
    )
}
