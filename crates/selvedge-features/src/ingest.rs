//! CSVs -> typed sources.  Every row is kept or set aside with a reason; every surprise is counted.

mod answer;
mod kinds;
mod profile;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::error::ArrowError;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use self::tables::{Aside, Count, rejected, surprises};
use selvedge_analysis::lineage::{Basis, Traces};
use selvedge_engine::{Engine, Malformed, RawTable, Staged, Table};
use selvedge_project::error::{Advice, Error, Result};
use selvedge_project::paths::Paths;
use selvedge_project::progress::Progress;
use selvedge_project::project::Project;
use selvedge_project::sql::{Layer, SourceHeader, SqlFile, Surprise};
use selvedge_project::stage::Stage;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("{file}: the query does not return the column '{column}' as {wanted}")]
    NoColumn { file: String, column: &'static str, wanted: &'static str },
    #[error(
        "{file}: {rows_in} rows went in and {rows_out} came out (first line that is not there exactly once: {line})"
    )]
    RowsLost { file: String, rows_in: usize, rows_out: usize, line: i64 },
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

/// Rows that are looked through together.
const PART: usize = 1 << 18;

/// A source, and its CSV as it is written.
struct Source<'a> {
    file: &'a SqlFile,
    header: &'a SourceHeader,
    raw: RawTable,
}

/// The stage's row in the flow.
pub const STAGE: Stage = Stage {
    name: "ingest",
    about: "materials/*.csv -> typed tables in work/ingest, odd rows set aside",
    layers: &[Layer::SOURCES, Layer::SPLIT],
    sections: &["ingest", "split"],
    keeps: &[("sources", "ingest"), ("raw", "ingest"), ("split", "split")],
    makes: &["sources.profile", "sources.rejected", "sources.surprises"],
    run,
};

