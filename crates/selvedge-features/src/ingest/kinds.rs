//! Kinds of rows that are lost: a share of the whole file cannot see that every purchase is gone.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::IngestError;
use super::judged::in_words;
use super::tables::Aside;
use selvedge_engine::RawTable;
use selvedge_project::error::Result;
use selvedge_project::paths::Paths;
use selvedge_project::sql::SourceHeader;

/// Of fewer rows nothing is said: one bad row stops no run.
const LEAST: usize = 3;

/// More values than this are no kinds.
const MOST_KINDS: usize = 64;

/// The first kind of which more than `max_share` is set aside for one reason that lies in another column, as an error.
/// `aside` is in the order of the lines, and all of it stands in `raw`; `written` gives the texts of a column of the whole file,
/// each with the number of its rows.
pub fn lost(
    header: &SourceHeader,
    raw: &RawTable,
    aside: &[Aside],
    max_share: f64,
    paths: &Paths,
    written: impl Fn(&str) -> Result<Written>,
) -> Result<Option<IngestError>> {
    let lines = raw.lines();
    let row_of = |aside: &&Aside| lines.binary_search(&aside.line).ok();
    let column = |name: &str| raw.batch.column_by_name(name).map(|column| column.as_string::<i32>());
    for kinds in &header.kinds {
        let Some(values) = column(kinds) else { continue };
        let mut by_reason: BTreeMap<(&str, &str), Vec<&Aside>> = BTreeMap::new();
        for row in aside.iter() {
            let elsewhere = header.set_aside.get(&*row.reason).and_then(|words| words.column.as_ref());
            if elsewhere.is_some_and(|column| column != kinds)
                && let Some(value) = row_of(&row).and_then(|row| value(values, row))
            {
                by_reason.entry((value, &*row.reason)).or_default().push(row);
            }
        }
        by_reason.retain(|_, rows| rows.len() >= LEAST);
        if by_reason.is_empty() || by_reason.len() > MOST_KINDS * header.set_aside.len() {
            continue;
        }
        let kinds_lost: BTreeSet<&str> = by_reason.keys().map(|(kind, _)| *kind).collect();
        if kinds_lost.len() > MOST_KINDS {
            continue;
        }
        // Few texts stand in most rows, so each is counted as it is written, and trimmed once.
        let mut totals: BTreeMap<&str, usize> = kinds_lost.into_iter().map(|kind| (kind, 0)).collect();
        for (text, rows) in written(kinds)? {
            if let Some(total) = totals.get_mut(text.trim()) {
                *total += rows;
            }
        }
        let most = by_reason.iter().filter(|((kind, _), rows)| {
            rows.len() as f64 > max_share * totals.get(kind).copied().unwrap_or_default() as f64
        });
        let first = most.max_by_key(|((kind, reason), rows)| (rows.len(), std::cmp::Reverse((*kind, *reason))));
        let Some(((kind, reason), rows)) = first else { continue };
        let [row, ..] = rows.as_slice() else { continue };
        let unread = header.set_aside.get(*reason).and_then(|words| words.column.clone()).unwrap_or_default();
        let text = row_of(row).and_then(|row| value(column(&unread)?, row)).unwrap_or("nothing");
        return Ok(Some(IngestError::KindLost {
            csv: paths.shown(&paths.materials().join(&header.file)),
            line: row.line,
            aside: rows.len(),
            rows: totals.get(kind).copied().unwrap_or_default(),
            kinds: kinds.clone(),
            kind: (*kind).to_owned(),
            reason: in_words(reason, header),
            unread: unread.clone(),
            text: text.to_owned(),
        }));
    }
    Ok(None)
}

/// Texts, each with how often it stands there.
pub type Written = HashMap<String, usize, FixedState>;

/// Adds the texts of a column of `batch`.
pub fn count(batch: &RecordBatch, column: &str, written: &mut Written) {
    let texts = batch.column_by_name(column).map(|column| column.as_string::<i32>());
    texts.into_iter().flatten().flatten().for_each(|text| *written.entry_ref(text).or_default() += 1);
}

/// What stands in a row, without the space around it.
fn value(values: &StringArray, row: usize) -> Option<&str> {
    values.is_valid(row).then(|| values.value(row).trim())
}
