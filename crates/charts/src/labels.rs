//! Labels at the right of a plot, moved apart where they would touch, each tied to the point it names.

use plotters::style::RGBColor;

use super::palette::QUIET;
use super::scene::{Point, Scene};
use super::text::{Align, NOTE, Style, VALUE};

/// Height of a label of two lines, with the air around it.
const HEIGHT: f64 = 78.0;

/// A label of two lines: what it is, then its value.
pub struct Tag {
    /// The point it names.
    pub point: Point,
    /// First line, plain.
    pub name: String,
    /// Second line, bold.
    pub value: String,
    /// Colour of both.
    pub color: RGBColor,
}

/// Write the tags from `x` rightwards, between `top` and `bottom` as far as they fit.
pub fn draw(scene: &mut Scene, mut tags: Vec<Tag>, x: f64, top: f64, bottom: f64) {
    tags.sort_by(|a, b| a.point.1.total_cmp(&b.point.1));
    let wanted: Vec<f64> = tags.iter().map(|tag| tag.point.1).collect();
    for (tag, y) in tags.iter().zip(spread(&wanted, top, bottom)) {
        scene.line(&[tag.point, (x - 26.0, tag.point.1), (x - 8.0, y)], 2.0, QUIET);
        let line = |style: Style| style.in_color(tag.color);
        scene.text((x, y - 8.0), &tag.name, line(NOTE), Align::Left);
        scene.text((x, y + 24.0), &tag.value, line(VALUE), Align::Left);
    }
}

/// Middles of labels as close to the wanted ones (in rising order) as they can be without touching.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut middles = wanted.to_vec();
    let mut limit = bottom - HEIGHT / 2.0;
    for middle in middles.iter_mut().rev() {
        *middle = middle.min(limit);
        limit = *middle - HEIGHT;
    }
    let mut limit = top + HEIGHT / 2.0;
    for middle in &mut middles {
        *middle = middle.max(limit);
        limit = *middle + HEIGHT;
    }
    middles
}
