//! Axes shared by the charts: horizontal grid lines with their values, days with their counts.

use super::dates::{Day, TimeAxis};
use super::frame::{LEFT, RIGHT};
use super::palette::{INK, QUIET, RULE};
use super::scale::{Scale, Ticks, Unit, decimals};
use super::scene::Scene;
use super::text::{Align, NOTE, shorten};

/// Room left of a plot for the values of its grid lines.
pub const GUTTER: f64 = 96.0;
/// Room below a plot for days and counts.
pub const DAYS: f64 = 74.0;

/// What is measured, at the top left of a plot.
pub fn measure(scene: &mut Scene, y: f64, words: &str) {
    scene.text((LEFT, y + NOTE.size), &shorten(words, NOTE, RIGHT - LEFT), NOTE, Align::Left);
}

/// Grid lines through the gutter and the plot, from `left - GUTTER` to `right`, with their values on them. The top one
/// says the unit; it stands above the plot, where no data can run into it.
pub fn values(scene: &mut Scene, scale: &Scale, ticks: &Ticks, unit: Unit, left: f64, right: f64) {
    grid(scene, scale, ticks, left - GUTTER, right);
    let top = ticks.ends().1;
    for value in &ticks.values {
        let unit_once = if *value == top && unit == Unit::In100 { " in 100" } else { "" };
        let words = unit.tick(*value, ticks.step) + unit_once;
        scene.text((left - GUTTER, scale.at(*value) - 8.0), &words, NOTE, Align::Left);
    }
}

/// The grid lines alone, for a plot beside one that has the values.
pub fn grid(scene: &mut Scene, scale: &Scale, ticks: &Ticks, left: f64, right: f64) {
    for value in &ticks.values {
        let y = scale.at(*value);
        scene.line(&[(left, y), (right, y)], 2.0, if *value == 0.0 { QUIET } else { RULE });
    }
}

/// Days below a plot whose bottom is `y`, each with its count. The anchor, if any, is printed in bold.
pub fn days(scene: &mut Scene, axis: &TimeAxis, y: f64, days: &[Day], counts: &[u64], anchor: Option<Day>) {
    let counts: Vec<String> = counts.iter().map(|count| format!("n = {}", decimals(*count as f64, 0))).collect();
    for index in axis.ticks(days, &counts, anchor) {
        let x = axis.x(days[index]);
        let style = if anchor == Some(days[index]) { NOTE.in_bold().in_color(INK) } else { NOTE };
        scene.line(&[(x, y), (x, y + 8.0)], 2.0, QUIET);
        scene.text((x, y + 34.0), &days[index].label(), style, Align::Center);
        scene.text((x, y + 66.0), &counts[index], NOTE, Align::Center);
    }
}
