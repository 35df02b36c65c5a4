//! Would more data help?  The picture, and the sentence over it.

use charts::{Caption, Interval, Tone, Unit, curve};
use serde::Deserialize;

use super::figures::USED;
use selvedge_learning::train::Kind;
use selvedge_project::numbers::count;

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
    step: Option<f64>,
    step_low: Option<f64>,
    step_high: Option<f64>,
}

/// Both models, with how good they were when fitted on less.
pub fn chart(parts: &[Part], early: Option<&str>) -> curve::Chart {
    let point = |part: &Part| curve::Point { n: part.looks, score: Interval::of(part.value, part.low, part.high) };
    let points = |kind: Kind| parts.iter().filter(|part| part.model == kind.name()).map(point).collect();
    let series = |kind: Kind, tone| curve::Series { name: kind.words().into(), tone, points: points(kind) };
    let used = series(USED, Tone::Better);
    curve::Chart {
        caption: Caption {
            title: title(parts, early),
            subtitle: "Both models fitted again on parts of the training customers, judged on all test looks".into(),
            footnote:
                "Guessing gives 50. Bars show the range that chance allows (19 times out of 20). Each smaller part is \
                       contained in the larger ones; penalty and dimensions are chosen anew for each."
                    .into(),
        },
        measure: "Pairs of looks in the right order, of 100 (AUC)".into(),
        counted: "looks to learn from".into(),
        unit: Unit::In100,
        series: vec![used, series(Kind::Tabular, Tone::Same)],
    }
}

/// Whether more would help now, judged by the last step; and what more than twice the data brought.
fn title(parts: &[Part], early: Option<&str>) -> String {
    let mut used: Vec<&Part> = parts.iter().filter(|part| part.model == USED.name()).collect();
    used.sort_by_key(|part| part.looks);
    let unclear = "Too early to say whether more data would help";
    let why = early.unwrap_or("there are too few looks to take some away");
    let [.., before, all] = used.as_slice() else { return format!("{unclear}: {why}.") };
    let half = used.iter().filter(|part| 2 * part.looks <= all.looks).next_back().unwrap_or(before);
    let (more, step) =
        (Interval::of(half.more, half.more_low, half.more_high), Interval::of(all.step, all.step_low, all.step_high));
    let (Some(more), Some(step)) = (more, step) else { return format!("{unclear}: {why}.") };
    let answer = match () {
        () if step.lower > 0.0 => "More data would help",
        () if step.upper < 0.0 => "More data would not help",
        () if more.lower > 0.0 => "More data have helped; whether still more would is not clear",
        () => "Whether more data would help is not clear",
    };
    let range = |gain: Interval| format!("{:.1} to {:.1}", 100.0 * gain.lower, 100.0 * gain.upper).replace('-', "−");
    let gained = |gain: f64| match gain < 0.0 {
        true => format!("{:.1} fewer", -100.0 * gain),
        false => format!("{:.1} more", 100.0 * gain),
    };
    let mut said = format!(
        "{answer}. With {} looks instead of {} the model orders {} of 100 pairs rightly ({})",
        count(all.looks),
        count(half.looks),
        gained(more.value),
        range(more),
    );
    if before.looks != half.looks {
        said += &format!("; instead of {}, {} ({})", count(before.looks), gained(step.value), range(step));
    }
    said + "."
}
