//! A CSV as a table of texts: every cell as it is written, plus the line it stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringBuilder};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use flate2::read::MultiGzDecoder;
use rayon::prelude::*;

use super::csv_blocks::{BLOCK, Blocks, Written};
use super::csv_error::CsvError;
use super::csv_start::{before_header, header, lone_return};
use super::raw_parquet;
use super::table::concatenated;
use selvedge_project::error::Result;

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

/// What a CSV must be like.
#[derive(Debug)]
pub struct Expected<'a> {
    pub columns: BTreeSet<&'a str>,
    /// The SQL file that expects them.
    pub definition: &'a str,
    /// Whether it may hold a header line alone.
    pub may_be_empty: bool,
    /// Whether it is written in Latin-1 instead of UTF-8.
    pub latin_1: bool,
}

impl RawTable {
    /// No rows, of a file that is not there.
    pub fn nothing() -> Self {
        Self { batch: RecordBatch::new_empty(texts(&[])), malformed: Vec::new() }
    }

    /// Reads a CSV (`.csv`), one that is compressed with gzip (`.csv.gz`) or a Parquet file (`.parquet`); its columns must be
    /// those that are expected, in any order.  `file` is named in errors.
    pub fn read(path: &Path, file: &str, wanted: &Expected) -> Result<Self> {
        let Scanned { schema, parts, malformed } = scan(path, file, wanted, BLOCK, |_, batch| Ok(batch))?;
        let batch = concatenated(&schema, parts).map_err(|cause| broken(file, &cause))?;
        Ok(Self { batch, malformed })
    }

    /// The text of a file of materials as a CSV in which the header line comes first, whatever it is written in.
    pub fn text(path: &Path, file: &str) -> Result<Vec<u8>> {
        let kind = Kind::of(path);
        if kind == Kind::Parquet {
            return raw_parquet::as_csv(path, file);
        }
        let mut text = Vec::new();
        let read = kind.open(path).and_then(|mut opened| opened.read_to_end(&mut text));
        read.map_err(|cause| kind.failed(file, cause))?;
        let (before, _) = before_header(&text, file)?;
        text.drain(..before);
        Ok(text)
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

/// What was made of a file's rows, in the order in which they stand there.
pub struct Scanned<T> {
    /// `line` (Int64, the first is 1), then the file's columns as Utf8; an empty cell is NULL.
    pub schema: SchemaRef,
    pub parts: Vec<T>,
    pub malformed: Vec<Malformed>,
}

/// Reads a file as [`RawTable::read`] does, and makes something of its rows, some of them at a time and side by side: about
/// `block` bytes of a CSV.
pub fn scan<T: Send>(
    path: &Path,
    file: &str,
    wanted: &Expected,
    block: usize,
    take: impl Fn(&SchemaRef, RecordBatch) -> Result<T> + Sync,
) -> Result<Scanned<T>> {
    let rows = AtomicUsize::new(0);
    let counted = |schema: &SchemaRef, batch: RecordBatch| {
        rows.fetch_add(batch.num_rows(), Ordering::Relaxed);
        take(schema, batch)
    };
    let kind = Kind::of(path);
    let scanned = match kind {
        Kind::Parquet => raw_parquet::scan(path, file, wanted, counted)?,
        Kind::Csv | Kind::Gzip => scan_text((path, kind), file, (wanted, block), counted)?,
    };
    if rows.into_inner() == 0 && scanned.malformed.is_empty() && !wanted.may_be_empty {
        return Err(CsvError::NoRows { file: file.into() }.into());
    }
    Ok(scanned)
}

fn scan_text<T: Send>(
    (path, kind): (&Path, Kind),
    file: &str,
    (wanted, block): (&Expected, usize),
    take: impl Fn(&SchemaRef, RecordBatch) -> Result<T> + Sync,
) -> Result<Scanned<T>> {
    let unreadable = |cause| kind.failed(file, cause);
    let mut blocks = Blocks::open(path, kind, wanted.latin_1, block).map_err(unreadable)?;
    let mut first = blocks.next().transpose().map_err(unreadable)?.unwrap_or_default();
    let (before, lines_before) = before_header(&first.text, file)?;
    first.text.drain(..before);
    first.first_line += lines_before;
    first.refuse_lone_return(file)?;
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(&first.text[..]);
    let columns = header(&mut reader, &first.text, file, &wanted.columns, wanted.definition)?;
    let end = reader.position().clone();
    first.text.drain(..end.byte() as usize);
    first.first_line = end.line() + lines_before;
    let schema = texts(&columns);
    // The file is read by whoever is free, while the others read what is written in it.
    let read = |block: Written| {
        let (batch, malformed) = block.read(&schema, file)?;
        Ok((take(&schema, batch)?, malformed))
    };
    let parts = std::iter::once(Ok(first)).chain(blocks).enumerate().par_bridge().map(|(place, block)| {
        let part = block.map_err(|cause| unreadable(cause).into()).and_then(read);
        (place, part)
    });
    let parts: BTreeMap<usize, Result<(T, Vec<Malformed>)>> = parts.collect();
    let parts: Vec<(T, Vec<Malformed>)> = parts.into_values().collect::<Result<_>>()?;
    let (parts, malformed): (Vec<T>, Vec<Vec<Malformed>>) = parts.into_iter().unzip();
    Ok(Scanned { schema, parts, malformed: malformed.into_iter().flatten().collect() })
}

/// The schema of a file of these columns.
pub fn texts(columns: &[String]) -> SchemaRef {
    let texts = columns.iter().map(|name| Field::new(name, DataType::Utf8, true));
    let fields = std::iter::once(Field::new("line", DataType::Int64, false)).chain(texts);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// How a table is written, by the end of its file's name.  One that is written another way than it is called is refused by
/// its first bytes: an export that changed without a word is looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Csv,
    Gzip,
    Parquet,
}

impl Kind {
    fn of(path: &Path) -> Self {
        match path.extension().map(|end| end.to_string_lossy().to_lowercase()).as_deref() {
            Some("gz") => Self::Gzip,
            Some("parquet") => Self::Parquet,
            _ => Self::Csv,
        }
    }

    /// The bytes as they were before they were packed.
    pub fn open(self, path: &Path) -> std::io::Result<Box<dyn Read + Send>> {
        let file = File::open(path)?;
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            Self::Csv | Self::Parquet => Box::new(file),
        })
    }

    fn failed(self, file: &str, cause: std::io::Error) -> CsvError {
        match self {
            Self::Gzip if cause.kind() != ErrorKind::NotFound => CsvError::BrokenGzip { file: file.into(), cause },
            _ => CsvError::Unreadable { file: file.into(), cause },
        }
    }
}

impl Written {
    fn refuse_lone_return(&self, file: &str) -> Result<()> {
        match lone_return(&self.text) {
            Some(line) => Err(CsvError::LoneReturn { file: file.into(), line: self.first_line + line }.into()),
            None => Ok(()),
        }
    }

    /// Its rows, and what is none.
    fn read(&self, schema: &SchemaRef, file: &str) -> Result<(RecordBatch, Vec<Malformed>)> {
        self.refuse_lone_return(file)?;
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
        Ok((batch, malformed))
    }
}

/// A quote that is not closed swallows the rows after it, so it stops the run instead of losing them.
pub fn refuse_open_quote(record: &ByteRecord, written: &[u8], columns: usize, file: &str, line: u64) -> Result<()> {
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
