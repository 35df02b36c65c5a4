//! Each group against the rest: is anyone below the line, and is that more than chance?

use super::axes;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::key::{self, Mark};
use super::palette::{INK, MUTED, QUIET, RULE, SLATE, Tone};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten};

/// The rows, in groups.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is compared, written above the rows.
    pub measure: String,
    /// What is counted in the second column: "shown".
    pub counted: String,
    /// The line below which a group is looked after, as ratio: 0.8.
    pub line: f64,
    /// Groups that belong together.
    pub groups: Vec<Group>,
}

/// Rows that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they have in common: "Age group".
    pub heading: String,
    /// In the order in which they are drawn.
    pub rows: Vec<Row>,
}

/// One group against the rest.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How much it rests on.
    pub n: u64,
    /// Its ratio to the rest; 1 is equal.
    pub ratio: Option<Interval>,
    /// What may be said of it.
    pub verdict: Verdict,
}

/// What may be said of a ratio, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The whole range lies below the line.
    Gap,
    /// The point does, the range does not.
    Watch,
    /// Neither does.
    Fair,
    /// There is nothing to compare.
    Nothing,
}

impl Verdict {
    fn color(self) -> plotters::style::RGBColor {
        match self {
            Self::Gap => Tone::Worse.color(),
            Self::Watch => INK,
            Self::Fair => SLATE,
            Self::Nothing => MUTED,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Watch => "watch",
            Self::Fair => "no gap seen",
            Self::Nothing => "nothing yet",
        }
    }
}

const ROW: f64 = 56.0;
const HEADING: f64 = 62.0;
const NAMES: f64 = 330.0;
const COUNTS: f64 = LEFT + NAMES + 100.0;
const PLOT: (f64, f64) = (COUNTS + 50.0, RIGHT - 320.0);
const VALUE_END: f64 = RIGHT - 205.0;
const VERDICT: f64 = RIGHT - 175.0;
/// Ranges reach no further than twice the rest; what is beyond is cut at the edge.
const WIDEST: f64 = 2.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST, chart.groups.iter_mut().map(|group| &mut group.rows));
        let mut scene = Scene::default();
        let y = chart.caption.head(&mut scene);
        let groups: Vec<&Group> = chart.groups.iter().filter(|group| !group.rows.is_empty()).collect();
        if groups.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, end));
        }
        let line = format!("the line: {} for every 100 of the rest", decimals(chart.line * 100.0, 0));
        let y = key::draw(
            &mut scene,
            y,
            &[
                (Mark::Dot(SLATE), "the group"),
                (Mark::Area(Tone::Same.pale()), "where it may lie"),
                (Mark::Dashed(Tone::Worse.color()), &line),
            ],
        );
        axes::measure(&mut scene, y, &chart.measure);
        let top = y + 88.0;
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let bottom = top + rows as f64 * ROW + groups.len() as f64 * HEADING;
        let ends = groups.iter().flat_map(|group| &group.rows).filter_map(|row| Some(known_interval(row.ratio)?.upper));
        let ticks = Ticks::over(0.0, ends.fold(1.2, f64::max).min(WIDEST), 5.0, Unit::In100);
        let scale = Scale::new(ticks.ends(), PLOT);
        for value in &ticks.values {
            let x = scale.at(*value);
            let color = if *value == 0.0 || (*value - 1.0).abs() < 1e-9 { QUIET } else { RULE };
            scene.line(&[(x, top), (x, bottom)], 2.0, color);
            scene.text((x, top - 14.0), &Unit::In100.tick(*value, ticks.step), NOTE, Align::Center);
        }
        scene.text((COUNTS, top - 14.0), &shorten(&chart.counted, NOTE, 200.0), NOTE, Align::Right);
        let x = scale.at(chart.line);
        scene.dashed(&[(x, top), (x, bottom)], 3.0, Tone::Worse.color());
        let mut y = top;
        for group in groups {
            scene.text((LEFT, y + 44.0), &shorten(&group.heading, VALUE, COUNTS - LEFT), VALUE, Align::Left);
            y += HEADING;
            for row in &group.rows {
                draw_row(&mut scene, row, y + ROW / 2.0, &scale);
                scene.line(&[(LEFT, y + ROW), (RIGHT, y + ROW)], 1.0, RULE);
                y += ROW;
            }
        }
        Ok(chart.caption.foot(scene, bottom))
    }
}

fn draw_row(scene: &mut Scene, row: &Row, y: f64, scale: &Scale) {
    let loud = matches!(row.verdict, Verdict::Gap | Verdict::Watch);
    let style = if loud { NAME.in_bold() } else { NAME };
    let baseline = y + NAME.drop();
    scene.text((LEFT, baseline), &shorten(&row.name, style, NAMES), style, Align::Left);
    scene.text((COUNTS, baseline), &decimals(row.n as f64, 0), NOTE, Align::Right);
    let color = row.verdict.color();
    let ratio = known_interval(row.ratio);
    if let Some(ratio) = ratio {
        let pale = if row.verdict == Verdict::Gap { Tone::Worse.pale() } else { Tone::Same.pale() };
        scene.line(&[(scale.at(ratio.lower), y), (scale.at(ratio.upper), y)], 12.0, pale);
        // Below the line, and yet it may be chance: in the colour of a gap, but not filled.
        match row.verdict {
            Verdict::Watch => scene.ring((scale.at(ratio.value), y), 13.0, Tone::Worse.color()),
            _ => scene.dot((scale.at(ratio.value), y), 11.0, color),
        }
    }
    let value = ratio.map_or("–".to_owned(), |ratio| decimals(ratio.value * 100.0, 0));
    scene.text((VALUE_END, baseline), &value, style.in_color(color), Align::Right);
    scene.text((VERDICT, baseline), row.verdict.word(), style.in_color(color), Align::Left);
}
