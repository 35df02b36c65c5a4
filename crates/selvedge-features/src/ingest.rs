//! CSVs -> typed sources.  Every row is kept or set aside with a reason; every surprise is counted.

mod answer;
mod judged;
mod kinds;
mod profile;
mod sample;
mod served;
mod streamed;
mod tables;
mod terms;

use std::path::Path;

use datafusion::arrow::error::ArrowError;
use rayon::prelude::*;

pub use self::judged::{Judged, Kept};
use self::profile::Profile;
pub use self::served::{Added, Log, Told};
use self::tables::{Aside, rejected, surprises};
use crate::side_by_side;
use selvedge_analysis::lineage::{Basis, Traces};
use selvedge_engine::{Engine, Expected, RawSpool, RawTable, Staged, Table};
use selvedge_project::error::{Advice, Error, Result};
use selvedge_project::progress::Progress;
use selvedge_project::project::{Ingested, Project};
use selvedge_project::sql::{Encoding, Layer, SourceHeader, SqlFile, TableName};
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("{file}: the query does not return the column '{column}' as {wanted}")]
    NoColumn { file: String, column: &'static str, wanted: &'static str },
    #[error(
        "{file}: {rows_in} rows went in and {rows_out} came out (first line that is not there exactly once: {line})"
    )]
    RowsLost { file: String, rows_in: usize, rows_out: usize, line: i64 },
    #[error(
        "{file}: the query returns a row for line {line}, which is no line of its CSV or stands there for another row"
    )]
    OtherLine { file: String, line: i64 },
    #[error("params.yaml: shop.consent is said for all customers, and {file} returns {column} for each")]
    ConsentTwice { file: String, column: String },
    #[error("{file}: the code '{code}' (line {line} of {csv}) is not in the header")]
    UnknownCode { file: String, csv: String, code: String, line: i64 },
    #[error("{csv}:{line}: {aside} of {rows} rows would be set aside; most because: {reason}; the first is: {text}")]
    TooManySetAside { csv: String, aside: usize, rows: usize, reason: String, line: i64, text: String },
    #[error(
        "{csv}:{line}: {aside} of {rows} rows whose {kinds} is {kind} would be set aside; because: {reason}; the first has {unread} = {text}"
    )]
    KindLost {
        csv: String,
        line: i64,
        aside: usize,
        rows: usize,
        kinds: String,
        kind: String,
        reason: String,
        unread: String,
        text: String,
    },
    #[error("{file}: {cause}")]
    Arrow { file: String, cause: ArrowError },
}

impl Advice for IngestError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NoColumn { column, .. } => format!("add {column} to the SELECT (see CLAUDE.md, sources)"),
            Self::RowsLost { .. } => {
                "return exactly one row per row of raw: use LEFT JOIN to tables with one row per key".into()
            }
            Self::OtherLine { .. } => "GROUP BY what names a row, and return MIN(line) AS line".into(),
            Self::ConsentTwice { column, .. } => {
                format!("remove consent from the section shop of params.yaml, or {column} from the source")
            }
            Self::UnknownCode { code, .. } => {
                format!("add `{code}: {{found: …, done: …}}` to set_aside or surprises in the header")
            }
            Self::TooManySetAside { .. } => {
                "look at the file; if it is meant to be so, raise ingest.max_set_aside_share in params.yaml".into()
            }
            Self::KindLost { .. } => {
                "look at that column; if it is meant to be so, raise ingest.max_set_aside_share_of_kind in params.yaml"
                    .into()
            }
            Self::Arrow { .. } => return None,
        })
    }
}

/// A source, and its CSV as it is written.
struct Source<'a> {
    file: &'a SqlFile,
    header: &'a SourceHeader,
    raw: Raw,
}

/// A CSV's rows.
enum Raw {
    Table(RawTable),
    /// Where memory has a limit.
    Spool(RawSpool),
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "ingest",
    about: "materials/*.csv -> typed tables in work/ingest, odd rows set aside",
    layers: &[Layer::SOURCES, Layer::SPLIT],
    sections: &["ingest", "split"],
    keeps: &[("sources", "ingest"), ("raw", "ingest"), ("split", "split")],
    makes: &["sources.contract", "sources.profile", "sources.rejected", "sources.surprises"],
    run,
};

