//! Does it happen as often as the model says? Points on the diagonal: yes.

use super::axes::{self, GUTTER};
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::palette::{INK, QUIET, RULE, SLATE, Tone};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NOTE, VALUE, width, wrap};

/// The bins.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// One point each.
    pub bins: Vec<Bin>,
}

/// Recommendations with similar predictions. Shares are from 0 to 1.
#[derive(Debug, Clone)]
pub struct Bin {
    /// Mean of what the model said.
    pub predicted: f64,
    /// Share for which it happened.
    pub observed: Option<Interval>,
    /// How many.
    pub n: u64,
}

const PLOT: f64 = 620.0;
const BARS: f64 = 76.0;
/// Room for the words at the right.
const WORDS: f64 = 440.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let y = self.caption.head(&mut scene);
        let mut bins: Vec<&Bin> = self.bins.iter().filter(|bin| bin.predicted.is_finite()).collect();
        bins.sort_by(|a, b| a.predicted.total_cmp(&b.predicted));
        if bins.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        }

        let (left, right) = (LEFT + GUTTER, RIGHT - WORDS);
        let (top, bottom) = (y + 82.0, y + 82.0 + PLOT);
        let observed = bins.iter().filter_map(|bin| Some(known_interval(bin.observed)?.upper));
        let highest = bins.iter().map(|bin| bin.predicted).chain(observed).fold(0.0, f64::max);
        let ticks = Ticks::over(0.0, highest, 5.0, Unit::In100);
        let across = Scale::new(ticks.ends(), (left, right));
        let up = Scale::new(ticks.ends(), (bottom, top));
        scene.text((LEFT, y + NOTE.size), "it happened, of 100", NOTE.in_color(INK), Align::Left);
        axes::values(&mut scene, &up, &ticks, Unit::In100, left, right);
        scene.dashed(&[(left, bottom), (right, top)], 3.0, QUIET);
        scene.text((left + 30.0, top + 44.0), "more often than the model says", NOTE, Align::Left);
        scene.text((right - 20.0, bottom - 24.0), "less often than the model says", NOTE, Align::Right);

        for bin in &bins {
            if let Some(observed) = known_interval(bin.observed) {
                let x = across.at(bin.predicted);
                scene.line(&[(x, up.at(observed.lower)), (x, up.at(observed.upper))], 9.0, Tone::Same.pale());
                scene.dot((x, up.at(observed.value)), 11.0, SLATE);
            }
        }
        let on_it = wrap("as often as the model says", NOTE, RIGHT - right - 46.0);
        let below = scene.lines((right + 46.0, top + NOTE.drop()), &on_it, NOTE, Align::Left);
        spoken(&mut scene, &bins, &across, &up, (right, below + 16.0, bottom - 60.0));

        let floor = bottom + 62.0 + BARS;
        for value in &ticks.values {
            scene.text((across.at(*value), bottom + 34.0), &Unit::In100.tick(*value, ticks.step), NOTE, Align::Center);
        }
        counts(&mut scene, &bins, &across, floor, right);
        let words = "the model says, of 100";
        scene.text((right + 46.0, bottom + 34.0), words, NOTE.in_color(INK), Align::Left);
        Ok(self.caption.foot(scene, floor + 40.0))
    }
}

/// The bin that is furthest off for its size put into words at the right, tied to its point; of equal ones the most
/// promising.
fn spoken(scene: &mut Scene, bins: &[&Bin], across: &Scale, up: &Scale, (right, top, bottom): (f64, f64, f64)) {
    let measured = bins.iter().filter_map(|bin| Some((bin, known_interval(bin.observed)?)));
    let Some((bin, observed)) = measured.reduce(|a, b| if off(b.0, b.1) >= off(a.0, a.1) { b } else { a }) else {
        return;
    };
    let (x, y) = (across.at(bin.predicted), up.at(observed.value));
    scene.line(&[(x + 14.0, y), (right + 34.0, y)], 2.0, INK);
    scene.dot((x, y), 13.0, INK);
    let whole = |share: f64| decimals(share * bin.n as f64, 0);
    let says = format!("Of {} looks it promised {};", decimals(bin.n as f64, 0), whole(bin.predicted));
    let happened = format!("{} came.", whole(observed.value));
    let room = RIGHT - right - 46.0;
    let lines: Vec<String> = [says, happened].iter().flat_map(|words| wrap(words, VALUE, room)).collect();
    scene.lines((right + 46.0, y.clamp(top, bottom) + VALUE.drop()), &lines, VALUE, Align::Left);
}

/// How far what happened is from what was said, in standard deviations of chance.
fn off(bin: &Bin, observed: Interval) -> f64 {
    let spread = bin.predicted * (1.0 - bin.predicted) / bin.n.max(1) as f64;
    (observed.value - bin.predicted).abs() / spread.sqrt().max(f64::MIN_POSITIVE)
}

/// How many looks each point stands for.
fn counts(scene: &mut Scene, bins: &[&Bin], across: &Scale, floor: f64, right: f64) {
    let most = bins.iter().map(|bin| bin.n).max().unwrap_or(0).max(1) as f64;
    let height = Scale::new((0.0, most), (0.0, BARS));
    scene.line(&[(across.at(0.0), floor), (right, floor)], 2.0, RULE);
    scene.text((right + 46.0, floor + 34.0), "looks (n)", NOTE, Align::Left);
    let mut free = f64::NEG_INFINITY;
    for bin in bins {
        let x = across.at(bin.predicted);
        scene.rectangle((x - 13.0, floor - height.at(bin.n as f64)), (x + 13.0, floor), QUIET);
        let words = decimals(bin.n as f64, 0);
        let half = width(&words, NOTE) / 2.0;
        // Counts that would touch the one before are left out.
        if x - half > free {
            scene.text((x, floor + 34.0), &words, NOTE, Align::Center);
            free = x + half + 14.0;
        }
    }
}
