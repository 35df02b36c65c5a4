//! The flow: every stage, in order.  A stage says all there is to say of it in its own row.

use std::path::Path;

use crate::error::Result;
use crate::project::Project;
use crate::stage::Stage;
use crate::{
    drill, drivers, embeddings, evaluate, features, frame, ingest, lint, monitor, rank, recommend, report, train,
};

/// The stages, in the order in which `selvedge run` and dvc.yaml run them.
pub const FLOW: &[Stage] = &[
    ingest::STAGE,
    embeddings::STAGE,
    features::STAGE,
    frame::STAGE,
    train::STAGE,
    rank::STAGE,
    evaluate::STAGE,
    drivers::STAGE,
    recommend::STAGE,
    monitor::STAGE,
    drill::STAGE,
    report::STAGE,
];

/// Opens the project in `root` (or the nearest one upwards) with all stages.
pub fn open(root: Option<&Path>) -> Result<Project> {
    Project::open(root, FLOW)
}

/// The stage of this name.
pub fn stage(name: &str) -> Option<&'static Stage> {
    FLOW.iter().find(|stage| stage.name == name)
}

/// The wanted stages, or all, in the order of the flow; the first that fails ends the run, when those beside it are done.
pub fn run(project: &Project, wanted: &[String]) -> Result<()> {
    let stages = FLOW.iter().filter(|stage| wanted.is_empty() || wanted.iter().any(|name| name == stage.name));
    let stages: Vec<&Stage> = stages.collect();
    let run = |stages: &[&Stage]| stages.iter().try_for_each(|stage| run_stage(project, stage));
    let place = |name: &str| stages.iter().position(|stage| stage.name == name);
    let Some(monitor) = place(monitor::STAGE.name) else { return run(&stages) };
    let (before, rest) = (&stages[..monitor], &stages[monitor + 1..]);
    let fed = before.iter().take_while(|stage| FEEDS_MONITOR.contains(&stage.name)).count();
    run(&before[..fed])?;
    let project = &project.as_ingested()?;
    // What the log tells needs nothing of what is learned, so both are worked out side by side.
    monitor::run_beside(project, None, || run(&before[fed..]))?;
    run(rest)
}

/// One stage, once all its files can be planned: a wrong name is told at once, not after minutes.
pub fn run_stage(project: &Project, stage: &Stage) -> Result<()> {
    let project = project.as_ingested()?;
    lint::refuse_broken(&project, stage.layers)?;
    (stage.run)(&project)
}

/// The stages that must be done before the monitor can begin.
const FEEDS_MONITOR: [&str; 3] = [ingest::STAGE.name, embeddings::STAGE.name, features::STAGE.name];
