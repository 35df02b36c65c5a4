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
            footnote: "The scale does not start at zero; guessing gives 50. Bars show the range that chance allows \
                       (19 times out of 20). Each smaller part is contained in the larger ones."
                .into(),
        },
        measure: "Pairs of looks in the right order, of 100 (AUC)".into(),
        counted: "looks to learn from".into(),
        unit: Unit::In100,
        series: vec![used, series(Kind::Tabular, Tone::Same)],
    }
}

/// What more than twice the data brought, and whether chance could have.
fn title(parts: &[Part]) -> String {
    let used = || parts.iter().filter(|part| part.model == USED.name());
    let all = used().map(|part| part.looks).max().unwrap_or_default();
    let half = used().filter(|part| 2 * part.looks <= all).last();
    let early = "Too early to say whether more data would help";
    let known = half.and_then(|part| Some((part.looks, part.more?, part.more_low?, part.more_high?)));
    let Some((looks, more, low, high)) = known else { return format!("{early}.") };
    let figures = format!(
        "{} instead of {} looks to learn from change the right order by {:+.1} of 100 pairs, give or take {:.1}.",
        count(all),
        count(looks),
        100.0 * more,
        50.0 * (high - low),
    );
    match () {
        () if low > 0.0 => format!("More data help: {figures}"),
        () if high < 0.0 => format!("More data do not help: {figures}"),
        () => format!("{early}: {figures}"),
    }
}
