//! A small chart of each kind, with numbers that are told apart at sight.

use charts::{
    Caption, Interval, Picture, Tone, Unit, bars, before_after, comparison, curve, distributions, dots, dumbbell,
    maturity, ratios, reliability, scorecard, segment_line, small_multiples, vintages, waterfall,
};

/// The name of a chart, and how its sample is made.
pub type Sample = (&'static str, fn() -> Box<dyn Picture>);

pub const SAMPLES: &[Sample] = &[
    ("bars", bars),
    ("before_after", before_after),
    ("comparison", comparison),
    ("curve", curve),
    ("distributions", distributions),
    ("dots", dots),
    ("dumbbell", dumbbell),
    ("maturity", maturity),
    ("ratios", ratios),
    ("reliability", reliability),
    ("scorecard", scorecard),
    ("segment_line", segment_line),
    ("small_multiples", small_multiples),
    ("vintages", vintages),
    ("waterfall", waterfall),
];

fn caption(title: &str) -> Caption {
    Caption {
        title: title.into(),
        subtitle: "An invented shop".into(),
        footnote: "Source: tests/pictures/samples.rs".into(),
    }
}

fn around(value: f64, doubt: f64) -> Option<Interval> {
    Some(Interval { value, lower: value - doubt, upper: value + doubt })
}

fn day(number: usize) -> String {
    format!("2031-09-{number:02}")
}

fn bars() -> Box<dyn Picture> {
    let bar = |label: &str, value: Option<f64>, note: &str, tone| bars::Bar {
        label: label.into(),
        value,
        note: note.into(),
        tone,
    };
    let bars = vec![
        bar("lost on the way", Some(1_200.0), "most of it in May", None),
        bar("found again", Some(300.0), "", Some(Tone::Better)),
        bar("taken back", Some(-600.0), "", Some(Tone::Worse)),
        bar("never counted", None, "", None),
    ];
    Box::new(bars::Chart { caption: caption("Parcels come and go"), unit: Unit::Count, bars })
}

fn before_after() -> Box<dyn Picture> {
    let panel = |name: &str, bins: &[(f64, f64)]| before_after::Panel {
        name: name.into(),
        note: "none missing".into(),
        bins: bins.to_vec(),
        from: "0".into(),
        to: "90".into(),
    };
    let panels = vec![panel("age", &[(0.2, 0.1), (0.5, 0.4), (0.3, 0.5)]), panel("looks", &[(0.8, 0.25), (0.2, 0.75)])];
    Box::new(before_after::Chart { caption: caption("Values moved up"), panels })
}

fn comparison() -> Box<dyn Picture> {
    use comparison::{Better, Chart, Metric};
    let metric = |name: &str, unit, better, scores: [Option<Interval>; 3]| Metric {
        name: name.into(),
        unit,
        better,
        scores: scores.into(),
    };
    let metrics = vec![
        metric(
            "Right order",
            Unit::Percent,
            Better::Higher,
            [around(0.60, 0.01), around(0.62, 0.01), around(0.653, 0.01)],
        ),
        metric("Lists that hit", Unit::Percent, Better::Higher, [around(0.30, 0.05), None, around(0.12, 0.04)]),
        metric(
            "Surprise",
            Unit::Number(3),
            Better::Lower,
            [around(0.412, 0.02), around(0.388, 0.02), around(0.401, 0.02)],
        ),
    ];
    let models = ["article popularity", "without descriptions", "with descriptions"].map(String::from).to_vec();
    Box::new(Chart { caption: caption("Descriptions help"), models, metrics })
}

fn curve() -> Box<dyn Picture> {
    use curve::{Chart, Point, Series};
    let series = |name: &str, tone, points: &[(u64, f64)]| Series {
        name: name.into(),
        tone,
        points: points.iter().map(|(n, value)| Point { n: *n, score: around(*value, 0.01) }).collect(),
    };
    let series = vec![
        series("with descriptions", Tone::Better, &[(1_000, 0.61), (2_000, 0.63), (4_000, 0.64)]),
        series("without", Tone::Same, &[(1_000, 0.58), (2_000, 0.60), (4_000, 0.60)]),
    ];
    let (measure, counted) = ("pairs in the right order, of 100".into(), "looks to learn from".into());
    Box::new(Chart { caption: caption("More looks still help a little"), measure, counted, unit: Unit::In100, series })
}

fn distributions() -> Box<dyn Picture> {
    use distributions::{Chart, Panel, Spread};
    let panel = |name: &str, note: &str, spread| Panel { name: name.into(), note: note.into(), spread };
    let names = |names: &[(&str, f64)]| Spread::Names(names.iter().map(|(name, n)| ((*name).into(), *n)).collect());
    let looks = [0; 30].into_iter().chain([1; 9]).chain([2, 3, 3, 4, 7, 8, 12, 15, 40, 41, 90, 180]);
    let scores = (0..60).map(|place| f64::from(place * place) / 40.0);
    let numbers = |values: Vec<f64>| Spread::of_numbers(&values);
    let panels = vec![
        panel("looks", "looks, 5 in 100 missing", numbers(looks.map(f64::from).collect())),
        panel("score", "points, none missing", numbers(scores.collect())),
        panel("certificates", "certificates, none missing", numbers(vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 3.0])),
        panel("colour", "category, none missing", names(&[("sage", 0.5), ("mustard", 0.3), ("4 others", 0.2)])),
        panel("style", "vector, none missing", Spread::Words("a vector; no picture of it says much".into())),
    ];
    Box::new(Chart { caption: caption("How values are spread"), panels })
}

