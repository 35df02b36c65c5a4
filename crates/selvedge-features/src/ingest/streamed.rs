//! Sources of more rows than memory has room for: typed, judged and written some rows at a time, into the same files.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use super::IngestError;
use super::judged::{Alike, Codes, Judged, Kept, row_text};
use super::tables::Aside;
use selvedge_engine::{Engine, Lines, RawSpool, RawTable, Staged, plain_schema};
use selvedge_project::error::{Error, Result};
use selvedge_project::project::Project;
use selvedge_project::sql::{SourceHeader, SqlFile, TableName};

/// What was found in the rows that came by.
#[derive(Default)]
struct Seen {
    lines: Lines,
    rows: usize,
    /// The first line that came twice.
    twice: Option<i64>,
    aside: Vec<(i64, Arc<str>)>,
    alike: Alike<String>,
    /// What is wrong with the first rows that say something unknown.
    broken: Option<IngestError>,
}

impl Seen {
    fn take(&mut self, lines: &Int64Array) {
        self.rows += lines.len();
        // One without a line is missed where it came from.
        for line in lines.iter().flatten() {
            if !self.lines.add(line) {
                self.twice = Some(self.twice.map_or(line, |first| first.min(line)));
            }
        }
    }
}

/// Where the rows that are kept go: `target`'s folder, with these notes.
pub struct Place<'a> {
    pub staged: &'a Staged,
    pub target: &'a Path,
    pub notes: &'a [(&'a str, String)],
}

/// The same as [`super::judge`], and the rows that are kept are written; those that are set aside have no texts yet.
pub fn judge(
    project: &Project,
    engine: &Engine,
    (file, header): (&SqlFile, &SourceHeader),
    raw: &RawSpool,
    place: &Place,
) -> Result<Judged> {
    engine.provide(&TableName::new("raw", &header.name), &raw.rows)?;
    let plan = engine.plan(project, file)?;
    let codes = Codes::of(file, header);
    let answered = plain_schema(plan.schema().inner());
    codes.columns(&RecordBatch::new_empty(Arc::new(answered.clone())))?;
    let line =
        answered.fields().iter().position(|field| field.name() == "line" && *field.data_type() == DataType::Int64);
    let missing = || IngestError::NoColumn { file: file.shown.clone(), column: "line", wanted: "a whole number" };
    let line = line.ok_or_else(missing)?;
    let unkept: Vec<usize> =
        (0..answered.fields().len()).filter(|column| answered.field(*column).name() != "set_aside").collect();
    let schema = Arc::new(answered.project(&unkept).map_err(|cause| arrow(file, cause))?);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let through = {
        let (seen, codes) = (Arc::clone(&seen), codes.clone());
        move |batch: RecordBatch| kept(&batch, line, &codes, &seen)?.project(&unkept).map_err(Into::into)
    };
    let shape = (Arc::clone(&schema), header.key.as_slice());
    let mut sorted = engine.sorted_rows(project, file, plan, shape, Arc::new(through))?;
    let (mut writer, path) =
        place.staged.writer(place.target, &header.name, schema, &header.key, place.notes, &file.shown)?;
    while let Some(rows) = sorted.next()? {
        writer.write(rows)?;
    }
    drop(sorted);
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    refuse_lost(&seen, raw, file, header)?;
    if let Some(broken) = seen.broken {
        return Err(broken.into());
    }
    let surprises = codes.surprises(seen.alike)?;
    let kept = Kept::Stored(writer.finish()?);
    engine.provide_stored(&file.table(), &path)?;
    let untold = |(line, reason)| Aside { csv: Arc::clone(&codes.called), line, reason, text: String::new() };
    let aside = seen.aside.into_iter().map(untold).collect();
    Ok(Judged::of(codes, seen.rows, kept, aside, surprises, (header, &raw.malformed)))
}

fn arrow(file: &SqlFile, cause: ArrowError) -> IngestError {
    IngestError::Arrow { file: file.shown.clone(), cause }
}

/// The rows that are kept.
fn kept(batch: &RecordBatch, line: usize, codes: &Codes, seen: &Mutex<Seen>) -> datafusion::error::Result<RecordBatch> {
    let external = |e: Error| DataFusionError::Execution(e.to_string());
    let columns = codes.columns(batch).map_err(external)?;
    let lines = batch.column(line).as_primitive::<Int64Type>();
    let found = codes.look(columns, lines.values(), 0);
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.take(lines);
    match found {
        Ok(found) => {
            seen.aside.extend(found.aside.into_iter().map(|(row, reason)| (lines.value(row), reason)));
            for (codes, (rows, first)) in found.alike {
                let (all, earliest) = seen.alike.entry(codes.to_owned()).or_insert((0, first));
                (*all, *earliest) = (*all + rows, first.min(*earliest));
            }
        }
        Err(error) => seen.broken = first_of(seen.broken.take(), error),
    }
    drop(seen);
    let keep: BooleanArray = columns.0.iter().map(|reason| Some(reason.is_none())).collect();
    Ok(filter_record_batch(batch, &keep)?)
}

/// Of two unknown codes the one on the earlier line.
fn first_of(before: Option<IngestError>, error: IngestError) -> Option<IngestError> {
    let line = |error: &IngestError| match error {
        IngestError::UnknownCode { line, .. } => *line,
        _ => i64::MAX,
    };
    before.into_iter().chain([error]).min_by_key(line)
}

/// Refused where the lines that went in are not those that came out; of a derived source, where one is none that went in.
fn refuse_lost(seen: &Seen, raw: &RawSpool, file: &SqlFile, header: &SourceHeader) -> Result<()> {
    let odd = seen.twice.into_iter().chain(seen.lines.first_not_in(&raw.lines));
    let file = file.shown.clone();
    if header.derived {
        return odd.min().map_or(Ok(()), |line| Err(IngestError::OtherLine { file, line }.into()));
    }
    match odd.chain(raw.lines.first_not_in(&seen.lines)).min() {
        Some(line) => Err(IngestError::RowsLost { file, rows_in: raw.lines.count, rows_out: seen.rows, line }.into()),
        None => Ok(()),
    }
}

/// The rows of a file that were set aside, as they stand there; their texts are written into `aside`.
pub fn tell(aside: &mut [Aside], raw: &RawSpool) -> Result<RawTable> {
    let mut lines = Lines::default();
    aside.iter().for_each(|row| _ = lines.add(row.line));
    let rows = raw.only(&lines)?;
    // What could not be read has its text already.
    for row in aside.iter_mut().filter(|row| row.text.is_empty()) {
        if let Ok(place) = rows.lines().binary_search(&row.line) {
            row.text = row_text(&rows.batch, place);
        }
    }
    Ok(rows)
}

/// A row of a file as it stands there.
pub fn text(line: i64, raw: &RawSpool) -> Result<String> {
    let mut lines = Lines::default();
    lines.add(line);
    let rows = raw.only(&lines)?.batch;
    Ok(if rows.num_rows() == 0 { String::new() } else { row_text(&rows, 0) })
}
