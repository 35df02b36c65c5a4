//! Every chart on odd input, and on more of it than a page is wide: a whole PNG, small enough for a pull request.

use charts::{
    Caption, Histogram, Interval, MOST, Picture, Shape, Tone, Unit, bars, before_after, comparison, curve,
    distributions, dots, dumbbell, maturity, ratios, reliability, scorecard, segment_line, small_multiples, vintages,
    waterfall,
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

fn segment_line(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use segment_line::{Change, Chart, Level, Reading, State};
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
    Box::new(Chart { caption: caption(), measure: LONG.into(), days, before: interval(value), change, levels })
}

fn before_after(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use before_after::{Chart, Panel};
    let share = value.unwrap_or(f64::NAN);
    let panel = |bins: usize| Panel {
        name: LONG.into(),
        note: LONG.into(),
        bins: vec![(share, 0.3); bins],
        from: LONG.into(),
        to: LONG.into(),
    };
    Box::new(Chart { caption: caption(), panels: (0..size).map(panel).collect() })
}

fn distributions(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use distributions::{Chart, Panel, Spread};
    let spread = |index: usize| match (index % 3, value) {
        (0, Some(share)) => Spread::Numbers(Histogram {
            shares: vec![share; index],
            ticks: vec![(0.0, LONG.into()), (share, "12".into()), (index as f64, LONG.into())],
            says: vec![LONG.into()],
        }),
        (1, Some(share)) => Spread::Names(vec![(LONG.into(), share); index.min(5)]),
        _ => Spread::Words(LONG.into()),
    };
    let panel = |index: usize| Panel { name: LONG.into(), note: LONG.into(), spread: spread(index) };
    Box::new(Chart { caption: caption(), panels: (0..size).map(panel).collect() })
}

fn small_multiples(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use small_multiples::{Chart, Panel, State};
    let panel = |index: usize| {
        let state = [State::Quiet, State::TooEarly, State::Alarm][index % 3];
        Panel { segment: LONG.into(), n: 0, rates: vec![value; size], state }
    };
    let (dates, panels) = ((0..size).map(date).collect(), (0..size).map(panel).collect());
    Box::new(Chart { caption: caption(), measure: LONG.into(), dates, shop: vec![value; size], panels })
}

fn dumbbell(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use dumbbell::{Chart, Group, Row};
    let row = |index: usize| {
        let tone = [Tone::Better, Tone::Worse, Tone::Same, Tone::TooEarly][index % 4];
        Row {
            segment: LONG.into(),
            n: 1_234_567,
            before: interval(value),
            after: interval(Some(0.2)),
            tone,
            verdict: LONG.into(),
        }
    };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    Box::new(Chart { caption: caption(), measure: LONG.into(), groups, shop: value })
}

fn maturity(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use maturity::{Chart, Shown};
    let count = value.map_or(0, |value| (value * 100.0) as u64);
    let day = |index: usize| Shown { date: date(index), confirmed: count, pending: index as u64 };
    let days = (0..size).map(day).collect();
    Box::new(Chart { caption: caption(), measure: LONG.into(), days, known_until: value.map(|_| date(size / 2)) })
}

fn comparison(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use comparison::{Better, Chart, Metric};
    let metric = |unit| Metric {
        name: LONG.into(),
        unit,
        better: Better::Lower,
        scores: vec![interval(value), interval(Some(0.5)), None],
    };
    let metrics = [Unit::In100, Unit::Percent, Unit::Count, Unit::Number(3)].map(metric).to_vec();
    Box::new(Chart { caption: caption(), models: vec![LONG.into(); size], metrics })
}

fn curve(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use curve::{Chart, Point, Series};
    let point = |index: usize| Point { n: index as u64 * 100, score: interval(value) };
    let series = |tone| Series { name: LONG.into(), tone, points: (0..size).map(point).collect() };
    let series = vec![series(Tone::Better), series(Tone::Same)];
    Box::new(Chart { caption: caption(), measure: LONG.into(), counted: LONG.into(), unit: Unit::In100, series })
}

fn reliability(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use reliability::{Bin, Chart};
    let bin = |index: usize| Bin { predicted: value.unwrap_or(0.1), observed: interval(value), n: index as u64 };
    Box::new(Chart { caption: caption(), bins: (0..size).map(bin).collect() })
}

fn bars(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use bars::{Bar, Chart};
    let bar = |index: usize| Bar {
        label: LONG.into(),
        value: if index == 0 { value } else { Some(index as f64) },
        note: LONG.into(),
        tone: value.map(|_| Tone::Better),
    };
    Box::new(Chart { caption: caption(), unit: Unit::Count, bars: (0..size).map(bar).collect() })
}

fn dots(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use dots::{Chart, Group, Row};
    let row = |_| Row { label: LONG.into(), points: vec![interval(value), None, interval(Some(0.5))] };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    Box::new(Chart { caption: caption(), measure: LONG.into(), series: vec![LONG.into(); 3], groups })
}

fn waterfall(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use waterfall::{Chart, Step};
    let step = |index: usize| Step { label: LONG.into(), change: value.unwrap_or(-0.01), is_mix: index == 0 };
    let steps = (0..size.min(9)).map(step).collect();
    let (before, after) = ((LONG.to_owned(), value), (LONG.to_owned(), Some(0.2)));
    Box::new(Chart { caption: caption(), measure: LONG.into(), before, steps, after })
}

fn ratios(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use ratios::{Chart, Group, Row, Verdict};
    let verdicts = [Verdict::Gap, Verdict::Watch, Verdict::Fair, Verdict::Nothing];
    let row =
        |index: usize| Row { name: LONG.into(), n: 1_234_567, ratio: interval(value), verdict: verdicts[index % 4] };
    let groups = vec![
        Group { heading: LONG.into(), rows: (0..size).map(row).collect() },
        Group { heading: String::new(), rows: Vec::new() },
    ];
    Box::new(Chart { caption: caption(), measure: LONG.into(), counted: LONG.into(), line: 0.8, groups })
}

fn vintages(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use vintages::{Chart, Figure, Week};
    let week = |index: usize| Week {
        date: date(index),
        n: index as u64,
        first: value.map(Figure::SoFar),
        now: [interval(value).map(Figure::Provisional), value.map(Figure::Confirmed), None][index % 3],
    };
    Box::new(Chart { caption: caption(), measure: LONG.into(), weeks: (0..size).map(week).collect() })
}

fn scorecard(size: usize, value: Option<f64>) -> Box<dyn Picture> {
    use scorecard::{Cell, Chart, Row};
    let cell = |_| Cell { share: value.unwrap_or(0.5), words: "9 of 12 times".into() };
    let row = |index: usize| Row {
        label: LONG.into(),
        cells: (0..9).map(cell).collect(),
        verdict: LONG.into(),
        marked: value.map(|_| index),
    };
    let columns = (0..size.min(8)).map(|index| format!("-{index} %")).collect();
    let rows = (0..size).map(row).collect();
    Box::new(Chart { caption: caption(), measure: LONG.into(), columns, verdict: LONG.into(), rows })
}

/// How many entries, and the value all of them have.
type Make = fn(usize, Option<f64>) -> Box<dyn Picture>;

const CHARTS: &[(&str, Make)] = &[
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

/// What a pull request takes without a murmur.
const MOST_BYTES: usize = 120_000;

#[test]
fn every_chart_takes_odd_input() {
    for &(name, make) in CHARTS {
        let odd = VALUES.map(|value| (1, value)).into_iter().chain(SIZES.map(|size| (size, Some(0.28))));
        for (size, value) in odd {
            let what = format!("{name}, {size} of {value:?}");
            let bytes = make(size, value).png().unwrap_or_else(|error| panic!("{what}: {error}"));
            let mut reader =
                png::Decoder::new(&bytes[..]).read_info().unwrap_or_else(|error| panic!("{what}: {error}"));
            let mut pixels = vec![0; reader.output_buffer_size()];
            let info = reader.next_frame(&mut pixels).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((info.width, info.color_type), (1600, png::ColorType::Indexed), "{what}");
            assert!(bytes.len() <= MOST_BYTES, "{what}: {} bytes", bytes.len());
        }
    }
}

/// Nothing is left out in silence.
#[test]
fn a_picture_says_what_has_no_room_in_it() {
    let bars = |count: usize| {
        let bar = |index: usize| bars::Bar {
            label: format!("row {index}"),
            value: Some(1.0),
            note: String::new(),
            tone: None,
        };
        let bars = (0..count).map(bar).collect();
        bars::Chart { caption: Caption { footnote: "A footnote.".into(), ..caption() }, unit: Unit::Count, bars }
    };
    let words = |chart: bars::Chart| -> Vec<String> {
        let scene = chart.scene().unwrap();
        let text = scene.shapes().iter().filter_map(|shape| match shape {
            Shape::Text { words, .. } => Some(words.clone()),
            _ => None,
        });
        text.collect()
    };
    let (full, over) = (words(bars(MOST)), words(bars(MOST + 3)));
    assert!(full.contains(&format!("row {}", MOST - 1)) && full.contains(&"A footnote.".to_owned()), "{full:?}");
    assert!(!over.contains(&format!("row {MOST}")), "{over:?}");
    assert!(over.contains(&"3 more have no room in this picture. A footnote.".to_owned()), "{over:?}");
}

#[test]
fn a_day_that_is_none_is_an_error() {
    let days = vec![maturity::Shown { date: "21.09.2031".into(), confirmed: 1, pending: 0 }];
    let chart = maturity::Chart { caption: caption(), measure: String::new(), days, known_until: None };
    let error = chart.scene().unwrap_err();
    assert_eq!(error.to_string(), "\"21.09.2031\" is not a day; write it as 2031-09-21");
}
