//! Which files of sql/monitoring run when: before the alarm's loop, in it, after it.  The tables they read decide.

use std::collections::BTreeSet;

use crate::engine::{Engine, Table};
use crate::error::Result;
use crate::project::Project;
use crate::sql::{Layer, SqlFile, TableName};

/// What the loop gives to its queries anew each time.
const LOOP_READS: [&str; 2] = ["shuffles", "taken_out"];
/// What is there only after the loop: what it leaves behind, and the forecasts.
const LOOP_MAKES: [&str; 3] = ["nowcasts", "rounds", "thresholds"];

/// The files of sql/monitoring in three groups, each in run order.
pub struct Plan<'a> {
    before: Vec<&'a SqlFile>,
    scan: Vec<&'a SqlFile>,
    after: Vec<&'a SqlFile>,
}

impl<'a> Plan<'a> {
    pub fn new(project: &'a Project) -> Self {
        let name = |name: &&str| TableName::new(Layer::Monitoring.folder(), name);
        let mut of_loop: BTreeSet<TableName> = LOOP_READS.iter().map(name).collect();
        let mut of_after: BTreeSet<TableName> = LOOP_MAKES.iter().map(name).collect();
        let mut plan = Self { before: Vec::new(), scan: Vec::new(), after: Vec::new() };
        for file in project.library.layer(Layer::Monitoring) {
            if file.reads.iter().any(|table| of_after.contains(table)) {
                of_after.insert(file.table());
                plan.after.push(file);
            } else if file.reads.iter().any(|table| of_loop.contains(table)) {
                of_loop.insert(file.table());
                plan.scan.push(file);
            } else {
                plan.before.push(file);
            }
        }
        plan
    }

    /// Runs what does not depend on the loop; returns the tables by name.
    pub fn run_before(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        run(&self.before, engine, project)
    }

    /// Runs only what the loop's queries need, each file whose table is not among `given`; the answers stay registered.
    pub fn run_for_scan(&self, engine: &Engine, project: &Project, given: &[&str]) -> Result<()> {
        let days = TableName::new(Layer::Monitoring.folder(), "scan_days");
        let needed = self.scan.iter().flat_map(|file| &file.reads).chain([&days]).collect();
        self.run_needed(engine, project, needed, given)
    }

    /// Runs only these tables and what they need.
    pub fn run_for(&self, engine: &Engine, project: &Project, wanted: &[&str]) -> Result<()> {
        let wanted: Vec<TableName> =
            wanted.iter().map(|name| TableName::new(Layer::Monitoring.folder(), name)).collect();
        self.run_needed(engine, project, wanted.iter().collect(), &[])
    }

    fn run_needed<'t>(
        &'t self,
        engine: &Engine,
        project: &Project,
        mut needed: BTreeSet<&'t TableName>,
        given: &[&str],
    ) -> Result<()> {
        let mut files = Vec::new();
        for file in self.before.iter().rev() {
            let table = file.table();
            if given.contains(&table.name.as_str()) {
                continue;
            }
            if needed.contains(&table) {
                needed.extend(&file.reads);
                files.push(*file);
            }
        }
        files.reverse();
        run(&files, engine, project).map(|_| ())
    }

    /// Runs what depends on the loop's results; returns the tables by name.
    pub fn run_after(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        run(&self.after, engine, project)
    }

    /// Runs the loop's own queries once; their answers stay registered.
    pub fn run_scan(&self, engine: &Engine, project: &Project) -> Result<()> {
        for file in &self.scan {
            engine.register(&file.table(), engine.run(project, file)?)?;
        }
        Ok(())
    }
}

fn run(files: &[&SqlFile], engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
    let mut tables = Vec::new();
    for file in files {
        let table = engine.table(project, file)?;
        engine.register(&file.table(), table.batch.clone())?;
        tables.push((file.header.name().to_owned(), table));
    }
    Ok(tables)
}