/// Runs the stage: `work/ingest/*.parquet` and `work/split/*.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("ingest");
    let log = Log::read(project)?;
    let project = &project.with_served(log.as_ref().map(|log| log.until));
    let engine = Engine::new(project)?;
    terms::refuse_consent_twice(project)?;
    let files: Vec<_> = project.library.sources().collect();
    let (traces, sources) = rayon::join(
        || Traces::of(project, Layer::SPLIT, Basis::Files),
        || side_by_side(project, &files, |(file, header)| Source::read(project, &engine, file, header)),
    );
    let (mut read, mut broken) = (Vec::new(), Vec::new());
    for source in sources {
        match source {
            Ok(source) => read.push(source),
            Err(error) => broken.push(error),
        }
    }
    Error::together(broken, |count| format!("{count} files of materials/ cannot be read as they are"))?;
    let sources = read;
    let traces = traces?;
    let notes = |file: &SqlFile| traces.stamp(&file.table()).unwrap_or_default().notes();
    let staged = Staged::new(&project.paths, "ingest")?;
    let target = project.paths.ingest();
    let typed = |source: &Source| source.typed(project, &engine, (&staged, &target), &notes(source.file));
    let judge_all = || -> Result<Vec<Judged>> {
        let mut all = Vec::new();
        for wave in waves(&sources) {
            for (source, judged) in wave.iter().zip(side_by_side(project, wave, typed)) {
                let judged = judged?;
                progress.say(judged.in_short(source.header));
                all.push(judged);
            }
        }
        Ok(all)
    };
    let profile_all = || {
        // A CSV is told of once, however many sources read it.
        let first = |source: &Source| sources.iter().position(|other| other.header.file == source.header.file);
        let told: Vec<_> = sources
            .iter()
            .enumerate()
            .filter_map(|(at, source)| (first(source) == Some(at)).then_some(source))
            .collect();
        let profiles = side_by_side(project, &told, |source| source.profiles(project)).into_iter();
        Ok::<_, Error>(profiles.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>())
    };
    let (judged, profiles) = match project.params.engine.memory_limit {
        None => rayon::join(judge_all, profile_all),
        Some(_) => (judge_all(), profile_all()),
    };
    let profiles: Vec<_> = profiles?;
    let judged = judged?;
    let added = log.as_ref().map(|log| log.add(project, &engine)).transpose()?;
    added.iter().flat_map(|added| &added.told.said).for_each(|words| progress.say(words));
    let kept = |place: usize| -> Option<&Table> {
        match (&added, sources[place].header.name.as_str(), &judged[place].kept) {
            (Some(added), "transactions", _) => Some(&added.transactions),
            (Some(added), "recommendations", _) => Some(&added.recommendations),
            (_, _, Kept::Table(table)) => Some(table),
            (_, _, Kept::Stored(_)) => None,
        }
    };
    let shows = added.as_ref().is_some_and(|added| added.recommendations.batch.num_rows() > 0);
    let terms = terms::told(project, &engine, shows)?;
    terms.iter().filter(|term| !term.given).for_each(|term| progress.say(term.sentence()));
    engine.register(&TableName::new("sources", "contract"), terms::table(&terms)?.batch)?;
    let write_kept = || -> Result<()> {
        let write = |(place, Source { file, header, .. }): (usize, &Source)| {
            kept(place).map_or(Ok(()), |table| staged.table(&target, Some(&header.name), table, &notes(file)))
        };
        sources.par_iter().enumerate().map(write).collect::<Vec<_>>().into_iter().collect()
    };
    let write_rest = || -> Result<()> {
        let mut counts: Vec<_> =
            judged.iter().zip(&sources).flat_map(|(judged, source)| judged.counts(source.header)).collect();
        let mut aside: Vec<&Aside> = judged.iter().flat_map(|judged| &judged.aside).collect();
        if let (Some(log), Some(added)) = (&log, added.as_ref()) {
            counts.extend(added.told.counts.iter().cloned());
            aside.extend(&added.told.aside);
            let until = Ingested { until: log.until_text() };
            staged.json(&target, Some("served.json"), &until)?;
        }
        staged.table(&target, Some("rejected"), &rejected(&aside)?, &[])?;
        staged.table(&target, Some("surprises"), &surprises(&counts)?, &[])?;
        staged.table(&target, Some("profile"), &profile::table(&profiles)?, &[])?;
        staged.table(&target, Some("contract"), &terms::table(&terms)?, &[])?;
        staged.folder(&project.paths.split())?;
        for (file, table) in engine.layer(project, Layer::SPLIT)? {
            staged.table(&project.paths.split(), Some(file.header.name()), &table, &notes(file))?;
        }
        if let Some(words) = sample::told(&engine)? {
            progress.say(words);
        }
        Ok(())
    };
    let (kept, rest) = rayon::join(write_kept, write_rest);
    kept.and(rest)?;
    staged.commit()?;
    progress.done("typed sources are in work/ingest");
    Ok(())
}

