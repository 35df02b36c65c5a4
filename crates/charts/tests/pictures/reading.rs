//! A scene read as people read a picture: marks by their colour, values by the ticks of the axis beside them.

use charts::{Align, Scene, Shape};
use plotters::style::RGBColor;

/// Which way values grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// To the right.
    Across,
    /// Upwards.
    Up,
}

/// Which marks are read.
#[derive(Debug, Clone, Copy)]
pub enum Marks {
    /// Middles of filled circles of this colour and radius.
    Dots(RGBColor, f64),
    /// Far ends of filled rectangles of this colour.
    Bars(RGBColor),
    /// All points of lines of this colour and width.
    Lines(RGBColor, f64),
    /// All points of dashed lines of this colour and width.
    Dashes(RGBColor, f64),
}

impl Marks {
    /// Where all such marks are, in the order in which they are painted.
    pub fn places(self, scene: &Scene, way: Way) -> Vec<(f64, f64)> {
        let mut places = Vec::new();
        // The key is painted before the axes.
        let axes = scene
            .shapes()
            .iter()
            .position(|shape| [Way::Across, Way::Up].iter().any(|way| tick(shape, *way).is_some()));
        for shape in &scene.shapes()[axes.unwrap_or_default()..] {
            match (self, shape) {
                (Self::Dots(wanted, size), Shape::Dot { center, radius, color })
                    if (wanted, size) == (*color, *radius) =>
                {
                    places.push(*center);
                }
                (Self::Bars(wanted), Shape::Rectangle { from, to, color }) if wanted == *color => {
                    places.push(if way == Way::Across { *to } else { *from });
                }
                (Self::Lines(wanted, thick), Shape::Line { points, width, color, dashed: false })
                | (Self::Dashes(wanted, thick), Shape::Line { points, width, color, dashed: true })
                    if (wanted, thick) == (*color, *width) =>
                {
                    places.extend(points);
                }
                _ => {}
            }
        }
        places
    }
}

/// The number that is the words of a shape, and the place that it names.
fn tick(shape: &Shape, way: Way) -> Option<(f64, (f64, f64))> {
    let Shape::Text { words, at: (x, y), align, .. } = shape else { return None };
    let plain = words.trim_end_matches(" in 100").trim_end_matches('%').replace('−', "-").replace(',', "");
    let number = plain.parse().ok()?;
    match (align, way) {
        (Align::Center, Way::Across) => Some((number, (*x, *y))),
        // Values stand a little above their grid line.
        (Align::Left, Way::Up) => Some((number, (*x, y + 8.0))),
        _ => None,
    }
}

/// The axes of a picture that show the same way.
#[derive(Debug)]
pub struct Axes {
    way: Way,
    /// Two ticks of each: pixel and value.
    ends: Vec<((f64, f64), (f64, f64))>,
}

impl Axes {
    /// Ticks side by side on one height, or above each other at one place, belong together as long as they grow.
    pub fn of(scene: &Scene, way: Way) -> Self {
        let along = |(x, y): (f64, f64)| if way == Way::Across { x } else { y };
        let beside = |(x, y): (f64, f64)| if way == Way::Across { y } else { x };
        let ticks: Vec<_> = scene.shapes().iter().filter_map(|shape| tick(shape, way)).collect();
        let row = ticks.iter().find_map(|(_, at)| {
            let row: Vec<_> = ticks.iter().filter(|(_, other)| beside(*other) == beside(*at)).collect();
            (row.len() > 1 && along(row[0].1) != along(row[1].1)).then_some(row)
        });
        let row = row.unwrap_or_else(|| panic!("no axis {way:?} among the ticks {ticks:?}"));
        let axes = row.chunk_by(|(a, _), (b, _)| a < b).filter(|axis| axis.len() > 1);
        let end = |(value, at): &(f64, (f64, f64))| (along(*at), *value);
        Self { way, ends: axes.map(|axis| (end(axis[0]), end(axis[axis.len() - 1]))).collect() }
    }

    /// The values of marks, in the order in which they are painted, each on the axis beside it.
    pub fn values(&self, scene: &Scene, marks: Marks) -> Vec<f64> {
        let value = |place: f64| {
            let beside = |((a, _), (b, _)): &&((f64, f64), (f64, f64))| (a.min(*b)..=a.max(*b)).contains(&place);
            let ((from, low), (to, high)) = self.ends.iter().find(beside)?;
            Some(low + (place - from) / (to - from) * (high - low))
        };
        let places = marks.places(scene, self.way).into_iter();
        places.map(|(x, y)| value(if self.way == Way::Across { x } else { y }).unwrap_or(f64::NAN)).collect()
    }
}
