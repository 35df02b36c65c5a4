//! A figure against how much data it was made from, a line for each model: would more data help?

use super::axes::{self, DAYS, GUTTER};
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::palette::{INK, QUIET, Tone};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NOTE, VALUE, shorten, width};

/// The lines.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured.
    pub measure: String,
    /// What is counted from left to right: "looks to learn from".
    pub counted: String,
    /// How values are written.
    pub unit: Unit,
    /// One line each; the first is drawn last.
    pub series: Vec<Series>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    /// Written at its end.
    pub name: String,
    /// Its colour.
    pub tone: Tone,
    /// By rising count.
    pub points: Vec<Point>,
}

/// One point.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// How much data.
    pub n: u64,
    /// What came of it.
    pub score: Option<Interval>,
}

const PLOT: f64 = 520.0;
/// Room for the names at the right.
const NAMES: f64 = 330.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let y = self.caption.head(&mut scene);
        let lines: Vec<(&Series, Vec<(u64, Interval)>)> = self.series.iter().map(|s| (s, known(s))).collect();
        let scores = || lines.iter().flat_map(|(_, points)| points);
        let most = scores().map(|(n, _)| *n).max().unwrap_or_default();
        if most == 0 {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        }
        let low = scores().map(|(_, score)| score.lower).fold(f64::INFINITY, f64::min);
        let high = scores().map(|(_, score)| score.upper).fold(f64::NEG_INFINITY, f64::max);
        let ticks = Ticks::over(low, high, 5.0, self.unit);
        let (left, right, top) = (LEFT + GUTTER, RIGHT - NAMES, y + 82.0);
        let bottom = top + PLOT;
        let up = Scale::new(ticks.ends(), (bottom, top));
        let across = Scale::new((0.0, most as f64), (left, right));
        axes::measure(&mut scene, y, &self.measure);
        axes::values(&mut scene, &up, &ticks, self.unit, left, right);
        counts(&mut scene, scores().map(|(n, _)| *n).collect(), across, bottom);
        scene.text((right + 60.0, bottom + 34.0), &shorten(&self.counted, NOTE, NAMES - 60.0), NOTE, Align::Left);

        let mut taken: Vec<f64> = Vec::new();
        for (place, (series, points)) in lines.iter().enumerate().rev() {
            // Ranges of two lines stand beside each other, not on each other.
            let aside = (place as f64 - (lines.len() as f64 - 1.0) / 2.0) * 12.0;
            let at = |(n, score): &(u64, Interval)| (across.at(*n as f64) + aside, up.at(score.value));
            for point in points {
                let x = at(point).0;
                scene.line(&[(x, up.at(point.1.lower)), (x, up.at(point.1.upper))], 8.0, series.tone.pale());
            }
            let line: Vec<(f64, f64)> = points.iter().map(at).collect();
            scene.line(&line, 5.0, series.tone.color());
            line.iter().for_each(|point| scene.dot(*point, 9.0, series.tone.color()));
            let Some((end, (_, last))) = line.last().zip(points.last()) else { continue };
            let mut height = end.1;
            while taken.iter().any(|other| (other - height).abs() < 66.0) {
                height += 66.0;
            }
            taken.push(height);
            let (x, room) = (right + 30.0, NAMES - 30.0);
            scene.text((x, height - 4.0), &shorten(&series.name, NOTE, room), NOTE.in_color(INK), Align::Left);
            scene.text(
                (x, height + 28.0),
                &self.unit.label(last.value),
                VALUE.in_color(series.tone.color()),
                Align::Left,
            );
        }
        let mut caption = self.caption.clone();
        if ticks.ends().0 > 0.0 {
            caption.footnote = format!("The scale does not start at zero. {}", caption.footnote);
        }
        Ok(caption.foot(scene, bottom + DAYS - 20.0))
    }
}

/// The points that can be drawn.
fn known(series: &Series) -> Vec<(u64, Interval)> {
    series.points.iter().filter_map(|point| Some((point.n, known_interval(point.score)?))).collect()
}

/// How much data, below the plot; what would touch the one before is left out.
fn counts(scene: &mut Scene, mut counts: Vec<u64>, across: Scale, bottom: f64) {
    counts.sort_unstable();
    counts.dedup();
    let mut free = f64::NEG_INFINITY;
    for n in counts {
        let (x, words) = (across.at(n as f64), decimals(n as f64, 0));
        let half = width(&words, NOTE) / 2.0;
        scene.line(&[(x, bottom), (x, bottom + 8.0)], 2.0, QUIET);
        if x - half > free {
            scene.text((x, bottom + 34.0), &words, NOTE, Align::Center);
            free = x + half + 14.0;
        }
    }
}
