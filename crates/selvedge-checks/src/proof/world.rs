//! The same materials in another world: the future scrambled or gone, the rows in another order, a delivery repeated.

use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::temporal_conversions::timestamp_ns_to_datetime;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::compare::until;
use super::materials::{Material, MaterialError, Materials};
use super::poison::{poisoned, without_consent};
use selvedge_engine::{Engine, RawTable};
use selvedge_features::features::{self, View};
use selvedge_features::ingest;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SqlFile};

/// What may not matter to a feature.
#[derive(Debug, Clone, Copy)]
pub enum Proof {
    /// Every row that is known only at the moment or after it holds something else.
    Poison(i64),
    /// Those rows are not there.
    Truncation(i64),
    /// Those rows are not in the CSVs, from which the sources are made anew.
    EarlierExport(i64),
    /// All rows stand in another order.
    Shuffle,
    /// Every CSV holds all its rows twice.
    LateCopy,
    /// Every row of customers who have not agreed to be profiled holds something else.
    NoConsent,
    /// Queries are split into so many parts.
    Partitions(usize),
}

impl Proof {
    /// What all of them together prove, in words; one row per row of the grain is part of each.
    pub const NAMES: [&str; 8] = [
        "future poison",
        "truncation",
        "earlier export",
        "shuffle",
        "late copy",
        "no consent",
        "partitions 1, 2 and 8",
        "one row per row of the grain",
    ];

    /// Those that fail where something is left to chance.
    pub const OF_CHANCE: [&str; 2] = ["shuffle", "partitions"];

    /// Every proof: three for each cut, and those that need none.  `partitions` are those of the expected answer.
    pub fn all(cuts: &[i64], partitions: usize) -> Vec<Self> {
        let mut all: Vec<Self> = cuts
            .iter()
            .flat_map(|cut| [Self::Truncation(*cut), Self::Poison(*cut), Self::EarlierExport(*cut)])
            .collect();
        all.extend([Self::Shuffle, Self::LateCopy, Self::NoConsent]);
        all.extend([1, 2, 8].into_iter().filter(|parts| *parts != partitions).map(Self::Partitions));
        all
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Poison(_) => "future poison",
            Self::Truncation(_) => "truncation",
            Self::EarlierExport(_) => "earlier export",
            Self::Shuffle => "shuffle",
            Self::LateCopy => "late copy",
            Self::NoConsent => "no consent",
            Self::Partitions(_) => "partitions",
        }
    }

    /// The moment until which features must not move; none: all of them.
    pub fn cut(self) -> Option<i64> {
        match self {
            Self::Poison(cut) | Self::Truncation(cut) | Self::EarlierExport(cut) => Some(cut),
            _ => None,
        }
    }

    /// What was changed, after `when`.
    pub fn told(self) -> String {
        match self {
            Self::Poison(cut) => {
                format!("every source row at or after {} was scrambled (future poison)", show_time(cut))
            }
            Self::Truncation(cut) => {
                format!("every source row at or after {} was dropped (truncation)", show_time(cut))
            }
            Self::EarlierExport(cut) => {
                format!("the CSVs were delivered without what came at or after {} (earlier export)", show_time(cut))
            }
            Self::Shuffle => "the rows came in another order (shuffle)".into(),
            Self::LateCopy => "every CSV was delivered twice (late copy)".into(),
            Self::NoConsent => "what customers without consent did was scrambled (no consent)".into(),
            Self::Partitions(parts) => format!("the query was split into {parts} (partitions)"),
        }
    }

    /// What to do about a view for which it does not hold.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Poison(_) | Self::Truncation(_) => {
                "bound every source it joins with a strict time < g.as_of: what happens at the moment is not yet known"
            }
            Self::EarlierExport(_) => {
                "take out of the source's query what looks at later rows: a window or an aggregate over the whole CSV moves when it grows"
            }
            Self::Shuffle => "give every ROW_NUMBER, FIRST_VALUE, ARRAY_AGG and LIMIT an ORDER BY without ties",
            Self::LateCopy => {
                "set late copies aside in the source's query: ROW_NUMBER over all columns, as sql/sources does"
            }
            Self::NoConsent => "use only rows of customers who agreed, as in `AND t.consented`, in the grain too",
            Self::Partitions(_) => "sum DECIMAL, not DOUBLE, and give every pick an ORDER BY without ties",
        }
    }
}

/// An engine over materials that were changed.
pub struct World {
    project: Project,
    engine: Engine,
}

