//! Before and after, a panel for every column: did its values move, and where to?

use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::key::{self, Mark};
use super::palette::{MUTED, QUIET, Tone};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, shorten};

/// The grid of panels.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// One panel a column.
    pub panels: Vec<Panel>,
}

/// One column's values, counted in the same bins on both sides.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// What to know about it, in grey below the name.
    pub note: String,
    /// Share of all rows in each bin, before and after.
    pub bins: Vec<(f64, f64)>,
    /// What stands below the first bin.
    pub from: String,
    /// What stands below the last bin.
    pub to: String,
}

const COLUMNS: usize = 3;
const GAP: f64 = 50.0;
const PLOT: f64 = 150.0;
const HEAD: f64 = 92.0;
const FEET: f64 = 50.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST, [&mut chart.panels]);
        let mut scene = Scene::default();
        let mut y = chart.caption.head(&mut scene);
        if chart.panels.is_empty() {
            y = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, y));
        }
        let (before, after) = (QUIET, Tone::Better.color());
        y = key::draw(&mut scene, y, &[(Mark::Line(before), "before"), (Mark::Line(after), "after")]);
        let width = (RIGHT - LEFT - GAP * (COLUMNS - 1) as f64) / COLUMNS as f64;
        for row in chart.panels.chunks(COLUMNS) {
            for (place, panel) in row.iter().enumerate() {
                let left = LEFT + place as f64 * (width + GAP);
                scene.text((left, y + 34.0), &shorten(&panel.name, NAME.in_bold(), width), NAME.in_bold(), Align::Left);
                scene.text((left, y + 66.0), &shorten(&panel.note, NOTE, width), NOTE, Align::Left);
                let (top, bottom) = (y + HEAD, y + HEAD + PLOT);
                let shares = panel.bins.iter().flat_map(|(before, after)| [*before, *after]);
                let highest = shares.filter(|share| share.is_finite()).fold(0.0, f64::max);
                let slot = width / panel.bins.len().max(1) as f64;
                for (bin, (was, is)) in panel.bins.iter().enumerate() {
                    let x = left + bin as f64 * slot;
                    for (share, color, from, to) in [(*was, before, 0.06, 0.48), (*is, after, 0.52, 0.94)] {
                        let tall =
                            if highest > 0.0 && share.is_finite() { share / highest * (bottom - top) } else { 0.0 };
                        scene.rectangle((x + slot * from, bottom - tall), (x + slot * to, bottom), color);
                    }
                }
                scene.line(&[(left, bottom), (left + width, bottom)], 2.0, MUTED);
                scene.text((left, bottom + 34.0), &shorten(&panel.from, NOTE, width / 2.1), NOTE, Align::Left);
                scene.text((left + width, bottom + 34.0), &shorten(&panel.to, NOTE, width / 2.1), NOTE, Align::Right);
            }
            y += HEAD + PLOT + FEET + 24.0;
        }
        Ok(chart.caption.foot(scene, y - 24.0))
    }
}
