//! Before and after, a row for every segment: who changed, by how much, and who did not.
//!
//! Each row reads like a line of a table: name, count, the two points with their ranges, the two values, the verdict.

use super::axes;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::palette::{INK, MUTED, QUIET, RULE, Tone, WHITE};
use super::scale::{Interval, Scale, Ticks, Unit, decimals, hundredths, known, known_interval};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, Style, VALUE, shorten, width};

/// The rows, in groups.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What is measured, written above the rows: "clicked, of 100 recommendations shown".
    pub measure: String,
    /// Age, region and so on, in the order in which they are drawn.
    pub groups: Vec<Group>,
    /// The whole shop's rate after, as share from 0 to 1.
    pub shop: Option<f64>,
}

/// Segments that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they have in common: "Age".
    pub heading: String,
    /// In the order in which they are drawn.
    pub rows: Vec<Row>,
}

/// One segment. Shares are from 0 to 1.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub segment: String,
    /// Recommendations shown after.
    pub n: u64,
    /// Its rate before.
    pub before: Option<Interval>,
    /// Its rate after.
    pub after: Option<Interval>,
    /// What the step from one to the other means …
    pub tone: Tone,
    /// … and what is said of it: "changed", "cannot be told yet".
    pub verdict: String,
}

const ROW: f64 = 62.0;
const HEADING: f64 = 66.0;
/// The words about the whole shop, below the rows.
const SHOP: f64 = 44.0;
/// Room for the names.
const NAMES: f64 = 285.0;
/// Where the counts end, the plot begins and ends, and the columns at its right end.
const COUNTS: f64 = LEFT + NAMES + 130.0;
const PLOT: (f64, f64) = (COUNTS + 50.0, RIGHT - 540.0);
const BEFORE: f64 = RIGHT - 390.0;
const AFTER: f64 = RIGHT - 280.0;
const VERDICT: f64 = RIGHT - 245.0;

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

        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let top = y + 88.0;
        let bottom = top + rows as f64 * ROW + groups.len() as f64 * HEADING;
        let scale = axis(&mut scene, &chart, y, top, bottom);
        let mut y = top;
        for group in groups {
            scene.text((LEFT, y + 46.0), &shorten(&group.heading, VALUE, COUNTS - LEFT), VALUE, Align::Left);
            y += HEADING;
            for row in &group.rows {
                draw_row(&mut scene, row, y + ROW / 2.0, &scale);
                scene.line(&[(LEFT, y + ROW), (RIGHT, y + ROW)], 1.0, RULE);
                y += ROW;
            }
        }
        Ok(chart.caption.foot(scene, bottom + if known(chart.shop).is_some() { SHOP } else { 0.0 }))
    }
}

/// Headings of the columns, grid lines, the whole shop.
fn axis(scene: &mut Scene, chart: &Chart, y: f64, top: f64, bottom: f64) -> Scale {
    let rows = chart.groups.iter().flat_map(|group| &group.rows);
    let ends =
        rows.flat_map(|row| [row.before, row.after]).filter_map(|interval| Some(known_interval(interval)?.upper));
    let shop = known(chart.shop);
    let ticks = Ticks::over(0.0, ends.chain(shop).fold(0.0, f64::max), 4.0, Unit::In100);
    let scale = Scale::new(ticks.ends(), PLOT);
    axes::measure(scene, y, &chart.measure);
    let header = top - 14.0;
    for value in &ticks.values {
        let x = scale.at(*value);
        scene.line(&[(x, top), (x, bottom)], 2.0, if *value == 0.0 { QUIET } else { RULE });
        scene.text((x, header), &Unit::In100.tick(*value, ticks.step), NOTE, Align::Center);
    }
    scene.text((COUNTS, header), "n after", NOTE, Align::Right);
    scene.text((BEFORE, header), "before", NOTE, Align::Right);
    scene.text((AFTER, header), "after", NOTE.in_bold().in_color(INK), Align::Right);
    // The headings wear the points of their column.
    scene.dot((BEFORE - width("before", NOTE) - 18.0, header - NOTE.drop()), 8.0, QUIET);
    scene.dot((AFTER - width("after", NOTE.in_bold()) - 20.0, header - NOTE.drop()), 11.0, MUTED);
    if let Some(shop) = shop {
        let x = scale.at(shop);
        scene.dashed(&[(x, top), (x, bottom + 14.0)], 3.0, QUIET);
        let words = format!("the whole shop after: {}", Unit::In100.label(shop));
        scene.text((x, bottom + SHOP), &words, NOTE, Align::Center);
    }
    scale
}

fn draw_row(scene: &mut Scene, row: &Row, y: f64, scale: &Scale) {
    let changed = matches!(row.tone, Tone::Better | Tone::Worse);
    let strong = |style: Style| if changed { style.in_bold() } else { style };
    let name = strong(NAME);
    let baseline = y + NAME.drop();
    scene.text((LEFT, baseline), &shorten(&row.segment, name, NAMES), name, Align::Left);
    scene.text((COUNTS, baseline), &decimals(row.n as f64, 0), NOTE, Align::Right);

    let (before, after) = (known_interval(row.before), known_interval(row.after));
    // Two lanes, so that the ranges of before and after never lie on each other.
    let (upper, lower) = (y - 9.0, y + 9.0);
    if let Some(before) = before {
        scene.line(&[(scale.at(before.lower), upper), (scale.at(before.upper), upper)], 8.0, Tone::Same.pale());
    }
    if let Some(after) = after {
        scene.line(&[(scale.at(after.lower), lower), (scale.at(after.upper), lower)], 8.0, row.tone.pale());
    }
    if let (true, Some(before), Some(after)) = (changed, before, after) {
        let ends = [(scale.at(before.value), upper), (scale.at(after.value), lower)];
        scene.line(&ends, 3.0, row.tone.color());
    }
    if let Some(before) = before {
        scene.dot((scale.at(before.value), upper), 8.0, QUIET);
    }
    if let Some(after) = after {
        let point = (scale.at(after.value), lower);
        scene.dot(point, 13.0, WHITE);
        if row.tone == Tone::TooEarly {
            scene.ring(point, 11.0, row.tone.color());
        } else {
            scene.dot(point, 11.0, row.tone.color());
        }
    }

    let say = |value: Option<Interval>| value.map_or("–".to_owned(), |it| hundredths(it.value));
    scene.text((BEFORE, baseline), &say(before), NAME.in_color(MUTED), Align::Right);
    scene.text((AFTER, baseline), &say(after), strong(NAME).in_color(row.tone.color()), Align::Right);
    scene.text((VERDICT, baseline), &row.verdict, strong(NAME).in_color(row.tone.color()), Align::Left);
}
