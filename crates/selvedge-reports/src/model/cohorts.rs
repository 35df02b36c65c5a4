//! The used model on groups of looks: by what the customer and the article had behind them, and by who the customer is.

use charts::Interval;
use serde::Deserialize;

use super::figures::{USED, signed};
use crate::markdown::table;
use models::metrics::Metric;
use models::outcomes::Outcomes;
use selvedge_learning::train::Kind;
use selvedge_project::numbers::count;
use selvedge_project::project::Project;

/// The group that is not about known outcomes; it has a section of its own.
const WITHOUT_WAITING: &str = "counted without waiting";

/// The cohort that sets new articles against known ones.
const BY_AGE: &str = "new articles against known";

/// A row of `evaluation.by_cohort`.
#[derive(Deserialize)]
pub struct Row {
    cohort: String,
    members: String,
    model: String,
    metric: String,
    looks: u64,
    kept_purchases: u64,
    expected: Option<f64>,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

impl Row {
    fn interval(&self) -> Option<Interval> {
        Interval::of(self.value, self.low, self.high)
    }
}

struct Cohorts(Vec<Row>);

impl Cohorts {
    /// The row of one model and metric in each group, in the groups' order.
    fn of(&self, model: &str, metric: Metric) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| row.model == model && row.metric == metric.name())
    }

    fn interval(&self, like: &Row, model: &str, metric: Metric) -> Option<Interval> {
        let same = |row: &&Row| row.cohort == like.cohort && row.members == like.members;
        self.of(model, metric).find(same).and_then(Row::interval)
    }
}

/// Another tool's figures, counted without waiting.
#[derive(Debug, Deserialize)]
pub struct Reference {
    name: String,
    auc: f64,
    average_precision: f64,
}

/// A row of `evaluation.reference_steps`.
#[derive(Debug, Deserialize)]
pub struct Step {
    rule: String,
    fitted_on: u64,
    looks: u64,
    kept_purchases: u64,
    auc: Option<f64>,
    auc_low: Option<f64>,
    auc_high: Option<f64>,
    average_precision: Option<f64>,
    average_precision_low: Option<f64>,
    average_precision_high: Option<f64>,
}

impl Step {
    fn auc(&self) -> Option<Interval> {
        Interval::of(self.auc, self.auc_low, self.auc_high)
    }

    fn average_precision(&self) -> Option<Interval> {
        Interval::of(self.average_precision, self.average_precision_low, self.average_precision_high)
    }
}

/// The section, from `evaluation.by_cohort` and the tools to be held against.
pub fn section(project: &Project, rows: Vec<Row>, references: &[Reference], steps: &[Step]) -> String {
    let cohorts = Cohorts(rows);
    let enough = project.params.evaluate.enough;
    let mut out = String::from("## By group\n\n");
    out += &format!(
        "Right order: of 100 pairs of looks within the group, so many are in the right order. Where a group has fewer than \
         {enough} kept purchases, or looks without one, it is too early to say; how many are missing is written there.\n\n"
    );
    let mut groups: Vec<Vec<String>> = Vec::new();
    for row in cohorts.of(USED.name(), Metric::Auc) {
        if row.cohort == WITHOUT_WAITING {
            continue;
        }
        let kept = row.kept_purchases;
        let order = match row.interval() {
            Some(auc) => {
                format!("{:.0} ({:.0} to {:.0})", 100.0 * auc.value, 100.0 * auc.lower, 100.0 * auc.upper)
            }
            None => {
                let outcomes = Outcomes { kept: kept as usize, not: row.looks.saturating_sub(kept) as usize };
                let missing = outcomes.missing(enough).map(|missing| format!("{missing} missing"));
                format!("too early, {}", missing.as_deref().unwrap_or("no model yet"))
            }
        };
        let difference = cohorts.interval(row, &format!("{} - {}", USED.name(), Kind::Tabular.name()), Metric::Auc);
        let difference = difference.map_or(String::new(), |more| {
            format!("{:+.0} ({:+.0} to {:+.0})", 100.0 * more.value, 100.0 * more.lower, 100.0 * more.upper)
        });
        groups.push(vec![
            row.cohort.clone(),
            row.members.clone(),
            count(row.looks),
            count(kept),
            row.expected.map_or(String::new(), |expected| format!("{expected:.0}")),
            order,
            difference,
        ]);
    }
    let headings =
        ["Group", "", "Test looks#", "Kept purchases#", "The model expected#", "Right order#", "Descriptions add#"];
    out += &format!("{}\n", table(&headings, &groups));
    let of = |members: &str| cohorts.0.iter().any(|row| row.cohort == BY_AGE && row.members.starts_with(members));
    if of("known") && !of("new") {
        out += "No test look was at an article that was new as in the lists, so how well new ones are judged is not known.\n\n";
    }
    out + &without_waiting(&cohorts, references, steps)
}

