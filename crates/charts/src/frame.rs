//! What surrounds every chart: the sentence on top, the grey line below it, the footnote at the bottom.

use super::palette::{RULE, SLATE};
use super::scene::{Scene, WIDTH};
use super::text::{Align, NOTE, SUBTITLE, TITLE, balanced, wrap};

/// Left edge of everything.
pub const LEFT: f64 = 60.0;
/// Right edge of everything.
pub const RIGHT: f64 = WIDTH - 60.0;

/// So many rows or panels have room in most pictures: more would weigh too much in a pull request, and nobody reads them.
pub const MOST: usize = 24;

/// The words around a chart. Each may be long and wraps; an empty one takes no room.
#[derive(Debug, Clone, Default)]
pub struct Caption {
    /// What the picture shows, as a whole sentence.
    pub title: String,
    /// What is counted, where and when.
    pub subtitle: String,
    /// Where the numbers come from, what a reader must know to use them.
    pub footnote: String,
}

impl Caption {
    /// Write the top; returns where the chart may begin.
    pub(super) fn head(&self, scene: &mut Scene) -> f64 {
        let mut y = 48.0;
        let room = RIGHT - LEFT;
        let parts = [(balanced(&self.title, TITLE, room), TITLE), (wrap(&self.subtitle, SUBTITLE, room), SUBTITLE)];
        for (lines, style) in parts {
            if !lines.is_empty() {
                y = scene.lines((LEFT, y + style.size * 0.8), &lines, style, Align::Left) - style.size * 0.8 + 6.0;
            }
        }
        y + 26.0
    }

    /// Cut lists to `most` entries, taken together; returns the words around the chart, which say so.
    pub(super) fn fit<'a, T: 'a>(&self, most: usize, lists: impl IntoIterator<Item = &'a mut Vec<T>>) -> Self {
        let (mut room, mut left_out) = (most, 0);
        for list in lists {
            left_out += list.len().saturating_sub(room);
            list.truncate(room);
            room -= list.len();
        }
        let mut caption = self.clone();
        if left_out > 0 {
            caption.footnote = format!("{left_out} more have no room in this picture. {}", self.footnote);
        }
        caption
    }

    /// Write the bottom below `y`: the scene is done.
    pub(super) fn foot(&self, mut scene: Scene, y: f64) -> Scene {
        let lines = wrap(&self.footnote, NOTE, RIGHT - LEFT);
        if lines.is_empty() {
            return scene.end(y + 40.0);
        }
        let rule = y + 34.0;
        scene.line(&[(LEFT, rule), (RIGHT, rule)], 2.0, RULE);
        let end = scene.lines((LEFT, rule + 38.0), &lines, NOTE, Align::Left);
        scene.end(end + 8.0)
    }
}

/// Say that there is nothing to draw yet; returns where that ends.
pub fn nothing(scene: &mut Scene, y: f64) -> f64 {
    scene.text((LEFT, y + 40.0), "Nothing to show yet.", SUBTITLE.in_color(SLATE), Align::Left);
    y + 60.0
}
