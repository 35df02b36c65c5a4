//! Marks stand where the axis beside them says that their value is.

use charts::Scene;
use plotters::style::RGBColor;

use crate::reading::Axis;
use crate::reading::Marks::{self, Bars, Dashes, Dots, Lines};
use crate::reading::Way::{self, Across, Up};
use crate::samples::SAMPLES;

const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const SLATE: RGBColor = RGBColor(72, 84, 97);
const MUTED: RGBColor = RGBColor(98, 107, 117);
const QUIET: RGBColor = RGBColor(160, 168, 177);
const PALE_ORANGE: RGBColor = RGBColor(250, 214, 188);
const PALE_GREY: RGBColor = RGBColor(214, 219, 224);
const SOFT_ORANGE: RGBColor = RGBColor(240, 155, 96);

fn sample(name: &str) -> Scene {
    SAMPLES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no sample {name}")).1().scene().unwrap()
}

/// Chart, the way its values grow, the marks, and what they say in hundredths (or counts), in the order of painting.
const READINGS: &[(&str, Way, Marks, &[f64])] = &[
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
        let found = Axis::of(&scene, *way).values(&scene, *marks);
        let same = found.len() == expected.len() && found.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 0.01);
        assert!(same, "{name}, {marks:?} {way:?}: {found:?}, not {expected:?}");
    }
}
