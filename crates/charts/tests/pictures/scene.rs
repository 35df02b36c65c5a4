//! Marks stand where the axis beside them says that their value is.

use charts::{Scene, Shape};
use plotters::style::RGBColor;

use crate::reading::Axes;
use crate::reading::Marks::{self, Bars, Dashes, Dots, Lines};
use crate::reading::Way::{self, Across, Up};
use crate::samples::SAMPLES;

const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const SLATE: RGBColor = RGBColor(72, 84, 97);
const MUTED: RGBColor = RGBColor(98, 107, 117);
const QUIET: RGBColor = RGBColor(160, 168, 177);
const PALE_BLUE: RGBColor = RGBColor(190, 219, 238);
const PALE_ORANGE: RGBColor = RGBColor(250, 214, 188);
const PALE_GREY: RGBColor = RGBColor(214, 219, 224);
const SOFT_ORANGE: RGBColor = RGBColor(240, 155, 96);

fn sample(name: &str) -> Scene {
    SAMPLES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no sample {name}")).1().scene().unwrap()
}

/// Chart, the way its values grow, the marks, and what they say in hundredths (or counts), in the order of painting.
const READINGS: &[(&str, Way, Marks, &[f64])] = &[
    ("comparison", Across, Dots(BLUE, 9.0), &[65.3, 30.0, 0.388]),
    ("comparison", Across, Dots(SLATE, 9.0), &[60.0, 62.0, 12.0, 0.412, 0.401]),
    ("comparison", Across, Lines(PALE_BLUE, 8.0), &[64.3, 66.3, 25.0, 35.0, 0.368, 0.408]),
    ("curve", Up, Dots(BLUE, 9.0), &[61.0, 63.0, 64.0]),
    ("curve", Up, Lines(BLUE, 5.0), &[61.0, 63.0, 64.0]),
    ("curve", Up, Dots(MUTED, 9.0), &[58.0, 60.0, 60.0]),
    ("dots", Across, Dots(BLUE, 10.0), &[28.0, 7.0, -5.0]),
    ("dots", Across, Dots(SLATE, 10.0), &[21.0, 10.0]),
    ("dots", Across, Lines(PALE_GREY, 8.0), &[19.0, 23.0, 9.0, 11.0]),
    ("dumbbell", Across, Dots(ORANGE, 11.0), &[11.0]),
    ("dumbbell", Across, Dots(BLUE, 11.0), &[26.0]),
    ("dumbbell", Across, Dashes(QUIET, 3.0), &[19.0, 19.0]),
    ("dumbbell", Across, Lines(PALE_ORANGE, 8.0), &[8.0, 14.0]),
    ("maturity", Up, Bars(SLATE), &[200.0, 180.0, 150.0, 40.0]),
    ("ratios", Across, Dots(ORANGE, 11.0), &[61.0]),
    ("ratios", Across, Dots(SLATE, 11.0), &[110.0]),
    ("ratios", Across, Lines(PALE_ORANGE, 12.0), &[51.0, 71.0]),
    ("ratios", Across, Dashes(ORANGE, 3.0), &[80.0, 80.0]),
    ("reliability", Up, Dots(SLATE, 11.0), &[4.0, 13.0, 22.0]),
    ("reliability", Across, Dots(SLATE, 11.0), &[5.0, 12.0, 31.0]),
    ("segment_line", Up, Lines(SLATE, 5.0), &[30.0, 26.0, 28.0, 27.0]),
    ("segment_line", Up, Dashes(ORANGE, 5.0), &[12.0, 10.0, 14.0]),
    ("segment_line", Up, Dots(SOFT_ORANGE, 7.5), &[12.0, 10.0, 14.0]),
    ("small_multiples", Up, Lines(ORANGE, 5.0), &[24.0, 12.0, 6.0]),
    ("vintages", Up, Dots(SLATE, 12.0), &[12.0, 11.0, 9.0]),
    ("vintages", Up, Dots(QUIET, 12.0), &[10.0, 8.0]),
    ("waterfall", Across, Bars(SLATE), &[24.0, 20.0]),
    ("waterfall", Across, Bars(ORANGE), &[24.0, 23.0]),
    ("waterfall", Across, Bars(BLUE), &[20.0]),
];

