//! A CSV as a table of texts: every cell as it is written, plus the line it stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringBuilder};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use memchr::{memchr, memchr_iter, memrchr};
use rayon::prelude::*;

use super::table::concatenated;
use selvedge_project::error::{Advice, Result, did_you_mean};

/// Bytes of a file that are read in one go.
const BLOCK: usize = 1 << 23;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What one CSV holds.
#[derive(Debug)]
pub struct RawTable {
    /// `line` (Int64, the first is 1), then the CSV's columns as Utf8; an empty cell is NULL.
    pub batch: RecordBatch,
    /// Rows that are no rows of this table.
    pub malformed: Vec<Malformed>,
}

/// A row that has too few or too many cells, or is not UTF-8.
#[derive(Debug)]
pub struct Malformed {
    pub line: u64,
    pub reason: String,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file} is empty: it has no header line")]
    Empty { file: String },
    #[error("{file} has a header line and no rows")]
    NoRows { file: String },
    #[error("{file}:1: the file is not written in UTF-8")]
    NotUtf8 { file: String },
    #[error("{file}:1: the columns are not separated by commas: {text}")]
    NotCommas { file: String, text: String },
    #[error("{file}:1: the column '{column}' is missing")]
    MissingColumn { file: String, column: String, found: Vec<String> },
    #[error("{file}:1: the column '{column}' is not expected")]
    ExtraColumn { file: String, column: String, definition: String },
    #[error("{file}:1: the column '{column}' stands there twice")]
    ColumnTwice { file: String, column: String },
    #[error("{file}:{line}: a quote is opened and not closed: {text}")]
    OpenQuote { file: String, line: u64, text: String },
    #[error("{file}:{line}: {cause}")]
    Broken { file: String, line: u64, cause: String },
}

impl Advice for CsvError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { file, .. } => format!("put the client's export there, as {file}"),
            Self::Empty { .. } | Self::NoRows { .. } => {
                "ask for the export again; the tables of the last run are kept".into()
            }
            Self::NotUtf8 { .. } | Self::NotCommas { .. } => {
                "save the file as CSV in UTF-8, with commas between the columns".into()
            }
            Self::MissingColumn { column, found, .. } => {
                let fallback =
                    format!("the file has {}; ask for the export again, or change sql/sources", found.join(", "));
                did_you_mean(column, found.iter().map(String::as_str), &fallback)
            }
            Self::ExtraColumn { definition, column, .. } => {
                format!("add `{column}: what it means` to columns in {definition}, or leave it out of the export")
            }
            Self::ColumnTwice { .. } => "leave one of them out of the export".into(),
            Self::OpenQuote { .. } => {
                "close the quote on that line, or double the quotes that belong to the text".into()
            }
            Self::Broken { .. } => "correct that line".into(),
        })
    }
}

impl RawTable {
    /// Reads a CSV whose columns must be `expected` (in any order); `definition` is the SQL file that expects them.
    pub fn read(path: &Path, file: &str, expected: &BTreeSet<&str>, definition: &str) -> Result<Self> {
        let unreadable = |cause| CsvError::Unreadable { file: file.into(), cause };
        let mut blocks = Blocks::open(path).map_err(unreadable)?;
        let mut first = blocks.next().transpose().map_err(unreadable)?.unwrap_or_default();
        if first.text.starts_with(BYTE_ORDER_MARK) {
            first.text.drain(..BYTE_ORDER_MARK.len());
        }
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(&first.text[..]);
        let columns = header(&mut reader, &first.text, file, expected, definition)?;
        let end = reader.position().clone();
        first.text.drain(..end.byte() as usize);
        first.first_line = end.line();
        let mut fields = vec![Field::new("line", DataType::Int64, false)];
        fields.extend(columns.iter().map(|name| Field::new(name, DataType::Utf8, true)));
        let schema = Arc::new(Schema::new(fields));
        // The file is read by whoever is free, while the others read what is written in it.
        let read = std::iter::once(Ok(first)).chain(blocks).enumerate().par_bridge().map(|(place, block)| {
            let read = block.map_err(|cause| unreadable(cause).into()).and_then(|block| block.read(&schema, file));
            (place, read)
        });
        let read: BTreeMap<usize, Result<RawTable>> = read.collect();
        let (mut batches, mut malformed) = (Vec::new(), Vec::new());
        for part in read.into_values() {
            let part = part?;
            batches.push(part.batch);
            malformed.extend(part.malformed);
        }
        let batch = concatenated(&schema, batches).map_err(|cause| broken(file, &cause))?;
        if batch.num_rows() == 0 && malformed.is_empty() {
            return Err(CsvError::NoRows { file: file.into() }.into());
        }
        Ok(Self { batch, malformed })
    }

