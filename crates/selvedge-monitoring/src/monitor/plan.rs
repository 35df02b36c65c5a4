//! Which files of sql/monitoring run when: over the log, before the alarm's loop, in it, after it, over all reports there
//! have been, over the model's frame, over the descriptions' vectors.  The tables they read decide.

use std::collections::BTreeSet;

use super::LAYER;
use selvedge_engine::{Engine, Table};
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

/// The log as counts: made once for all reports of one time of day.
pub const LOG_MAKES: [&str; 4] = ["daily_counts", "shop_daily_counts", "arrivals", "twin_days"];
/// What the loop gives to its queries anew each time.
const LOOP_READS: [&str; 2] = ["looked_at", "taken_out"];
/// What the loop asks only where anything is beyond a line.
const EXPLAIN_READS: [&str; 1] = ["suspected"];
/// What is there only after the loop: what it leaves behind, and the forecasts.
const LOOP_MAKES: [&str; 4] = ["nowcasts", "rounds", "accused", "thresholds"];

/// What is there only once earlier reports have been made again.
const HISTORY_MAKES: [&str; 2] = ["published", "vintages"];

/// What is there only once a model's frame is.
const DRIFT_MAKES: [&str; 3] = ["drift_numbers", "drift_texts", "drift_vectors"];

/// The schema of what is there only once the texts have been embedded.
const TEXTS_MAKE: &str = "embeddings";

/// What an earlier report is asked for, and what the forecasts and the loop need for it.
const EARLIER_NEEDS: [&str; 10] =
    ["findings", "weeks", "daily", "days", "delays", "pace", "waiting", "scan", "scan_days", "explanations"];

/// What an earlier report is not asked for, though its findings read it: whether every day was there.
const EARLIER_WITHOUT: &str = "completeness";

/// The files of sql/monitoring in eight groups, each in run order.
#[derive(Default)]
pub struct Plan<'a> {
    before: Vec<&'a SqlFile>,
    scan: Vec<&'a SqlFile>,
    explain: Vec<&'a SqlFile>,
    after: Vec<&'a SqlFile>,
    history: Vec<&'a SqlFile>,
    frame: Vec<&'a SqlFile>,
    drift: Vec<&'a SqlFile>,
    texts: Vec<&'a SqlFile>,
}

impl<'a> Plan<'a> {
    pub fn new(project: &'a Project) -> Self {
        let name = |name: &&str| TableName::new(LAYER.folder, name);
        let mut of_loop: BTreeSet<TableName> = LOOP_READS.iter().map(name).collect();
        let mut of_explain: BTreeSet<TableName> = EXPLAIN_READS.iter().map(name).collect();
        let mut of_after: BTreeSet<TableName> = LOOP_MAKES.iter().map(name).collect();
        let mut of_history: BTreeSet<TableName> = HISTORY_MAKES.iter().map(name).collect();
        let mut of_drift: BTreeSet<TableName> = DRIFT_MAKES.iter().map(name).collect();
        let mut of_texts: BTreeSet<TableName> = BTreeSet::new();
        let mut plan = Self::default();
        for file in project.library.layer(LAYER) {
            if file.reads.contains(&TableName::bare("frame")) {
                of_drift.insert(file.table());
                plan.frame.push(file);
            } else if file.reads.iter().any(|table| of_drift.contains(table)) {
                of_drift.insert(file.table());
                plan.drift.push(file);
            } else if file.reads.iter().any(|table| is_of_texts(table) || of_texts.contains(table)) {
                of_texts.insert(file.table());
                plan.texts.push(file);
            } else if file.reads.iter().any(|table| of_history.contains(table)) {
                of_history.insert(file.table());
                plan.history.push(file);
            } else if file.reads.iter().any(|table| of_after.contains(table)) {
                of_after.insert(file.table());
                plan.after.push(file);
            } else if file.reads.iter().any(|table| of_explain.contains(table)) {
                of_explain.insert(file.table());
                plan.explain.push(file);
            } else if file.reads.iter().any(|table| of_loop.contains(table)) {
                of_loop.insert(file.table());
                plan.scan.push(file);
            } else {
                plan.before.push(file);
            }
        }
        plan
    }