impl World {
    pub fn new(project: &Project, materials: &Materials, proof: Proof) -> Result<Self> {
        let mut project = project.clone();
        if let Proof::Partitions(parts) = proof {
            project.params.engine.partitions = parts;
        }
        let engine = Engine::new(&project)?;
        let mut random = ChaCha8Rng::seed_from_u64(project.params.test.seed);
        match proof {
            Proof::LateCopy => {
                repeat_delivery(&project, &engine)?;
                engine.layer(&project, Layer::GRAIN)?;
            }
            // Made anew, once its source is another.
            Proof::NoConsent => {}
            _ => {
                for grain in &materials.grains {
                    let batch = until(&grain.table, proof.cut())?.batch;
                    let batch = if matches!(proof, Proof::Shuffle) { shuffled(&batch, &mut random)? } else { batch };
                    engine.register(&grain.name, batch)?;
                }
            }
        }
        if let Proof::EarlierExport(cut) = proof {
            export_earlier(&project, &engine, materials, cut)?;
        }
        for table in &materials.tables {
            let batch = match proof {
                Proof::Poison(cut) => poisoned(table, cut, &mut random)?,
                Proof::Truncation(cut) => known_before(table, cut)?,
                Proof::Shuffle => shuffled(&table.batch, &mut random)?,
                Proof::NoConsent => without_consent(table, &mut random)?,
                // A source was made anew; what was made from it shrinks with it.
                Proof::EarlierExport(cut) if !engine.has(&table.name) => known_before(table, cut)?,
                // Read from where the stage reads it.
                Proof::LateCopy | Proof::Partitions(_) | Proof::EarlierExport(_) => continue,
            };
            engine.register(&table.name, batch)?;
        }
        if let Proof::NoConsent = proof {
            engine.layer(&project, Layer::GRAIN)?;
        }
        Ok(Self { project, engine })
    }

    /// A view in this world.
    pub fn view(&self, file: &SqlFile) -> Result<View> {
        features::view(&self.project, &self.engine, file)
    }
}

/// A moment as people write it, UTC.
pub fn show_time(nanoseconds: i64) -> String {
    timestamp_ns_to_datetime(nanoseconds).map_or_else(String::new, |time| time.format("%Y-%m-%dT%H:%M:%S").to_string())
}

/// The rows that are known before the moment.
pub fn known_before(table: &Material, cut: i64) -> Result<RecordBatch> {
    let early = |row: &u32| table.known_from[*row as usize].is_none_or(|from| from < cut);
    rows(&table.batch, (0..table.batch.num_rows() as u32).filter(early).collect())
}

fn shuffled(batch: &RecordBatch, random: &mut ChaCha8Rng) -> Result<RecordBatch> {
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    order.shuffle(random);
    rows(batch, order)
}

fn rows(batch: &RecordBatch, order: Vec<u32>) -> Result<RecordBatch> {
    let arrow = |cause| MaterialError::Arrow { table: "a source".into(), cause };
    Ok(take_record_batch(batch, &UInt32Array::from(order)).map_err(arrow)?)
}

/// Every CSV without the rows that are known only at `cut` or later, through the sources' own queries.  Rows that these
/// set aside stay in it: nothing says from when they are known.
fn export_earlier(project: &Project, engine: &Engine, materials: &Materials, cut: i64) -> Result<()> {
    for (file, header) in project.library.sources() {
        let raw = ingest::read_raw(project, file, header)?.batch;
        let late = materials.lines_from(&file.table(), cut);
        let lines = raw.column(0).as_primitive::<Int64Type>();
        let early = |row: &u32| !late.contains(&lines.value(*row as usize));
        let batch = rows(&raw, (0..raw.num_rows() as u32).filter(early).collect())?;
        ingest::judge(project, engine, file, header, &RawTable { batch, malformed: Vec::new() })?;
    }
    match ingest::Log::ingested(project)? {
        Some(log) => log.before(cut)?.add(project, engine).map(|_| ()),
        None => Ok(()),
    }
}

/// Every CSV with all its rows a second time, through the sources' own queries: it is for them to set copies aside.
fn repeat_delivery(project: &Project, engine: &Engine) -> Result<()> {
    for (file, header) in project.library.sources() {
        let raw = ingest::read_raw(project, file, header)?;
        let batch = raw.repeated().map_err(|cause| MaterialError::Arrow { table: header.file.clone(), cause })?;
        ingest::judge(project, engine, file, header, &RawTable { batch, malformed: Vec::new() })?;
    }
    match ingest::Log::ingested(project)? {
        Some(log) => log.add(project, engine).map(|_| ()),
        None => Ok(()),
    }
}
