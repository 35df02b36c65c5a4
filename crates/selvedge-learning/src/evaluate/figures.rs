//! The figures of all models over one set of looks, as tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};

use super::{EvaluateError, Looks};
use crate::train::Kind;
use models::bootstrap::{Bootstrap, Interval, Resampled};
use models::metrics::Metric;
use models::outcomes::Outcomes;
use models::reliability::{Bin, reliability};
use selvedge_engine::Table;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::label::{LABEL, SPLIT};

/// The model that is used, which the others are held against; its place in [`Kind::ALL`].
pub const USED: usize = Kind::ALL.len() - 1;
/// Those others, by their place in [`Kind::ALL`].
pub const REFERENCES: std::ops::Range<usize> = 0..USED;

/// One metric of one model (or of the difference of two) with its interval.
#[derive(Debug, Clone)]
pub struct Figure {
    /// A model's name, or `combined - tabular`.
    pub model: String,
    pub metric: &'static str,
    /// None where it is not defined.
    pub interval: Option<Interval>,
}

/// Every metric of every model over `looks` with its interval, and what the used model has more than each other one.
/// Without intervals where the looks are too few.
pub fn judge(project: &Project, looks: &Looks) -> Result<Vec<Figure>> {
    let params = &project.params.evaluate;
    let scores: Vec<&[f64]> = looks.scores.iter().map(Vec::as_slice).collect();
    let drawn = match looks.are_enough(project) {
        false => None,
        true => Some(
            Bootstrap::run(&scores, &looks.labels, &looks.customers, params.draws, params.seed)
                .map_err(EvaluateError::Bootstrap)?,
        ),
    };
    let mut figures = Vec::new();
    for metric in Metric::ALL {
        let mut put = |model: String, of: &dyn Fn(&Bootstrap) -> Option<Interval>| {
            figures.push(Figure { model, metric: metric.name(), interval: drawn.as_ref().and_then(of) });
        };
        for (number, kind) in Kind::ALL.iter().enumerate() {
            put(kind.name().into(), &|drawn| drawn.interval(number, metric));
        }
        for other in REFERENCES {
            put(difference(other), &|drawn| drawn.difference(USED, other, metric));
        }
    }
    Ok(figures)
}

/// What the difference of the used model and another is called in tables.
pub fn difference(other: usize) -> String {
    format!("{} - {}", Kind::ALL[USED].name(), Kind::ALL[other].name())
}

/// `model`, `metric`, `value`, `low`, `high`.
pub fn metrics_table(figures: &[Figure]) -> Result<Table> {
    let column = |of: fn(&Interval) -> f64| -> ArrayRef {
        Arc::new(figures.iter().map(|figure| figure.interval.as_ref().map(of)).collect::<Float64Array>())
    };
    let columns: [(&str, ArrayRef); 5] = [
        ("model", Arc::new(StringArray::from_iter_values(figures.iter().map(|figure| &figure.model)))),
        ("metric", Arc::new(StringArray::from_iter_values(figures.iter().map(|figure| figure.metric)))),
        ("value", column(|interval| interval.value)),
        ("low", column(|interval| interval.low)),
        ("high", column(|interval| interval.high)),
    ];
    Table::of_columns("metrics", &["metric", "model"], columns)
}

/// Each model's bins of equal count, lowest scores first.  No rows where the looks are too few.
pub fn reliability_table(project: &Project, looks: &Looks) -> Result<Table> {
    let mut rows: Vec<(&str, i64, Bin)> = Vec::new();
    for (kind, scores) in Kind::ALL.iter().zip(&looks.scores).filter(|_| looks.are_enough(project)) {
        let bins = reliability(scores, &looks.labels);
        rows.extend(bins.into_iter().zip(1..).map(|(bin, number)| (kind.name(), number, bin)));
    }
    let counts = |of: fn(&Bin) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(&row.2) as i64)))
    };
    let shares = |of: fn(&Bin) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| of(&row.2))))
    };
    let columns: [(&str, ArrayRef); 8] = [
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("bin", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("looks", counts(|bin| bin.rows)),
        ("kept_purchases", counts(|bin| bin.positives)),
        ("predicted", shares(|bin| bin.score)),
        ("happened", shares(|bin| bin.share)),
        ("low", shares(|bin| bin.low)),
        ("high", shares(|bin| bin.high)),
    ];
    Table::of_columns("reliability", &["model", "bin"], columns)
}

/// What each model promised over all looks: `looks`, kept purchases `expected` (the sum of its probabilities) and `came`,
/// and how many more were expected than came, as `surplus`, `low`, `high`: customers drawn again and again.  No rows
/// where the looks are too few.
pub fn promise_table(project: &Project, looks: &Looks) -> Result<Table> {
    let params = &project.params.evaluate;
    let fitted = |scores: &[f64]| scores.iter().all(|score| score.is_finite());
    let mut rows: Vec<(&str, f64, Interval)> = Vec::new();
    for (kind, scores) in Kind::ALL.iter().zip(&looks.scores) {
        if !looks.are_enough(project) || !fitted(scores) {
            continue;
        }
        let surplus = |times: &dyn Fn(usize) -> u32| -> f64 {
            let looks = scores.iter().zip(&looks.labels).enumerate();
            looks.map(|(row, (score, kept))| f64::from(times(row)) * (score - f64::from(u8::from(*kept)))).sum()
        };
        let drawn = Resampled::run(&looks.customers, params.draws, params.seed, surplus);
        let interval = drawn.map_err(EvaluateError::Bootstrap)?.interval(|surplus| Some(*surplus));
        rows.extend(interval.map(|interval| (kind.name(), scores.iter().sum(), interval)));
    }
    let count = |number: usize| -> ArrayRef { Arc::new(Int64Array::from(vec![number as i64; rows.len()])) };
    let numbers = |of: fn(&(&str, f64, Interval)) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(of)))
    };
    let columns: [(&str, ArrayRef); 7] = [
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("looks", count(looks.labels.len())),
        ("expected", numbers(|row| row.1)),
        ("came", count(Outcomes::of(&looks.labels).kept)),
        ("surplus", numbers(|row| row.2.value)),
        ("low", numbers(|row| row.2.low)),
        ("high", numbers(|row| row.2.high)),
    ];
    Table::of_columns("promise", &["model"], columns)
}

/// How many looks are on each side of the split, and how many of them led to a kept purchase.
pub fn sides_table(frame: &RecordBatch) -> Result<Table> {
    let missing = |column, wanted| EvaluateError::NoColumn { table: "sql/labels", column, wanted };
    let split = frame.column_by_name(SPLIT).and_then(|column| column.as_string_opt::<i32>());
    let label = frame.column_by_name(LABEL).and_then(|column| column.as_boolean_opt());
    let split = split.ok_or(missing(SPLIT, "a text"))?;
    let label = label.ok_or(missing(LABEL, "true or false"))?;
    let mut sides = BTreeMap::<&str, (i64, i64)>::new();
    for (side, label) in split.iter().zip(label) {
        let side = sides.entry(side.unwrap_or_default()).or_default();
        side.0 += 1;
        side.1 += i64::from(label.unwrap_or(false));
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("side", Arc::new(StringArray::from_iter_values(sides.keys()))),
        ("looks", Arc::new(Int64Array::from_iter_values(sides.values().map(|side| side.0)))),
        ("kept_purchases", Arc::new(Int64Array::from_iter_values(sides.values().map(|side| side.1)))),
    ];
    Table::of_columns("sides", &["side"], columns)
}