    /// Only what an earlier report's alerts and weeks are made of.
    pub fn of_earlier_report(project: &'a Project) -> Self {
        let mut needed: BTreeSet<TableName> =
            EARLIER_NEEDS.iter().map(|name| TableName::new(LAYER.folder, name)).collect();
        let files: Vec<&SqlFile> = project.library.layer(LAYER).collect();
        // Each file comes after those it reads: backwards, whatever is needed has been asked for before it is met.
        for file in files.into_iter().rev() {
            if needed.contains(&file.table()) {
                needed.extend(file.reads.iter().filter(|table| table.name != EARLIER_WITHOUT).cloned());
            }
        }
        let mut plan = Self::new(project);
        for group in [&mut plan.before, &mut plan.scan, &mut plan.explain, &mut plan.after] {
            group.retain(|file| needed.contains(&file.table()));
        }
        plan
    }

    /// Runs what does not depend on the loop and is not registered yet; returns the tables by name.
    pub fn run_before(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        let files: Vec<&SqlFile> = self.before.iter().copied().filter(|file| !engine.has(&file.table())).collect();
        run(&files, engine, project)
    }

    /// Runs what the loop's queries need and is not registered yet; the answers stay registered.
    pub fn run_for_scan(&self, engine: &Engine, project: &Project) -> Result<()> {
        let days = TableName::new(LAYER.folder, "scan_days");
        let needed = self.scan.iter().flat_map(|file| &file.reads).chain([&days]).cloned().collect();
        self.run_needed(engine, project, needed).map(|_| ())
    }

    /// Runs these tables and what they need, as far as it is not registered yet; returns the tables by name.
    pub fn run_for(&self, engine: &Engine, project: &Project, wanted: &[&str]) -> Result<Vec<(String, Table)>> {
        let wanted = wanted.iter().map(|name| TableName::new(LAYER.folder, name));
        self.run_needed(engine, project, wanted.collect())
    }

    fn run_needed(
        &self,
        engine: &Engine,
        project: &Project,
        mut needed: BTreeSet<TableName>,
    ) -> Result<Vec<(String, Table)>> {
        let mut files = Vec::new();
        for file in self.before.iter().rev() {
            let table = file.table();
            if needed.contains(&table) && !engine.has(&table) {
                needed.extend(file.reads.iter().cloned());
                files.push(*file);
            }
        }
        files.reverse();
        run(&files, engine, project)
    }

    /// Runs what depends on the loop's results; returns the tables by name.
    pub fn run_after(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        run(&self.after, engine, project)
    }

    /// Runs what looks back over all reports; returns the tables by name.
    pub fn run_history(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        run(&self.history, engine, project)
    }

    /// Runs what reads the frame itself; its answers are registered and not kept.
    pub fn run_frame(&self, engine: &Engine, project: &Project) -> Result<()> {
        run(&self.frame, engine, project).map(|_| ())
    }

    /// Runs what says how the frame's sides differ; returns the tables by name.
    pub fn run_drift(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        run(&self.drift, engine, project)
    }

    /// Runs what compares the descriptions of what was shown, where all of their vectors are there.
    pub fn run_texts(&self, engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
        for table in self.texts.iter().flat_map(|file| &file.reads).filter(|table| is_of_texts(table)) {
            if !engine.open_if_made(table)? {
                return Ok(Vec::new());
            }
        }
        run(&self.texts, engine, project)
    }

    /// Runs the loop's own queries once; their answers stay registered.
    pub fn run_scan(&self, engine: &Engine, project: &Project) -> Result<()> {
        register(&self.scan, engine, project)
    }

    /// Runs the queries that weigh whole explanations; their answers stay registered.
    pub fn run_explain(&self, engine: &Engine, project: &Project) -> Result<()> {
        register(&self.explain, engine, project)
    }
}

fn register(files: &[&SqlFile], engine: &Engine, project: &Project) -> Result<()> {
    files.iter().try_for_each(|file| engine.register(&file.table(), engine.run(project, file)?))
}

fn is_of_texts(table: &TableName) -> bool {
    table.schema.as_deref() == Some(TEXTS_MAKE)
}

fn run(files: &[&SqlFile], engine: &Engine, project: &Project) -> Result<Vec<(String, Table)>> {
    let mut tables = Vec::new();
    for file in files {
        if !file.header.is_kept() {
            engine.register(&file.table(), engine.run(project, file)?)?;
            continue;
        }
        let table = engine.table(project, file)?;
        engine.register(&file.table(), table.batch.clone())?;
        tables.push((file.header.name().to_owned(), table));
    }
    Ok(tables)
}
