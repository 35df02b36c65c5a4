//! Would more data help?  The picture, and the sentence over it.

use super::figures::{USED, model_words};
use crate::error::Result;
use crate::report::chart::{Caption, Interval, Tone, Unit, curve};
use crate::report::markdown::count;
use crate::report::rows::Rows;
use crate::train::Kind;

/// Both models, with how good they were when fitted on less.
pub fn chart(rows: &Rows) -> Result<curve::Chart> {
    let (models, looks) = (rows.texts("model")?, rows.counts("looks")?);
    let (values, lows, highs) = (rows.numbers("value")?, rows.numbers("low")?, rows.numbers("high")?);
    let points = |kind: Kind| -> Vec<curve::Point> {
        let of_kind = (0..rows.len()).filter(|row| models[*row] == kind.name());
        of_kind
            .map(|row| {
                let score = match (values[row], lows[row], highs[row]) {
                    (Some(value), Some(lower), Some(upper)) => Some(Interval { value, lower, upper }),
                    _ => None,
                };
                curve::Point { n: looks[row], score }
            })
            .collect()
    };
    let series = |kind: Kind, tone| curve::Series { name: model_words(kind).into(), tone, points: points(kind) };
    let used = series(USED, Tone::Better);
    Ok(curve::Chart {
        caption: Caption {
            title: title(&used.points),
            subtitle: "Both models fitted again on parts of the training customers, judged on all test looks".into(),
            footnote: "The scale does not start at zero; guessing gives 50. Bars show the range that chance allows \
                       (19 times out of 20). Each smaller part is contained in the larger ones."
                .into(),
        },
        measure: "Pairs of looks in the right order, of 100 (AUC)".into(),
        counted: "looks to learn from".into(),
        unit: Unit::In100,
        series: vec![used, series(Kind::Tabular, Tone::Same)],
    })
}

/// What the last step brought, and no more than that.
fn title(points: &[curve::Point]) -> String {
    let known: Vec<(u64, Interval)> = points.iter().filter_map(|point| Some((point.n, point.score?))).collect();
    let [.., (less, before), (all, now)] = known.as_slice() else {
        return "Too early to say whether more data would help.".into();
    };
    let gained = 100.0 * (now.value - before.value);
    let from = format!("going from {} to {} training looks", count(*less), count(*all));
    if gained >= 0.05 {
        format!("More data still help: {from} brought {gained:.1} more of 100 pairs into the right order.")
    } else {
        format!(
            "More data did not help lately: {from} brought no more pairs into the right order ({gained:+.1} of 100)."
        )
    }
}