    /// The line of every row, ascending.
    pub fn lines(&self) -> &[i64] {
        self.batch.column(0).as_primitive::<Int64Type>().values()
    }

    /// The same rows a second time, on the lines that follow: a delivery that was repeated.
    pub fn repeated(&self) -> std::result::Result<RecordBatch, ArrowError> {
        let lines = self.batch.column(0).as_primitive::<Int64Type>();
        let last = self.lines().last().copied().unwrap_or_default();
        let mut columns = self.batch.columns().to_vec();
        columns[0] = Arc::new(lines.unary::<_, Int64Type>(|line| line + last));
        let copy = RecordBatch::try_new(self.batch.schema(), columns)?;
        concat_batches(&self.batch.schema(), [&self.batch, &copy])
    }
}

fn broken(file: &str, cause: &ArrowError) -> CsvError {
    CsvError::Broken { file: file.into(), line: 1, cause: cause.to_string() }
}

/// Some of a CSV's rows, as they are written.
#[derive(Debug, Default)]
struct Written {
    text: Vec<u8>,
    first_line: u64,
    /// How many line ends there are, and so about how many rows.
    lines: usize,
}

/// A file in blocks that end with a line, to be read side by side.  A quote may hold line ends, so from the first on the
/// rest stays whole.
struct Blocks {
    file: File,
    /// The beginning of the next block.
    begun: Vec<u8>,
    line: u64,
}

impl Blocks {
    fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::open(path)?, begun: Vec::new(), line: 1 })
    }

    fn block(&mut self) -> std::io::Result<Option<Written>> {
        let mut text = Vec::with_capacity(self.begun.len() + BLOCK);
        text.append(&mut self.begun);
        let end = loop {
            let before = text.len();
            self.file.by_ref().take(BLOCK as u64).read_to_end(&mut text)?;
            if memchr(b'"', &text[before..]).is_some() {
                self.file.read_to_end(&mut text)?;
            } else if text.len() == before + BLOCK {
                match memrchr(b'\n', &text) {
                    Some(end) => break end + 1,
                    None => continue,
                }
            }
            break text.len();
        };
        self.begun = text.split_off(end);
        let lines = memchr_iter(b'\n', &text).count();
        let first_line = self.line;
        self.line += lines as u64;
        Ok((!text.is_empty()).then_some(Written { text, first_line, lines }))
    }
}

impl Iterator for Blocks {
    type Item = std::io::Result<Written>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}