#[test]
fn marks_stand_at_their_values() {
    for (name, way, marks, expected) in READINGS {
        let scene = sample(name);
        let found = Axes::of(&scene, *way).values(&scene, *marks);
        let same = found.len() == expected.len() && found.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 0.001);
        assert!(same, "{name}, {marks:?} {way:?}: {found:?}, not {expected:?}");
    }
}

/// Where there is no axis, bars are in proportion: chart, way, colour, and the sizes of the first of them against the
/// largest bar of the picture.
const PROPORTIONS: &[(&str, Way, RGBColor, &[f64])] = &[
    ("bars", Across, SLATE, &[1.0]),
    ("bars", Across, BLUE, &[300.0 / 1_200.0]),
    ("bars", Across, ORANGE, &[600.0 / 1_200.0]),
    // Each panel has its own height.
    ("before_after", Up, QUIET, &[0.2 / 0.5, 1.0, 0.3 / 0.5, 1.0, 0.2 / 0.8]),
    ("before_after", Up, BLUE, &[0.1 / 0.5, 0.4 / 0.5, 1.0, 0.25 / 0.8, 0.75 / 0.8]),
    ("distributions", Up, SLATE, &[1.0, 4.0 / 9.0, 2.0 / 9.0, 2.0 / 9.0, 2.0 / 9.0, 2.0 / 9.0]),
];

#[test]
fn bars_are_as_long_as_their_values() {
    let length = |from: &(f64, f64), to: &(f64, f64), way| if way == Across { to.0 - from.0 } else { to.1 - from.1 };
    for (name, way, wanted, expected) in PROPORTIONS {
        let scene = sample(name);
        let bars = || {
            scene.shapes().iter().filter_map(|shape| match shape {
                Shape::Rectangle { from, to, color } if [BLUE, ORANGE, SLATE, QUIET].contains(color) => {
                    Some((length(from, to, *way), *color))
                }
                _ => None,
            })
        };
        let largest = bars().map(|(length, _)| length).fold(0.0, f64::max);
        let found: Vec<f64> = bars().filter(|(_, color)| color == wanted).map(|(length, _)| length / largest).collect();
        let same = found.len() >= expected.len() && found.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 0.001);
        assert!(same, "{name}, {wanted:?}: {found:?}, not {expected:?}");
    }
}

/// The better the darker; the first column that is good enough is outlined.
#[test]
fn scores_have_their_colours() {
    let scene = sample("scorecard");
    let cells: Vec<RGBColor> = scene
        .shapes()
        .iter()
        .filter_map(|shape| match shape {
            Shape::Rectangle { color, .. } => Some(*color),
            _ => None,
        })
        .collect();
    let soft = RGBColor(111, 174, 214);
    let nothing = RGBColor(229, 232, 236);
    assert_eq!(cells, [nothing, soft, BLUE, nothing, PALE_BLUE, PALE_BLUE]);
    let corner = |wanted: &str| {
        scene.shapes().iter().find_map(|shape| match shape {
            Shape::Text { words, at, .. } if words == wanted => Some(*at),
            _ => None,
        })
    };
    let (x, y) = corner("9 of 10").unwrap();
    let outline = Marks::Lines(RGBColor(27, 31, 36), 4.0).places(&scene, Across);
    let (xs, ys): (Vec<f64>, Vec<f64>) = outline.into_iter().unzip();
    let around = |all: &[f64], middle: f64| all.iter().any(|it| *it < middle) && all.iter().any(|it| *it > middle);
    assert!(xs.len() == 8 && around(&xs, x) && around(&ys, y), "{xs:?} {ys:?} are not around {x} {y}");
}
