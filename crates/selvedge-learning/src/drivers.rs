//! What drives the score, in the shop's own words (`shop.drivers`); overall, by group of customers and over time.
//!
//! The score is linear in log-odds, so the Shapley value of a group of columns against the training mean is exact and
//! simple: φ = Σ w_i (x_i − mean_i) over the group's columns (Štrumbelj and Kononenko 2014, section 3.1; columns taken
//! as independent). What is reported of a group over many looks is
//! - its share of the spread: Cov(φ, S) / Var(S), where S is the sum over all groups.  The covariance is additive, so
//!   this is again the Shapley value, of the variance (Owen and Prieur 2017), and the shares add up to 1;
//! - its push: the mean of |φ|, in log-odds.
//!
//! Ranges: customers drawn with replacement, seeded, percentiles 2.5 and 97.5.

mod spread;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::error::ArrowError;

use self::spread::{Figure, Spread};
use crate::train::{self, Kind};
use models::bootstrap::BootstrapError;
use models::logistic::{Logistic, LogisticError};
use selvedge_engine::{Engine, Staged, Table};
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::label::{SPLIT, TEST};
use selvedge_project::sql::{Feature, Layer, TableName};
use selvedge_project::stage::Stage;

/// The group that holds every look.
pub const ALL: &str = "all";

/// With fewer customers than this a range would only look narrow; the figures are left out.
pub const ENOUGH_CUSTOMERS: usize = 20;

#[derive(Debug, thiserror::Error)]
pub enum DriversError {
    #[error("the model does not fit the frame: {0}")]
    OtherFrame(LogisticError),
    #[error("the frame has no column '{0}' as a text")]
    NoColumn(&'static str),
    #[error("{file}: the query does not return exactly the test looks of the frame")]
    OtherLooks { file: String },
    #[error("the bootstrap: {0}")]
    Bootstrap(BootstrapError),
    #[error("the drivers: {0}")]
    Arrow(#[from] ArrowError),
}

impl Advice for DriversError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::OtherFrame(_) => Some("run `selvedge train` again: the features have changed since".into()),
            Self::NoColumn(_) => Some("run `selvedge frame` again".into()),
            Self::OtherLooks { .. } => {
                Some("read FROM frame WHERE split = 'test', and join only what has one row each".into())
            }
            Self::Bootstrap(_) | Self::Arrow(_) => None,
        }
    }
}

/// Looks that are looked at together.
struct Slice {
    /// What they are grouped by: `region`.
    kind: String,
    /// What they share: `Berlin`.
    name: String,
    rows: Vec<usize>,
}

/// The looks whose scores are taken apart, and the groups to look at.
pub const LAYER: Layer =
    Layer { folder: "drivers", may_read: &["frame", "sources"], may_read_outcomes: true, section: "evaluate" };

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "drivers",
    about: "What drives the score, by group of customers and over time -> work/drivers",
    layers: &[LAYER],
    sections: &["evaluate"],
    keeps: &[("drivers", "drivers")],
    makes: &["drivers.shares", "drivers.columns"],
    run,
};

/// Runs the stage: `work/drivers/shares.parquet` and `work/drivers/columns.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("drivers");
    let engine = Engine::new(project)?;
    let frame = engine.read(&TableName::bare("frame"))?;
    let split = frame.column_by_name(SPLIT).and_then(|column| column.as_string_opt::<i32>());
    let split = split.ok_or(DriversError::NoColumn(SPLIT))?;
    let test: BooleanArray = split.iter().map(|side| Some(side == Some(TEST))).collect();
    let test = filter_record_batch(&frame, &test).map_err(DriversError::Arrow)?;
    let (looks, slices) = slices(project, &engine, test)?;
    let customers = looks.column_by_name("customer_id").and_then(|column| column.as_string_opt::<i32>());
    let customers: Vec<&str> =
        customers.ok_or(DriversError::NoColumn("customer_id"))?.iter().map(Option::unwrap_or_default).collect();
    let mut shares = Vec::new();
    let mut columns = Vec::new();
    let fitted = train::load(project, Kind::USED)?;
    let notes = fitted.made_from.notes();
    if let Some(model) = fitted.model {
        let declared = project.library.feature_columns();
        let driver_of: BTreeMap<&str, &str> =
            declared.iter().map(|feature| (feature.name.as_str(), feature.driver())).collect();
        let failed = DriversError::OtherFrame;
        model.accepts(&looks.schema(), &Kind::USED.features(project)).map_err(failed)?;
        let groups =
            model.contributions(&looks, |name| driver_of.get(name).copied().unwrap_or_default()).map_err(failed)?;
        for slice in &slices {
            let spread = Spread::of(&groups.values, &slice.rows, &customers);
            let drawn = match spread.customers() >= ENOUGH_CUSTOMERS {
                true => Some(
                    spread
                        .figures(project.params.evaluate.draws, project.params.evaluate.seed)
                        .map_err(DriversError::Bootstrap)?,
                ),
                false => None,
            };
            for (at, driver) in groups.groups.iter().enumerate() {
                let figure = drawn.as_ref().and_then(|figures| figures.get(at).copied());
                shares.push((slice, driver.clone(), spread.customers(), figure));
            }
        }
        columns = columns_of(&model, &looks, &declared).map_err(failed)?;
        let shares = shares_table(groups.baseline, &shares)?;
        write(project, &shares, &columns_table(&columns)?, &notes)?;
    } else {
        write(project, &shares_table(f64::NAN, &shares)?, &columns_table(&columns)?, &notes)?;
    }
    progress.done(format!("{} test looks in {} groups", looks.num_rows(), slices.len()));
    Ok(())
}

