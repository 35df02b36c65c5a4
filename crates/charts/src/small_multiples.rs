//! A panel for every segment, all on the same axes: where did it happen, and where not?
//!
//! Panels that alarm come first and are outlined; the whole shop runs through every panel in grey.

use super::axes::{self, GUTTER};
use super::dates::{Day, TimeAxis};
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::key::{self, Mark};
use super::palette::{QUIET, SLATE, Tone};
use super::scale::{Scale, Ticks, Unit, decimals, known, runs};
use super::scene::{Picture, Point, Scene};
use super::text::{Align, NAME, NOTE, two_lines};

/// The grid of panels.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the panels: "clicked, of 100 recommendations shown".
    pub measure: String,
    /// First day of each bucket of days, as ISO dates in order of time.
    pub dates: Vec<String>,
    /// The whole shop's rate in each bucket, as share from 0 to 1; as long as `dates`.
    pub shop: Vec<Option<f64>>,
    /// One panel a segment.
    pub panels: Vec<Panel>,
}

/// One segment.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its name.
    pub segment: String,
    /// Recommendations shown in all buckets together.
    pub n: u64,
    /// Its rate in each bucket, as share from 0 to 1; as long as `dates`.
    pub rates: Vec<Option<f64>>,
    /// What it says.
    pub state: State,
}

/// What a panel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It changed for the worse: outlined, drawn first.
    Alarm,
    /// It changed for the better: outlined, too.
    Better,
    /// Nothing to report.
    Quiet,
    /// Too few outcomes to say.
    TooEarly,
}

impl State {
    /// What a change means; none where there is none.
    fn tone(self) -> Option<Tone> {
        match self {
            Self::Alarm => Some(Tone::Worse),
            Self::Better => Some(Tone::Better),
            Self::Quiet | Self::TooEarly => None,
        }
    }
}

const COLUMNS: usize = 4;
/// Between two panels.
const GAP: f64 = 34.0;
/// Height of the plot in a panel.
const PLOT: f64 = 150.0;
/// Name and count above the plot.
const HEAD: f64 = 116.0;
/// Dates below it.
const FEET: f64 = 48.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        // What alarms comes first.
        chart.panels.sort_by_key(|panel| panel.state);
        chart.caption = self.caption.fit(MOST, [&mut chart.panels]);
        let mut scene = Scene::default();
        let days = chart.dates.iter().map(|date| Day::parse(date)).collect::<Result<Vec<_>, _>>()?;
        let mut y = chart.caption.head(&mut scene);
        if days.is_empty() || chart.panels.is_empty() {
            y = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, y));
        }

        y = key(&mut scene, &chart, y);
        axes::measure(&mut scene, y, &chart.measure);
        y += 58.0;

        let panels: Vec<&Panel> = chart.panels.iter().collect();
        let columns = panels.len().min(COLUMNS);
        // A lone panel is not blown up to the width of the page.
        let width = (RIGHT - LEFT - GUTTER - GAP * (columns.max(2) - 1) as f64) / columns.max(2) as f64;
        // What is too early to say would only stretch the axis.
        let told = panels.iter().filter(|panel| panel.state != State::TooEarly);
        let rates = told.flat_map(|panel| &panel.rates).chain(&chart.shop);
        let ticks = Ticks::over(0.0, rates.filter_map(|rate| known(*rate)).fold(0.0, f64::max), 3.0, Unit::In100);
        for row in panels.chunks(columns) {
            // Where one name takes two lines, the whole row keeps room for two, so that its plots stand level.
            let lines = row.iter().map(|panel| two_lines(&panel.segment, NAME.in_bold(), width).len()).max();
            let head = HEAD + lines.unwrap_or(1).saturating_sub(1) as f64 * NAME.leading();
            let (top, bottom) = (y + head, y + head + PLOT);
            let scale = Scale::new(ticks.ends(), (bottom, top));
            for (column, panel) in row.iter().enumerate() {
                let left = LEFT + GUTTER + column as f64 * (width + GAP);
                if column == 0 {
                    axes::values(&mut scene, &scale, &ticks, Unit::In100, left, left + width);
                } else {
                    axes::grid(&mut scene, &scale, &ticks, left, left + width);
                }
                heading(&mut scene, panel, left, top - HEAD, width);
                let axis = TimeAxis::new(&days, left, left + width);
                curves(&mut scene, panel, &chart.shop, &days, &axis, &scale);
                dates(&mut scene, &days, left, left + width, bottom);
                if let Some(tone) = panel.state.tone() {
                    // The first panel of a row takes the values of its axis along.
                    let from = if column == 0 { LEFT - 8.0 } else { left - 14.0 };
                    scene.outlined((from, y), (left + width + 12.0, bottom + FEET), 4.0, tone.color());
                }
            }
            y = bottom + FEET + GAP;
        }
        Ok(chart.caption.foot(scene, y - GAP))
    }
}

