//! Colours by meaning, safe for colour-blind readers (after Okabe and Ito), the same in every chart.

use plotters::style::RGBColor;

/// Paper.
pub const WHITE: RGBColor = RGBColor(255, 255, 255);
/// Titles and what must be read first.
pub const INK: RGBColor = RGBColor(27, 31, 36);
/// Plain data that is neither good nor bad news.
pub const SLATE: RGBColor = RGBColor(72, 84, 97);
/// Second reading: subtitles, ticks, footnotes; dark enough to be read on white.
pub const MUTED: RGBColor = RGBColor(98, 107, 117);
/// Things to compare with, drawn behind the data.
pub const QUIET: RGBColor = RGBColor(160, 168, 177);
/// Bands and zones.
pub const PALE: RGBColor = RGBColor(229, 232, 236);
/// Grid lines.
pub const RULE: RGBColor = RGBColor(222, 226, 231);

/// What a mark says; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good news: blue.
    Better,
    /// Bad news: orange.
    Worse,
    /// No change: grey.
    Same,
    /// Too few outcomes to say: grey and hollow.
    TooEarly,
}

impl Tone {
    /// The full colour, for marks and words.
    pub(super) fn color(self) -> RGBColor {
        match self {
            Tone::Better => RGBColor(0, 114, 178),
            Tone::Worse => RGBColor(213, 94, 0),
            Tone::Same | Tone::TooEarly => MUTED,
        }
    }

    /// A softer colour, for points behind a line.
    pub(super) fn soft(self) -> RGBColor {
        match self {
            Tone::Better => RGBColor(111, 174, 214),
            Tone::Worse => RGBColor(240, 155, 96),
            Tone::Same | Tone::TooEarly => QUIET,
        }
    }

    /// The light colour, for intervals behind the marks.
    pub(super) fn pale(self) -> RGBColor {
        match self {
            Tone::Better => RGBColor(190, 219, 238),
            Tone::Worse => RGBColor(250, 214, 188),
            Tone::Same | Tone::TooEarly => RGBColor(214, 219, 224),
        }
    }
}
