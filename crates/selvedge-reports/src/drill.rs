//! `reports/drill.md`: how large a drop must be to be noticed in time, and how the standing drills went.

use std::collections::BTreeMap;

use charts::{Caption, Picture, scorecard};
use serde::Deserialize;

use super::markdown::{details, picture, table};
use super::{Report, ReportError};
use selvedge_engine::Engine;
use selvedge_monitoring::drill::{noticed_from, stands};
use selvedge_project::error::Result;
use selvedge_project::numbers::counted;
use selvedge_project::sql::TableName;

const SCORECARD: &str = "drill-scorecard.png";

/// One segment: how often each depth was noticed.
struct Segment {
    name: String,
    /// Percent, tried, noticed; the first is no drop at all.
    depths: Vec<(u64, u64, u64)>,
}

/// A row of `drill.depths`.
#[derive(Deserialize)]
struct Depth {
    segment_column: String,
    segment_value: String,
    drop_percent: f64,
    tried: u64,
    noticed: u64,
    within_days: u64,
}

/// A row of `drill.standing`.
#[derive(Deserialize)]
struct Standing {
    segment: String,
    from_day: String,
    drop_percent: Option<f64>,
    noticed_within: u64,
    noticed_after: Option<u64>,
    #[serde(default)]
    also_raised: String,
    #[serde(default)]
    not_held: String,
}

/// The report; none before the drill stage has run.
pub fn report(engine: &Engine) -> Result<Option<Report>> {
    if !engine.open_if_made(&TableName::new("drill", "depths"))? {
        return Ok(None);
    }
    let (segments, days) = segments(engine.rows(&TableName::new("drill", "depths"))?);
    let mut charts = BTreeMap::new();
    let title = title(&segments, days);
    let mut out = format!("# What would have been noticed\n\n**{title}**\n\n");
    if !segments.is_empty() {
        let png = chart(&segments, &title, days).png();
        charts.insert(SCORECARD.into(), png.map_err(|cause| ReportError::Chart { chart: SCORECARD, cause })?);
        out += &format!("{}\n", picture(SCORECARD, &title));
        out += &smallest(&segments, days);
    }
    out += &standing(&engine.rows::<Standing>(&TableName::new("drill", "standing"))?);
    out += &details(
        "How it is done",
        "A share of one segment's clicks, and all that came of them, is taken out of a copy of the log from one day on. Which clicks are lost is drawn by \
         `drill.seed`. The standing drills replay the whole monitor, one report for every day of the drop. The depths of the picture are scanned together \
         by the same queries, from every day that leaves time enough; a segment's threshold is drawn from shuffled days of a log with half of its clicks lost, \
         because a report's own threshold is drawn from the log with the drop in it. \"Smallest\" is the least depth from which on all are noticed in at least four tries out of five. \
         Tables: `work/drill/depths.parquet`, `work/drill/standing.parquet`; the same for programs: `reports/drills.json`.",
    );
    Ok(Some(Report { markdown: out, charts }))
}

/// The segments, and within how many days a drop should be noticed.
fn segments(depths: Vec<Depth>) -> (Vec<Segment>, u64) {
    let mut segments: Vec<Segment> = Vec::new();
    for depth in &depths {
        let name = format!("{} {}", depth.segment_column.replace('_', " "), depth.segment_value);
        if segments.last().is_none_or(|last| last.name != name) {
            segments.push(Segment { name, depths: Vec::new() });
        }
        if let Some(last) = segments.last_mut() {
            last.depths.push((depth.drop_percent as u64, depth.tried, depth.noticed));
        }
    }
    (segments, depths.first().map_or(0, |depth| depth.within_days))
}

impl Segment {
    fn drops(&self) -> impl Iterator<Item = &(u64, u64, u64)> {
        self.depths.iter().filter(|(percent, _, _)| *percent > 0)
    }

    /// The place of the smallest drop from which on every one that was tried is noticed four times out of five.
    fn marked(&self) -> Option<usize> {
        if self.already() {
            return None;
        }
        noticed_from(&self.drops().map(|(_, tried, noticed)| (*tried, *noticed)).collect::<Vec<_>>())
    }

    fn smallest(&self) -> Option<u64> {
        self.marked().and_then(|place| self.drops().nth(place)).map(|(percent, _, _)| *percent)
    }

    /// An alert stands without any drill.
    fn already(&self) -> bool {
        self.depths.iter().any(|(percent, tried, noticed)| *percent == 0 && stands(*tried, *noticed))
    }

