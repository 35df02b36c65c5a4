//! Does it promise too much?  The picture, and the sentence over it.

use charts::{Caption, Interval, reliability};
use serde::Deserialize;

use super::figures::USED;
use selvedge_project::numbers::count;

/// A row of `evaluation.reliability`.
#[derive(Deserialize)]
pub struct Bin {
    model: String,
    looks: u64,
    #[serde(default)]
    predicted: f64,
    happened: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// A row of `evaluation.promise`.
#[derive(Deserialize)]
pub struct Promise {
    model: String,
    expected: f64,
    came: u64,
    low: f64,
    high: f64,
}

/// The used model's groups of looks, and over all of them what it promised against what came.
pub fn chart(bins: Vec<Bin>, promises: Vec<Promise>, early: Option<&str>) -> reliability::Chart {
    let point = |bin: Bin| reliability::Bin {
        predicted: bin.predicted,
        observed: Interval::of(bin.happened, bin.low, bin.high),
        n: bin.looks,
    };
    let bins = bins.into_iter().filter(|bin| bin.model == USED.name()).map(point).collect();
    let caption = Caption {
        title: title(promises.iter().find(|promise| promise.model == USED.name()), early),
        subtitle: "Test looks in groups of equal size, from the least to the most promising; in words: the group that \
                   is furthest off"
            .into(),
        footnote: "Bars show the range that chance allows (19 times out of 20). On the line: promise kept.".into(),
    };
    reliability::Chart { caption, bins }
}

/// What was promised and what came, and whether chance could make the difference.
fn title(promise: Option<&Promise>, early: Option<&str>) -> String {
    let question = "whether it promises too much";
    let Some(promise) = promise.filter(|_| early.is_none()) else {
        return format!("Too early to say {question}: {}.", early.unwrap_or("it is not judged yet"));
    };
    let whole = |number: f64| count(number.abs().round() as u64);
    let side = |surplus: f64| if surplus.round() < 0.0 { "too few" } else { "too many" };
    let (low, high) = (promise.low, promise.high);
    let range = match side(low) == side(high) {
        true if low.round() >= 0.0 => format!("{} to {} {}", whole(low), whole(high), side(high)),
        true => format!("{} to {} {}", whole(high), whole(low), side(high)),
        false => format!("{} {} to {} {}", whole(low), side(low), whole(high), side(high)),
    };
    let answer = match () {
        () if low > 0.0 => "It promises too much",
        () if high < 0.0 => "It promises too little",
        () => "Whether it promises too much is not clear",
    };
    format!(
        "{answer}: it promised {} kept purchases on the test looks and {} came; give or take chance, that is {range}.",
        whole(promise.expected),
        count(promise.came),
    )
}
