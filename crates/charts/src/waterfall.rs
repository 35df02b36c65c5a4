//! From one total to another, step by step: what made the difference, and what worked against it.

use super::axes;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, RIGHT};
use super::key::{self, Mark};
use super::palette::{QUIET, RULE, SLATE, Tone};
use super::scale::{Scale, Ticks, Unit, decimals, known};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten};

/// The totals and what lies between them.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the rows: "clicked, of 100 recommendations shown".
    pub measure: String,
    /// The total before, as share from 0 to 1, and its name.
    pub before: (String, Option<f64>),
    /// From top to bottom.
    pub steps: Vec<Step>,
    /// The total after and its name.
    pub after: (String, Option<f64>),
}

/// One part of the difference.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it stands for.
    pub label: String,
    /// By how much it moves the total, as share.
    pub change: f64,
    /// Set apart from the other steps: who was shown, and not what they did.
    pub is_mix: bool,
}

const ROW: f64 = 60.0;
const LABELS: f64 = 470.0;
/// Room for the value after a bar.
const VALUES: f64 = 190.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut scene = Scene::default();
        let y = self.caption.head(&mut scene);
        let (Some(before), Some(after)) = (known(self.before.1), known(self.after.1)) else {
            let end = frame::nothing(&mut scene, y);
            return Ok(self.caption.foot(scene, end));
        };
        let y = key::draw(
            &mut scene,
            y,
            &[
                (Mark::Area(SLATE), "total"),
                (Mark::Area(Tone::Worse.color()), "takes away"),
                (Mark::Area(Tone::Better.color()), "adds"),
            ],
        );
        axes::measure(&mut scene, y, &self.measure);
        let top = y + 84.0;
        let bottom = top + (self.steps.len() + 2) as f64 * ROW;
        let mut levels = vec![before];
        for step in &self.steps {
            levels.push(levels.last().copied().unwrap_or_default() + known(Some(step.change)).unwrap_or_default());
        }
        let highest = levels.iter().copied().fold(after, f64::max);
        let ticks = Ticks::over(0.0, highest, 5.0, Unit::In100);
        let scale = Scale::new(ticks.ends(), (LEFT + LABELS, RIGHT - VALUES));
        for value in &ticks.values {
            let x = scale.at(*value);
            scene.line(&[(x, top), (x, bottom)], 2.0, if *value == 0.0 { QUIET } else { RULE });
            scene.text((x, top - 14.0), &Unit::In100.tick(*value, ticks.step), NOTE, Align::Center);
        }

        let mut row = top;
        total(&mut scene, &self.before.0, before, row, &scale);
        for (step, ends) in self.steps.iter().zip(levels.windows(2)) {
            row += ROW;
            let (from, to) = (scale.at(ends[0]), scale.at(ends[1]));
            // The level is carried over from the row above.
            scene.line(&[(from, row - ROW / 2.0 + 20.0), (from, row + ROW / 2.0 - 20.0)], 2.0, QUIET);
            let tone = if step.change < 0.0 { Tone::Worse } else { Tone::Better };
            let middle = row + ROW / 2.0;
            // Too small a step to be seen keeps a mark.
            let to = if (to - from).abs() < 3.0 { from + 3.0 * step.change.signum() } else { to };
            scene.rectangle((from, middle - 20.0), (to, middle + 20.0), tone.color());
            let name = if step.is_mix { NAME.in_bold() } else { NAME };
            scene.text((LEFT, middle + NAME.drop()), &shorten(&step.label, name, LABELS - 30.0), name, Align::Left);
            scene.text(
                (from.max(to) + 14.0, middle + NAME.drop()),
                &signed(step.change),
                VALUE.in_color(tone.color()),
                Align::Left,
            );
        }
        row += ROW;
        let end = scale.at(levels.last().copied().unwrap_or(after));
        scene.line(&[(end, row - ROW / 2.0 + 20.0), (end, row + ROW / 2.0 - 20.0)], 2.0, QUIET);
        total(&mut scene, &self.after.0, after, row, &scale);
        Ok(self.caption.foot(scene, bottom))
    }
}

fn total(scene: &mut Scene, name: &str, value: f64, row: f64, scale: &Scale) {
    let middle = row + ROW / 2.0;
    scene.rectangle((scale.at(0.0), middle - 20.0), (scale.at(value), middle + 20.0), SLATE);
    let style = NAME.in_bold();
    scene.text((LEFT, middle + NAME.drop()), &shorten(name, style, LABELS - 30.0), style, Align::Left);
    scene.text(
        (scale.at(value) + 14.0, middle + NAME.drop()),
        &format!("{} in 100", decimals(100.0 * value, 1)),
        VALUE.in_color(SLATE),
        Align::Left,
    );
}

/// `+0.8` or `−1.6`, in hundredths to one decimal, so that the steps add up as they are printed.
pub fn signed(share: f64) -> String {
    let number = decimals((share * 100.0).abs(), 1);
    match number.as_str() {
        "0.0" => number,
        _ if share < 0.0 => format!("−{number}"),
        _ => format!("+{number}"),
    }
}