impl<'a> Source<'a> {
    fn read(project: &Project, engine: &Engine, file: &'a SqlFile, header: &'a SourceHeader) -> Result<Self> {
        let raw = match project.params.engine.memory_limit {
            None => Raw::Table(read_raw(project, file, header)?),
            Some(_) if header.is_absent() => Raw::Spool(RawSpool::nothing()),
            Some(_) => {
                let path = project.paths.materials().join(&header.file);
                let shown = project.paths.shown(&path);
                Raw::Spool(RawSpool::read(engine.session(), &path, &shown, &expected(file, header))?)
            }
        };
        Ok(Self { file, header, raw })
    }

    /// Its rows, judged; refused where too many are set aside.
    fn typed(
        &self,
        project: &Project,
        engine: &Engine,
        (staged, target): (&Staged, &Path),
        notes: &[(&str, String)],
    ) -> Result<Judged> {
        let Self { file, header, raw } = self;
        let (params, paths) = (&project.params.ingest, &project.paths);
        let (most, most_of_kind) = (params.max_set_aside_share, params.max_set_aside_share_of_kind);
        let (judged, lost) = match raw {
            Raw::Table(raw) => {
                let judged = judge(project, engine, file, header, raw)?;
                judged.refuse_too_many(most, header, paths, |row| Ok(row.text.clone()))?;
                let written = |kinds: &str| {
                    let mut written = kinds::Written::default();
                    kinds::count(&raw.batch, kinds, &mut written);
                    Ok(written)
                };
                let lost = kinds::lost(header, raw, &judged.aside, most_of_kind, paths, written)?;
                (judged, lost)
            }
            Raw::Spool(raw) => {
                let place = streamed::Place { staged, target, notes };
                let mut judged = streamed::judge(project, engine, (file, header), raw, &place)?;
                judged.refuse_too_many(most, header, paths, |row| match row.text.is_empty() {
                    true => streamed::text(row.line, raw),
                    false => Ok(row.text.clone()),
                })?;
                let rows = streamed::tell(&mut judged.aside, raw)?;
                let written = |kinds: &str| {
                    let mut written = kinds::Written::default();
                    raw.each(|batch| kinds::count(&batch, kinds, &mut written))?;
                    Ok(written)
                };
                let lost = kinds::lost(header, &rows, &judged.aside, most_of_kind, paths, written)?;
                (judged, lost)
            }
        };
        lost.map_or(Ok(judged), |lost| Err(lost.into()))
    }

    fn profiles(&self, project: &Project) -> Result<Vec<Profile>> {
        let memory = project.params.engine.memory_limit.unwrap_or(usize::MAX);
        match &self.raw {
            Raw::Table(raw) => Ok(profile::profiles(&self.header.file, raw)),
            Raw::Spool(raw) => profile::profiles_of(&self.header.file, raw, memory / 2),
        }
    }
}

/// The sources in their order, cut wherever one reads another of its stretch: within one, all can be typed side by side.
fn waves<'s>(sources: &'s [Source<'s>]) -> impl Iterator<Item = &'s [Source<'s>]> {
    let mut rest = sources;
    std::iter::from_fn(move || {
        let reads_earlier =
            |place: usize| rest[..place].iter().any(|earlier| rest[place].file.reads.contains(&earlier.file.table()));
        let end = (1..rest.len()).find(|place| reads_earlier(*place)).unwrap_or(rest.len());
        let (wave, after) = rest.split_at(end);
        rest = after;
        (!wave.is_empty()).then_some(wave)
    })
}

/// The CSV of a source as texts; only its own columns, checked.
pub fn read_raw(project: &Project, file: &SqlFile, header: &SourceHeader) -> Result<RawTable> {
    if header.is_absent() {
        return Ok(RawTable::nothing());
    }
    let path = project.paths.materials().join(&header.file);
    RawTable::read(&path, &project.paths.shown(&path), &expected(file, header))
}

/// What the CSV of a source must be like.
fn expected<'a>(file: &'a SqlFile, header: &'a SourceHeader) -> Expected<'a> {
    Expected {
        columns: header.columns.keys().map(String::as_str).collect(),
        definition: &file.shown,
        may_be_empty: header.may_be_empty,
        latin_1: header.encoding == Encoding::Latin1,
    }
}

/// Runs a source's query over `raw`; the rows and those that are kept are registered in `engine`.
pub fn judge(
    project: &Project,
    engine: &Engine,
    file: &SqlFile,
    header: &SourceHeader,
    raw: &RawTable,
) -> Result<Judged> {
    let answer = answer::answer(project, engine, file, header, raw)?;
    let judged = Judged::new(answer, raw, file, header)?;
    if let Kept::Table(table) = &judged.kept {
        engine.register(&file.table(), table.batch.clone())?;
    }
    Ok(judged)
}
