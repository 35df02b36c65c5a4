//! Why this article, for this customer: the strongest reason that is true, as a phrase from the feature's own header.
//!
//! An article is held against everything else that the customer could get: a feature's contribution is its coefficient
//! times the distance of its value from the mean over the customer's candidates, which is the exact Shapley value
//! of a linear score with those candidates as background (Štrumbelj and Kononenko 2014).  What is the same for all of
//! them, such as the customer's age, adds nothing.  The drivers' contributions decide which driver speaks, those of its
//! features which of them; a phrase that is not true of the article, or that the same list has said often enough, is
//! passed over.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};

use super::RecommendError;
use super::score::Scored;
use models::columns::{self, Meaning, Values};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Driver, Feature, Header, Layer, Limits, Reason, Side};

/// The drivers, in the order of their columns.
pub const DRIVERS: [&str; 5] = ["price", "brand", "style", "sustainability", Driver::OTHER];
/// A feature that adds less than this share of what the strongest adds is no reason, however true its phrase.
const AT_LEAST: f64 = 0.1;
/// What is said where the article stands out by nothing that has a phrase.
const NO_PHRASE: &str = "chosen for you";

/// Why one article was recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    pub say: String,
    /// The driver and the feature that it follows from; empty where none has a phrase.
    pub driver: &'static str,
    pub feature: String,
    /// False where stronger reasons had been said often enough in this customer's list.
    pub strongest: bool,
    /// By [`DRIVERS`]: how much the article is above the customer's other candidates, in log-odds.
    pub above: [f64; DRIVERS.len()],
}

/// The phrases of all features.
pub struct Phrases {
    features: Vec<Feature>,
    /// So many of one list may say the same.
    same_reason: usize,
    /// `view@version` of every feature view.
    pub versions: String,
}

impl Phrases {
    /// # Errors
    /// A placeholder that no candidate has a text for, or a condition on what is no feature.
    pub fn of(project: &Project) -> Result<Self> {
        let features = project.library.feature_columns();
        let headers = project.library.layer(Layer::FEATURES).filter_map(|file| match &file.header {
            Header::Feature(header) => Some((file, header)),
            _ => None,
        });
        let mut versions = Vec::new();
        for (file, header) in headers {
            versions.push(format!("{}@{}", header.name, header.version));
            for (column, reason) in header.columns.iter().flat_map(|(name, c)| c.reasons.iter().map(move |r| (name, r)))
            {
                let known = |name: &str| features.iter().any(|feature| feature.name == name);
                let odd = placeholders(&reason.say)
                    .find(|name| !["value", "percent", "brand"].contains(name) && !known(name));
                if let Some(placeholder) = odd {
                    return Err(RecommendError::NoPlaceholder {
                        file: file.shown.clone(),
                        column: column.clone(),
                        placeholder: placeholder.into(),
                        known: features.iter().map(|feature| feature.name.clone()).collect(),
                    }
                    .into());
                }
                if let Some(other) = reason.when.keys().find(|name| !known(name)) {
                    return Err(RecommendError::NoCondition {
                        file: file.shown.clone(),
                        column: column.clone(),
                        condition: other.clone(),
                        known: features.iter().map(|feature| feature.name.clone()).collect(),
                    }
                    .into());
                }
            }
        }
        Ok(Self { features, same_reason: project.params.recommend.same_reason, versions: versions.join(" ") })
    }

    /// The reasons of `chosen`, rows of `scored` that belong to `customer`, in the order of their ranks.
    pub fn explain(&self, scored: &Scored, customer: &str, chosen: &[usize]) -> Result<Vec<Why>> {
        let Some(range) = scored.of_customer.get(customer) else { return Ok(Vec::new()) };
        let columns: Vec<Option<&Feature>> =
            scored.features.iter().map(|name| self.features.iter().find(|feature| feature.name == *name)).collect();
        let others = scored.rows.slice(range.start, range.len());
        let count = range.len() as f64;
        let means: Vec<f64> = (0..columns.len())
            .map(|column| range.clone().map(|row| scored.parts[[row, column]]).sum::<f64>() / count)
            .collect();
        let mut said = BTreeMap::<String, usize>::new();
        let why = |row: &usize| {
            let above: Vec<f64> = means.iter().enumerate().map(|(at, mean)| scored.parts[[*row, at]] - mean).collect();
            let (of_driver, reasons) = reasons(&columns, &above, &others, row - range.start);
            let fresh = reasons.iter().position(|(say, _)| said.get(say).is_none_or(|count| *count < self.same_reason));
            let place = fresh.unwrap_or_default();
            let why = match reasons.into_iter().nth(place) {
                None => Why {
                    say: NO_PHRASE.into(),
                    driver: Driver::OTHER,
                    feature: String::new(),
                    strongest: false,
                    above: of_driver,
                },
                Some((say, feature)) => {
                    let (driver, feature) = (feature.driver(), feature.name.clone());
                    Why { say, driver, feature, strongest: place == 0, above: of_driver }
                }
            };
            *said.entry(why.say.clone()).or_default() += 1;
            why
        };
        Ok(chosen.iter().map(why).collect())
    }
}

