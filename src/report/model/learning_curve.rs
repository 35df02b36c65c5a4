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
            title: title(rows)?,
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

/// What more than twice the data brought, and whether chance could have.
fn title(rows: &Rows) -> Result<String> {
    let (models, looks) = (rows.texts("model")?, rows.counts("looks")?);
    let (more, low, high) = (rows.numbers("more")?, rows.numbers("more_low")?, rows.numbers("more_high")?);
    let all = (0..rows.len()).filter(|row| models[*row] == USED.name()).map(|row| looks[row]).max().unwrap_or_default();
    let half = (0..rows.len()).rfind(|row| models[*row] == USED.name() && 2 * looks[*row] <= all);
    let early = "Too early to say whether more data would help";
    let Some((row, more, low, high)) = half.and_then(|row| Some((row, more[row]?, low[row]?, high[row]?))) else {
        return Ok(format!("{early}."));
    };
    let figures = format!(
        "{} instead of {} looks to learn from change the right order by {:+.1} of 100 pairs, give or take {:.1}.",
        count(all),
        count(looks[row]),
        100.0 * more,
        50.0 * (high - low),
    );
    Ok(match () {
        () if low > 0.0 => format!("More data help: {figures}"),
        () if high < 0.0 => format!("More data do not help: {figures}"),
        () => format!("{early}: {figures}"),
    })
}
