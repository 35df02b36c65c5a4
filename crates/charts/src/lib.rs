//! Charts: one kind of picture a file, one question each, drawn the same on every machine.
//!
//! A chart is a plain struct of words and numbers. Its [`Scene`] says what is where, in pixels; its `png` are the bytes of a
//! picture 1600 pixels wide and as high as its content. Charts compute nothing but where things stand: ticks, and the bars
//! of a [`Histogram`].

pub mod bars;
pub mod before_after;
pub mod comparison;
pub mod curve;
pub mod distributions;
pub mod dots;
pub mod dumbbell;
pub mod maturity;
pub mod ratios;
pub mod reliability;
pub mod scorecard;
pub mod segment_line;
pub mod small_multiples;
pub mod vintages;
pub mod waterfall;

mod axes;
mod dates;
mod error;
mod frame;
mod histogram;
mod key;
mod labels;
mod pack;
mod paint;
mod palette;
mod scale;
mod scene;
mod smooth;
mod text;

pub use error::ChartError;
pub use frame::{Caption, MOST};
pub use histogram::Histogram;
pub use palette::Tone;
pub use scale::{Interval, Unit};
pub use scene::{Picture, Point, Scene, Shape};
pub use text::{Align, Style};
