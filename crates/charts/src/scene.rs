//! The picture before it is painted: what is where, from top to bottom.
//!
//! Nothing here can fail before `png`, so charts read as drawings, and a test can ask a scene where its marks are.

use plotters::style::{Color, RGBColor};

use super::error::ChartError;
use super::pack;
use super::paint::paint;
use super::palette::WHITE;
use super::text::{Align, Style};

/// Width of every picture in pixels.
pub const WIDTH: f64 = 1600.0;

/// A point in pixels of the picture, from its upper left corner.
pub type Point = (f64, f64);

/// Whatever can be drawn: a struct of words and numbers.
pub trait Picture {
    /// What is where.
    ///
    /// # Errors
    /// Where a day is not written as year-month-day.
    fn scene(&self) -> Result<Scene, ChartError>;

    /// The picture, packed as PNG.
    ///
    /// # Errors
    /// Those of the scene, and where it cannot be painted or packed.
    fn png(&self) -> Result<Vec<u8>, ChartError> {
        self.scene()?.png()
    }
}

/// One thing in a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled area.
    Area { outline: Vec<Point>, color: RGBColor },
    /// A filled rectangle: its upper left and its lower right corner.
    Rectangle { from: Point, to: Point, color: RGBColor },
    /// A rectangle hatched with thin diagonals: something that is not there yet.
    Hatched { from: Point, to: Point, color: RGBColor },
    /// A line through the points.
    Line { points: Vec<Point>, width: f64, color: RGBColor, dashed: bool },
    /// A filled circle.
    Dot { center: Point, radius: f64, color: RGBColor },
    /// One line of text; `y` is its baseline.
    Text { words: String, at: Point, align: Align, style: Style },
}

impl Shape {
    fn color(&self) -> RGBColor {
        match self {
            Self::Area { color, .. }
            | Self::Rectangle { color, .. }
            | Self::Hatched { color, .. }
            | Self::Line { color, .. }
            | Self::Dot { color, .. } => *color,
            Self::Text { style, .. } => style.color,
        }
    }
}

/// Shapes in the order in which they are painted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    shapes: Vec<Shape>,
    height: f64,
}

impl Scene {
    /// What is in the picture, from the back to the front.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Paint everything and pack it as PNG.
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        let size = (WIDTH as u32, self.height.ceil() as u32);
        let mut colors: Vec<pack::Rgb> = vec![<[u8; 3]>::from(WHITE.rgb())];
        colors.extend(self.shapes.iter().map(|shape| <[u8; 3]>::from(shape.color().rgb())));
        colors.sort_unstable();
        colors.dedup();
        pack::pack(&paint(&self.shapes, size)?, size, &colors)
    }

    /// The whole picture is so high.
    pub(super) fn end(mut self, height: f64) -> Self {
        self.height = height;
        self
    }

    pub(super) fn area(&mut self, outline: Vec<Point>, color: RGBColor) {
        self.shapes.push(Shape::Area { outline, color });
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(&mut self, (x0, y0): Point, (x1, y1): Point, color: RGBColor) {
        let (from, to) = ((x0.min(x1), y0.min(y1)), (x0.max(x1), y0.max(y1)));
        self.shapes.push(Shape::Rectangle { from, to, color });
    }

    /// A hatched rectangle between two opposite corners.
    pub(super) fn hatched(&mut self, (x0, y0): Point, (x1, y1): Point, color: RGBColor) {
        let (from, to) = ((x0.min(x1), y0.min(y1)), (x0.max(x1), y0.max(y1)));
        self.shapes.push(Shape::Hatched { from, to, color });
    }

    pub(super) fn line(&mut self, points: &[Point], width: f64, color: RGBColor) {
        self.shapes.push(Shape::Line { points: points.to_vec(), width, color, dashed: false });
    }

    /// A dashed line through the points; dashes run on around corners.
    pub(super) fn dashed(&mut self, points: &[Point], width: f64, color: RGBColor) {
        self.shapes.push(Shape::Line { points: points.to_vec(), width, color, dashed: true });
    }

    /// The outline of a rectangle.
    pub(super) fn outlined(&mut self, (x0, y0): Point, (x1, y1): Point, width: f64, color: RGBColor) {
        let half = width / 2.0;
        for y in [y0, y1] {
            self.line(&[(x0 - half, y), (x1 + half, y)], width, color);
        }
        for x in [x0, x1] {
            self.line(&[(x, y0), (x, y1)], width, color);
        }
    }

    pub(super) fn dot(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.shapes.push(Shape::Dot { center, radius, color });
    }

    /// A hollow circle: white inside.
    pub(super) fn ring(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.dot(center, radius, color);
        self.dot(center, radius * 0.62, WHITE);
    }

    pub(super) fn text(&mut self, at: Point, words: &str, style: Style, align: Align) {
        self.shapes.push(Shape::Text { words: words.to_owned(), at, align, style });
    }

    /// Lines of text below each other; returns the baseline after the last.
    pub(super) fn lines(&mut self, (x, mut y): Point, lines: &[String], style: Style, align: Align) -> f64 {
        for line in lines {
            self.text((x, y), line, style, align);
            y += style.leading();
        }
        y
    }
}