fn write(project: &Project, shares: &Table, columns: &Table, notes: &[(&str, String)]) -> Result<()> {
    let staged = Staged::new(&project.paths, "drivers")?;
    staged.table(&project.paths.drivers(), Some("shares"), shares, notes)?;
    staged.table(&project.paths.drivers(), Some("columns"), columns, notes)?;
    staged.commit()
}

/// The test looks in the order of their key, and the groups that `sql/drivers` puts them into.
fn slices(project: &Project, engine: &Engine, test: RecordBatch) -> Result<(RecordBatch, Vec<Slice>)> {
    let everything = |rows| vec![Slice { kind: ALL.into(), name: ALL.into(), rows: (0..rows).collect() }];
    let mut slices = everything(test.num_rows());
    let mut looks = test;
    for file in project.library.layer(LAYER) {
        let table = engine.table(project, file)?;
        let sorted = Table::new(looks, &table.key, &file.shown)?;
        let (found, wanted) = (table.key_rows(&file.shown)?, sorted.key_rows(&file.shown)?);
        if !found.iter().eq(wanted.iter()) {
            return Err(DriversError::OtherLooks { file: file.shown.clone() }.into());
        }
        looks = sorted.batch;
        let names: Vec<String> = table.batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        for kind in names.into_iter().filter(|name| !table.key.contains(name)) {
            let values = table.batch.column_by_name(&kind).and_then(|column| column.as_string_opt::<i32>());
            let Some(values) = values else { continue };
            let known: BTreeSet<&str> = values.iter().flatten().collect();
            slices.extend(known.into_iter().map(|name| Slice {
                kind: kind.clone(),
                name: name.to_owned(),
                rows: values.iter().enumerate().filter(|(_, value)| *value == Some(name)).map(|(row, _)| row).collect(),
            }));
        }
    }
    Ok((looks, slices))
}

/// Each feature column's own share of the spread over all test looks: what a driver is made of.
fn columns_of<'a>(
    model: &Logistic,
    looks: &RecordBatch,
    declared: &'a [Feature],
) -> std::result::Result<Vec<(&'a Feature, Option<f64>)>, LogisticError> {
    let name = |wanted: &str| declared.iter().find(|feature| feature.name == wanted);
    let parts = model.contributions(looks, |wanted| name(wanted).map_or("", |feature| feature.name.as_str()))?;
    let rows: Vec<usize> = (0..looks.num_rows()).collect();
    let one = vec![""; rows.len()];
    let shares = Spread::of(&parts.values, &rows, &one).shares();
    Ok(parts.groups.iter().zip(shares).filter_map(|(group, share)| Some((name(group)?, share))).collect())
}

fn shares_table(baseline: f64, rows: &[(&Slice, String, usize, Option<Figure>)]) -> Result<Table> {
    let text = |of: fn(&(&Slice, String, usize, Option<Figure>)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let number = |of: &dyn Fn(&Figure) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.3.as_ref().map(of)).collect::<Float64Array>())
    };
    let count = |of: fn(&(&Slice, String, usize, Option<Figure>)) -> usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(row) as i64)))
    };
    let chance = |odds: f64| 1.0 / (1.0 + (-odds).exp());
    let columns = [
        ("kind", text(|row| row.0.kind.clone())),
        ("name", text(|row| row.0.name.clone())),
        ("driver", text(|row| row.1.clone())),
        ("looks", count(|row| row.0.rows.len())),
        ("customers", count(|row| row.2)),
        ("share", number(&|figure| figure.share.value)),
        ("share_low", number(&|figure| figure.share.low)),
        ("share_high", number(&|figure| figure.share.high)),
        ("push", number(&|figure| figure.push.value)),
        ("push_low", number(&|figure| figure.push.low)),
        ("push_high", number(&|figure| figure.push.high)),
        // The chance of a look at which nothing speaks for or against, and where the usual push takes it.
        ("chance", number(&|_| chance(baseline))),
        ("chance_down", number(&|figure| chance(baseline - figure.push.value))),
        ("chance_up", number(&|figure| chance(baseline + figure.push.value))),
    ];
    Table::of_columns("shares", &["kind", "name", "driver"], columns)
}

fn columns_table(rows: &[(&Feature, Option<f64>)]) -> Result<Table> {
    let text = |of: fn(&Feature) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| of(row.0))))
    };
    let columns = vec![
        ("driver", text(|feature| feature.driver())),
        ("feature", text(|feature| &feature.name)),
        ("meaning", text(|feature| &feature.column.meaning)),
        ("from_descriptions", Arc::new(rows.iter().map(|row| Some(row.0.from_descriptions)).collect::<BooleanArray>())),
        ("share", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()) as ArrayRef),
    ];
    Table::of_columns("columns", &["driver", "feature"], columns)
}
