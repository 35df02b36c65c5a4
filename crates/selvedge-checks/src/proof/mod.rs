//! `selvedge test`: proofs over every feature view, with no test code from its author; nothing is written.
//!
//! Each proof makes another world out of the same materials, computes every view in it, and holds the answers to those
//! of the world as it is: what may not matter may not move a bit.

mod compare;
mod materials;
mod poison;
mod world;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use self::materials::{Material, Materials, lines, times};
pub use self::poison::poisoned;
pub use self::world::{known_before, show_time};

use self::compare::{Moved, first_move};
use self::world::{Proof, World};
use selvedge_analysis::lint;
use selvedge_engine::Engine;
use selvedge_features::features::{self, View};
use selvedge_project::error::{Advice, Error, Result, did_you_mean};
use selvedge_project::numbers::counted;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile};

#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("there is no feature view '{name}'")]
    UnknownView { name: String, known: Vec<String> },
    #[error("{broken} of {views} feature views depend on what they must not; the first: {first}")]
    Broken { broken: usize, views: usize, first: String, advice: &'static str },
}

impl Advice for ProofError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::UnknownView { name, known } => {
                let fallback = format!("the views are {}", known.join(", "));
                did_you_mean(name, known.iter().map(String::as_str), &fallback)
            }
            Self::Broken { advice, .. } => (*advice).to_owned(),
        })
    }
}

/// A view that did not hold: where, and what became of it.
struct Broken {
    view: String,
    proof: &'static str,
    advice: &'static str,
    words: String,
}

/// Proves the named views, or all of them where none is named.
///
/// # Errors
/// A view cannot be computed, depends on something it must not depend on, or breaks a rule of the lint.
pub fn run(project: &Project, names: &[String]) -> Result<()> {
    let progress = Progress::start("test");
    let files = chosen(project, names)?;
    let chosen = |file: &SqlFile| file.layer == Layer::GRAIN || files.iter().any(|view| view.shown == file.shown);
    let linted = lint::Report::of(project, chosen)?;
    linted.say(&progress);
    let engine = Engine::new(project)?;
    let materials = Materials::load(project, &engine, &files)?;
    let expected = views(project, &engine, &files)?;
    let cuts = cuts(&materials.moments(), project.params.test.cuts, project.params.test.seed);
    let shown: Vec<String> = cuts.iter().map(|cut| show_time(*cut)).collect();
    progress.say(match shown.is_empty() {
        true => "the grain has no rows: only the queries themselves can be tested".to_owned(),
        false => format!("moments at which the future is changed: {}", shown.join(", ")),
    });
    for source in materials.timeless() {
        progress.say(format!("{source} has no known_from in its header: its rows count as known from the start"));
    }
    let mut broken: Vec<Broken> = Vec::new();
    for proof in Proof::all(&cuts, project.params.engine.partitions) {
        let world = World::new(project, &materials, proof)?;
        for (file, expected) in files.iter().zip(&expected) {
            // One finding for each view and proof is enough to act on.
            if broken.iter().any(|known| known.view == expected.name && known.proof == proof.name()) {
                continue;
            }
            let words = match world.view(file) {
                Ok(found) => first_move(expected, &found, proof.cut())?.map(|moved| told(&moved, proof)),
                Err(error) => Some(format!("{}: {}", proof.told(), cause(&error))),
            };
            if let Some(words) = words {
                progress.say(format!("{}: {words}", file.shown));
                let (view, proof, advice) = (expected.name.clone(), proof.name(), proof.advice());
                broken.push(Broken { view, proof, advice, words: format!("{}: {words}", file.shown) });
            }
        }
    }
    for view in expected.iter().filter(|view| !broken.iter().any(|broken| broken.view == view.name)) {
        let (rows, columns) = (view.table.batch.num_rows(), view.table.batch.num_columns() - view.table.key.len());
        let (columns, rows) = (counted(columns as u64, "column", "columns"), counted(rows as u64, "row", "rows"));
        progress.say(format!("{}: {columns}, {rows} hold", view.name));
    }
    let mut names: Vec<&str> = broken.iter().map(|broken| broken.view.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // Chance moves the other proofs too, so it is named before them.
    let of_first = || broken.iter().filter(|other| broken.first().is_some_and(|first| other.view == first.view));
    match of_first().find(|broken| Proof::OF_CHANCE.contains(&broken.proof)).or(broken.first()) {
        // What leaks is named first, what could leak after it.
        None if !linted.findings.is_empty() => linted.refuse()?,
        None => {
            let views = counted(expected.len() as u64, "view holds", "views hold");
            progress.done(format!("{views}: {}", Proof::NAMES.join(", ")));
        }
        Some(first) => {
            let (first, advice) = (first.words.clone(), first.advice);
            return Err(ProofError::Broken { broken: names.len(), views: expected.len(), first, advice }.into());
        }
    }
    Ok(())
}

/// The files of the named views, or of all.
fn chosen<'a>(project: &'a Project, names: &[String]) -> Result<Vec<&'a SqlFile>> {
    let all: Vec<&SqlFile> = project.library.layer(Layer::FEATURES).collect();
    let known = || all.iter().map(|file| file.header.name().to_owned()).collect();
    for name in names {
        if !all.iter().any(|file| file.header.name() == name) {
            return Err(ProofError::UnknownView { name: name.clone(), known: known() }.into());
        }
    }
    let wanted = |file: &&SqlFile| names.is_empty() || names.iter().any(|name| name == file.header.name());
    Ok(all.iter().copied().filter(wanted).collect())
}

/// Each file's view over what is registered in `engine`, or stored.
fn views(project: &Project, engine: &Engine, files: &[&SqlFile]) -> Result<Vec<View>> {
    files.iter().map(|file| features::view(project, engine, file)).collect()
}

/// `count` moments of the grain, one from each of as many equal parts of them, at a place that `seed` decides.
/// They are moments at which something happened, so that what happens at the very moment is tested too.
fn cuts(moments: &[i64], count: usize, seed: u64) -> Vec<i64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cuts = Vec::new();
    for part in 0..count {
        let place = (part as f64 + random.gen_range(0.0..1.0)) / count as f64;
        cuts.extend(moments.get((place * moments.len() as f64) as usize));
    }
    cuts.dedup();
    cuts
}

/// `column n at customer_id=…, as_of=…: 3 became 5 when …`.
fn told(moved: &Moved, proof: Proof) -> String {
    match moved {
        Moved::Value { column, key, expected, found } => {
            format!("column {column} at {key}: {expected} became {found} when {}", proof.told())
        }
        Moved::Rows { expected, found } => format!("{expected} rows became {found} when {}", proof.told()),
    }
}

/// An error's own words, without what to do.
fn cause(error: &Error) -> String {
    let words = error.to_string();
    let first = words.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}