impl Written {
    fn read(&self, schema: &SchemaRef, file: &str) -> Result<RawTable> {
        let columns = schema.fields().len() - 1;
        let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(&self.text[..]);
        let room = || StringBuilder::with_capacity(self.lines + 1, self.text.len() / columns.max(1));
        let mut cells: Vec<StringBuilder> = std::iter::repeat_with(room).take(columns).collect();
        let (mut lines, mut malformed) = (Vec::with_capacity(self.lines + 1), Vec::new());
        let mut record = ByteRecord::new();
        let on = |line: u64| self.first_line + line - 1;
        loop {
            let line = on(reader.position().line());
            let more = reader.read_byte_record(&mut record).map_err(|e| CsvError::Broken {
                file: file.into(),
                line,
                cause: e.to_string(),
            })?;
            if !more {
                break;
            }
            let line = record.position().map_or(line, |position| on(position.line()));
            let start = record.position().map_or(0, csv::Position::byte) as usize;
            let written = self.text.get(start..reader.position().byte() as usize).unwrap_or_default();
            // Line ends that the row before left over, and empty lines.
            let ends = written.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let (ends, written) = written.split_at(ends);
            let line = line + ends.iter().filter(|byte| **byte == b'\n').count() as u64;
            refuse_open_quote(&record, written, columns, file, line)?;
            let shown = || String::from_utf8_lossy(written).trim_end().chars().take(500).collect();
            if record.len() != columns {
                let reason = format!("the row has {} cells instead of {columns}", record.len());
                malformed.push(Malformed { line, reason, text: shown() });
                continue;
            }
            match StringRecord::from_byte_record(std::mem::take(&mut record)) {
                Ok(row) => {
                    lines.push(line as i64);
                    for (builder, cell) in cells.iter_mut().zip(&row) {
                        builder.append_option(Some(cell).filter(|text| !text.is_empty()));
                    }
                    record = row.into_byte_record();
                }
                Err(_) => {
                    let reason = "the row is not written in UTF-8".into();
                    malformed.push(Malformed { line, reason, text: shown() });
                }
            }
        }
        let cells = cells.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        let arrays = std::iter::once(Arc::new(Int64Array::from(lines)) as ArrayRef).chain(cells).collect();
        let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|cause| broken(file, &cause))?;
        Ok(RawTable { batch, malformed })
    }
}

fn header(
    reader: &mut Reader<&[u8]>,
    text: &[u8],
    file: &str,
    expected: &BTreeSet<&str>,
    definition: &str,
) -> Result<Vec<String>> {
    let header =
        reader.byte_headers().map_err(|e| CsvError::Broken { file: file.into(), line: 1, cause: e.to_string() })?;
    if header.is_empty() {
        return Err(CsvError::Empty { file: file.into() }.into());
    }
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    refuse_open_quote(header, first_line, header.len(), file, 1)?;
    let found: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    if found.iter().any(|name| name.contains(['\0', '\u{fffd}'])) {
        return Err(CsvError::NotUtf8 { file: file.into() }.into());
    }
    if found.len() == 1 && expected.len() > 1 {
        let text = found[0].chars().take(120).collect();
        return Err(CsvError::NotCommas { file: file.into(), text }.into());
    }
    let mut seen = BTreeSet::new();
    for name in &found {
        if !seen.insert(name.as_str()) {
            return Err(CsvError::ColumnTwice { file: file.into(), column: name.clone() }.into());
        }
    }
    if let Some(column) = expected.iter().find(|name| !seen.contains(**name)) {
        let column = column.to_string();
        return Err(CsvError::MissingColumn { file: file.into(), column, found }.into());
    }
    match found.iter().find(|name| !expected.contains(name.as_str())) {
        Some(column) => {
            let (column, definition) = (column.clone(), definition.into());
            Err(CsvError::ExtraColumn { file: file.into(), column, definition }.into())
        }
        None => Ok(found),
    }
}

/// A quote that is not closed swallows the rows after it, so it stops the run instead of losing them.
fn refuse_open_quote(record: &ByteRecord, written: &[u8], columns: usize, file: &str, line: u64) -> Result<()> {
    let swallows = record.as_slice().contains(&b'\n');
    if !swallows || (quotes_end_cells(written) && record.len() == columns) {
        return Ok(());
    }
    let first_line = written.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(first_line).trim_end().chars().take(120).collect();
    Err(CsvError::OpenQuote { file: file.into(), line, text }.into())
}

/// Whether every quote that opens a cell is closed at that cell's end: two open quotes that meet are none of a pair.
fn quotes_end_cells(written: &[u8]) -> bool {
    let mut inside = false;
    let mut before = b',';
    let mut bytes = written.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match (byte, inside) {
            (b'"', true) if bytes.next_if(|next| **next == b'"').is_some() => {}
            (b'"', true) => {
                inside = false;
                if !matches!(bytes.peek(), None | Some(b',' | b'\r' | b'\n')) {
                    return false;
                }
            }
            (b'"', false) => inside = before == b',',
            _ => {}
        }
        before = byte;
    }
    !inside
}