/// The same models counted as tools do that do not wait for outcomes, so that their figures can be held side by side.
fn without_waiting(cohorts: &Cohorts, references: &[Reference], steps: &[Step]) -> String {
    let metrics = [Metric::Auc, Metric::AveragePrecision, Metric::LogLoss];
    let of_group = |row: &&Row| row.cohort == WITHOUT_WAITING;
    let Some(row) = cohorts.of(USED.name(), Metric::Auc).find(of_group) else { return String::new() };
    let cells = |kind: Kind| -> Vec<String> {
        let figure = |metric| cohorts.interval(row, kind.name(), metric);
        let mut cells = vec![kind.words().to_owned()];
        cells.extend(metrics.map(|metric| super::figures::shown(figure(metric))));
        cells
    };
    let mut rows: Vec<Vec<String>> = Kind::ALL.into_iter().map(cells).collect();
    let name = format!("{} - {}", USED.name(), Kind::Tabular.name());
    let mut last = vec!["what the descriptions add".to_owned()];
    last.extend(metrics.map(|metric| signed(cohorts.interval(row, &name, metric))));
    rows.push(last);
    let compared: String = references.iter().map(|tool| held_against(tool, steps)).collect();
    format!(
        "## Held against tools that do not wait\n\nMany tools judge a model on every look since testing began and take an \
         outcome that is still open for a no (or for a yes, before the parcel can come back). Counted that way, over {} looks, \
         the same models have these figures. Use them only to compare with such a tool.\n\n{}\n{compared}",
        count(row.looks),
        table(&["", "Right order (AUC)#", "At the top (AP)#", "Surprise (log loss)#"], &rows)
    )
}

/// The used model taken to a tool's rules, one by one, beside what the tool says of itself.
fn held_against(tool: &Reference, steps: &[Step]) -> String {
    let against = |found: Option<Interval>, other: f64| match found {
        None => "too early to say".to_owned(),
        Some(found) => {
            let words = match () {
                () if found.lower > other => ", better",
                () if found.upper < other => ", worse",
                () => "",
            };
            format!("{:.4} against {other:.4}{words}", found.value)
        }
    };
    let verdict = |step: &Step| {
        let (auc, top) = (against(step.auc(), tool.auc), against(step.average_precision(), tool.average_precision));
        format!("right order {auc}; at the top {top}")
    };
    let mut out = format!("### Held against {}, by its rules\n\n", tool.name);
    if let [first, .., last] = steps {
        let ahead = |found: Option<Interval>, other: f64| found.is_some_and(|found| found.lower > other);
        let behind = |found: Option<Interval>, other: f64| found.is_some_and(|found| found.upper < other);
        let pairs = [(last.auc(), tool.auc), (last.average_precision(), tool.average_precision)];
        let headline = match () {
            () if pairs.iter().any(|(found, other)| behind(*found, *other)) => "By its own rules it is ahead.",
            () if pairs.iter().any(|(found, other)| ahead(*found, *other)) => "By its own rules it is beaten.",
            () => "By its own rules neither is ahead: the difference is within chance.",
        };
        out += &format!(
            "**{headline}** The model here, by all of its rules: {}. By the rules above: {}. Where neither \
             “better” nor “worse” is said, chance alone makes as much of a difference.\n\nThe rules differ in what is learned from \
             and in what is counted. The model here learned from {} looks, whose outcomes were known when validation began; \
             by that tool's rules it learns from {}, and some of their outcomes came in only after testing had begun. Each \
             line below takes one more rule from it; what is left in the last line are the features and the way to fit.\n\n",
            verdict(last),
            verdict(first),
            count(first.fitted_on),
            count(last.fitted_on),
        );
    }
    let row = |step: &Step| {
        vec![
            step.rule.clone(),
            count(step.fitted_on),
            count(step.looks),
            count(step.kept_purchases),
            super::figures::shown(step.auc()),
            super::figures::shown(step.average_precision()),
        ]
    };
    let mut rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let (auc, top) = (format!("{:.4}", tool.auc), format!("{:.4}", tool.average_precision));
    rows.push(vec![tool.name.clone(), String::new(), String::new(), String::new(), auc, top]);
    let headings = [
        "One rule after the other",
        "Learned from#",
        "Judged on#",
        "Kept purchases#",
        "Right order (AUC)#",
        "At the top (AP)#",
    ];
    format!("{out}{}\n", table(&headings, &rows))
}
