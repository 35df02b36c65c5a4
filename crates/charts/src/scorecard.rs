//! A score for every row and column: how often something of that size was noticed, and from which size on it is.

use super::axes;
use super::error::ChartError;
use super::frame::{self, Caption, LEFT, MOST, RIGHT};
use super::palette::{INK, MUTED, PALE, Tone, WHITE};
use super::scene::{Picture, Scene};
use super::text::{Align, NAME, NOTE, VALUE, shorten, width};

/// The grid.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The words around it.
    pub caption: Caption,
    /// What the columns are, and what a cell counts.
    pub measure: String,
    /// From the smallest to the largest.
    pub columns: Vec<String>,
    /// What the words at the right end of a row are.
    pub verdict: String,
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    pub label: String,
    /// A cell for every column; those beyond the columns are left out.
    pub cells: Vec<Cell>,
    /// The words at its right end; bold where it has a marked cell.
    pub verdict: String,
    /// The column from which on it is good enough.
    pub marked: Option<usize>,
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// How good it is, from 0 to 1; decides the colour.
    pub share: f64,
    /// What is printed in it.
    pub words: String,
}

const ROW: f64 = 58.0;
/// Most room the labels take.
const LABELS: f64 = 500.0;
/// Room for the verdicts.
const VERDICTS: f64 = 250.0;

impl Picture for Chart {
    fn scene(&self) -> Result<Scene, ChartError> {
        let mut chart = self.clone();
        chart.caption = self.caption.fit(MOST, [&mut chart.rows]);
        let mut scene = Scene::default();
        let y = chart.caption.head(&mut scene);
        if chart.rows.is_empty() || chart.columns.is_empty() {
            let end = frame::nothing(&mut scene, y);
            return Ok(chart.caption.foot(scene, end));
        }
        let labels = chart.rows.iter().map(|row| width(&row.label, NAME.in_bold())).fold(0.0, f64::max).min(LABELS);
        let left = LEFT + labels + 28.0;
        let cell = (RIGHT - VERDICTS - left) / chart.columns.len() as f64;
        axes::measure(&mut scene, y, &chart.measure);
        let header = y + 78.0;
        for (place, column) in chart.columns.iter().enumerate() {
            let middle = left + cell * (place as f64 + 0.5);
            scene.text((middle, header), &shorten(column, NOTE, cell), NOTE.in_bold().in_color(INK), Align::Center);
        }
        scene.text((RIGHT - VERDICTS + 24.0, header), &chart.verdict, NOTE.in_bold().in_color(INK), Align::Left);
        let mut y = header + 18.0;
        for row in &chart.rows {
            draw_row(&mut scene, row, y, left, cell, chart.columns.len());
            y += ROW;
        }
        Ok(chart.caption.foot(scene, y))
    }
}

fn draw_row(scene: &mut Scene, row: &Row, y: f64, left: f64, cell: f64, columns: usize) {
    let baseline = y + ROW / 2.0 + NAME.drop();
    scene.text((LEFT, baseline), &shorten(&row.label, NAME, LABELS), NAME, Align::Left);
    let corners = |place: usize| {
        let x = left + cell * place as f64;
        ((x + 2.0, y + 2.0), (x + cell - 2.0, y + ROW - 2.0))
    };
    for (place, it) in row.cells.iter().enumerate().take(columns) {
        let (fill, ink) = match it.share {
            share if share >= 0.8 => (Tone::Better.color(), WHITE),
            share if share >= 0.5 => (Tone::Better.soft(), INK),
            share if share > 0.0 => (Tone::Better.pale(), INK),
            _ => (PALE, MUTED),
        };
        let (top, bottom) = corners(place);
        scene.rectangle(top, bottom, fill);
        let style = if row.marked == Some(place) { VALUE } else { NOTE };
        let x = f64::midpoint(top.0, bottom.0);
        scene.text((x, baseline), &shorten(&it.words, style, cell), style.in_color(ink), Align::Center);
    }
    if let Some(place) = row.marked.filter(|place| *place < columns) {
        let (top, bottom) = corners(place);
        scene.outlined(top, bottom, 4.0, INK);
    }
    let style = if row.marked.is_some() { NAME.in_bold() } else { NAME.in_color(MUTED) };
    scene.text((RIGHT - VERDICTS + 24.0, baseline), &shorten(&row.verdict, style, VERDICTS - 24.0), style, Align::Left);
}
