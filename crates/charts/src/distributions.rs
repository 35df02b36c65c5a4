//! A small picture for every column of a table: how are its values spread?

use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::palette::{PALE, QUIET, SLATE};
use super::scene::Scene;
use super::text::{Align, NAME, NOTE, shorten, width};

/// The grid of panels.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// One panel a column.
    pub panels: Vec<Panel>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Panel {
    pub name: String,
    /// What to know beside the picture: "EUR, missing in 12 of 100".
    pub note: String,
    pub spread: Spread,
}

/// How values are spread; shares from 0 to 1 of those that are there.
#[derive(Debug, Clone)]
pub enum Spread {
    /// One bar for each stretch of equal width between two ends.
    Numbers { shares: Vec<f64>, low: String, high: String },
    /// The most frequent values first.
    Names(Vec<(String, f64)>),
    /// Nothing that bars could show, in words.
    Words(String),
}

const COLUMNS: usize = 3;
/// Between two panels.
const GAP: f64 = 48.0;
/// Height of the bars.
const PLOT: f64 = 120.0;
/// Name and note above them.
const HEAD: f64 = 84.0;
/// Their ends below.
const FEET: f64 = 58.0;

/// Draw the chart as PNG.
pub fn draw(chart: &Chart) -> Result<Vec<u8>, ChartError> {
    let mut scene = Scene::default();
    let mut y = chart.caption.head(&mut scene);
    if chart.panels.is_empty() {
        y = frame::nothing(&mut scene, y);
    }
    let room = (RIGHT - LEFT - GAP * (COLUMNS - 1) as f64) / COLUMNS as f64;
    for row in chart.panels.chunks(COLUMNS) {
        for (column, panel) in row.iter().enumerate() {
            let left = LEFT + column as f64 * (room + GAP);
            let name = NAME.in_bold();
            scene.text((left, y + 30.0), &shorten(&panel.name, name, room), name, Align::Left);
            scene.text((left, y + 62.0), &shorten(&panel.note, NOTE, room), NOTE, Align::Left);
            spread(&mut scene, &panel.spread, left, y + HEAD, room);
        }
        y += HEAD + PLOT + FEET;
    }
    let height = chart.caption.foot(&mut scene, y - 10.0);
    scene.png(height)
}

fn spread(scene: &mut Scene, spread: &Spread, left: f64, top: f64, room: f64) {
    let bottom = top + PLOT;
    match spread {
        Spread::Words(words) => scene.text((left, top + 34.0), &shorten(words, NOTE, room), NOTE, Align::Left),
        Spread::Numbers { shares, low, high } => {
            let most = shares.iter().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
            let step = room / shares.len().max(1) as f64;
            for (place, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let x = left + place as f64 * step;
                // What is there at all can be seen.
                let height = (share / most * PLOT).max(3.0);
                scene.rectangle((x + 1.5, bottom - height), (x + step - 1.5, bottom), SLATE);
            }
            scene.line(&[(left, bottom), (left + room, bottom)], 2.0, QUIET);
            scene.text((left, bottom + 30.0), low, NOTE, Align::Left);
            scene.text((left + room, bottom + 30.0), high, NOTE, Align::Right);
        }
        Spread::Names(names) => {
            let most = names.iter().map(|(_, share)| *share).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
            let labels = names.iter().map(|(name, _)| width(name, NOTE)).fold(0.0, f64::max).min(room * 0.5);
            let from = left + labels + 14.0;
            let step = (PLOT + 30.0) / names.len().max(1) as f64;
            for (place, (name, share)) in names.iter().enumerate() {
                let y = top + place as f64 * step.min(30.0);
                scene.text((left, y + 20.0), &shorten(name, NOTE, labels), NOTE, Align::Left);
                let words = format!("{:.0} %", share * 100.0);
                let longest = left + room - width("100 %", NOTE) - 10.0;
                let end = from + share / most * (longest - from);
                scene.rectangle((from, y + 2.0), (longest, y + 22.0), PALE);
                scene.rectangle((from, y + 2.0), (end, y + 22.0), SLATE);
                scene.text((longest + 8.0, y + 20.0), &words, NOTE, Align::Left);
            }
        }
    }
}
