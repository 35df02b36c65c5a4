//! A source's rows after its query has judged them: kept, or set aside with a reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Int64Type;
use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::IngestError;
use super::tables::{Aside, Count};
use selvedge_engine::{Malformed, RawTable, Table};
use selvedge_project::error::Result;
use selvedge_project::paths::Paths;
use selvedge_project::sql::{SourceHeader, SqlFile, Surprise};

/// Rows that are looked through together.
const PART: usize = 1 << 18;

/// A source's rows after its query has judged them.
pub struct Judged {
    csv: Arc<str>,
    rows: usize,
    pub kept: Kept,
    pub aside: Vec<Aside>,
    /// code -> rows, first line; for kept rows.
    surprises: BTreeMap<String, (usize, i64)>,
}

/// The rows that are kept.
pub enum Kept {
    Table(Table),
    /// So many, written already.
    Stored(usize),
}

impl Kept {
    pub fn rows(&self) -> usize {
        match self {
            Self::Table(table) => table.batch.num_rows(),
            Self::Stored(rows) => *rows,
        }
    }
}

/// What a source's query may say of its rows.
#[derive(Clone)]
pub(super) struct Codes {
    pub called: Arc<str>,
    /// Why rows are set aside.
    reasons: BTreeMap<String, Arc<str>>,
    surprises: BTreeSet<String>,
    shown: String,
}

/// What was found in some rows of an answer.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// Rows of the answer, with why they are set aside.
    pub aside: Vec<(usize, Arc<str>)>,
    pub keep: Vec<u32>,
    /// What many rows have in common: how often their surprises were met, and on which line first.
    pub alike: Alike<&'a str>,
}

pub(super) type Alike<T> = HashMap<T, (usize, i64), FixedState>;

impl Codes {
    pub fn of(file: &SqlFile, header: &SourceHeader) -> Self {
        let reasons = header.set_aside.keys().map(|code| (code.clone(), code.as_str().into())).collect();
        let surprises = header.surprises.keys().cloned().collect();
        Self { called: header.from().into(), reasons, surprises, shown: file.shown.clone() }
    }

    fn unknown(&self, code: &str, line: i64) -> IngestError {
        let (file, csv) = (self.shown.clone(), self.called.to_string());
        IngestError::UnknownCode { file, csv, code: code.into(), line }
    }

    /// The column of an answer that says why rows are set aside, and that of what is odd about those that are kept.
    pub fn columns<'b>(&self, batch: &'b RecordBatch) -> Result<(&'b StringArray, &'b StringArray)> {
        let texts = |column: &'static str| {
            let found = batch.column_by_name(column).and_then(|texts| texts.as_string_opt::<i32>());
            found.ok_or_else(|| IngestError::NoColumn { file: self.shown.clone(), column, wanted: "a text" })
        };
        Ok((texts("set_aside")?, texts("surprises")?))
    }

    /// Looks through rows, whose lines are `lines`, from `start` on, [`PART`] at most.
    pub fn look<'b>(
        &self,
        (reasons, found): (&'b StringArray, &'b StringArray),
        lines: &[i64],
        start: usize,
    ) -> std::result::Result<Found<'b>, IngestError> {
        let mut all = Found::default();
        for (row, line) in (start..lines.len()).zip(lines[start..].iter().copied()).take(PART) {
            if reasons.is_valid(row) {
                let code = reasons.value(row);
                let reason = self.reasons.get(code).ok_or_else(|| self.unknown(code, line))?;
                all.aside.push((row, Arc::clone(reason)));
                continue;
            }
            all.keep.push(row as u32);
            if !found.value(row).is_empty() {
                let (rows, first) = all.alike.entry(found.value(row)).or_insert((0, line));
                (*rows, *first) = (*rows + 1, line.min(*first));
            }
        }
        Ok(all)
    }

    /// Every surprise with how often it was met, and where first.
    pub fn surprises<T: AsRef<str>>(&self, alike: Alike<T>) -> Result<BTreeMap<String, (usize, i64)>> {
        let mut surprises = BTreeMap::<String, (usize, i64)>::new();
        let mut alike: Vec<_> = alike.iter().map(|(codes, (rows, first))| (*first, *rows, codes.as_ref())).collect();
        alike.sort_unstable();
        for (first, rows, codes) in alike {
            for code in codes.split_whitespace() {
                if !self.surprises.contains(code) {
                    return Err(self.unknown(code, first).into());
                }
                surprises.entry(code.into()).or_insert((0, first)).0 += rows;
            }
        }
        Ok(surprises)
    }
}

