//! A source's rows after its query has judged them: kept, or set aside with a reason.

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
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
    csv: String,
    rows: usize,
    pub kept: Table,
    pub aside: Vec<Aside>,
    /// code -> rows, first line; for kept rows.
    surprises: BTreeMap<String, (usize, i64)>,
}

impl Judged {
    /// `batch` has a row for every row of `raw`, in its order; of a derived source, for some of them.
    pub(super) fn new(batch: RecordBatch, raw: &RawTable, file: &SqlFile, header: &SourceHeader) -> Result<Self> {
        let arrow = |cause| IngestError::Arrow { file: file.shown.clone(), cause };
        let missing = |column, wanted| IngestError::NoColumn { file: file.shown.clone(), column, wanted };
        let texts = |name| {
            batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| missing(name, "a text"))
        };
        let (reasons, found) = (texts("set_aside")?, texts("surprises")?);
        let own = match header.derived {
            true => batch.column_by_name("line").map(|lines| lines.as_primitive::<Int64Type>().values().to_vec()),
            false => None,
        };
        let lines = own.as_deref().unwrap_or(raw.lines());
        let called = header.from();
        let known = |code: &str, codes: &BTreeMap<String, Surprise>, line| match codes.contains_key(code) {
            true => Ok(()),
            false => {
                Err(IngestError::UnknownCode { file: file.shown.clone(), csv: called.clone(), code: code.into(), line })
            }
        };
        let judged = |start: usize| -> Result<_> {
            // Many rows have the same surprises.
            let mut alike = HashMap::<&str, (usize, i64), FixedState>::default();
            let (mut aside, mut keep) = (Vec::new(), Vec::new());
            for (row, line) in (start..lines.len()).zip(lines[start..].iter().copied()).take(PART) {
                if reasons.is_valid(row) {
                    known(reasons.value(row), &header.set_aside, line)?;
                    let written = if header.derived { raw.lines().binary_search(&line).unwrap_or(row) } else { row };
                    let text = row_text(&raw.batch, written);
                    aside.push(Aside { csv: called.clone(), line, reason: reasons.value(row).into(), text });
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
        // What cannot be read is told where the CSV itself is.
        let unread: &[Malformed] = if header.derived { &[] } else { raw.malformed.as_slice() };
        aside.extend(unread.iter().map(|row| malformed(&header.file, row)));
        aside.sort_by_key(|row| row.line);
        let columns: Vec<usize> =
            (0..batch.num_columns()).filter(|column| batch.schema().field(*column).name() != "set_aside").collect();
        let rows = batch.num_rows() + unread.len();
        let chosen = batch.project(&columns).map_err(arrow)?;
        drop(batch);
        let kept = Table::of_rows(chosen, Some(keep), &header.key, &file.shown)?;
        Ok(Self { csv: called, rows, kept, aside, surprises })
    }

    pub(super) fn in_short(&self, header: &SourceHeader) -> String {
        if header.is_absent() {
            return format!("{}: the shop has none", header.name);
        }
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

    pub(super) fn refuse_too_many(&self, max_share: f64, header: &SourceHeader, paths: &Paths) -> Result<()> {
        if self.aside.len() as f64 <= max_share * self.rows as f64 {
            return Ok(());
        }
        let most = self.most_often().unwrap_or_default();
        let Some(first) = self.aside.iter().find(|row| row.reason == most) else {
            return Ok(());
        };
        Err(IngestError::TooManySetAside {
            csv: paths.shown(&paths.materials().join(&header.file)),
            aside: self.aside.len(),
            rows: self.rows,
            reason: in_words(most, header),
            line: first.line,
            text: first.text.clone(),
        }
        .into())
    }

    /// One line of the surprises table for every code of the header, those that nobody met included.
    pub(super) fn counts(&self, header: &SourceHeader) -> Vec<Count> {
        if header.is_absent() {
            return Vec::new();
        }
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
pub(super) fn in_words(code: &str, header: &SourceHeader) -> String {
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
