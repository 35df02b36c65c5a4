//! A bar for every name: counts, shares or weights, longest wherever the caller put it.

use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::palette::{MUTED, QUIET, SLATE, Tone};
use super::scale::{Scale, Unit, known};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten, width};

/// The bars.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// How values are written.
    pub unit: Unit,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// How long it is; negative ones reach to the left.
    pub value: Option<f64>,
    /// What to know about it, in grey after the value; may be empty.
    pub note: String,
    /// What it means; none is plain data.
    pub tone: Option<Tone>,
}

const ROW: f64 = 58.0;
/// Most room the labels take.
const LABELS: f64 = 520.0;
/// Room for the notes.
const NOTES: f64 = 420.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST, [&mut chart.bars]);
        let mut scene = Scene::default();
        let mut y = chart.caption.head(&mut scene);
        if chart.bars.is_empty() {
            y = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, y));
        }

        let bars = || chart.bars.iter();
        let widest = |texts: Vec<f64>| texts.into_iter().fold(0.0, f64::max);
        let labels = widest(bars().map(|bar| width(&bar.label, NAME)).collect()).min(LABELS);
        let notes = widest(bars().map(|bar| width(&bar.note, NOTE)).collect()).min(NOTES);
        let values = bars().filter_map(|bar| known(bar.value));
        let (low, high) = values.fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
        let words = |bar: &Bar| known(bar.value).map_or("not known".to_owned(), |value| chart.unit.label(value));
        let value_room = widest(bars().map(|bar| width(&words(bar), VALUE)).collect()) + 14.0;
        // Values stand at the ends of their bars, so both sides keep room for the widest one.
        let left = LEFT + labels + 24.0 + if low < 0.0 { value_room } else { 0.0 };
        let right = RIGHT - value_room - if notes > 0.0 { notes + 20.0 } else { 0.0 };
        let scale = Scale::new((low, if high > low { high } else { low + 1.0 }), (left, right));
        let zero = scale.at(0.0);
        let top = y;
        for bar in bars() {
            let (middle, baseline) = (y + ROW / 2.0, y + ROW / 2.0 + NAME.drop());
            scene.text((LEFT, baseline), &shorten(&bar.label, NAME, LABELS), NAME, Align::Left);
            let color = bar.tone.map_or(SLATE, Tone::color);
            let value = known(bar.value).unwrap_or(0.0);
            let end = scale.at(value);
            scene.rectangle((zero, middle - 18.0), (end, middle + 18.0), color);
            let style = if known(bar.value).is_some() { VALUE.in_color(color) } else { NOTE.in_color(MUTED) };
            let (x, align) = if value < 0.0 { (end - 12.0, Align::Right) } else { (end + 12.0, Align::Left) };
            scene.text((x, baseline), &words(bar), style, align);
            let after = if value < 0.0 { zero } else { end + width(&words(bar), style) };
            scene.text((after + 26.0, baseline), &shorten(&bar.note, NOTE, NOTES), NOTE, Align::Left);
            y += ROW;
        }
        scene.line(&[(zero, top), (zero, y)], 2.0, QUIET);
        Ok(chart.caption.foot(scene, y))
    }
}