fn dots() -> Box<dyn Picture> {
    use dots::{Chart, Group, Row};
    let row = |label: &str, points: [Option<Interval>; 2]| Row { label: label.into(), points: points.into() };
    let groups = vec![
        Group {
            heading: "Brands".into(),
            rows: vec![
                row("Moosgrün", [around(0.28, 0.04), around(0.21, 0.02)]),
                row("Feldweg", [around(0.07, 0.03), None]),
            ],
        },
        Group { heading: "Prices".into(), rows: vec![row("below 50 EUR", [around(-0.05, 0.02), around(0.10, 0.01)])] },
    ];
    let series = vec!["in the lists".into(), "on sale".into()];
    Box::new(Chart { caption: caption("Some brands are shown more"), measure: "of 100 places".into(), series, groups })
}

fn dumbbell() -> Box<dyn Picture> {
    use dumbbell::{Chart, Group, Row};
    let verdict = |tone| match tone {
        Tone::Better | Tone::Worse => "changed",
        Tone::Same => "unchanged",
        Tone::TooEarly => "cannot be told yet",
    };
    let row = |segment: &str, n, before, after, tone| Row {
        segment: segment.into(),
        n,
        before,
        after,
        tone,
        verdict: verdict(tone).into(),
    };
    let rows = vec![
        row("18-24", 1_204, around(0.28, 0.03), around(0.11, 0.03), Tone::Worse),
        row("25-34", 980, around(0.20, 0.03), around(0.26, 0.03), Tone::Better),
        row("35-44", 870, around(0.22, 0.03), around(0.21, 0.03), Tone::Same),
        row("45-54", 31, None, around(0.16, 0.12), Tone::TooEarly),
    ];
    let groups = vec![Group { heading: "Age".into(), rows }];
    Box::new(Chart {
        caption: caption("The youngest click less"),
        measure: "clicked, of 100".into(),
        groups,
        shop: Some(0.19),
    })
}

fn maturity() -> Box<dyn Picture> {
    let shown = [(200, 0), (180, 0), (150, 60), (40, 160)];
    let days = (1..).zip(shown).map(|(number, (confirmed, pending))| maturity::Shown {
        date: day(number),
        confirmed,
        pending,
    });
    let (measure, days) = ("recommendations shown that day".into(), days.collect());
    Box::new(maturity::Chart { caption: caption("Half is known"), measure, days, known_until: Some(day(2)) })
}

fn ratios() -> Box<dyn Picture> {
    use ratios::{Chart, Group, Row, Verdict};
    let row = |name: &str, n, ratio, verdict| Row { name: name.into(), n, ratio, verdict };
    let rows = vec![
        row("18-24", 412, around(0.61, 0.1), Verdict::Gap),
        row("25-34", 388, around(0.75, 0.2), Verdict::Watch),
        row("35-44", 1_506, around(1.1, 0.1), Verdict::Fair),
        row("not given", 0, None, Verdict::Nothing),
    ];
    let groups = vec![Group { heading: "Age".into(), rows }];
    let (measure, counted) = ("clicks for every 100 of the rest".into(), "shown".into());
    Box::new(Chart { caption: caption("The youngest get less"), measure, counted, line: 0.8, groups })
}

