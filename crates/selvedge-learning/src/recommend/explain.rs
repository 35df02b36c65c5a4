//! Why this article, for this customer: the strongest reason that is true, as a phrase from the feature's own header.
//!
//! An article is held against everything else that the customer could get: the ranking's parts say what each feature adds
//! against the middle of the customer's shelf, exactly.  What is the same for all of them, such as the customer's age, adds
//! nothing.  The drivers' parts decide which driver speaks, those of its features which of them; a cross speaks for the
//! customer's own word.  A phrase that is not true of the article, or that the same list has said often enough, is passed
//! over, and no list says a phrase more often than its rule allows.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use ndarray::ArrayView2;

use super::RecommendError;
use crate::rank::Group;
use models::columns::{self, Meaning, Values};
use selvedge_project::error::Result;
use selvedge_project::params::OTHER;
use selvedge_project::project::Project;
use selvedge_project::sql::Feature;
use selvedge_project::sql::{Cross, Header, Layer, Limits, Reason as Phrase, Side};

/// A feature that adds less than this share of what the strongest adds is a reason only where the stronger ones have been
/// said often enough.
const AT_LEAST: f64 = 0.1;

/// Why one article was recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub say: String,
    /// The driver and the feature that it follows from; empty where none has a phrase.
    pub driver: String,
    pub feature: String,
    /// False where stronger reasons had been said often enough in this customer's list.
    pub strongest: bool,
    /// By [`Phrases::drivers`]: how much the article is above the middle of the customer's shelf, in the score's logarithm.
    pub above: Vec<f64>,
}

/// The phrases of all features.
pub struct Phrases {
    features: Vec<Feature>,
    crosses: Vec<Cross>,
    /// Those of params.yaml, and [`OTHER`].
    pub drivers: Vec<String>,
    /// So many of one list may say the same.
    same_reason: usize,
    /// Places of a list; what comes behind them is the next.
    places: usize,
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
        let crosses = project.library.crosses()?;
        let params = &project.params.recommend;
        let (same_reason, places) = (params.same_reason, params.per_customer);
        let drivers =
            project.params.shop.drivers.iter().map(String::as_str).chain([OTHER]).map(str::to_owned).collect();
        Ok(Self { features, crosses, drivers, same_reason, places, versions: versions.join(" ") })
    }

    /// Who speaks for each group; none for what is no feature.
    pub fn voices(&self, groups: &[Group]) -> Vec<Option<Voice<'_>>> {
        groups.iter().map(|group| self.voice(group)).collect()
    }

    /// The reasons of `chosen`, rows of a customer's shelf in the order of their ranks; `parts`: what each voice's group adds
    /// to each of them.
    pub fn explain(
        &self,
        voices: &[Option<Voice>],
        shelf: &RecordBatch,
        chosen: &[usize],
        parts: ArrayView2<f64>,
    ) -> Vec<Reason> {
        let mut said = BTreeMap::<String, usize>::new();
        let why = |(place, row): (usize, &usize)| {
            if place % self.places == 0 {
                said.clear();
            }
            let above: Vec<f64> = parts.row(place).to_vec();
            let (of_driver, order) = self.strongest_first(voices, &above);
            // Whether a stronger reason was true, and had been said often enough.
            let mut passed = false;
            let fresh = order.into_iter().find_map(|at| {
                let voice = voices[at].as_ref()?;
                let say = voice.says(shelf, *row)?;
                if said.get(&say).is_none_or(|count| *count < self.same_reason) {
                    return Some((say, voice));
                }
                passed = true;
                None
            });
            let why = match fresh {
                // True of every list, and said once.
                None => Reason {
                    say: format!("number {} of what fits you best", place + 1),
                    driver: OTHER.to_owned(),
                    feature: String::new(),
                    strongest: false,
                    above: of_driver,
                },
                Some((say, voice)) => Reason {
                    say,
                    driver: voice.driver.to_owned(),
                    feature: voice.name.clone(),
                    strongest: !passed,
                    above: of_driver,
                },
            };
            *said.entry(why.say.clone()).or_default() += 1;
            why
        };
        chosen.iter().enumerate().map(why).collect()
    }

    fn voice(&self, group: &Group) -> Option<Voice<'_>> {
        let feature = self.features.iter().find(|feature| feature.name == group.feature)?;
        let Some((of_customer, value)) = &group.crossed else {
            return Some(Voice { name: feature.name.clone(), driver: feature.driver(), feature, own_word: None });
        };
        let cross = self.crosses.iter().find(|cross| {
            cross.by == group.feature
                && [&cross.set, &cross.category].iter().any(|name| name.as_ref() == Some(of_customer))
        });
        let word = cross.and_then(|cross| cross.say.as_ref()).map(|say| say.replace("{value}", value));
        Some(Voice {
            name: format!("{} x {of_customer}", feature.name),
            driver: feature.driver(),
            feature,
            own_word: Some(word.filter(|_| !value.is_empty()).unwrap_or_default()),
        })
    }

    /// What each driver adds, and the parts that add something, strongest first: driver by driver, and within a driver
    /// feature by feature; then those that add little.
    fn strongest_first(&self, voices: &[Option<Voice>], above: &[f64]) -> (Vec<f64>, Vec<usize>) {
        let driver = |at: usize| voices[at].as_ref().map_or(OTHER, |voice| voice.driver);
        let sum = |name: &String| (0..above.len()).filter(|at| driver(*at) == name).map(|at| above[at]).sum();
        let of_driver: Vec<f64> = self.drivers.iter().map(sum).collect();
        let mut drivers: Vec<(f64, &String)> =
            of_driver.iter().copied().zip(&self.drivers).filter(|(sum, _)| *sum > 0.0).collect();
        drivers.sort_by(|a, b| b.0.total_cmp(&a.0));
        let least = AT_LEAST * above.iter().copied().fold(0.0, f64::max);
        let mut parts: Vec<usize> = (0..above.len()).filter(|at| above[*at] > 0.0).collect();
        parts.sort_by(|a, b| above[*b].total_cmp(&above[*a]));
        let rank = |at: usize| drivers.iter().position(|(_, name)| driver(at) == *name).filter(|_| above[at] >= least);
        // The sort keeps the order of equal ones: within a driver, and among those that add little, the stronger first.
        parts.sort_by_key(|at| rank(*at).unwrap_or(drivers.len()));
        (of_driver, parts)
    }
}

/// Who speaks for a part of a score.
pub struct Voice<'a> {
    /// The feature's name; of a cross both names.
    name: String,
    driver: &'a str,
    feature: &'a Feature,
    /// Of a cross: what it says; empty where it has no phrase.
    own_word: Option<String>,
}

impl Voice<'_> {
    /// The phrase, where there is one that is true of the row.
    fn says(&self, others: &RecordBatch, row: usize) -> Option<String> {
        match &self.own_word {
            Some(word) => (!word.is_empty()).then(|| word.clone()),
            None => self.feature.column.reasons.iter().find_map(|reason| say(reason, &self.feature.name, others, row)),
        }
    }
}

/// The phrase with its blanks filled, where it is true of the row.
fn say(reason: &Phrase, feature: &str, others: &RecordBatch, row: usize) -> Option<String> {
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
