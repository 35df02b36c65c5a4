//! Every chart, on plain and on odd input: a whole PNG, 1600 pixels wide, with the same bytes each time.

use charts::{
    Caption, ChartError, Interval, Tone, Unit, bars, before_after, comparison, curve, distributions, dots, dumbbell,
    maturity, ratios, reliability, scorecard, segment_line, small_multiples, vintages, waterfall,
};

const LONG: &str = "Nachhaltigkeitsbewusste Großstadtbewohnerinnen über fünfzig";
/// Nothing, nothing that can be drawn, and shares at and beyond both ends.
const VALUES: [Option<f64>; 7] =
    [None, Some(f64::NAN), Some(f64::INFINITY), Some(0.0), Some(0.28), Some(1.0), Some(-1.0)];
/// No entry, and more than a page is wide.
const SIZES: [usize; 2] = [0, 400];

fn caption() -> Caption {
    Caption { title: format!("{LONG} klickten 28 in 100. ").repeat(3), subtitle: String::new(), footnote: LONG.into() }
}

fn date(index: usize) -> String {
    format!("{}-{:02}-{:02}", 2026 + index / 336, 1 + index / 28 % 12, 1 + index % 28)
}

fn interval(value: Option<f64>) -> Option<Interval> {
    value.map(|value| Interval { value, lower: value - 0.1, upper: value + 0.1 })
}

fn segment_line(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use segment_line::{Change, Chart, Level, Reading, State, draw};
    let day = |index: usize| {
        let states = [State::Confirmed, State::Provisional { lower: value, upper: Some(0.3) }, State::Pending];
        let state = states[index * 3 / size];
        Reading { date: date(index), n: index as u64, rate: value, trailing: None, rest: value, state }
    };
    let change = value.map(|after| Change { date: date(size / 2), after, tone: Tone::Worse });
    let days = (0..size).map(day).collect();
    let level = value.filter(|_| size > 0).map(|value| Level {
        from: date(0),
        until: date(size - 1),
        value,
        name: LONG.into(),
        is_provisional: true,
    });
    let levels = level.into_iter().collect();
    draw(&Chart { caption: caption(), measure: LONG.into(), days, before: interval(value), change, levels })
}

fn before_after(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use before_after::{Chart, Panel, draw};
    let share = value.unwrap_or(f64::NAN);
    let panel = |bins: usize| Panel {
        name: LONG.into(),
        note: LONG.into(),
        bins: vec![(share, 0.3); bins],
        from: LONG.into(),
        to: LONG.into(),
    };
    draw(&Chart { caption: caption(), panels: (0..size.min(30)).map(panel).collect() })
}

fn distributions(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use distributions::{Chart, Panel, Spread, draw};
    let spread = |index: usize| match (index % 3, value) {
        (0, Some(share)) => Spread::Numbers { shares: vec![share; index], low: LONG.into(), high: LONG.into() },
        (1, Some(share)) => Spread::Names(vec![(LONG.into(), share); index]),
        _ => Spread::Words(LONG.into()),
    };
    let panel = |index: usize| Panel { name: LONG.into(), note: LONG.into(), spread: spread(index) };
    draw(&Chart { caption: caption(), panels: (0..size.min(30)).map(panel).collect() })
}

fn small_multiples(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use small_multiples::{Chart, Panel, State, draw};
    let panel = |index: usize| {
        let state = [State::Quiet, State::TooEarly, State::Alarm][index % 3];
        Panel { segment: LONG.into(), n: 0, rates: vec![value; size], state }
    };
    let (dates, panels) = ((0..size).map(date).collect(), (0..size.min(30)).map(panel).collect());
    draw(&Chart { caption: caption(), measure: LONG.into(), dates, shop: vec![value; size], panels })
}

fn dumbbell(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use dumbbell::{Chart, Group, Row, draw};
    let row = |index: usize| {
        let tone = [Tone::Better, Tone::Worse, Tone::Same, Tone::TooEarly][index % 4];
        Row { segment: LONG.into(), n: 1_234_567, before: interval(value), after: interval(Some(0.2)), tone }
    };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size.min(30)).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    draw(&Chart { caption: caption(), measure: LONG.into(), groups, shop: value })
}

fn maturity(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use maturity::{Chart, Shown, draw};
    let count = value.map_or(0, |value| (value * 100.0) as u64);
    let day = |index: usize| Shown { date: date(index), confirmed: count, pending: index as u64 };
    let days = (0..size).map(day).collect();
    draw(&Chart { caption: caption(), measure: LONG.into(), days, known_until: value.map(|_| date(size / 2)) })
}

fn comparison(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use comparison::{Better, Chart, Metric, draw};
    let metric = |unit| Metric {
        name: LONG.into(),
        unit,
        better: Better::Lower,
        scores: vec![interval(value), interval(Some(0.5)), None],
    };
    let metrics = [Unit::In100, Unit::Percent, Unit::Count, Unit::Number(3)].map(metric).to_vec();
    draw(&Chart { caption: caption(), models: vec![LONG.into(); size.min(30)], metrics })
}

