//! Values sorted into bars: equal ones, whole numbers, long tails, both sides of 0.

use charts::Histogram;

/// Values as (value, how often), the shares in hundredths of a value, what stands below, and what is said.
type Case =
    (&'static str, &'static [(f64, usize)], &'static [f64], &'static [(f64, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "whole numbers have a bar each, named below its middle",
        &[(2.0, 10), (3.0, 20), (4.0, 40), (5.0, 10), (6.0, 15), (7.0, 5)],
        &[10.0, 20.0, 40.0, 10.0, 15.0, 5.0],
        &[(0.5, "2"), (1.5, "3"), (2.5, "4"), (3.5, "5"), (4.5, "6"), (5.5, "7")],
        &[],
    ),
    (
        "many whole numbers share bars of five, named where they begin",
        &[(0.0, 10), (13.0, 20), (14.0, 20), (40.0, 30), (61.0, 10), (99.0, 10)],
        &[10., 0., 40., 0., 0., 0., 0., 0., 30., 0., 0., 0., 10., 0., 0., 0., 0., 0., 0., 10.],
        &[(0.0, "0"), (4.0, "20"), (8.0, "40"), (12.0, "60"), (16.0, "80"), (20.0, "100")],
        &[],
    ),
    (
        "what most have is told and not drawn",
        &[(0.0, 75), (1.0, 5), (2.0, 5), (3.0, 5), (4.0, 5), (5.0, 5)],
        &[5.0, 5.0, 5.0, 5.0, 5.0],
        &[(0.5, "1"), (1.5, "2"), (2.5, "3"), (3.5, "4"), (4.5, "5")],
        &["75 in 100 are 0, not drawn"],
    ),
    (
        "a long tail widens: 1 | 2 to 4 | 5 to 9 | and so on",
        &[(1.0, 40), (2.0, 10), (4.0, 15), (5.0, 10), (30.0, 10), (700.0, 10), (1_900.0, 5)],
        &[40.0, 25.0, 10.0, 0.0, 10.0, 0.0, 0.0, 0.0, 10.0, 5.0],
        &[
            (0., "1"),
            (1., "2"),
            (2., "5"),
            (3., "10"),
            (4., "20"),
            (5., "50"),
            (6., "100"),
            (7., "200"),
            (8., "500"),
            (9., "1,000"),
            (10., "2,000"),
        ],
        &["uneven axis: bars widen away from 0"],
    ),
    (
        "fractions begin below 1, and what is nearer to 0 has the first bar",
        &[(0.0, 4), (0.003, 20), (0.03, 20), (0.07, 20), (0.3, 16), (200.0, 20)],
        &[4., 20., 0., 0., 20., 20., 0., 16., 0., 0., 0., 0., 0., 0., 0., 0., 20.],
        &[
            (0., "0"),
            (1., "0.002"),
            (2., "0.005"),
            (3., "0.01"),
            (4., "0.02"),
            (5., "0.05"),
            (6., "0.1"),
            (7., "0.2"),
            (8., "0.5"),
            (9., "1"),
            (10., "2"),
            (11., "5"),
            (12., "10"),
            (13., "20"),
            (14., "50"),
            (15., "100"),
            (16., "200"),
            (17., "500"),
        ],
        &["uneven axis: bars widen away from 0"],
    ),
    (
        "both sides of 0 widen; a bar holds the value where it begins",
        &[(-3_000.0, 5), (-1.0, 20), (0.0, 20), (1.0, 30), (2.0, 20), (4_000.0, 5)],
        &[5., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 40., 30., 20., 0., 0., 0., 0., 0., 0., 0., 0., 5.],
        &[],
        &["uneven axis: bars widen away from 0"],
    ),
];

#[test]
fn values_are_sorted_into_bars() {
    for (name, values, shares, ticks, says) in CASES {
        let values: Vec<f64> = values.iter().flat_map(|(value, times)| vec![*value; *times]).collect();
        assert_eq!(values.len(), 100, "{name}");
        let histogram = Histogram::of(&values);
        let found: Vec<f64> = histogram.shares.iter().map(|share| share * 100.0).collect();
        let same = found.len() == shares.len() && found.iter().zip(*shares).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(same, "{name}: {found:?}, not {shares:?}; {:?}", histogram.ticks);
        let below: Vec<(f64, &str)> = histogram.ticks.iter().map(|(place, words)| (*place, words.as_str())).collect();
        assert!(ticks.is_empty() || below == *ticks, "{name}: {below:?}, not {ticks:?}");
        assert_eq!(histogram.says, *says, "{name}");
    }
}

/// The outermost 1 in 100 on each side are in the outermost bars: no value is lost, and none stretches the axis.
#[test]
fn the_outermost_values_are_counted_into_the_outermost_bars() {
    let mut values: Vec<f64> = (0..1_000).map(|place| f64::from(place) / 10.0).collect();
    values.splice(0..2, [-5_000.0, -40.0]);
    values.splice(998.., [400.0, 9_000.0]);
    let histogram = Histogram::of(&values);
    assert!((histogram.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!((histogram.shares.len(), histogram.ticks[0].1.as_str()), (20, "0"));
}

#[test]
fn nothing_and_one_value_have_no_bars() {
    assert_eq!(Histogram::of(&[]), Histogram::default());
    let one = Histogram::of(&[7.0, 7.0]);
    assert!(one.shares.is_empty() && one.says == ["100 in 100 are 7, not drawn"], "{one:?}");
}
