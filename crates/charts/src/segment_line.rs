//! One segment's rate by day, against the range it kept to before and against the rest of the shop.
//!
//! Before a change the segment is drawn in slate, after it in the colour of what the change means. What is confirmed is
//! solid, what is provisional is dashed in its fan of possible ends, and days nobody can know yet are hatched.

use plotters::style::RGBColor;

use super::axes::{self, DAYS, GUTTER};
use super::dates::{Day, TimeAxis};
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::key::{self, Mark};
use super::labels::{self, Tag};
use super::palette::{PALE, QUIET, SLATE, Tone};
use super::scale::{Interval, Scale, Ticks, Unit, known, known_interval, runs};
use super::scene::{Picture, Point, Scene};

/// The segment over time.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the axis: "clicked, of 100 recommendations shown".
    pub measure: String,
    /// One entry per day, in order of time.
    pub days: Vec<Reading>,
    /// The level before the change and the usual range around it, as shares.
    pub before: Option<Interval>,
    /// When and to what it changed; none while it has not.
    pub change: Option<Change>,
    /// Means over some of the days, each told at the right.
    pub levels: Vec<Level>,
}

/// A mean over days, drawn as a line over them.
#[derive(Debug, Clone)]
pub struct Level {
    /// ISO dates, both among the days.
    pub from: String,
    pub until: String,
    /// As share.
    pub value: f64,
    /// What stands before the value: "confirmed:".
    pub name: String,
    pub is_provisional: bool,
}

/// One day. Shares are from 0 to 1.
#[derive(Debug, Clone)]
pub struct Reading {
    /// ISO date.
    pub date: String,
    /// Recommendations shown.
    pub n: u64,
    /// The segment's rate.
    pub rate: Option<f64>,
    /// The segment's trailing mean. If no day has one, the line joins the rates themselves.
    pub trailing: Option<f64>,
    /// The rate of the rest of the shop.
    pub rest: Option<f64>,
    /// How final the day is.
    pub state: State,
}

/// How final a day is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// All outcomes are known.
    Confirmed,
    /// Some are; the line may still end between these two shares.
    Provisional {
        /// The lowest it may end at.
        lower: Option<f64>,
        /// The highest it may end at.
        upper: Option<f64>,
    },
    /// Too few are known to draw the day.
    Pending,
}

/// What happened.
#[derive(Debug, Clone)]
pub struct Change {
    /// First day of the new level, as ISO date.
    pub date: String,
    /// The level since then, as share.
    pub after: f64,
    /// What that means.
    pub tone: Tone,
}

const HEIGHT: f64 = 560.0;
/// Room for the labels at the right.
const TAGS: f64 = 250.0;

