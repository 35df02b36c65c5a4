//! How much is known of each day: confirmed below, still pending above.

use super::axes::{self, DAYS, GUTTER};
use super::dates::{Day, TimeAxis};
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::labels::{self, Tag};
use super::palette::{INK, MUTED, PALE, QUIET, SLATE};
use super::scale::{Scale, Ticks, Unit};
use super::scene::{Picture, Scene};
use super::text::{Align, VALUE, width};

/// The days.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is counted, written above the axis: "recommendations shown that day".
    pub measure: String,
    /// One entry per day, in order of time.
    pub days: Vec<Shown>,
    /// The last day of which everything is known, as ISO date.
    pub known_until: Option<String>,
}

/// One day's recommendations by what is known of their outcome.
#[derive(Debug, Clone)]
pub struct Shown {
    /// ISO date.
    pub date: String,
    /// Outcome known for good.
    pub confirmed: u64,
    /// Outcome still open.
    pub pending: u64,
}

const HEIGHT: f64 = 480.0;
/// Room for the labels at the right.
const TAGS: f64 = 250.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let days = self.days.iter().map(|shown| Day::parse(&shown.date)).collect::<Result<Vec<_>, _>>()?;
        let until = self.known_until.as_deref().map(Day::parse).transpose()?;
        let y = self.caption.head(&mut scene);
        let Some((last, last_day)) = self.days.last().zip(days.last()) else {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        };

        axes::measure(&mut scene, y, &self.measure);
        let (left, right) = (LEFT + GUTTER, RIGHT - TAGS);
        let (top, bottom) = (y + 130.0, y + 130.0 + HEIGHT);
        let axis = TimeAxis::new(&days, left, right);
        let totals: Vec<u64> = self.days.iter().map(|shown| shown.confirmed.saturating_add(shown.pending)).collect();
        let most = totals.iter().copied().max().unwrap_or(0) as f64;
        let ticks = Ticks::over(0.0, most, 4.0, Unit::Count);
        let scale = Scale::new(ticks.ends(), (bottom, top));
        axes::values(&mut scene, &scale, &ticks, Unit::Count, left, right);

        // A narrow gap between bars; very many days touch.
        let air = (axis.room * 0.12).min(10.0);
        for (shown, (day, total)) in self.days.iter().zip(days.iter().zip(&totals)) {
            let (from, to) = (axis.start(*day) + air, axis.start(*day) + axis.room - air);
            let (middle, end) = (scale.at(shown.confirmed as f64), scale.at(*total as f64));
            scene.rectangle((from, bottom), (to, middle), SLATE);
            if shown.pending > 0 {
                scene.rectangle((from, middle), (to, end), PALE);
                scene.hatched((from, middle), (to, end), QUIET);
            }
        }
        if let Some(until) = until {
            boundary(&mut scene, &axis, until, (left, right), top, bottom);
        }
        let x = axis.x(*last_day) + axis.room / 2.0 - air;
        let total = totals.last().copied().unwrap_or(0);
        let parts = [(last.confirmed, total, "still open:", MUTED), (0, last.confirmed, "known for good:", SLATE)];
        let tags = parts.into_iter().filter(|(low, high, ..)| high > low).map(|(low, high, name, color)| Tag {
            point: (x, (scale.at(low as f64) + scale.at(high as f64)) / 2.0),
            name: name.to_owned(),
            value: Unit::Count.label((high - low) as f64),
            color,
        });
        labels::draw(&mut scene, tags.collect(), right + 34.0, top - 30.0, bottom + 30.0);
        axes::days(&mut scene, &axis, bottom, &days, &totals, until);
        Ok(self.caption.foot(scene, bottom + DAYS))
    }
}

/// The line between the days that are complete and those that are not, with its words above the bars.
fn boundary(scene: &mut Scene, axis: &TimeAxis, until: Day, (left, right): (f64, f64), top: f64, bottom: f64) {
    let x = (axis.start(until) + axis.room).clamp(left, right);
    let words = format!("all known until {}", until.label());
    scene.line(&[(x, top - 66.0), (x, bottom)], 3.0, INK);
    // Before the line if there is room, otherwise after it.
    if x - LEFT > width(&words, VALUE) + 16.0 {
        scene.text((x - 16.0, top - 42.0), &words, VALUE, Align::Right);
    } else {
        scene.text((x + 16.0, top - 42.0), &words, VALUE, Align::Left);
    }
}
