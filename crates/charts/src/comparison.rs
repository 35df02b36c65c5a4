//! Models side by side, a panel for every metric: which one is best, and is the lead larger than the doubt?

use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::palette::{INK, MUTED, QUIET, RULE, SLATE, Tone, WHITE};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten, two_lines, width};

/// The panels.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// The models, from top to bottom.
    pub models: Vec<String>,
    /// The metrics, from left to right.
    pub metrics: Vec<Metric>,
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Metric {
    /// What is measured: "Clicks found in the top 5".
    pub name: String,
    /// How its values are written.
    pub unit: Unit,
    /// Which end is good.
    pub better: Better,
    /// The models' values, as long as `models`.
    pub scores: Vec<Option<Interval>>,
}

/// Which end of a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// So many models have room in a picture.
pub const MOST_MODELS: usize = 12;
const COLUMNS: usize = 3;
/// Room for the models' names.
const NAMES: f64 = 300.0;
const GAP: f64 = 60.0;
const ROW: f64 = 84.0;
const HEAD: f64 = 96.0;
/// The ticks below, and where an axis begins.
const FEET: f64 = 66.0;
/// Steps of an axis, about.
const STEPS: f64 = 3.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST_MODELS, [&mut chart.models]);
        let mut scene = Scene::default();
        let mut y = chart.caption.head(&mut scene);
        if chart.models.is_empty() || chart.metrics.is_empty() {
            y = frame::nothing(&mut scene, y);
        }
        for metrics in chart.metrics.chunks(COLUMNS) {
            if chart.models.is_empty() {
                break;
            }
            y = band(&mut scene, &chart.models, metrics, y) + GAP;
        }
        Ok(chart.caption.foot(scene, y - if chart.models.is_empty() { 0.0 } else { GAP }))
    }
}

/// Up to three panels beside the models' names; returns where they end.
fn band(scene: &mut Scene, models: &[String], metrics: &[Metric], y: f64) -> f64 {
    let top = y + HEAD;
    let bottom = top + models.len() as f64 * ROW;
    for (row, model) in models.iter().enumerate() {
        let line = top + row as f64 * ROW;
        scene.line(&[(LEFT, line), (RIGHT, line)], 1.0, RULE);
        let name = two_lines(model, NAME, NAMES);
        let first = line + (ROW - (name.len() as f64 - 1.0) * NAME.leading()) / 2.0 + NAME.drop();
        scene.lines((LEFT, first), &name, NAME, Align::Left);
    }
    scene.line(&[(LEFT, bottom), (RIGHT, bottom)], 1.0, RULE);
    let width = (RIGHT - LEFT - NAMES) / metrics.len() as f64 - GAP;
    for (column, metric) in metrics.iter().enumerate() {
        let left = LEFT + NAMES + GAP + column as f64 * (width + GAP);
        panel(scene, metric, models.len(), (left, left + width), top);
    }
    bottom + FEET
}

/// One metric's axis with its words, and every model's point.
fn panel(scene: &mut Scene, metric: &Metric, rows: usize, (left, right): (f64, f64), top: f64) {
    let scores: Vec<Option<Interval>> = metric.scores.iter().take(rows).map(|score| known_interval(*score)).collect();
    let note = match metric.better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
    };
    scene.text((left, top - 54.0), &shorten(&metric.name, VALUE, right - left), VALUE, Align::Left);
    scene.text((left, top - 18.0), note, NOTE, Align::Left);

    let ticks = ticks(&scores, metric.unit);
    let bottom = top + rows as f64 * ROW;
    // Some room at both ends, so that values over the outermost points stay in their panel.
    let scale = Scale::new(ticks.ends(), (left + 16.0, right - 24.0));
    for value in &ticks.values {
        let x = scale.at(*value);
        scene.line(&[(x, top), (x, bottom)], 2.0, if *value == 0.0 { QUIET } else { RULE });
        scene.text((x, bottom + 32.0), &metric.unit.tick(*value, ticks.step), NOTE, Align::Center);
    }
    let start = ticks.ends().0;
    if start > 0.0 {
        let words = format!("begins at {}, not at 0", metric.unit.tick(start, ticks.step));
        scene.text((left, bottom + 32.0 + NOTE.leading()), &words, NOTE.in_color(INK), Align::Left);
    }
    let best = best(&scores, metric.better);
    for (row, score) in scores.iter().enumerate() {
        let y = top + (row as f64 + 0.66) * ROW;
        let Some(score) = score else {
            scene.text((left + 28.0, y - 12.0 + NOTE.drop()), "not measured", NOTE, Align::Left);
            continue;
        };
        let (color, pale) =
            if Some(row) == best { (Tone::Better.color(), Tone::Better.pale()) } else { (SLATE, Tone::Same.pale()) };
        let x = scale.at(score.value);
        scene.line(&[(scale.at(score.lower), y), (scale.at(score.upper), y)], 8.0, pale);
        scene.dot((x, y), 9.0, color);
        let style = if Some(row) == best { VALUE.in_color(color) } else { NAME.in_color(MUTED) };
        let words = words(metric.unit, score.value, ticks.step);
        // No grid line runs through a value.
        let half = width(&words, style) / 2.0 + 2.0;
        scene.rectangle((x - half, y - 46.0), (x + half, y - 16.0), WHITE);
        scene.text((x, y - 22.0), &words, style, Align::Center);
    }
}

/// Ticks over all ranges.  They begin at 0 unless more than half of the room would be the way from there.
fn ticks(scores: &[Option<Interval>], unit: Unit) -> Ticks {
    let low = scores.iter().flatten().map(|score| score.lower).fold(f64::INFINITY, f64::min);
    let high = scores.iter().flatten().map(|score| score.upper).fold(f64::NEG_INFINITY, f64::max);
    match low > high {
        true => Ticks::over(0.0, 0.0, STEPS, unit),
        false if low > 0.0 && low < high / 2.0 => Ticks::over(0.0, high, STEPS, unit),
        false => Ticks::over(low, high, STEPS, unit),
    }
}

/// A value as exactly as its axis can be read.
fn words(unit: Unit, value: f64, step: f64) -> String {
    match unit {
        Unit::Percent if step < 0.1 => format!("{}%", decimals(value * 100.0, 1)),
        Unit::In100 if step < 0.1 => format!("{} in 100", decimals(value * 100.0, 1)),
        _ => unit.label(value),
    }
}

/// The row of the best value; none where several are equal.
fn best(scores: &[Option<Interval>], better: Better) -> Option<usize> {
    let sign = if better == Better::Higher { 1.0 } else { -1.0 };
    let values = || scores.iter().enumerate().filter_map(|(row, score)| Some((row, score.as_ref()?.value * sign)));
    let most = values().map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
    let mut rows = values().filter(|(_, value)| *value == most).map(|(row, _)| row);
    rows.next().filter(|_| rows.next().is_none())
}