fn curve(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use curve::{Chart, Point, Series, draw};
    let point = |index: usize| Point { n: index as u64 * 100, score: interval(value) };
    let series = |tone| Series { name: LONG.into(), tone, points: (0..size).map(point).collect() };
    let series = vec![series(Tone::Better), series(Tone::Same)];
    draw(&Chart { caption: caption(), measure: LONG.into(), counted: LONG.into(), unit: Unit::In100, series })
}

fn reliability(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use reliability::{Bin, Chart, draw};
    let bin = |index: usize| Bin { predicted: value.unwrap_or(0.1), observed: interval(value), n: index as u64 };
    draw(&Chart { caption: caption(), bins: (0..size).map(bin).collect() })
}

fn bars(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use bars::{Bar, Chart, draw};
    let bar = |index: usize| Bar {
        label: LONG.into(),
        value: if index == 0 { value } else { Some(index as f64) },
        note: LONG.into(),
        tone: value.map(|_| Tone::Better),
    };
    draw(&Chart { caption: caption(), unit: Unit::Count, bars: (0..size.min(30)).map(bar).collect() })
}

fn dots(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use dots::{Chart, Group, Row, draw};
    let row = |_| Row { label: LONG.into(), points: vec![interval(value), None, interval(Some(0.5))] };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size.min(30)).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    draw(&Chart { caption: caption(), measure: LONG.into(), series: vec![LONG.into(); 3], groups })
}

fn waterfall(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use waterfall::{Chart, Step, draw};
    let step = |index: usize| Step { label: LONG.into(), change: value.unwrap_or(-0.01), is_mix: index == 0 };
    let steps = (0..size.min(30)).map(step).collect();
    let (before, after) = ((LONG.to_owned(), value), (LONG.to_owned(), Some(0.2)));
    draw(&Chart { caption: caption(), measure: LONG.into(), before, steps, after })
}

fn ratios(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use ratios::{Chart, Group, Row, Verdict, draw};
    let verdicts = [Verdict::Gap, Verdict::Watch, Verdict::Fair, Verdict::Nothing];
    let row =
        |index: usize| Row { name: LONG.into(), n: 1_234_567, ratio: interval(value), verdict: verdicts[index % 4] };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size.min(30)).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    draw(&Chart { caption: caption(), measure: LONG.into(), counted: LONG.into(), line: 0.8, groups })
}

fn vintages(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use vintages::{Chart, Figure, Week, draw};
    let week = |index: usize| Week {
        date: date(index),
        n: index as u64,
        first: value.map(Figure::SoFar),
        now: [interval(value).map(Figure::Provisional), value.map(Figure::Confirmed), None][index % 3],
    };
    draw(&Chart { caption: caption(), measure: LONG.into(), weeks: (0..size).map(week).collect() })
}

fn scorecard(size: usize, value: Option<f64>) -> Result<Vec<u8>, ChartError> {
    use scorecard::{Cell, Chart, Row, draw};
    let cell = |_| Cell { share: value.unwrap_or(0.5), words: "9 of 12 times".into() };
    let row = |index: usize| Row {
        label: LONG.into(),
        cells: (0..9).map(cell).collect(),
        verdict: LONG.into(),
        marked: value.map(|_| index),
    };
    let columns = (0..size.min(8)).map(|index| format!("-{index} %")).collect();
    let rows = (0..size.min(30)).map(row).collect();
    draw(&Chart { caption: caption(), measure: LONG.into(), columns, verdict: LONG.into(), rows })
}

/// How many entries, and the value all of them have.
type Draw = fn(usize, Option<f64>) -> Result<Vec<u8>, ChartError>;

const CHARTS: &[(&str, Draw)] = &[
    ("waterfall", waterfall),
    ("ratios", ratios),
    ("vintages", vintages),
    ("segment_line", segment_line),
    ("before_after", before_after),
    ("distributions", distributions),
    ("small_multiples", small_multiples),
    ("dumbbell", dumbbell),
    ("maturity", maturity),
    ("comparison", comparison),
    ("curve", curve),
    ("reliability", reliability),
    ("bars", bars),
    ("scorecard", scorecard),
    ("dots", dots),
];

#[test]
fn every_chart_takes_odd_input() {
    for &(name, draw) in CHARTS {
        let odd = VALUES.map(|value| (1, value)).into_iter().chain(SIZES.map(|size| (size, Some(0.28))));
        for (size, value) in odd {
            let png = draw(size, value).unwrap_or_else(|error| panic!("{name}, {size} of {value:?}: {error}"));
            assert!(
                png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xaeB`\x82"),
                "{name}, {size} of {value:?}"
            );
            assert_eq!(png[16..20], 1600_u32.to_be_bytes(), "{name}, {size} of {value:?}");
        }
    }
}

#[test]
fn every_chart_has_the_same_bytes_again() {
    for &(name, draw) in CHARTS {
        assert!(draw(3, Some(0.28)).unwrap() == draw(3, Some(0.28)).unwrap(), "{name}");
    }
}

#[test]
fn a_day_that_is_none_is_an_error() {
    let days = vec![maturity::Shown { date: "21.09.2031".into(), confirmed: 1, pending: 0 }];
    let chart = maturity::Chart { caption: caption(), measure: String::new(), days, known_until: None };
    let error = maturity::draw(&chart).unwrap_err();
    assert_eq!(error.to_string(), "\"21.09.2031\" is not a day; write it as 2031-09-21");
}
