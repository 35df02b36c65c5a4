//! Markdown and pictures for people, made only from tables that earlier stages left behind.

mod catalogue;
mod dashboard;
mod data;
mod drill;
mod drivers;
pub mod markdown;
mod model;
mod recommendations;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use dashboard::sentences;
use selvedge_engine::{Engine, Staged};
use selvedge_monitoring::monitor;
use selvedge_project::error::{Advice, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::stage::Stage;

/// One report on its way to disk.
#[derive(Debug, Default)]
struct Report {
    markdown: String,
    /// File name in `reports/charts` -> PNG.
    charts: BTreeMap<String, Vec<u8>>,
}

/// Makes a report; none where its stage has not run.
type Make = fn(&Project, &Engine) -> Result<Option<Report>>;

/// Every report with its file's name; those that take longest first.
const REPORTS: [(&str, Make); 7] = [
    ("dashboard.md", |project, engine| of_log(engine, || dashboard::report(project, engine).map(Some))),
    ("features.md", |project, engine| catalogue::report(project, engine).map(Some)),
    ("data.md", |project, engine| data::report(project, engine).map(Some)),
    ("model.md", |project, engine| model::report(project, engine).map(Some)),
    ("drivers.md", |project, engine| drivers::report(project, engine).map(Some)),
    ("recommendations.md", |project, engine| recommendations::report(project, engine).map(Some)),
    ("drill.md", |_, engine| of_log(engine, || drill::report(engine))),
];

/// A page that tells of the log; none where there is no log.
fn of_log(engine: &Engine, make: impl FnOnce() -> Result<Option<Report>>) -> Result<Option<Report>> {
    if monitor::has_figures(engine) { make() } else { Ok(None) }
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{chart} cannot be drawn: {cause}")]
    Chart { chart: &'static str, cause: charts::ChartError },
}

impl Advice for ReportError {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Chart { .. } => None,
        }
    }
}

/// The end of every page where the export lacks something.
fn left_out(missing: &[data::Term]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let lines: String = missing.iter().map(|term| format!("- no `{}`: {}\n", term.place(), term.without)).collect();
    format!("\n{}", markdown::details("What is left out, because the export does not have it", &lines))
}

/// `reports/dashboard.md` and its charts alone, from the tables of the monitor stage.
pub fn dashboard(project: &Project) -> Result<()> {
    let report = dashboard::report(project, &Engine::new(project)?)?;
    let staged = Staged::new(&project.paths, "dashboard")?;
    staged.file(&project.paths.reports().join("dashboard.md"), None, report.markdown.as_bytes())?;
    for (chart, png) in &report.charts {
        // One by one: the charts of the other reports stay.
        staged.file(&project.paths.charts().join(chart), None, png)?;
    }
    staged.commit()
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "report",
    about: "Markdown and charts for people -> reports",
    layers: &[],
    sections: &["features", "evaluate", "recommend", "monitor"],
    keeps: &[],
    makes: &[],
    run,
};

/// Runs the stage: `reports/*.md`, `reports/data.json` and `reports/charts/*.png`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("report");
    let engine = Engine::new(project)?;
    let (made, data) = rayon::join(
        || REPORTS.par_iter().map(|(_, make)| make(project, &engine)).collect::<Vec<Result<Option<Report>>>>(),
        || data::json(project, &engine),
    );
    let staged = Staged::new(&project.paths, "report")?;
    let left_out = left_out(&data::missing(&engine)?);
    let (mut reports, mut charts) = (0, 0);
    for ((name, _), made) in REPORTS.iter().zip(made) {
        let Some(mut report) = made? else {
            // Nothing of another day or another shop stays.
            staged.without(&project.paths.reports().join(name));
            let why = match (monitor::has_log(&engine), monitor::has_figures(&engine)) {
                (false, _) => "there is no log yet",
                (_, false) => "nothing was shown lately",
                _ => "`selvedge drill` has not run",
            };
            progress.say(format!("reports/{name} is left out: {why}"));
            continue;
        };
        reports += 1;
        if *name != "data.md" {
            report.markdown += &left_out;
        }
        staged.file(&project.paths.reports().join(name), None, report.markdown.as_bytes())?;
        for (chart, png) in &report.charts {
            staged.file(&project.paths.charts(), Some(chart), png)?;
            charts += 1;
        }
    }
    staged.file(&project.paths.reports().join("data.json"), None, &data?)?;
    staged.commit()?;
    progress.done(format!("{reports} reports and {charts} charts are in reports/"));
    Ok(())
}
