//! As first published against now, a pair for every week: how far figures move while the truth arrives.

use super::axes::{self, GUTTER};
use super::dates::Day;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::key::{self, Mark};
use super::palette::{MUTED, QUIET, SLATE, Tone};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, hundredths, known, known_interval};
use super::scene::{Picture, Point, Scene};
use super::text::{Align, NOTE, VALUE};

/// The weeks; where there are more than fit, the latest are drawn.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the axis.
    pub measure: String,
    /// In order of time.
    pub weeks: Vec<Week>,
}

/// One week's recommendations.
#[derive(Debug, Clone)]
pub struct Week {
    /// Its first day, as ISO date.
    pub date: String,
    /// Recommendations shown.
    pub n: u64,
    /// As the first report after its end had it.
    pub first: Option<Figure>,
    /// As this report has it.
    pub now: Option<Figure>,
}

/// A share from 0 to 1, and how final it is.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// All outcomes are known.
    Confirmed(f64),
    /// Some are; it may still end between the ends.
    Provisional(Interval),
    /// Only what had come so far; nothing could be said of the rest.
    SoFar(f64),
}

impl Figure {
    fn value(self) -> Option<f64> {
        match self {
            Self::Confirmed(value) | Self::SoFar(value) => known(Some(value)),
            Self::Provisional(interval) => known_interval(Some(interval)).map(|interval| interval.value),
        }
    }

    fn upper(self) -> Option<f64> {
        match self {
            Self::Provisional(interval) => known_interval(Some(interval)).map(|interval| interval.upper),
            other => other.value(),
        }
    }
}

const HEIGHT: f64 = 460.0;
/// Below the plot: the week, the count.
const FEET: f64 = 82.0;
/// Widest a week is drawn.
const WIDEST: f64 = 300.0;
const NARROWEST: f64 = 150.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let (left, right) = (LEFT + GUTTER, RIGHT);
        let fit = ((right - left) / NARROWEST) as usize;
        let weeks = &self.weeks[self.weeks.len().saturating_sub(fit)..];
        let days = weeks.iter().map(|week| Day::parse(&week.date)).collect::<Result<Vec<_>, _>>()?;
        let y = self.caption.head(&mut scene);
        if weeks.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        }
        let y = key::draw(
            &mut scene,
            y,
            &[
                (Mark::Dot(QUIET), "as first published"),
                (Mark::Dot(SLATE), "now"),
                (Mark::Dashed(MUTED), "provisional: may still move"),
                (Mark::Outline(QUIET), "only what had come so far"),
            ],
        );
        axes::measure(&mut scene, y, &self.measure);
        let (top, bottom) = (y + 90.0, y + 90.0 + HEIGHT);
        let figures = weeks.iter().flat_map(|week| [week.first, week.now]).flatten();
        let highest = figures.filter_map(Figure::upper).fold(0.0, f64::max);
        let ticks = Ticks::over(0.0, highest, 5.0, Unit::In100);
        let scale = Scale::new(ticks.ends(), (bottom, top));
        axes::values(&mut scene, &scale, &ticks, Unit::In100, left, right);
        let room = ((right - left) / weeks.len() as f64).min(WIDEST);
        for (index, (week, day)) in weeks.iter().zip(&days).enumerate() {
            let middle = left + (index as f64 + 0.5) * room;
            let (then, now) = (middle - room * 0.2, middle + room * 0.2);
            if let (Some(a), Some(b)) = (week.first.and_then(Figure::value), week.now.and_then(Figure::value)) {
                scene.line(&[(then, scale.at(a)), (now, scale.at(b))], 2.0, QUIET);
            }
            for (x, figure, style) in [(then, week.first, NOTE), (now, week.now, VALUE.in_color(SLATE))] {
                let Some((figure, value)) = figure.and_then(|figure| Some((figure, figure.value()?))) else { continue };
                mark(&mut scene, (x, scale.at(value)), figure, if x == now { SLATE } else { QUIET }, &scale);
                let above = scale.at(figure.upper().unwrap_or(value)) - 24.0;
                scene.text((x, above), &hundredths(value), style, Align::Center);
            }
            scene.text((middle, bottom + 34.0), &format!("from {}", day.label()), NOTE, Align::Center);
            scene.text((middle, bottom + 66.0), &format!("n = {}", decimals(week.n as f64, 0)), NOTE, Align::Center);
        }
        Ok(self.caption.foot(scene, bottom + FEET))
    }
}

fn mark(scene: &mut Scene, (x, y): Point, figure: Figure, color: plotters::style::RGBColor, scale: &Scale) {
    match figure {
        Figure::Confirmed(_) => scene.dot((x, y), 12.0, color),
        Figure::Provisional(interval) => {
            let ends = [(x, scale.at(interval.upper)), (x, scale.at(interval.lower))];
            scene.line(&ends, 16.0, Tone::Same.pale());
            scene.dashed(&ends, 4.0, color);
            scene.dot((x, y), 12.0, color);
        }
        Figure::SoFar(_) => scene.outlined((x - 11.0, y - 11.0), (x + 11.0, y + 11.0), 4.0, color),
    }
}
