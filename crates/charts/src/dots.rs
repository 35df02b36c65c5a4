//! Several figures for every name on one axis, each with its range: how do they compare, row by row?

use plotters::style::RGBColor;

use super::axes;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::key::{self, Mark};
use super::palette::{QUIET, RULE, SLATE, Tone, WHITE};
use super::scale::{Interval, Scale, Ticks, Unit, hundredths, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten};

/// The rows, in groups.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the rows: "of 100 places in the lists".
    pub measure: String,
    /// What each point of a row stands for, the most important first; at most three.
    pub series: Vec<String>,
    /// In the order in which they are drawn.
    pub groups: Vec<Group>,
}

/// Rows that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they have in common; may be empty.
    pub heading: String,
    /// In the order in which they are drawn.
    pub rows: Vec<Row>,
}

/// One name with its figures, shares that may be below 0.
#[derive(Debug, Clone)]
pub struct Row {
    pub label: String,
    /// As long as the chart's series.
    pub points: Vec<Option<Interval>>,
}

const ROW: f64 = 66.0;
const HEADING: f64 = 60.0;
const NAMES: f64 = 370.0;
/// Room for one column of values.
const COLUMN: f64 = 112.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST, chart.groups.iter_mut().map(|group| &mut group.rows));
        let mut scene = Scene::default();
        let mut y = chart.caption.head(&mut scene);
        let rows: usize = chart.groups.iter().map(|group| group.rows.len()).sum();
        if rows == 0 || chart.series.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, end));
        }
        let marks: Vec<(Mark, &str)> =
            chart.series.iter().enumerate().map(|(at, words)| (Mark::Dot(color(at)), words.as_str())).collect();
        y = key::draw(&mut scene, y, &marks);
        axes::measure(&mut scene, y, &chart.measure);
        let top = y + 88.0;
        let headings = chart.groups.iter().filter(|group| !group.heading.is_empty() && !group.rows.is_empty()).count();
        let bottom = top + rows as f64 * ROW + headings as f64 * HEADING;
        let plot = (LEFT + NAMES + 30.0, RIGHT - COLUMN * chart.series.len() as f64 - 30.0);
        let scale = axis(&mut scene, &chart, plot, top, bottom);
        y = top;
        for group in chart.groups.iter().filter(|group| !group.rows.is_empty()) {
            if !group.heading.is_empty() {
                scene.text((LEFT, y + 42.0), &shorten(&group.heading, VALUE, NAMES), VALUE, Align::Left);
                y += HEADING;
            }
            for row in &group.rows {
                draw_row(&mut scene, row, chart.series.len(), y + ROW / 2.0, &scale);
                scene.line(&[(LEFT, y + ROW), (RIGHT, y + ROW)], 1.0, RULE);
                y += ROW;
            }
        }
        Ok(chart.caption.foot(scene, bottom))
    }
}

/// The first series is what the chart is about, the others are to compare with.
fn color(series: usize) -> RGBColor {
    match series {
        0 => Tone::Better.color(),
        1 => SLATE,
        _ => QUIET,
    }
}

fn pale(series: usize) -> RGBColor {
    if series == 0 { Tone::Better.pale() } else { Tone::Same.pale() }
}

/// Grid lines with their values, and the marks of the columns.
fn axis(scene: &mut Scene, chart: &Chart, plot: (f64, f64), top: f64, bottom: f64) -> Scale {
    let points = || chart.groups.iter().flat_map(|group| &group.rows).flat_map(|row| &row.points);
    let known = || points().filter_map(|point| known_interval(*point));
    let low = known().map(|point| point.lower.min(point.value)).fold(0.0, f64::min);
    let high = known().map(|point| point.upper.max(point.value)).fold(0.0, f64::max);
    let ticks = Ticks::over(low, high, 5.0, Unit::In100);
    let scale = Scale::new(ticks.ends(), plot);
    for value in &ticks.values {
        let x = scale.at(*value);
        scene.line(&[(x, top), (x, bottom)], 2.0, if *value == 0.0 { QUIET } else { RULE });
        scene.text((x, top - 14.0), &Unit::In100.tick(*value, ticks.step), NOTE, Align::Center);
    }
    for series in 0..chart.series.len() {
        scene.dot((column(series, chart.series.len()) - 16.0, top - 22.0), 9.0, color(series));
    }
    scale
}

/// Where the values of a series end.
fn column(series: usize, count: usize) -> f64 {
    RIGHT - COLUMN * (count - 1 - series) as f64
}

fn draw_row(scene: &mut Scene, row: &Row, count: usize, y: f64, scale: &Scale) {
    let baseline = y + NAME.drop();
    scene.text((LEFT, baseline), &shorten(&row.label, NAME, NAMES), NAME, Align::Left);
    let points: Vec<Option<Interval>> = row.points.iter().take(count).map(|point| known_interval(*point)).collect();
    // Each series has a lane of its own, so that points and ranges never hide each other.
    let lane = |series: usize| y + (series as f64 - (count as f64 - 1.0) / 2.0) * 17.0;
    for (series, point) in points.iter().enumerate().rev() {
        let Some(point) = point else { continue };
        let ends = [(scale.at(point.lower), lane(series)), (scale.at(point.upper), lane(series))];
        scene.line(&ends, 8.0, pale(series));
        scene.dot((scale.at(point.value), lane(series)), 12.0, WHITE);
        scene.dot((scale.at(point.value), lane(series)), 10.0, color(series));
    }
    for series in 0..count {
        let words = points.get(series).copied().flatten().map_or("–".to_owned(), |point| hundredths(point.value));
        let style = if series == 0 { VALUE.in_color(color(0)) } else { NAME.in_color(SLATE) };
        scene.text((column(series, count), baseline), &words, style, Align::Right);
    }
}
