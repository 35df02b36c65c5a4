//! A small picture for every column of a table: how are its values spread?

use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::histogram::{Histogram, plain};
use super::palette::{INK, PALE, QUIET, SLATE};
use super::scale::{Scale, hundredths};
use super::scene::{Picture, Scene};
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
    /// Bars side by side.
    Numbers(Histogram),
    /// A line for each value.
    Names(Vec<(String, f64)>),
    /// Nothing that bars could show, in words.
    Words(String),
}

impl Spread {
    /// Of numbers, sorted upwards and finite: a line for each where few are different, otherwise bars.
    pub fn of_numbers(values: &[f64]) -> Self {
        let alike: Vec<&[f64]> = values.chunk_by(|a, b| a == b).collect();
        match alike.len() {
            0 => Self::Words("no values".into()),
            1..=FEW => {
                let line = |alike: &&[f64]| (plain(alike[0]), alike.len() as f64 / values.len() as f64);
                Self::Names(alike.iter().map(line).collect())
            }
            _ => Self::Numbers(Histogram::of(values)),
        }
    }
}

/// So many values have a line each.
const FEW: usize = 5;
/// So many panels have room in a picture.
pub const MOST_PANELS: usize = 18;
const COLUMNS: usize = 3;
/// Between two panels.
const GAP: f64 = 48.0;
/// Height of the bars and of the share over the highest.
const PLOT: f64 = 136.0;
/// Over them, the share of the highest.
const LABEL: f64 = 28.0;
/// Name and note above them.
const HEAD: f64 = 84.0;
/// Their ticks below.
const FEET: f64 = 58.0;
/// On both sides of a tick's words.
const AIR: f64 = 7.0;
/// A line below the ticks.
const LINE: f64 = 30.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST_PANELS, [&mut chart.panels]);
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
                match &panel.spread {
                    Spread::Words(words) => {
                        scene.text((left, y + HEAD + 34.0), &shorten(words, NOTE, room), NOTE, Align::Left);
                    }
                    Spread::Numbers(histogram) => bars(&mut scene, histogram, left, y + HEAD, room),
                    Spread::Names(names) => lines(&mut scene, names, left, y + HEAD, room),
                }
            }
            let said = row.iter().map(|panel| match &panel.spread {
                Spread::Numbers(histogram) => histogram.says.len(),
                Spread::Names(_) | Spread::Words(_) => 0,
            });
            y += HEAD + PLOT + FEET + said.max().unwrap_or_default() as f64 * LINE;
        }
        Ok(chart.caption.foot(scene, y - 10.0))
    }
}

/// A line for each name.  The light bar behind is as long as 100 in 100 would be.
fn lines(scene: &mut Scene, names: &[(String, f64)], left: f64, top: f64, room: f64) {
    let labels = names.iter().map(|(name, _)| width(name, NOTE)).fold(0.0, f64::max).min(room * 0.5);
    let (from, until) = (left + labels + 14.0, left + room - width("<0.1 %", NOTE) - 10.0);
    let scale = Scale::new((0.0, 1.0), (from, until));
    let step = (PLOT + 30.0) / names.len().max(1) as f64;
    for (place, (name, share)) in names.iter().enumerate() {
        let y = top + place as f64 * step.min(30.0);
        scene.text((left, y + 20.0), &shorten(name, NOTE, labels), NOTE, Align::Left);
        scene.rectangle((from, y + 2.0), (until, y + 22.0), PALE);
        scene.rectangle((from, y + 2.0), (scale.at(*share), y + 22.0), SLATE);
        scene.text((until + 8.0, y + 20.0), &format!("{} %", hundredths(*share)), NOTE, Align::Left);
    }
}

/// Bars, the highest with its share over it, and what there is to know below them.
fn bars(scene: &mut Scene, histogram: &Histogram, left: f64, top: f64, room: f64) {
    let bottom = top + PLOT;
    let highest = histogram.shares.iter().copied().fold(0.0, f64::max);
    let up = Scale::new((0.0, highest), (bottom, top + LABEL));
    let step = room / histogram.shares.len().max(1) as f64;
    for (place, share) in histogram.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let x = left + place as f64 * step;
        // What is there at all can be seen.
        scene.rectangle((x + 1.5, up.at(*share).min(bottom - 3.0)), (x + step - 1.5, bottom), SLATE);
    }
    let inside = |x: f64, half: f64| x.min(left + room - half).max(left + half);
    if let Some(place) = histogram.shares.iter().position(|share| *share == highest) {
        let words = format!("{} %", hundredths(highest));
        let x = inside(left + (place as f64 + 0.5) * step, width(&words, NOTE) / 2.0);
        scene.text((x, top + LABEL - 8.0), &words, NOTE.in_color(SLATE), Align::Center);
    }
    scene.line(&[(left, bottom), (left + room, bottom)], 2.0, QUIET);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    // The outermost ticks are told first; what would touch them is left out.
    let ticks = &histogram.ticks;
    let outermost = ticks.last().into_iter().chain(ticks.first());
    for (place, words) in outermost.chain(ticks.get(1..ticks.len().saturating_sub(1)).unwrap_or_default()) {
        let x = left + place * step;
        let words = shorten(words, NOTE, room);
        let half = width(&words, NOTE) / 2.0;
        let (from, until) = (inside(x, half) - half - AIR, inside(x, half) + half + AIR);
        scene.line(&[(x, bottom), (x, bottom + 7.0)], 2.0, QUIET);
        if taken.iter().all(|(first, last)| until < *first || from > *last) {
            taken.push((from, until));
            scene.text((inside(x, half), bottom + 32.0), &words, NOTE, Align::Center);
        }
    }
    let says: Vec<String> = histogram.says.iter().map(|words| shorten(words, NOTE, room)).collect();
    scene.lines((left, bottom + 32.0 + LINE), &says, NOTE.in_color(INK), Align::Left);
}
