//! Would more data help?  The picture, and the sentence over it.

use serde::Deserialize;

use super::figures::{USED, model_words};
use crate::report::chart::{Caption, Interval, Tone, Unit, curve};
use crate::report::markdown::count;
use crate::train::Kind;

/// A row of `evaluation.learning_curve`.
#[derive(Deserialize)]
pub struct Part {
    model: String,
    looks: u64,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    more: Option<f64>,
    more_low: Option<f64>,
    more_high: Option<f64>,
}

/// Both models, with how good they were when fitted on less.
pub fn chart(parts: &[Part]) -> curve::Chart {
    let point = |part: &Part| curve::Point { n: part.looks, score: Interval::of(part.value, part.low, part.high) };
    let points = |kind: Kind| parts.iter().filter(|part| part.model == kind.name()).map(point).collect();
    let series = |kind: Kind, tone| curve::Series { name: model_words(kind).into(), tone, points: points(kind) };
    let used = series(USED, Tone::Better);
    curve::Chart {
        caption: Caption {
            title: title(parts),
            subtitle: "Both models fitted again on parts of the training customers, judged on all test looks".into(),
            footnote: "Guessing gives 50, so look where the scale begins. Bars show the range that chance allows \
                       (19 times out of 20). Each smaller part is contained in the larger ones."
                .into(),
        },
        measure: "Pairs of looks in the right order, of 100 (AUC)".into(),
        counted: "looks to learn from".into(),
        unit: Unit::In100,
        series: vec![used, series(Kind::Tabular, Tone::Same)],
    }
}

/// What more than twice the data brought, what the last of them did, and whether chance could have.
fn title(parts: &[Part]) -> String {
    let used = || parts.iter().filter(|part| part.model == USED.name());
    let all = used().map(|part| part.looks).max().unwrap_or_default();
    let half = used().rfind(|part| 2 * part.looks <= all);
    let early = "Too early to say whether more data would help";
    let gain = |part: &Part| Some((part.looks, 100.0 * part.more?, 100.0 * part.more_low?, 100.0 * part.more_high?));
    let last = used().rfind(|part| part.looks < all).and_then(gain);
    let (Some(half), Some(last)) = (half.and_then(gain), last) else { return format!("{early}.") };
    let told = |(_, more, low, high): (u64, f64, f64, f64)| format!("{more:+.1} ({low:+.1} to {high:+.1})");
    let figures = format!(
        "{} looks instead of {} bring {} of 100 pairs into the right order, the last {} of them {}.",
        count(all),
        count(half.0),
        told(half),
        count(all - last.0),
        told(last),
    );
    match () {
        () if last.2 > 0.0 => format!("More data would help: {figures}"),
        () if half.2 > 0.0 => format!("More data have helped; whether still more would is too early to say: {figures}"),
        () if half.3 < 0.0 => format!("More data do not help: {figures}"),
        () => format!("{early}: {figures}"),
    }
}