/// Runs the stage: `work/ingest/*.parquet` and `work/split/*.parquet`.
pub fn run(project: &Project) -> Result<()> {
    let progress = Progress::start("ingest");
    let engine = Engine::new(project)?;
    let files: Vec<_> = project.library.sources().collect();
    let (traces, sources) = rayon::join(
        || Traces::of(project, Layer::SPLIT, Basis::Files),
        || files.par_iter().map(|(file, header)| Source::read(project, file, header)).collect::<Vec<_>>(),
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
    let typed = |Source { file, header, raw }: &Source| -> Result<Judged> {
        let judged = judge(project, &engine, file, header, raw)?;
        judged.refuse_too_many(project.params.ingest.max_set_aside_share, header, &project.paths)?;
        let most = project.params.ingest.max_set_aside_share_of_kind;
        if let Some(lost) = kinds::lost(header, raw, &judged.aside, most, &project.paths) {
            return Err(lost.into());
        }
        Ok(judged)
    };
    let judge_all = || -> Result<Vec<Judged>> {
        let mut all = Vec::new();
        for wave in waves(&sources) {
            for (source, judged) in wave.iter().zip(wave.par_iter().map(typed).collect::<Vec<_>>()) {
                let judged = judged?;
                progress.say(judged.in_short(source.header));
                all.push(judged);
            }
        }
        Ok(all)
    };
    let profile_all = || {
        let profiles = sources.par_iter().map(|source| profile::profiles(&source.header.file, &source.raw));
        profiles.flatten().collect::<Vec<_>>()
    };
    let (judged, profiles) = rayon::join(judge_all, profile_all);
    let judged = judged?;
    let write_kept = || -> Result<()> {
        let write = |(Source { file, header, .. }, judged): (&Source, &Judged)| {
            staged.table(&target, Some(&header.name), &judged.kept, &notes(file))
        };
        sources.par_iter().zip(&judged).map(write).collect::<Vec<_>>().into_iter().collect()
    };
    let write_rest = || -> Result<()> {
        let counts = judged.iter().zip(&sources).flat_map(|(judged, source)| judged.counts(source.header));
        let aside: Vec<&Aside> = judged.iter().flat_map(|judged| &judged.aside).collect();
        staged.table(&target, Some("rejected"), &rejected(&aside)?, &[])?;
        staged.table(&target, Some("surprises"), &surprises(&counts.collect::<Vec<_>>())?, &[])?;
        staged.table(&target, Some("profile"), &profile::table(&profiles)?, &[])?;
        staged.folder(&project.paths.split())?;
        for (file, table) in engine.layer(project, Layer::SPLIT)? {
            staged.table(&project.paths.split(), Some(file.header.name()), &table, &notes(file))?;
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
    fn read(project: &Project, file: &'a SqlFile, header: &'a SourceHeader) -> Result<Self> {
        Ok(Self { file, header, raw: read_raw(project, file, header)? })
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
    let path = project.paths.materials().join(&header.file);
    let expected: BTreeSet<&str> = header.columns.keys().map(String::as_str).collect();
    RawTable::read(&path, &project.paths.shown(&path), &expected, &file.shown)
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
    engine.register(&file.table(), judged.kept.batch.clone())?;
    Ok(judged)
}

/// A source's rows after its query has judged them.
pub struct Judged {
    csv: String,
    rows: usize,
    kept: Table,
    aside: Vec<Aside>,
    /// code -> rows, first line; for kept rows.
    surprises: BTreeMap<String, (usize, i64)>,
}

impl Judged {
    /// `batch` has a row for every row of `raw`, in its order.
    fn new(batch: RecordBatch, raw: &RawTable, file: &SqlFile, header: &SourceHeader) -> Result<Self> {
        let arrow = |cause| IngestError::Arrow { file: file.shown.clone(), cause };
        let missing = |column, wanted| IngestError::NoColumn { file: file.shown.clone(), column, wanted };
        let texts = |name| {
            batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| missing(name, "a text"))
        };
        let (reasons, found) = (texts("set_aside")?, texts("surprises")?);
        let lines = raw.lines();
        let known = |code: &str, codes: &BTreeMap<String, Surprise>, line| match codes.contains_key(code) {
            true => Ok(()),
            false => Err(IngestError::UnknownCode {
                file: file.shown.clone(),
                csv: header.file.clone(),
                code: code.into(),
                line,
            }),
        };
        let judged = |start: usize| -> Result<_> {
            // Many rows have the same surprises.
            let mut alike = HashMap::<&str, (usize, i64), FixedState>::default();
            let (mut aside, mut keep) = (Vec::new(), Vec::new());
            for (row, line) in (start..lines.len()).zip(lines[start..].iter().copied()).take(PART) {
                if reasons.is_valid(row) {
                    known(reasons.value(row), &header.set_aside, line)?;
                    let text = row_text(&raw.batch, row);
                    aside.push(Aside { csv: header.file.clone(), line, reason: reasons.value(row).into(), text });
                    continue;
                }
                keep.push(row as u32);
                if !found.value(row).is_empty() {
                    alike.entry(found.value(row)).or_insert((0, line)).0 += 1;
                }
            }
            Ok((aside, keep, alike))
        };
        let starts: Vec<usize> = (0..lines.len()).step_by(PART).collect();
        let (mut aside, mut keep) = (Vec::new(), Vec::new());
        let mut alike = HashMap::<&str, (usize, i64), FixedState>::default();
        for part in starts.into_par_iter().map(judged).collect::<Vec<_>>() {
            let (part_aside, part_keep, part_alike) = part?;
            aside.extend(part_aside);
            keep.extend(part_keep);
            for (codes, (rows, first)) in part_alike {
                alike.entry(codes).or_insert((0, first)).0 += rows;
            }
        }
        let mut surprises = BTreeMap::<String, (usize, i64)>::new();
        let mut alike: Vec<_> = alike.into_iter().map(|(codes, (rows, first))| (first, rows, codes)).collect();
        alike.sort_unstable();
        for (first, rows, codes) in alike {
            for code in codes.split_whitespace() {
                known(code, &header.surprises, first)?;
                surprises.entry(code.into()).or_insert((0, first)).0 += rows;
            }
        }
        aside.extend(raw.malformed.iter().map(|row| malformed(&header.file, row)));
        aside.sort_by_key(|row| row.line);
        let columns: Vec<usize> =
            (0..batch.num_columns()).filter(|column| batch.schema().field(*column).name() != "set_aside").collect();
        let rows = batch.num_rows() + raw.malformed.len();
        let chosen = batch.project(&columns).map_err(arrow)?;
        drop(batch);
        let kept = Table::of_rows(chosen, Some(keep), &header.key, &file.shown)?;
        Ok(Self { csv: header.file.clone(), rows, kept, aside, surprises })
    }

    fn in_short(&self, header: &SourceHeader) -> String {
        let short = format!("{}: {} rows kept, {} set aside", self.csv, self.kept.batch.num_rows(), self.aside.len());
        match self.most_often() {
            Some(reason) => format!("{short}; most because: {}", in_words(reason, header)),
            None => short,
        }
    }

    /// The reason for which most rows are set aside.
    fn most_often(&self) -> Option<&str> {
        let mut by_reason = BTreeMap::<&str, usize>::new();
        self.aside.iter().for_each(|row| *by_reason.entry(&row.reason).or_default() += 1);
        by_reason.into_iter().max_by_key(|(_, count)| *count).map(|(reason, _)| reason)
    }

    fn refuse_too_many(&self, max_share: f64, header: &SourceHeader, paths: &Paths) -> Result<()> {
        if self.aside.len() as f64 <= max_share * self.rows as f64 {
            return Ok(());
        }
        let most = self.most_often().unwrap_or_default();
        let Some(first) = self.aside.iter().find(|row| row.reason == most) else {
            return Ok(());
        };
        Err(IngestError::TooManySetAside {
            csv: paths.shown(&paths.materials().join(&self.csv)),
            aside: self.aside.len(),
            rows: self.rows,
            reason: in_words(most, header),
            line: first.line,
            text: first.text.clone(),
        }
        .into())
    }

    /// One line of the surprises table for every code of the header, those that nobody met included.
    fn counts(&self, header: &SourceHeader) -> Vec<Count> {
        let mut counts = vec![self.count("rows", "rows", self.rows, None, None)];
        counts.push(self.count("kept", "kept", self.kept.batch.num_rows(), None, None));
        for (code, words) in &header.set_aside {
            let rows: Vec<&Aside> = self.aside.iter().filter(|row| row.reason == *code).collect();
            counts.push(self.count("set_aside", code, rows.len(), rows.first().map(|row| row.line), Some(words)));
        }
        let unreadable: Vec<&Aside> =
            self.aside.iter().filter(|row| !header.set_aside.contains_key(&row.reason)).collect();
        let words = Surprise {
            column: None,
            found: "the row has too few or too many cells, or is not written in UTF-8".into(),
            done: "set aside".into(),
        };
        let first = unreadable.first().map(|row| row.line);
        counts.push(self.count("set_aside", "malformed_row", unreadable.len(), first, Some(&words)));
        for (code, words) in &header.surprises {
            let (rows, first) = self.surprises.get(code).map_or((0, None), |(rows, first)| (*rows, Some(*first)));
            counts.push(self.count("surprise", code, rows, first, Some(words)));
        }
        counts
    }

    fn count(
        &self,
        kind: &'static str,
        code: &str,
        rows: usize,
        first: Option<i64>,
        words: Option<&Surprise>,
    ) -> Count {
        Count {
            csv: self.csv.clone(),
            kind,
            code: code.into(),
            column: words.and_then(|words| words.column.clone()),
            rows: rows as i64,
            first_line: first,
            found: words.map(|words| words.found.clone()),
            done: words.map(|words| words.done.clone()),
        }
    }
}

/// A code of the header as its column and what was found there.
fn in_words(code: &str, header: &SourceHeader) -> String {
    match header.set_aside.get(code) {
        Some(Surprise { column: Some(column), found, .. }) => format!("{column}: {found}"),
        Some(Surprise { column: None, found, .. }) => found.clone(),
        None => code.to_owned(),
    }
}

fn malformed(csv: &str, row: &Malformed) -> Aside {
    Aside { csv: csv.into(), line: row.line as i64, reason: row.reason.clone(), text: row.text.clone() }
}

/// A raw row as its cells, separated by commas.
fn row_text(raw: &RecordBatch, row: usize) -> String {
    let cells = raw.columns().iter().skip(1).map(|column| {
        let column = column.as_string::<i32>();
        if column.is_null(row) { "" } else { column.value(row) }
    });
    cells.collect::<Vec<_>>().join(",")
}