/// What each driver adds, and every phrase that is true of the row with its feature, strongest first: driver by driver,
/// and within a driver feature by feature.
fn reasons<'a>(
    columns: &[Option<&'a Feature>],
    above: &[f64],
    others: &RecordBatch,
    row: usize,
) -> ([f64; DRIVERS.len()], Vec<(String, &'a Feature)>) {
    let driver = |at: usize| columns[at].map_or(Driver::OTHER, Feature::driver);
    let of_driver = DRIVERS.map(|name| (0..above.len()).filter(|at| driver(*at) == name).map(|at| above[at]).sum());
    let mut drivers: Vec<(f64, &'static str)> =
        of_driver.into_iter().zip(DRIVERS).filter(|(sum, _)| *sum > 0.0).collect();
    drivers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let least = AT_LEAST * above.iter().copied().fold(0.0, f64::max);
    let mut found = Vec::new();
    for (_, name) in drivers {
        let mut features: Vec<usize> =
            (0..above.len()).filter(|at| above[*at] > 0.0 && above[*at] >= least && driver(*at) == name).collect();
        features.sort_by(|a, b| above[*b].total_cmp(&above[*a]));
        for feature in features.into_iter().filter_map(|at| columns[at]) {
            let said = feature.column.reasons.iter().find_map(|reason| say(reason, &feature.name, others, row));
            found.extend(said.map(|say| (say, feature)));
        }
    }
    (of_driver, found)
}

/// The phrase with its blanks filled, where it is true of the row.
fn say(reason: &Reason, feature: &str, others: &RecordBatch, row: usize) -> Option<String> {
    let column = others.column_by_name(feature)?;
    let number = columns::meaning(column.data_type()) == Some(Meaning::Number);
    let conditions = reason.above.is_some() || reason.below.is_some() || reason.than_others.is_some();
    // What is missing is no reason, and only numbers are above or below anything.
    if !column.is_valid(row) || conditions && !number {
        return None;
    }
    let number_of = |column: &ArrayRef| numbers(&column.slice(row, 1))?.first().copied();
    let value = if number { number_of(column)? } else { f64::NAN };
    if number && !(Limits { above: reason.above, below: reason.below }).hold(value) {
        return None;
    }
    for (name, limits) in &reason.when {
        limits.hold(number_of(others.column_by_name(name)?)?).then_some(())?;
    }
    if let Some(side) = reason.than_others {
        let known: Vec<f64> = numbers(column)?.into_iter().filter(|other| !other.is_nan()).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let placed = if side == Side::Higher { value > mean } else { value < mean };
        placed.then_some(())?;
    }
    let mut said = reason.say.clone();
    for name in placeholders(&reason.say) {
        let text = match name {
            "value" | "percent" if value.is_nan() => return None,
            "value" => format!("{value:.0}"),
            "percent" => format!("{:.0}", (100.0 * value).abs()),
            other => text(others, other, row)?,
        };
        said = said.replace(&format!("{{{name}}}"), &text);
    }
    Some(said)
}

/// NaN where missing.
fn numbers(column: &ArrayRef) -> Option<Vec<f64>> {
    match columns::read(column) {
        Ok(Values::Numbers(numbers)) => Some(numbers),
        _ => None,
    }
}

fn text(rows: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let texts: &StringArray = rows.column_by_name(column)?.as_string_opt::<i32>()?;
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

/// `brand` of `from {brand}`.
fn placeholders(say: &str) -> impl Iterator<Item = &str> {
    say.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