/// A day as it is drawn.
struct Spot<'a> {
    day: Day,
    reading: &'a Reading,
    /// Where the line passes.
    line: Option<f64>,
    /// Colour of the line.
    color: RGBColor,
    /// What gives the points and the fan their colours.
    tone: Tone,
    /// Whether the change has come.
    is_after: bool,
}

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let change = self.change.as_ref();
        let since = change.map(|change| Day::parse(&change.date)).transpose()?;
        let spots = spots(self, since)?;
        let y = self.caption.head(&mut scene);
        if spots.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        }

        let y = key(&mut scene, self, y);
        axes::measure(&mut scene, y, &self.measure);
        let (left, right) = (LEFT + GUTTER, RIGHT - TAGS);
        let (top, bottom) = (y + 82.0, y + 82.0 + HEIGHT);
        let days: Vec<Day> = spots.iter().map(|spot| spot.day).collect();
        let axis = TimeAxis::new(&days, left, right);
        let ticks = Ticks::over(0.0, highest(self), 5.0, Unit::In100);
        let scale = Scale::new(ticks.ends(), (bottom, top));
        let x_change = since.map(|day| axis.start(day).clamp(left, right));

        // From the back to the front: zones, grid, what to compare with, the segment, words.
        let before = known_interval(self.before);
        if let Some(level) = before {
            scene.rectangle((left, scale.at(level.upper)), (x_change.unwrap_or(right), scale.at(level.lower)), PALE);
        }
        pending(&mut scene, &spots, &axis, top, bottom);
        axes::values(&mut scene, &scale, &ticks, Unit::In100, left, right);
        if let Some(x) = x_change {
            scene.line(&[(x, top), (x, bottom)], 3.0, SLATE);
        }
        let mut tags: Vec<Tag> = rest(&mut scene, &spots, &axis, &scale).into_iter().collect();
        if let Some(level) = before {
            let (y, end) = (scale.at(level.value), x_change.unwrap_or(right));
            scene.line(&[(left, y), (end, y)], 3.0, SLATE);
            scene.dashed(&[(end, y), (right, y)], 2.0, SLATE);
            let (name, value) = ("before:".to_owned(), Unit::In100.label(level.value));
            tags.push(Tag { point: (right, y), name, value, color: SLATE });
        }
        segment(&mut scene, &spots, &axis, &scale);
        if let (Some(change), Some(day), Some(x)) = (change, since, x_change)
            && change.after.is_finite()
        {
            let y = scale.at(change.after);
            scene.line(&[(x, y), (right, y)], 3.0, change.tone.color());
            let (name, value) = (format!("since {}:", day.label()), Unit::In100.label(change.after));
            tags.push(Tag { point: (right, y), name, value, color: change.tone.color() });
        }
        for level in self.levels.iter().filter(|level| level.value.is_finite()) {
            let (from, until) =
                (axis.start(Day::parse(&level.from)?), axis.start(Day::parse(&level.until)?) + axis.room);
            let y = scale.at(level.value);
            let ends = [(from.clamp(left, right), y), (until.clamp(left, right), y)];
            if level.is_provisional {
                scene.dashed(&ends, 3.0, QUIET)
            } else {
                scene.line(&ends, 3.0, QUIET)
            }
            let (name, value) = (level.name.clone(), Unit::In100.label(level.value));
            scene.line(&[ends[1], (right, y)], 1.0, QUIET);
            tags.push(Tag { point: (right, y), name, value, color: SLATE });
        }
        labels::draw(&mut scene, tags, right + 34.0, top - 30.0, bottom + 30.0);
        let counts: Vec<u64> = spots.iter().map(|spot| spot.reading.n).collect();
        axes::days(&mut scene, &axis, bottom, &days, &counts, since);
        Ok(self.caption.foot(scene, bottom + DAYS))
    }
}

fn spots<'a>(chart: &'a Chart, since: Option<Day>) -> Result<Vec<Spot<'a>>, ChartError> {
    let smooth = chart.days.iter().any(|reading| known(reading.trailing).is_some());
    let after = chart.change.as_ref().map_or(Tone::Same, |change| change.tone);
    let spot = |reading: &'a Reading| {
        let day = Day::parse(&reading.date)?;
        let line = if smooth { reading.trailing } else { reading.rate };
        let line = known(line).filter(|_| reading.state != State::Pending);
        let is_after = since.is_some_and(|since| day >= since);
        let (tone, color) = if is_after { (after, after.color()) } else { (Tone::Same, SLATE) };
        Ok(Spot { day, reading, line, color, tone, is_after })
    };
    chart.days.iter().map(spot).collect()
}

fn highest(chart: &Chart) -> f64 {
    let before = chart.before.map(|level| level.upper);
    let after = chart.change.as_ref().map(|change| change.after);
    let daily = chart.days.iter().flat_map(|reading| {
        let upper = if let State::Provisional { upper, .. } = reading.state { upper } else { None };
        [reading.rate, reading.trailing, reading.rest, upper]
    });
    daily.chain([before, after]).filter_map(known).fold(0.0, f64::max)
}