fn reliability() -> Box<dyn Picture> {
    use reliability::{Bin, Chart};
    let bin = |predicted, observed, n| Bin { predicted, observed: around(observed, 0.02), n };
    let bins = vec![bin(0.05, 0.04, 4_000), bin(0.12, 0.13, 2_500), bin(0.31, 0.22, 800)];
    Box::new(Chart { caption: caption("It promises a little too much"), bins })
}

fn scorecard() -> Box<dyn Picture> {
    use scorecard::{Cell, Chart, Row};
    let cell = |hits: u32| Cell { share: f64::from(hits) / 10.0, words: format!("{hits} of 10") };
    let row = |label: &str, hits: [u32; 3], verdict: &str, marked| Row {
        label: label.into(),
        cells: hits.map(cell).into(),
        verdict: verdict.into(),
        marked,
    };
    let rows = vec![row("Berlin", [0, 6, 9], "40 %", Some(2)), row("West", [0, 1, 3], "none", None)];
    Box::new(Chart {
        caption: caption("Large drops are noticed"),
        measure: "share of clicks lost".into(),
        columns: ["10 %", "20 %", "40 %"].map(String::from).into(),
        verdict: "smallest".into(),
        rows,
    })
}

fn segment_line() -> Box<dyn Picture> {
    use segment_line::{Change, Chart, Level, Reading, State};
    let rates = [0.30, 0.26, 0.28, 0.27, 0.12, 0.10, 0.14, 0.0];
    let state = |number: usize| match number {
        1..=5 => State::Confirmed,
        6..=7 => State::Provisional { lower: Some(0.08), upper: Some(0.18) },
        _ => State::Pending,
    };
    let reading = |(number, rate): (usize, f64)| Reading {
        date: day(number),
        n: 100,
        rate: Some(rate).filter(|_| number < 8),
        trailing: None,
        rest: Some(0.22),
        state: state(number),
    };
    let level = Level { from: day(5), until: day(5), value: 0.12, name: "confirmed:".into(), is_provisional: false };
    Box::new(Chart {
        caption: caption("Clicks fell on 5 September"),
        measure: "clicked, of 100 recommendations shown".into(),
        days: (1..).zip(rates).map(reading).collect(),
        before: Some(Interval { value: 0.275, lower: 0.24, upper: 0.32 }),
        change: Some(Change { date: day(5), after: 0.125, tone: Tone::Worse }),
        levels: vec![level],
    })
}

fn small_multiples() -> Box<dyn Picture> {
    use small_multiples::{Chart, Panel, State};
    let panel = |segment: &str, n, rates: [f64; 3], state| Panel {
        segment: segment.into(),
        n,
        rates: rates.map(Some).into(),
        state,
    };
    let panels = vec![
        panel("West", 544, [0.20, 0.22, 0.25], State::Quiet),
        panel("East", 21, [0.5, 0.9, 0.1], State::TooEarly),
        panel("Berlin", 620, [0.24, 0.12, 0.06], State::Alarm),
    ];
    Box::new(Chart {
        caption: caption("Clicks fell in Berlin"),
        measure: "clicked, of 100 recommendations shown".into(),
        dates: [1, 6, 11].map(day).into(),
        shop: [0.21, 0.19, 0.18].map(Some).into(),
        panels,
    })
}

fn vintages() -> Box<dyn Picture> {
    use vintages::{Chart, Figure, Week};
    let week = |number, first, now| Week { date: day(number), n: 1_000, first: Some(first), now: Some(now) };
    let provisional = |value| Figure::Provisional(Interval { value, lower: value - 0.02, upper: value + 0.03 });
    let weeks = vec![
        week(1, Figure::SoFar(0.05), Figure::Confirmed(0.12)),
        week(8, provisional(0.10), Figure::Confirmed(0.11)),
        week(15, provisional(0.08), provisional(0.09)),
    ];
    Box::new(Chart { caption: caption("Figures rise as the truth arrives"), measure: "kept, of 100".into(), weeks })
}

fn waterfall() -> Box<dyn Picture> {
    use waterfall::{Chart, Step};
    let step = |label: &str, change, is_mix| Step { label: label.into(), change, is_mix };
    let steps = vec![step("who was shown", -0.01, true), step("Berlin", -0.05, false), step("West", 0.02, false)];
    Box::new(Chart {
        caption: caption("Berlin made the difference"),
        measure: "clicked, of 100 recommendations shown".into(),
        before: ("before".into(), Some(0.24)),
        steps,
        after: ("after".into(), Some(0.20)),
    })
}