fn key(scene: &mut Scene, chart: &Chart, y: f64) -> f64 {
    let has = |state| chart.panels.iter().any(|panel| panel.state == state);
    let mut entries = Vec::new();
    if has(State::Alarm) {
        entries.push((Mark::Outline(Tone::Worse.color()), "changed for the worse"));
    }
    if has(State::Better) {
        entries.push((Mark::Outline(Tone::Better.color()), "changed for the better"));
    }
    if has(State::Quiet) {
        entries.push((Mark::Line(SLATE), "the segment"));
    }
    entries.push((Mark::Line(QUIET), "the whole shop"));
    key::draw(scene, y, &entries)
}

fn heading(scene: &mut Scene, panel: &Panel, left: f64, y: f64, width: f64) {
    let (name, color) = match panel.state {
        State::Alarm => (NAME.in_bold(), Tone::Worse.color()),
        State::Better => (NAME.in_bold(), Tone::Better.color()),
        State::Quiet => (NAME.in_bold(), SLATE),
        State::TooEarly => (NAME, Tone::TooEarly.color()),
    };
    let name = name.in_color(color);
    let lines = two_lines(&panel.segment, name, width);
    let above = lines.len().saturating_sub(1) as f64 * name.leading();
    scene.lines((left, y + 36.0 - above), &lines, name, Align::Left);
    let count = format!("n = {}", decimals(panel.n as f64, 0));
    let early = if panel.state == State::TooEarly { " – too early to say" } else { "" };
    scene.text((left, y + 68.0), &(count + early), NOTE, Align::Left);
}

/// The shop's curve and, unless it is too early, the segment's.
fn curves(scene: &mut Scene, panel: &Panel, shop: &[Option<f64>], days: &[Day], axis: &TimeAxis, scale: &Scale) {
    let (color, width) = match panel.state {
        State::Alarm => (Tone::Worse.color(), 5.0),
        State::Better => (Tone::Better.color(), 5.0),
        State::Quiet | State::TooEarly => (SLATE, 4.0),
    };
    let own: &[Option<f64>] = if panel.state == State::TooEarly { &[] } else { &panel.rates };
    for (rates, color, width) in [(shop, QUIET, 3.0), (own, color, width)] {
        let buckets: Vec<_> = days.iter().zip(rates).collect();
        for run in runs(&buckets, |(_, rate)| known(**rate)) {
            let line: Vec<Point> = run.iter().map(|((day, _), rate)| (axis.x(**day), scale.at(*rate))).collect();
            scene.line(&line, width, color);
            // A bucket alone has no line to be seen by.
            if let [point] = line[..] {
                scene.dot(point, 6.0, color);
            }
        }
    }
}

/// The first and the last date.
fn dates(scene: &mut Scene, days: &[Day], left: f64, right: f64, bottom: f64) {
    scene.text((left, bottom + 34.0), &days[0].label(), NOTE, Align::Left);
    if days.len() > 1 {
        scene.text((right, bottom + 34.0), &days[days.len() - 1].label(), NOTE, Align::Right);
    }
}
