//! The key: one line above the plot that shows each kind of mark beside its words.

use plotters::style::RGBColor;

use super::frame::{LEFT, RIGHT};
use super::scene::Scene;
use super::text::{Align, NOTE, width};

/// A kind of mark.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// A filled point.
    Dot(RGBColor),
    /// A solid line.
    Line(RGBColor),
    /// A dashed line.
    Dashed(RGBColor),
    /// A filled area.
    Area(RGBColor),
    /// A hatched area.
    Hatched(RGBColor),
    /// A box drawn around something.
    Outline(RGBColor),
}

/// Write the key at `y`; returns where the chart may go on.
pub fn draw(scene: &mut Scene, y: f64, entries: &[(Mark, &str)]) -> f64 {
    let (mut x, mut middle) = (LEFT, y + 14.0);
    for (mark, words) in entries {
        let sample = if matches!(mark, Mark::Dot(_)) { 22.0 } else { 46.0 };
        let room = sample + 12.0 + width(words, NOTE);
        if x > LEFT && x + room > RIGHT {
            (x, middle) = (LEFT, middle + 38.0);
        }
        let (from, to) = ((x, middle - 10.0), (x + sample, middle + 10.0));
        let ends = [(x, middle), (x + sample, middle)];
        match *mark {
            Mark::Dot(color) => scene.dot((x + 11.0, middle), 9.0, color),
            Mark::Line(color) => scene.line(&ends, 5.0, color),
            Mark::Dashed(color) => scene.dashed(&ends, 5.0, color),
            Mark::Area(color) => scene.rectangle(from, to, color),
            Mark::Hatched(color) => scene.hatched(from, to, color),
            Mark::Outline(color) => scene.outlined(from, to, 4.0, color),
        }
        scene.text((x + sample + 12.0, middle + NOTE.drop()), words, NOTE, Align::Left);
        x += room + 40.0;
    }
    middle + 40.0
}