    fn verdict(&self) -> String {
        match (self.already(), self.smallest()) {
            (true, _) => "an alert already".to_owned(),
            (_, Some(percent)) => format!("{percent} in 100"),
            _ => "too few shown".to_owned(),
        }
    }
}

fn title(segments: &[Segment], days: u64) -> String {
    let quiet: Vec<&Segment> = segments.iter().filter(|segment| !segment.already()).collect();
    if quiet.is_empty() {
        return "The log has too few watched days for a drill.".to_owned();
    }
    let upto = |limit: u64| quiet.iter().filter(|s| s.smallest().is_some_and(|percent| percent <= limit)).count();
    let (half, all) = (upto(50), quiet.len());
    let within = format!("within {}", counted(days, "day", "days"));
    match (half, upto(100)) {
        (_, 0) => format!("No segment is shown enough for a drop to be noticed {within}."),
        (0, any) => {
            format!("No drop by half would be noticed {within}; a deeper one would in {any} of {all} segments.")
        }
        (half, _) => format!("A drop by half would be noticed {within} in {half} of {all} segments."),
    }
}

fn chart(segments: &[Segment], title: &str, days: u64) -> scorecard::Chart {
    let columns = segments.first().map(|s| s.drops().map(|(percent, _, _)| format!("-{percent} %")).collect());
    let row = |segment: &Segment| scorecard::Row {
        label: segment.name.clone(),
        cells: segment
            .drops()
            .map(|(_, tried, noticed)| match segment.already() {
                // What is raised without any drop says nothing of drops.
                true => scorecard::Cell { share: 0.0, words: "–".into() },
                false => scorecard::Cell {
                    share: if *tried > 0 { *noticed as f64 / *tried as f64 } else { 0.0 },
                    words: format!("{noticed} of {tried}"),
                },
            })
            .collect(),
        verdict: segment.verdict(),
        marked: segment.marked(),
    };
    scorecard::Chart {
        caption: Caption {
            title: title.to_owned(),
            subtitle: "Clicks taken out of copies of the log, by segment and by how many of 100 are lost".into(),
            footnote: "Figures: work/drill/depths.parquet. The frame marks the smallest drop from which on all are noticed in at least four tries out of five. A dash: raised without any drop.".into(),
        },
        measure: format!("noticed within {}, of so many tries", counted(days, "day", "days")),
        columns: columns.unwrap_or_default(),
        verdict: "smallest drop".into(),
        rows: segments.iter().map(row).collect(),
    }
}

fn smallest(segments: &[Segment], days: u64) -> String {
    let rows: Vec<Vec<String>> = segments
        .iter()
        .map(|segment| {
            let at = |wanted: u64| {
                let depth = segment.depths.iter().find(|(percent, _, _)| *percent == wanted);
                depth.map_or("–".to_owned(), |(_, tried, noticed)| format!("{noticed} of {tried}"))
            };
            let smallest = match (segment.already(), segment.smallest()) {
                (true, _) => "an alert stands without a drill".to_owned(),
                (_, Some(percent)) => format!("{percent} of 100 clicks lost"),
                _ => "none of those tried".to_owned(),
            };
            vec![segment.name.clone(), smallest, at(0), at(50), at(90)]
        })
        .collect();
    let headings = ["segment", "smallest drop noticed", "raised without a drop#", "half lost#", "90 of 100 lost#"];
    format!("## The smallest drop noticed within {}\n\n{}\n", counted(days, "day", "days"), table(&headings, &rows))
}

fn standing(drills: &[Standing]) -> String {
    let mut out = "## The standing drills\n\n".to_owned();
    if drills.is_empty() {
        return out + "params.yaml names none.\n\n";
    }
    let line = |drill: &Standing| {
        let verdict = match (&drill.not_held, drill.noticed_after) {
            (why, _) if !why.is_empty() => format!("not held: {why}"),
            (_, Some(days)) => format!("noticed after {}", counted(days, "day", "days")),
            _ => "missed".to_owned(),
        };
        let lost = drill.drop_percent.map_or("–".to_owned(), |percent| percent.to_string());
        let also = if drill.also_raised.is_empty() { "nothing".to_owned() } else { drill.also_raised.clone() };
        vec![drill.segment.clone(), lost, drill.from_day.clone(), drill.noticed_within.to_string(), verdict, also]
    };
    let lines: Vec<Vec<String>> = drills.iter().map(line).collect();
    let headings = ["segment", "of 100 clicks lost#", "from", "days allowed#", "how it went", "also raised"];
    out += &format!("{}\n", table(&headings, &lines));
    out
}
