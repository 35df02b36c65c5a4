//! Shapes painted by plotters on a bitmap that is three times as large as the picture and then averaged, which gives
//! smooth edges that are the same on every machine.

use std::cell::RefCell;

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::{BitMapBackend, Circle, IntoDrawingArea, Polygon, Rectangle};
use plotters::style::{Color, RGBColor};

use super::error::ChartError;
use super::scene::{Point, Shape};
use super::smooth;
use super::text::{self, Align};

/// Bitmap pixels for one pixel of the picture, each way.
const ZOOM: i32 = 3;

thread_local! {
    /// Where pictures are painted, one after the other, and white in between: 40 MB that would else be cleared for each.
    static BITMAP: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A bitmap and its size.
struct Canvas<'a> {
    bitmap: &'a mut [u8],
    size: (u32, u32),
}

/// The picture (rows from top to bottom, RGB) on which the shapes are painted one after the other.
pub fn paint(shapes: &[Shape], (width, height): (u32, u32)) -> Result<Vec<u8>, ChartError> {
    BITMAP.with_borrow_mut(|bitmap| {
        let size = (width * ZOOM as u32, height * ZOOM as u32);
        let bytes = size.0 as usize * size.1 as usize * 3;
        // All white, it is sooner made anew than copied to where there is room.
        if bitmap.capacity() < bytes {
            *bitmap = Vec::with_capacity(2 * bytes);
        }
        bitmap.resize(bitmap.len().max(bytes), 255);
        let bitmap = &mut bitmap[..bytes];
        let mut canvas = Canvas { bitmap, size };
        let painted = shapes.iter().try_for_each(|shape| canvas.shape(shape));
        // The bitmap is wiped even where painting failed.
        let picture = smooth::lift(canvas.bitmap, width as usize, ZOOM as usize);
        painted.map(|()| picture)
    })
}

/// Where a point lies on the bitmap.
fn on_bitmap((x, y): Point) -> (i32, i32) {
    ((x * f64::from(ZOOM)).round() as i32, (y * f64::from(ZOOM)).round() as i32)
}

/// The length of a line.
fn length((x0, y0): Point, (x1, y1): Point) -> f64 {
    ((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)).sqrt()
}

impl Canvas<'_> {
    fn shape(&mut self, shape: &Shape) -> Result<(), ChartError> {
        match shape {
            Shape::Area { outline, color } => self.area(outline, *color),
            Shape::Rectangle { from, to, color } => self.rectangle(*from, *to, *color),
            Shape::Hatched { from, to, color } => self.hatched(*from, *to, *color),
            Shape::Line { points, width, color, dashed: false } => self.line(points, *width, *color),
            Shape::Line { points, width, color, dashed: true } => self.dashed(points, *width, *color),
            Shape::Dot { center, radius, color } => self.dot(*center, *radius, *color),
            Shape::Text { words, at: (x, y), align, style } => {
                let left = match align {
                    Align::Left => *x,
                    Align::Center => x - text::width(words, *style) / 2.0,
                    Align::Right => x - text::width(words, *style),
                };
                let letters = text::coverage(words, *style, ZOOM, (left, *y));
                Ok(smooth::ink(self.bitmap, self.size, style.color.rgb(), &letters)?)
            }
        }
    }

    fn drawing(&mut self) -> DrawingArea<BitMapBackend<'_>, Shift> {
        BitMapBackend::with_buffer(self.bitmap, self.size).into_drawing_area()
    }

    fn area(&mut self, outline: &[Point], color: RGBColor) -> Result<(), ChartError> {
        let outline: Vec<(i32, i32)> = outline.iter().map(|point| on_bitmap(*point)).collect();
        Ok(self.drawing().draw(&Polygon::new(outline, color))?)
    }

    fn rectangle(&mut self, from: Point, to: Point, color: RGBColor) -> Result<(), ChartError> {
        let (from, to) = (on_bitmap(from), on_bitmap(to));
        let (left, right, top, bottom) = (from.0.min(to.0), from.0.max(to.0), from.1.min(to.1), from.1.max(to.1));
        // Plotters paints the last row and column too.
        let last = ((right - 1).max(left), (bottom - 1).max(top));
        Ok(self.drawing().draw(&Rectangle::new([(left, top), last], color.filled()))?)
    }

    fn dot(&mut self, center: Point, radius: f64, color: RGBColor) -> Result<(), ChartError> {
        let radius = (radius * f64::from(ZOOM)).round() as i32;
        Ok(self.drawing().draw(&Circle::new(on_bitmap(center), radius, color.filled()))?)
    }

    fn line(&mut self, points: &[Point], width: f64, color: RGBColor) -> Result<(), ChartError> {
        for (index, pair) in points.windows(2).enumerate() {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let half = width / 2.0;
            // Straight lines stay rectangles: their edges are sharp.
            if x0 == x1 {
                self.rectangle((x0 - half, y0), (x1 + half, y1), color)?;
            } else if y0 == y1 {
                self.rectangle((x0, y0 - half), (x1, y1 + half), color)?;
            } else {
                let length = length(pair[0], pair[1]);
                let (dx, dy) = ((y1 - y0) / length * half, (x0 - x1) / length * half);
                let corners = [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)];
                self.area(&corners, color)?;
            }
            if index > 0 && width > 2.0 {
                self.dot((x0, y0), half, color)?;
            }
        }
        Ok(())
    }

    /// Dashes run on around corners.
    fn dashed(&mut self, points: &[Point], width: f64, color: RGBColor) -> Result<(), ChartError> {
        let (dash, gap) = (width * 2.0 + 6.0, width + 6.0);
        let mut walked = 0.0;
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = length(pair[0], pair[1]);
            let at = |way: f64| (x0 + (x1 - x0) * way / length, y0 + (y1 - y0) * way / length);
            let mut way = -(walked % (dash + gap));
            while way < length {
                let (start, end) = (way.max(0.0), (way + dash).min(length));
                if start < end {
                    self.line(&[at(start), at(end)], width, color)?;
                }
                way += dash + gap;
            }
            walked += length;
        }
        Ok(())
    }

    /// Diagonals are lines of equal x + y, counted from the picture's corner so that neighbours join up.
    fn hatched(&mut self, (x0, y0): Point, (x1, y1): Point, color: RGBColor) -> Result<(), ChartError> {
        let gap = 12.0;
        let mut sum = ((x0 + y0) / gap).ceil() * gap;
        while sum < x1 + y1 {
            let (start, end) = ((sum - y0).min(x1), (sum - y1).max(x0));
            self.line(&[(start, sum - start), (end, sum - end)], 2.0, color)?;
            sum += gap;
        }
        Ok(())
    }
}