impl Judged {
    /// `batch` has a row for every row of `raw`, in its order; of a derived source, for some of them.
    pub(super) fn new(batch: RecordBatch, raw: &RawTable, file: &SqlFile, header: &SourceHeader) -> Result<Self> {
        let arrow = |cause| IngestError::Arrow { file: file.shown.clone(), cause };
        let codes = Codes::of(file, header);
        let columns = codes.columns(&batch)?;
        let own = match header.derived {
            true => batch.column_by_name("line").map(|lines| lines.as_primitive::<Int64Type>().values().to_vec()),
            false => None,
        };
        let lines = own.as_deref().unwrap_or(raw.lines());
        let judged = |start: usize| -> Result<_> {
            let found = codes.look(columns, lines, start)?;
            let aside = found.aside.iter().map(|(row, reason)| {
                let line = lines[*row];
                let written = if header.derived { raw.lines().binary_search(&line).unwrap_or(*row) } else { *row };
                let (csv, reason) = (Arc::clone(&codes.called), Arc::clone(reason));
                Aside { csv, line, reason, text: row_text(&raw.batch, written) }
            });
            Ok((aside.collect::<Vec<_>>(), found.keep, found.alike))
        };
        let starts: Vec<usize> = (0..lines.len()).step_by(PART).collect();
        let (mut aside, mut keep) = (Vec::new(), Vec::new());
        let mut alike = Alike::default();
        for part in starts.into_par_iter().map(judged).collect::<Vec<_>>() {
            let (part_aside, part_keep, part_alike) = part?;
            aside.extend(part_aside);
            keep.extend(part_keep);
            for (codes, (rows, first)) in part_alike {
                alike.entry(codes).or_insert((0, first)).0 += rows;
            }
        }
        let surprises = codes.surprises(alike)?;
        let unkept: Vec<usize> =
            (0..batch.num_columns()).filter(|column| batch.schema().field(*column).name() != "set_aside").collect();
        let rows = batch.num_rows();
        let chosen = batch.project(&unkept).map_err(arrow)?;
        drop(batch);
        let kept = Kept::Table(Table::of_rows(chosen, Some(keep), &header.key, &file.shown)?);
        Ok(Self::of(codes, rows, kept, aside, surprises, (header, &raw.malformed)))
    }

    /// With what could not be read at all.
    pub(super) fn of(
        codes: Codes,
        rows: usize,
        kept: Kept,
        mut aside: Vec<Aside>,
        surprises: BTreeMap<String, (usize, i64)>,
        (header, malformed): (&SourceHeader, &[Malformed]),
    ) -> Self {
        // What cannot be read is told where the CSV itself is.
        let unread = if header.derived { &[] } else { malformed };
        let csv: Arc<str> = header.file.as_str().into();
        aside.extend(unread.iter().map(|row| unreadable(&csv, row)));
        aside.sort_by_key(|row| row.line);
        Self { csv: codes.called, rows: rows + unread.len(), kept, aside, surprises }
    }

    pub(super) fn in_short(&self, header: &SourceHeader) -> String {
        if header.is_absent() {
            return format!("{}: the shop has none", header.name);
        }
        let short = format!("{}: {} rows kept, {} set aside", self.csv, self.kept.rows(), self.aside.len());
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

    /// `text` gives a row that was set aside as it was written.
    pub(super) fn refuse_too_many(
        &self,
        max_share: f64,
        header: &SourceHeader,
        paths: &Paths,
        text: impl FnOnce(&Aside) -> Result<String>,
    ) -> Result<()> {
        if self.aside.len() as f64 <= max_share * self.rows as f64 {
            return Ok(());
        }
        let most = self.most_often().unwrap_or_default();
        let Some(first) = self.aside.iter().find(|row| &*row.reason == most) else {
            return Ok(());
        };
        Err(IngestError::TooManySetAside {
            csv: paths.shown(&paths.materials().join(&header.file)),
            aside: self.aside.len(),
            rows: self.rows,
            reason: in_words(most, header),
            line: first.line,
            text: text(first)?,
        }
        .into())
    }

    /// One line of the surprises table for every code of the header, those that nobody met included.
    pub(super) fn counts(&self, header: &SourceHeader) -> Vec<Count> {
        if header.is_absent() {
            return Vec::new();
        }
        let mut counts = vec![self.count("rows", "rows", self.rows, None, None)];
        counts.push(self.count("kept", "kept", self.kept.rows(), None, None));
        for (code, words) in &header.set_aside {
            let rows: Vec<&Aside> = self.aside.iter().filter(|row| *row.reason == **code).collect();
            counts.push(self.count("set_aside", code, rows.len(), rows.first().map(|row| row.line), Some(words)));
        }
        let unreadable: Vec<&Aside> =
            self.aside.iter().filter(|row| !header.set_aside.contains_key(&*row.reason)).collect();
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
            csv: self.csv.to_string(),
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
pub(super) fn in_words(code: &str, header: &SourceHeader) -> String {
    match header.set_aside.get(code) {
        Some(Surprise { column: Some(column), found, .. }) => format!("{column}: {found}"),
        Some(Surprise { column: None, found, .. }) => found.clone(),
        None => code.to_owned(),
    }
}

fn unreadable(csv: &Arc<str>, row: &Malformed) -> Aside {
    Aside { csv: Arc::clone(csv), line: row.line as i64, reason: row.reason.as_str().into(), text: row.text.clone() }
}

/// A raw row as its cells, separated by commas.
pub(super) fn row_text(raw: &RecordBatch, row: usize) -> String {
    let cells = raw.columns().iter().skip(1).map(|column| {
        let column = column.as_string::<i32>();
        if column.is_null(row) { "" } else { column.value(row) }
    });
    cells.collect::<Vec<_>>().join(",")
}