fn key(scene: &mut Scene, chart: &Chart, y: f64) -> f64 {
    let color = chart.change.as_ref().map_or(SLATE, |change| change.tone.color());
    let mut entries = vec![(Mark::Dot(QUIET), "one day")];
    if chart.days.iter().any(|reading| known(reading.trailing).is_some()) {
        entries.push((Mark::Line(SLATE), "7-day average"));
    }
    if chart.days.iter().any(|reading| matches!(reading.state, State::Provisional { .. })) {
        entries.push((Mark::Dashed(color), "provisional, may still move"));
    }
    if chart.before.is_some() {
        entries.push((Mark::Area(PALE), "usual range before"));
    }
    if chart.days.iter().any(|reading| reading.state == State::Pending) {
        entries.push((Mark::Hatched(QUIET), "not yet known"));
    }
    key::draw(scene, y, &entries)
}

/// Hatch the days nobody can know yet.
fn pending(scene: &mut Scene, spots: &[Spot], axis: &TimeAxis, top: f64, bottom: f64) {
    for run in spots.chunk_by(|a, b| a.reading.state == b.reading.state) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        if first.reading.state == State::Pending {
            scene.hatched((axis.start(first.day), top), (axis.start(last.day) + axis.room, bottom), PALE);
        }
    }
}

/// The line of the rest of the shop; returns its label.
fn rest(scene: &mut Scene, spots: &[Spot], axis: &TimeAxis, scale: &Scale) -> Option<Tag> {
    let mut last = None;
    for run in runs(spots, |spot| known(spot.reading.rest)) {
        let place = |(spot, value): &(&Spot, f64)| (axis.x(spot.day), scale.at(*value));
        let points: Vec<Point> = run.iter().map(place).collect();
        scene.line(&points, 3.0, QUIET);
        last = points.last().copied();
    }
    let (name, value) = ("the rest".to_owned(), "of the shop".to_owned());
    last.map(|point| Tag { point, name, value, color: Tone::Same.color() })
}

/// The segment's fan, line and points.
fn segment(scene: &mut Scene, spots: &[Spot], axis: &TimeAxis, scale: &Scale) {
    let place = |spot: &Spot, value: f64| (axis.x(spot.day), scale.at(value));
    let provisional = |spot: &Spot| matches!(spot.reading.state, State::Provisional { .. });
    // The fan opens from the last confirmed day.
    let fan = |spot: &Spot| match spot.reading.state {
        State::Provisional { lower, upper } => known(lower).zip(known(upper)),
        State::Confirmed => spot.line.map(|value| (value, value)),
        State::Pending => None,
    };
    for run in runs(spots, fan) {
        for pair in run.windows(2).filter(|pair| provisional(pair[1].0)) {
            let [(a, (a_low, a_high)), (b, (b_low, b_high))] = [pair[0], pair[1]];
            let outline = vec![place(a, a_high), place(b, b_high), place(b, b_low), place(a, a_low)];
            scene.area(outline, b.tone.pale());
        }
    }
    let most = spots.iter().map(|spot| spot.reading.n).max().unwrap_or(0).max(1) as f64;
    for spot in spots.iter().filter(|spot| spot.reading.state != State::Pending) {
        if let Some(rate) = known(spot.reading.rate) {
            let radius = 4.0 + 3.5 * (spot.reading.n as f64 / most).sqrt();
            if provisional(spot) {
                scene.ring(place(spot, rate), radius, spot.tone.soft());
            } else {
                scene.dot(place(spot, rate), radius, spot.tone.soft());
            }
        }
    }
    for run in runs(spots, |spot| spot.line) {
        // A stretch of line looks like the day it leads to.
        // No line leads over the change: the new level begins with it.
        let joined = run.windows(2).filter(|pair| pair[0].0.is_after == pair[1].0.is_after);
        let steps: Vec<_> = joined.map(|pair| (pair[0], pair[1])).collect();
        for alike in
            steps.chunk_by(|(_, (a, _)), (_, (b, _))| a.is_after == b.is_after && provisional(a) == provisional(b))
        {
            let ends = alike.iter().map(|(_, end)| *end);
            let points: Vec<Point> =
                std::iter::once(alike[0].0).chain(ends).map(|(spot, value)| place(spot, value)).collect();
            let leads_to = alike[0].1.0;
            if provisional(leads_to) {
                scene.dashed(&points, 5.0, leads_to.color);
            } else {
                scene.line(&points, 5.0, leads_to.color);
            }
        }
    }
}
