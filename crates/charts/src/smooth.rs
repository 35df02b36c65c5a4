//! Smooth edges by supersampling: a bitmap is drawn a few times too large, then every square becomes one pixel.
//!
//! It touches every byte of every picture and every pixel of every letter; so the crate is compiled for speed (see
//! profiles in the workspace's Cargo.toml).

use plotters_backend::{BackendColor, DrawingBackend, DrawingErrorKind};
use plotters_bitmap::BitMapBackend;

/// What plotters reports when it cannot paint on its bitmap.
pub type InkError = DrawingErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>;

/// Bytes of one pixel: red, green, blue.
const CHANNELS: usize = 3;
/// Pixels of the picture that are looked at together.
const TOGETHER: usize = 64;

/// Pixels side by side that are covered alike.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    /// Where the first of them is, from the upper left corner.
    pub column: i32,
    pub row: i32,
    pub length: i32,
    /// The share of each pixel that is covered, 0 to 1.
    pub covered: f32,
}

impl Stroke {
    /// Whether a pixel that is all covered would lengthen it.
    pub fn goes_on_at(&self, column: i32, row: i32) -> bool {
        self.covered == 1.0 && (self.column + self.length, self.row) == (column, row)
    }
}

/// Lays the colour `rgb` over parts of `bitmap` (RGB, `size` pixels wide and high).  What is beyond its edges is left out.
pub fn ink(bitmap: &mut [u8], size: (u32, u32), rgb: (u8, u8, u8), strokes: &[Stroke]) -> Result<(), InkError> {
    let mut bitmap = BitMapBackend::with_buffer(bitmap, size);
    strokes.iter().try_for_each(|stroke| {
        let color = BackendColor { alpha: f64::from(stroke.covered), rgb };
        let from = (stroke.column, stroke.row);
        match stroke.length {
            1 => bitmap.draw_pixel(from, color),
            length => bitmap.draw_line(from, (stroke.column + length - 1, stroke.row), &color),
        }
    })
}

/// The picture behind `bitmap` (rows from top to bottom, RGB, `zoom` times `width` pixels wide): each pixel is the mean
/// of a square of `zoom` by `zoom` pixels, rounded half up; `zoom` is at most 257.  Rows at the bottom that fill no square are left out.
/// What is taken off the bitmap is white afterwards, ready for the next picture.
pub fn lift(bitmap: &mut [u8], width: usize, zoom: usize) -> Vec<u8> {
    let row = width * zoom * CHANNELS;
    let square = zoom * zoom;
    // A sum's mean is looked up: there are few sums, and divisions are slow.
    let means: Vec<u8> = (0..=square * 255).map(|sum| ((sum + square / 2) / square.max(1)) as u8).collect();
    let mut picture = Vec::with_capacity(bitmap.len() / square.max(1));
    let block = TOGETHER * zoom * CHANNELS;
    let paper = vec![255; block];
    let mut sums = vec![0_u16; block];
    for band in bitmap.chunks_exact_mut((row * zoom).max(1)) {
        for start in (0..row).step_by(block) {
            let end = row.min(start + block);
            // Most of a picture is white.
            if band.chunks_exact(row).all(|line| line[start..end] == paper[..end - start]) {
                picture.resize(picture.len() + (end - start) / zoom, 255);
                continue;
            }
            let sums = &mut sums[..end - start];
            sums.fill(0);
            for line in band.chunks_exact_mut(row).map(|line| &mut line[start..end]) {
                sums.iter_mut().zip(&*line).for_each(|(sum, byte)| *sum += u16::from(*byte));
                line.fill(255);
            }
            for across in sums.chunks_exact(CHANNELS * zoom) {
                let mut total = [0; CHANNELS];
                for pixel in across.chunks_exact(CHANNELS) {
                    total.iter_mut().zip(pixel).for_each(|(total, sum)| *total += usize::from(*sum));
                }
                picture.extend(total.map(|total| means[total]));
            }
        }
    }
    picture
}
