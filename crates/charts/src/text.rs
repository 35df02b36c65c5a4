//! Letters: the shipped font, how wide a text is, how it wraps and where it is shortened.
//!
//! Glyphs are placed with ab_glyph, the rasteriser inside plotters. Plotters' own text drops the space on the left of
//! each letter, which shows in print; here it is kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, ScaleFont, point};
use plotters::style::RGBColor;

use super::palette::{INK, MUTED};
use super::smooth::Stroke;

thread_local! {
    /// The letters that were drawn already: by glyph, size and weight.
    static LETTERS: RefCell<HashMap<(GlyphId, u32, bool), Vec<Stroke>>> = RefCell::default();
}

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| shipped(include_bytes!("../font/OpenSans-Regular.ttf")));
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| shipped(include_bytes!("../font/OpenSans-Bold.ttf")));

fn shipped(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the font is part of the program")
}

/// How letters look. Sizes are in pixels of the finished picture; 24 is the least that survives scaling to 830 px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Height of the em square.
    pub size: f64,
    /// Bold or regular.
    pub bold: bool,
    /// Colour of the letters.
    pub color: RGBColor,
}

/// The sentence on top.
pub const TITLE: Style = Style { size: 42.0, bold: true, color: INK };
/// The line below it.
pub const SUBTITLE: Style = Style { size: 28.0, bold: false, color: MUTED };
/// Names of segments and models, headings of panels.
pub const NAME: Style = Style { size: 27.0, bold: false, color: INK };
/// Numbers and words on the data.
pub const VALUE: Style = Style { size: 28.0, bold: true, color: INK };
/// Ticks, counts, footnotes.
pub const NOTE: Style = Style { size: 24.0, bold: false, color: MUTED };

impl Style {
    /// The same letters in another colour.
    pub fn in_color(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }

    /// The same letters in bold.
    pub fn in_bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// From one baseline to the next.
    pub fn leading(self) -> f64 {
        self.size * 1.3
    }

    /// How far below the middle of a line its baseline lies, so that digits and capitals look centred.
    pub fn drop(self) -> f64 {
        self.size * 0.36
    }

    fn font(self) -> &'static FontRef<'static> {
        if self.bold { &BOLD } else { &REGULAR }
    }
}

/// From this share on, a pixel is all covered: less than half a step of a colour is missing.
const COVERED: f32 = 0.998;

/// Which point of a text its x names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Align {
    /// x is where it starts.
    Left,
    /// x is its middle.
    Center,
    /// x is where it ends.
    Right,
}

/// The glyphs of one line starting at (0, 0) on its baseline, and the line's width.
/// `zoom` is how many bitmap pixels make one pixel of the picture.
fn set(text: &str, style: Style, zoom: f64) -> (Vec<Glyph>, f32) {
    let font = style.font();
    // ab_glyph counts size from ascender to descender, people count the em square.
    let em = f64::from(font.height_unscaled() / font.units_per_em().unwrap_or(2048.0));
    let scaled = font.as_scaled(PxScale::from((style.size * zoom * em) as f32));
    let mut x = 0.0;
    let mut previous = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let mut glyph = scaled.scaled_glyph(letter);
        if let Some(previous) = previous {
            x += scaled.kern(previous, glyph.id);
        }
        glyph.position = point(x, 0.0);
        x += scaled.h_advance(glyph.id);
        previous = Some(glyph.id);
        glyphs.push(glyph);
    }
    (glyphs, x)
}

/// The width of one line of text.
pub fn width(text: &str, style: Style) -> f64 {
    f64::from(set(text, style, 1.0).1)
}

/// The strokes of one line whose start is at `(x, y)` on the baseline, in pixels of the picture; `zoom` bitmap pixels make
/// one of those.  Letters stand on whole pixels of the picture, so each is drawn once in a size, looks the same wherever it
/// stands, and packs well.
pub fn coverage(text: &str, style: Style, zoom: i32, (x, y): (f64, f64)) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    for glyph in set(text, style, f64::from(zoom)).0 {
        let left = (x + f64::from(glyph.position.x) / f64::from(zoom)).round() as i32 * zoom;
        let top = y.round() as i32 * zoom;
        LETTERS.with_borrow_mut(|letters| {
            let name = (glyph.id, glyph.scale.y.to_bits(), style.bold);
            let letter = letters.entry(name).or_insert_with(|| drawn(glyph, style));
            let moved = |stroke: &Stroke| Stroke { column: left + stroke.column, row: top + stroke.row, ..*stroke };
            strokes.extend(letter.iter().map(moved));
        });
    }
    strokes
}

/// The strokes of a letter that stands at (0, 0).
fn drawn(mut glyph: Glyph, style: Style) -> Vec<Stroke> {
    glyph.position = point(0.0, 0.0);
    let mut strokes: Vec<Stroke> = Vec::new();
    if let Some(outline) = style.font().outline_glyph(glyph) {
        let corner = outline.px_bounds().min;
        let (left, top) = (corner.x as i32, corner.y as i32);
        outline.draw(|column, row, covered| {
            let (column, row) = (left + column as i32, top + row as i32);
            // The sums behind a pixel that is covered come to a little less than all of it.
            let covered = if covered > COVERED { 1.0 } else { covered };
            match strokes.last_mut().filter(|last| covered == 1.0 && last.goes_on_at(column, row)) {
                Some(last) => last.length += 1,
                // Most of the box around a letter is empty.
                None if covered > 0.0 => strokes.push(Stroke { column, row, length: 1, covered }),
                None => {}
            }
        });
    }
    strokes
}

/// The text if it fits, otherwise as much of it as fits before a "…".
pub fn shorten(text: &str, style: Style, room: f64) -> String {
    if width(text, style) <= room {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() {
        let short = format!("{}…", kept.trim_end());
        if width(&short, style) <= room {
            return short;
        }
    }
    "…".to_owned()
}

/// The words of a text, with "28 in 100" and "21 September" as one word each: no line ends with a bare number.
fn phrases(text: &str) -> Vec<String> {
    let number = |word: &str| word.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let mut phrases: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match phrases.last_mut() {
            Some(last) if number(last) || (last.ends_with(" in") && word.starts_with("100")) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => phrases.push(word.to_owned()),
        }
    }
    phrases
}

/// The text in at most two lines no wider than `room`; what is left over is shortened.
pub fn two_lines(text: &str, style: Style, room: f64) -> Vec<String> {
    let lines = wrap(text, style, room);
    match &lines[..] {
        [first, rest @ ..] if rest.len() > 1 => vec![first.clone(), shorten(&rest.join(" "), style, room)],
        _ => lines,
    }
}

/// The text in lines no wider than `room`. A single word wider than that is shortened.
pub fn wrap(text: &str, style: Style, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in phrases(text) {
        let word = shorten(&word, style, room);
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), style) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// The same lines as [`wrap`] where the last is long enough; otherwise as many lines of about one length, so that no word
/// stands alone.
pub fn balanced(text: &str, style: Style, room: f64) -> Vec<String> {
    let lines = wrap(text, style, room);
    let is_short = |lines: &[String]| lines.last().is_some_and(|last| width(last, style) < room / 3.0);
    if lines.len() < 2 || !is_short(&lines) {
        return lines;
    }
    let narrower = (1..10).map(|step| wrap(text, style, room * (1.0 - 0.05 * f64::from(step))));
    narrower.take_while(|narrow| narrow.len() == lines.len()).find(|narrow| !is_short(narrow)).unwrap_or(lines)
}
