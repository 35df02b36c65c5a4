//! `selvedge test`, of fits: the scores of past requests by a ranking of a moment do not move, whatever happens at that
//! moment or after it.

use datafusion::arrow::array::RecordBatch;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use selvedge_checks::proof::{Materials, known_before, poisoned, show_time};
use selvedge_engine::{Engine, Table};
use selvedge_learning::rank::{self, Periods, Tables};
use selvedge_learning::shelf::{KEY, Outcomes, key_of, visits};
use selvedge_project::error::{Advice, Result};
use selvedge_project::numbers::counted;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile, TableName};

/// The latest requests before the cut whose scores are compared.
const REQUESTS: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum FitsError {
    #[error(
        "the ranking fitted for {cut} gives {key} the score {found} in place of {expected} when what came later {change}"
    )]
    Moved { cut: String, key: String, expected: f64, found: f64, change: &'static str },
    #[error(
        "the ranking fitted for {cut} has {found} rows of shelves to score in place of {expected} when what came later {change}"
    )]
    OtherShelves { cut: String, expected: usize, found: usize, change: &'static str },
}

impl Advice for FitsError {
    fn advice(&self) -> Option<String> {
        Some("cut at the moment what the ranking is fitted on: sql/grain/request.sql, sql/interactions, sql/recommend and sql/labels/visits.sql".into())
    }
}

/// Proves it of the ranking that is stored; where there is none yet, says so.
///
/// # Errors
/// A score that moved.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("test");
    let rank = project.paths.rank();
    if !rank.join(format!("{}.json", rank::Which::Served.name())).is_file() {
        progress.done("no ranking has been fitted, so there is no fit to test (`selvedge rank` makes one)");
        return Ok(());
    }
    let engine = Engine::new(project)?;
    let cut = Periods::of(&engine)?.validation_from;
    let before = Outcomes::over_by(&visits(project, &engine)?, cut)?;
    let latest = latest(&before)?;
    let Some((rows, expected)) = rank::scores_at(project, &[], cut, latest.clone())? else {
        progress.done(format!("too little was known at {} to fit a ranking that could be tested", show_time(cut)));
        return Ok(());
    };
    let shelves = Table::new(rows, &KEY.map(str::to_owned), "the shelf")?;
    let views: Vec<&SqlFile> = project.library.layer(Layer::FEATURES).collect();
    let materials = Materials::load(project, &engine, &views)?;
    for change in Change::ALL {
        let tables = world(project, &materials, cut, change)?;
        let scores =
            rank::scores_at(project, &tables, cut, latest.clone())?.map_or_else(Vec::new, |(_, scores)| scores);
        let cut = show_time(cut);
        if scores.len() != expected.len() {
            let (expected, found) = (expected.len(), scores.len());
            return Err(FitsError::OtherShelves { cut, expected, found, change: change.words() }.into());
        }
        let moved = expected.iter().zip(&scores).position(|(expected, found)| expected.to_bits() != found.to_bits());
        if let Some(row) = moved {
            let (expected, found) = (expected[row], scores[row]);
            return Err(
                FitsError::Moved { cut, key: shelves.show_key(row), expected, found, change: change.words() }.into()
            );
        }
    }
    progress.done(format!(
        "the ranking fitted for {} holds on {}: later events scrambled, and dropped",
        show_time(cut),
        counted(expected.len() as u64, "score", "scores"),
    ));
    Ok(())
}

/// What became of everything that was known only at the cut or later.
#[derive(Debug, Clone, Copy)]
enum Change {
    Scrambled,
    Dropped,
}

impl Change {
    const ALL: [Self; 2] = [Self::Scrambled, Self::Dropped];

    fn words(self) -> &'static str {
        match self {
            Self::Scrambled => "is scrambled",
            Self::Dropped => "is dropped",
        }
    }
}

fn latest(visits: &RecordBatch) -> Result<RecordBatch> {
    // In the order of customers, so that what is compared is of many moments.
    let count = visits.num_rows().min(REQUESTS);
    key_of(&visits.slice(visits.num_rows() - count, count))
}

/// The tables of the changed world, with the visits as it has them.
fn world(project: &Project, materials: &Materials, cut: i64, change: Change) -> Result<Vec<(TableName, RecordBatch)>> {
    let mut random = ChaCha8Rng::seed_from_u64(project.params.test.seed);
    let mut tables = Vec::new();
    for table in &materials.tables {
        let batch = match change {
            Change::Scrambled => poisoned(table, cut, &mut random)?,
            Change::Dropped => known_before(table, cut)?,
        };
        tables.push((table.name.clone(), batch));
    }
    let request = TableName::new("grain", "request");
    if let Some(file) = project.library.file(&request) {
        let visits = engine_of(project, &tables)?.table(project, file)?;
        tables.push((request, visits.batch));
    }
    Ok(tables)
}

fn engine_of(project: &Project, tables: &Tables) -> Result<Engine> {
    let engine = Engine::new(project)?;
    tables.iter().try_for_each(|(name, batch)| engine.register(name, batch.clone()))?;
    Ok(engine)
}
