//! The models judged on each group of looks that `sql/evaluation/cohorts.sql` names.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};

use super::figures::{Figure, judge};
use super::{EvaluateError, Looks};
use crate::train::Kind;
use selvedge_engine::{Engine, Table};
use selvedge_features::features::View;
use selvedge_features::frame;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::TableName;

const FILE: &str = "cohorts";

/// One group, judged.
struct Group {
    cohort: String,
    place: i64,
    members: String,
    looks: i64,
    kept: i64,
    /// How many kept purchases each model expected, in the order of [`Kind::ALL`]; none where it could not be fitted.
    expected: Vec<Option<f64>>,
    /// Empty while there are too few outcomes.
    figures: Vec<Figure>,
}

/// A row for each group, model (or difference) and metric.  Where a group is too small to judge a model by, its
/// figures are missing and its counts are there.
pub fn judged(project: &Project, engine: &Engine, predictions: &Table) -> Result<Table> {
    let cohorts = engine.read(&TableName::new("evaluation", FILE))?;
    let shown = "sql/evaluation/cohorts.sql";
    let mut key: Vec<String> = ["cohort", "place", "members"].map(str::to_owned).into();
    key.extend(predictions.key.iter().cloned());
    let predictions = View { name: "predictions".into(), table: predictions.clone() };
    let rows = frame::attach(Table::new(cohorts, &key, shown)?, &[predictions], shown)?.batch;
    let mut table = Vec::new();
    for range in groups(&rows)? {
        table.push(group(project, &rows, range)?);
    }
    written(&table)
}

fn text(rows: &RecordBatch, column: &'static str) -> Result<StringArray> {
    let found = rows.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
    Ok(found.ok_or(EvaluateError::NoColumn { table: FILE, column, wanted: "a text" })?.clone())
}

fn places(rows: &RecordBatch) -> Result<Vec<i64>> {
    let missing = EvaluateError::NoColumn { table: FILE, column: "place", wanted: "a whole number" };
    let found = rows.column_by_name("place").and_then(|column| cast(column, &DataType::Int64).ok());
    Ok(found.ok_or(missing)?.as_primitive::<Int64Type>().values().to_vec())
}

/// The stretches of rows of one group; rows of a group stand together.
fn groups(rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
    let (cohort, place, members) = (text(rows, "cohort")?, places(rows)?, text(rows, "members")?);
    let same = |a: usize, b: usize| {
        cohort.value(a) == cohort.value(b) && place[a] == place[b] && members.value(a) == members.value(b)
    };
    let mut groups: Vec<Range<usize>> = Vec::new();
    for row in 0..rows.num_rows() {
        match groups.last_mut() {
            Some(group) if same(group.start, row) => group.end = row + 1,
            _ => groups.push(row..row + 1),
        }
    }
    Ok(groups)
}

fn group(project: &Project, rows: &RecordBatch, range: Range<usize>) -> Result<Group> {
    let looks = Looks::of(&rows.slice(range.start, range.len()))?;
    let expected = |scores: &Vec<f64>| Some(scores.iter().sum::<f64>()).filter(|sum| sum.is_finite());
    let figures = match looks.are_enough(project) {
        true => judge(project, &looks)?,
        false => Vec::new(),
    };
    Ok(Group {
        cohort: text(rows, "cohort")?.value(range.start).to_owned(),
        place: places(rows)?[range.start],
        members: text(rows, "members")?.value(range.start).to_owned(),
        looks: looks.labels.len() as i64,
        kept: looks.labels.iter().filter(|label| **label).count() as i64,
        expected: looks.scores.iter().map(expected).collect(),
        figures,
    })
}

fn written(groups: &[Group]) -> Result<Table> {
    // A group without figures has one row for each model, so that what was expected is there.
    let none = |kind: &Kind| Figure { model: kind.name().into(), metric: "auc", interval: None };
    let figures = |group: &Group| match group.figures.is_empty() {
        true => Kind::ALL.iter().map(none).collect(),
        false => group.figures.clone(),
    };
    let rows: Vec<(&Group, Figure)> =
        groups.iter().flat_map(|group| figures(group).into_iter().map(move |figure| (group, figure))).collect();
    let expected = |(group, figure): &(&Group, Figure)| {
        let number = Kind::ALL.iter().position(|kind| kind.name() == figure.model)?;
        group.expected.get(number).copied().flatten()
    };
    let texts = |of: fn(&(&Group, Figure)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let counts = |of: fn(&Group) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(group, _)| of(group))))
    };
    let numbers = |of: fn(&Figure) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, figure)| of(figure)).collect::<Float64Array>())
    };
    let enough: BooleanArray = rows.iter().map(|(group, _)| Some(!group.figures.is_empty())).collect();
    let columns: [(&str, ArrayRef); 12] = [
        ("cohort", texts(|(group, _)| group.cohort.clone())),
        ("place", counts(|group| group.place)),
        ("members", texts(|(group, _)| group.members.clone())),
        ("model", texts(|(_, figure)| figure.model.clone())),
        ("metric", texts(|(_, figure)| figure.metric.to_owned())),
        ("looks", counts(|group| group.looks)),
        ("kept_purchases", counts(|group| group.kept)),
        ("enough", Arc::new(enough)),
        ("expected", Arc::new(rows.iter().map(expected).collect::<Float64Array>())),
        ("value", numbers(|figure| Some(figure.interval?.value))),
        ("low", numbers(|figure| Some(figure.interval?.low))),
        ("high", numbers(|figure| Some(figure.interval?.high))),
    ];
    Table::of_columns("by_cohort", &["cohort", "place", "members", "metric", "model"], columns)
}
