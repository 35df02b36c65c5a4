//! The picture before it is painted: a list of shapes, which plotters then paints on a bitmap.
//!
//! Charts only say what is where, from top to bottom, and name the height once they know it. Nothing here can fail
//! before `png`, so charts read as drawings. The bitmap is three times as large as the picture and then averaged,
//! which gives smooth edges that are the same on every machine.

use std::cell::RefCell;

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::{BitMapBackend, Circle, IntoDrawingArea, Polygon, Rectangle};
use plotters::style::{Color, RGBColor};

use super::error::ChartError;
use super::palette::WHITE;
use super::smooth;
use super::text::{self, Align, Style};

/// Width of every picture in pixels.
pub const WIDTH: f64 = 1600.0;
/// Bitmap pixels for one pixel of the picture, each way.
const ZOOM: i32 = 3;

thread_local! {
    /// Where pictures are painted, one after the other, and white in between: 40 MB that would else be cleared for each.
    static BITMAP: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A point in pixels of the picture, from its upper left corner.
pub type Point = (f64, f64);

enum Shape {
    Polygon(Vec<Point>, RGBColor),
    Rectangle(Point, Point, RGBColor),
    Dot(Point, f64, RGBColor),
    Text(String, Point, Style),
}

/// Shapes in the order in which they are painted.
#[derive(Default)]
pub struct Scene {
    shapes: Vec<Shape>,
}

impl Scene {
    /// A filled area.
    pub fn area(&mut self, outline: Vec<Point>, color: RGBColor) {
        self.shapes.push(Shape::Polygon(outline, color));
    }

    /// A filled rectangle between two opposite corners.
    pub fn rectangle(&mut self, (x0, y0): Point, (x1, y1): Point, color: RGBColor) {
        self.shapes.push(Shape::Rectangle((x0.min(x1), y0.min(y1)), (x0.max(x1), y0.max(y1)), color));
    }

    /// A rectangle hatched with thin diagonals: something that is not there yet.
    pub fn hatched(&mut self, (x0, y0): Point, (x1, y1): Point, color: RGBColor) {
        let (x0, x1, y0, y1) = (x0.min(x1), x0.max(x1), y0.min(y1), y0.max(y1));
        // Diagonals are lines of equal x + y, counted from the picture's corner so that neighbours join up.
        let gap = 12.0;
        let mut sum = ((x0 + y0) / gap).ceil() * gap;
        while sum < x1 + y1 {
            let (start, end) = ((sum - y0).min(x1), (sum - y1).max(x0));
            self.line(&[(start, sum - start), (end, sum - end)], 2.0, color);
            sum += gap;
        }
    }

    /// A line through the points.
    pub fn line(&mut self, points: &[Point], width: f64, color: RGBColor) {
        for (index, pair) in points.windows(2).enumerate() {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let half = width / 2.0;
            // Straight lines stay rectangles: their edges are sharp.
            if x0 == x1 {
                self.rectangle((x0 - half, y0), (x1 + half, y1), color);
            } else if y0 == y1 {
                self.rectangle((x0, y0 - half), (x1, y1 + half), color);
            } else {
                let length = ((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)).sqrt();
                let (dx, dy) = ((y1 - y0) / length * half, (x0 - x1) / length * half);
                self.area(vec![(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], color);
            }
            if index > 0 && width > 2.0 {
                self.dot((x0, y0), half, color);
            }
        }
    }

    /// A dashed line through the points; dashes run on around corners.
    pub fn dashed(&mut self, points: &[Point], width: f64, color: RGBColor) {
        let (dash, gap) = (width * 2.0 + 6.0, width + 6.0);
        let mut walked = 0.0;
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = ((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)).sqrt();
            let at = |way: f64| (x0 + (x1 - x0) * way / length, y0 + (y1 - y0) * way / length);
            let mut way = -(walked % (dash + gap));
            while way < length {
                let (start, end) = (way.max(0.0), (way + dash).min(length));
                if start < end {
                    self.line(&[at(start), at(end)], width, color);
                }
                way += dash + gap;
            }
            walked += length;
        }
    }

    /// The outline of a rectangle.
    pub fn outlined(&mut self, (x0, y0): Point, (x1, y1): Point, width: f64, color: RGBColor) {
        let half = width / 2.0;
        for y in [y0, y1] {
            self.line(&[(x0 - half, y), (x1 + half, y)], width, color);
        }
        for x in [x0, x1] {
            self.line(&[(x, y0), (x, y1)], width, color);
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.shapes.push(Shape::Dot(center, radius, color));
    }

    /// A hollow circle: white inside.
    pub fn ring(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.dot(center, radius, color);
        self.dot(center, radius * 0.62, WHITE);
    }

    /// One line of text; `y` is its baseline.
    pub fn text(&mut self, (x, y): Point, words: &str, style: Style, align: Align) {
        let width = text::width(words, style);
        let x = match align {
            Align::Left => x,
            Align::Center => x - width / 2.0,
            Align::Right => x - width,
        };
        self.shapes.push(Shape::Text(words.to_owned(), (x, y), style));
    }

    /// Lines of text below each other; returns the baseline after the last.
    pub fn lines(&mut self, (x, mut y): Point, lines: &[String], style: Style, align: Align) -> f64 {
        for line in lines {
            self.text((x, y), line, style, align);
            y += style.leading();
        }
        y
    }

    /// Paint everything and pack it as PNG, `height` pixels high.
    pub fn png(self, height: f64) -> Result<Vec<u8>, ChartError> {
        let (width, height) = (WIDTH as u32, height.ceil() as u32);
        let zoom = ZOOM as u32;
        let picture = BITMAP.with_borrow_mut(|bitmap| -> Result<_, ChartError> {
            let size = (width * zoom) as usize * (height * zoom) as usize * 3;
            // All white, it is sooner made anew than copied to where there is room.
            if bitmap.capacity() < size {
                *bitmap = Vec::with_capacity(2 * size);
            }
            bitmap.resize(bitmap.len().max(size), 255);
            let bitmap = &mut bitmap[..size];
            let painted = self.shapes.iter().try_for_each(|shape| paint(bitmap, (width * zoom, height * zoom), shape));
            let picture = smooth::lift(bitmap, width as usize, ZOOM as usize);
            painted.map(|()| picture)
        })?;
        pack(&picture, width, height)
    }
}

/// Where a point lies on the bitmap.
fn on_bitmap((x, y): Point) -> (i32, i32) {
    ((x * f64::from(ZOOM)).round() as i32, (y * f64::from(ZOOM)).round() as i32)
}

fn paint(bitmap: &mut [u8], size: (u32, u32), shape: &Shape) -> Result<(), ChartError> {
    match shape {
        Shape::Polygon(outline, color) => {
            let outline: Vec<(i32, i32)> = outline.iter().map(|point| on_bitmap(*point)).collect();
            area(bitmap, size).draw(&Polygon::new(outline, color))?;
        }
        Shape::Rectangle(from, to, color) => {
            let (from, to) = (on_bitmap(*from), on_bitmap(*to));
            // Plotters paints the last row and column too.
            let last = ((to.0 - 1).max(from.0), (to.1 - 1).max(from.1));
            area(bitmap, size).draw(&Rectangle::new([from, last], color.filled()))?;
        }
        Shape::Dot(center, radius, color) => {
            let radius = (radius * f64::from(ZOOM)).round() as i32;
            area(bitmap, size).draw(&Circle::new(on_bitmap(*center), radius, color.filled()))?;
        }
        Shape::Text(words, (x, y), style) => {
            let zoom = f64::from(ZOOM);
            let letters = text::coverage(words, *style, zoom, (x * zoom, y * zoom));
            smooth::ink(bitmap, size, style.color.rgb(), &letters)?;
        }
    }
    Ok(())
}

fn area(bitmap: &mut [u8], size: (u32, u32)) -> DrawingArea<BitMapBackend<'_>, Shift> {
    BitMapBackend::with_buffer(bitmap, size).into_drawing_area()
}

fn pack(picture: &[u8], width: u32, height: u32) -> Result<Vec<u8>, ChartError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // The fast compressor is the one that packs the same on every processor.  It packs runs of zeros, and what is left
    // of flat colours after the row above is taken away is zeros.
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::FilterType::Up);
    encoder.write_header()?.write_image_data(picture)?;
    Ok(bytes)
}
