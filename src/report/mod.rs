//! Markdown and pictures for people, made only from tables that earlier stages left behind.

mod catalogue;
pub mod chart;
mod dashboard;
mod data;
mod drill;
mod drivers;
pub mod markdown;
mod model;
mod recommendations;

use std::collections::BTreeMap;

use crate::engine::{Engine, Staged};
use crate::error::{Advice, Result};
use crate::progress::Progress;
use crate::project::Project;

/// One report on its way to disk.
#[derive(Debug, Default)]
struct Report {
    markdown: String,
    /// File name in `reports/charts` -> PNG.
    charts: BTreeMap<&'static str, Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{chart} cannot be drawn: {cause}")]
    Chart { chart: &'static str, cause: chart::ChartError },
}

impl Advice for ReportError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Chart { .. } => None,
        }
    }
}

/// `reports/dashboard.md` and its charts alone, from the tables of the monitor stage.
pub fn dashboard(project: &Project) -> Result<()> {
    let report = dashboard::report(project, &Engine::new(project)?)?;
    let mut staged = Staged::new(&project.paths, "dashboard")?;
    staged.file(&project.paths.reports().join("dashboard.md"), None, report.markdown.as_bytes())?;
    for (chart, png) in &report.charts {
        // One by one: the charts of the other reports stay.
        staged.file(&project.paths.charts().join(chart), None, png)?;
    }
    staged.commit()
}

/// Runs the stage: `reports/*.md`, `reports/data.json` and `reports/charts/*.png`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("report");
    let engine = Engine::new(project)?;
    // Half of the pictures are the catalogue's, and drawing them is most of the work.
    let (reports, catalogue) =
        rayon::join(|| reports(project, &engine), || catalogue::report(project, &Engine::new(project)?));
    let (reports, catalogue) = (reports?, catalogue?);
    let mut staged = Staged::new(&project.paths, "report")?;
    let mut charts = 0;
    for (name, report) in &reports {
        staged.file(&project.paths.reports().join(name), None, report.markdown.as_bytes())?;
        for (chart, png) in &report.charts {
            staged.file(&project.paths.charts(), Some(chart), png)?;
            charts += 1;
        }
    }
    staged.file(&project.paths.reports().join("features.md"), None, catalogue.markdown.as_bytes())?;
    for (chart, png) in &catalogue.charts {
        staged.file(&project.paths.charts(), Some(chart), png)?;
        charts += 1;
    }
    staged.file(&project.paths.reports().join("data.json"), None, &data::json(project, &engine)?)?;
    staged.commit()?;
    progress.done(format!("{} reports and {charts} charts are in reports/", reports.len() + 1));
    Ok(())
}

/// Every report but the catalogue, with its file's name.
fn reports(project: &Project, engine: &Engine) -> Result<Vec<(&'static str, Report)>> {
    let mut reports = vec![
        ("dashboard.md", dashboard::report(project, engine)?),
        ("data.md", data::report(project, engine)?),
        ("model.md", model::report(project, engine)?),
        ("drivers.md", drivers::report(project, engine)?),
        ("recommendations.md", recommendations::report(project, engine)?),
    ];
    if let Some(drill) = drill::report(engine)? {
        reports.push(("drill.md", drill));
    }
    Ok(reports)
}
